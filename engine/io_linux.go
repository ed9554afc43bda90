//go:build linux && !race

package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls on non-blocking descriptors go by RawSyscall: they return at once, and telling the scheduler about them
// (entersyscall, exitsyscall) costs more than it buys. The price is that the goroutine cannot be preempted inside, so
// that a stop-the-world waits for the call; ioLimit bounds the bytes that one copies.

func sysRead(fd int, p []byte) (int, unix.Errno) {
	if len(p) == 0 {
		return 0, 0
	}
	n, _, no := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(min(len(p), ioLimit)))
	return int(n), no
}

func sysWrite(fd int, p []byte) (int, unix.Errno) {
	if len(p) == 0 {
		return 0, 0
	}
	n, _, no := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), no
}

// vector is the argument of writev(2). Owner: the loop.
type vector struct {
	iov [maxVector]unix.Iovec
}

func (v *vector) set(i int, p []byte) {
	v.iov[i].Base = unsafe.SliceData(p)
	v.iov[i].SetLen(len(p))
}

func (v *vector) write(fd, n int) (int, unix.Errno) {
	sent, _, no := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&v.iov[0])), uintptr(n))
	clear(v.iov[:n]) // keeps no buffer alive
	return int(sent), no
}
