//go:build darwin || freebsd

package engine

import (
	"os"

	"golang.org/x/sys/unix"
)

// waker interrupts a waiting poller. Our own instead of Poller.Trigger, because a task that triggers another one from
// inside the poller's task round would be served before any event, for ever; a descriptor of our own is one event among
// the others.
type waker struct {
	fd   int // registered for reading
	sink int
}

func newWaker() (waker, error) {
	var p [2]int
	if err := unix.Pipe(p[:]); err != nil {
		return waker{}, os.NewSyscallError("pipe", err)
	}
	for _, fd := range p {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return waker{}, os.NewSyscallError("fcntl", err)
		}
	}
	return waker{fd: p[0], sink: p[1]}, nil
}

func (w waker) wake() {
	for {
		if _, err := unix.Write(w.sink, []byte{1}); err != unix.EINTR {
			return // EAGAIN: the pipe is full, so the poller has an event already
		}
	}
}

func (w waker) woken() {
	var drop [64]byte
	for {
		if n, err := unix.Read(w.fd, drop[:]); err == unix.EINTR || n == len(drop) {
			continue
		}
		return
	}
}

func (w waker) close() {
	_ = unix.Close(w.fd)
	_ = unix.Close(w.sink)
}
