package engine

import "golang.org/x/sys/unix"

// socketPerLoop: the kernel spreads new connections over the sockets of one port (SO_REUSEPORT, socket(7)), so that each
// loop has its own queue and no loop wakes for another's connection.
const socketPerLoop = true

const tcpKeepIdle = unix.TCP_KEEPIDLE

func listenOptions(fd int, spec *ListenSpec) {
	setKeepAlive(fd, spec.KeepAlive)
	defers := 0
	if spec.DeferAccept {
		defers = 1 // seconds, as nginx
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, defers)
	if spec.FastOpen > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, spec.FastOpen)
	}
}

// prepareDial sets the options of an outgoing TCP socket. With IP_BIND_ADDRESS_NO_PORT a bound local address takes its
// port at connect(2), where it need be unique only per peer (ip(7)).
func prepareDial(fd int) error {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
}
