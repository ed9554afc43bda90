//go:build darwin || freebsd

package engine

import "golang.org/x/sys/unix"

// poke delivers events that say writable and readable.
func poke(l *Loop, fd int) {
	_ = l.onEvent(fd, unix.EVFILT_WRITE, 0)
	_ = l.onEvent(fd, unix.EVFILT_READ, 0)
}
