package engine

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// waker interrupts a waiting poller. Our own instead of Poller.Trigger, because a task that triggers another one from
// inside the poller's task round would be served before any event, for ever; a descriptor of our own is one event among
// the others. An eventfd registered edge-triggered needs no reading: every write is an edge.
type waker struct {
	fd int // registered for reading
}

func newWaker() (waker, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	return waker{fd: fd}, os.NewSyscallError("eventfd", err)
}

func (w waker) wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	for {
		if _, err := unix.Write(w.fd, one[:]); err != unix.EINTR {
			return // the counter cannot become full: it takes 2^64-2
		}
	}
}

func (w waker) woken() {}

func (w waker) close() { _ = unix.Close(w.fd) }
