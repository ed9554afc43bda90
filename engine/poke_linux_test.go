package engine

import "golang.org/x/sys/unix"

// poke delivers an event that says readable and writable.
func poke(l *Loop, fd int) { _ = l.onEvent(fd, unix.EPOLLIN|unix.EPOLLOUT, 0) }
