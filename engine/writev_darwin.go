package engine

import "golang.org/x/sys/unix"

// vector is the argument of writev(2), here through libSystem as Darwin demands. Owner: the loop.
type vector struct {
	parts [maxVector][]byte
}

func (v *vector) set(i int, p []byte) { v.parts[i] = p }

func (v *vector) write(fd, n int, _ bool) (int, unix.Errno) {
	sent, err := unix.Writev(fd, v.parts[:n])
	clear(v.parts[:n]) // keeps no buffer alive
	return sent, errnoOf(err)
}
