//go:build race

package engine

import "golang.org/x/sys/unix"

// Under the race detector the calls go through package unix, which tells it that what was written before came before
// what was read, and which bytes the kernel touches.

func sysRead(fd int, p []byte) (int, unix.Errno) {
	n, err := unix.Read(fd, p[:min(len(p), ioLimit)])
	return n, errnoOf(err)
}

func sysWrite(fd int, p []byte, more bool) (int, unix.Errno) {
	if more {
		n, err := unix.SendmsgN(fd, p, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_MORE)
		return n, errnoOf(err)
	}
	n, err := unix.Write(fd, p)
	return n, errnoOf(err)
}

func sysSendfile(fd, from int, off *int64, n int) (int, unix.Errno) {
	sent, err := unix.Sendfile(fd, from, off, n)
	return sent, errnoOf(err)
}

func sysSplice(from, to, n int) (int, unix.Errno) {
	moved, err := unix.Splice(from, nil, to, nil, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
	return int(moved), errnoOf(err)
}

// vector is the argument of writev(2). Owner: the loop.
type vector struct {
	parts [maxVector][]byte
}

func (v *vector) set(i int, p []byte) { v.parts[i] = p }

func (v *vector) write(fd, n int, more bool) (int, unix.Errno) {
	var sent int
	var err error
	if more {
		sent, err = unix.SendmsgBuffers(fd, v.parts[:n], nil, nil, unix.MSG_NOSIGNAL|unix.MSG_MORE)
	} else {
		sent, err = unix.Writev(fd, v.parts[:n])
	}
	clear(v.parts[:n]) // keeps no buffer alive
	return sent, errnoOf(err)
}
