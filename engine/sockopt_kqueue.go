//go:build darwin || freebsd

package engine

import "golang.org/x/sys/unix"

// socketPerLoop: SO_REUSEPORT does not spread connections here (the last socket gets them all on Darwin), so that all
// loops share one.
const socketPerLoop = false

func listenOptions(fd int, spec *ListenSpec) {
	setKeepAlive(fd, spec.KeepAlive)
	if spec.FastOpen > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, spec.FastOpen)
	}
}

// prepareDial sets the options of an outgoing TCP socket.
func prepareDial(fd int) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
}
