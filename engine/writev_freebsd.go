package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// vector is the argument of writev(2). Owner: the loop.
type vector struct {
	iov [maxVector]unix.Iovec
}

func (v *vector) set(i int, p []byte) {
	v.iov[i].Base = unsafe.SliceData(p)
	v.iov[i].SetLen(len(p))
}

func (v *vector) write(fd, n int, _ bool) (int, unix.Errno) {
	sent, _, no := unix.Syscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&v.iov[0])), uintptr(n))
	clear(v.iov[:n]) // keeps no buffer alive
	return int(sent), no
}
