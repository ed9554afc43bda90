package engine

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Dial begins a connection to the given address. from: the local address, zero for the system's choice, with
// port 0 for its choice of a port. h gets Connected,
// or Closed with the errno (also when connect(2) fails at once; never before Dial has returned). The error returned is for
// what prevents trying: no descriptor, ErrTooManyConns, ErrStopped, a local address that cannot be bound; h hears nothing
// then. A timeout is SetDeadline's.
func (l *Loop) Dial(to Addr, from netip.AddrPort, h DialHandler) (*Conn, error) {
	if l.stopping {
		return nil, ErrStopped
	}
	if l.live >= l.engine.opt.MaxConns && !l.makeRoom() {
		return nil, ErrTooManyConns
	}
	fd, err := l.dialSocket(to, from)
	if err != nil {
		return nil, err
	}
	c := l.newConn(fd, dialled|connecting)
	c.handler = h
	if to.path == "" {
		c.remote = endpointFromAddrPort(to.ap)
	} else {
		c.state |= unixSocket
	}
	l.counters.dialed.Add(1)
	l.counters.backends.Add(1)
	no := l.sysConnect(fd, to)
	if no != 0 && no != unix.EINPROGRESS && no != unix.EINTR {
		c.closeFor(no)
		return c, nil
	}
	// Connected at once or not: the registration brings an event when it is.
	if err := l.register(c); err != nil {
		c.closeFor(err)
	}
	return c, nil
}

// dialSocket makes the socket; when descriptors have run out, once more after closing idle connections.
func (l *Loop) dialSocket(to Addr, from netip.AddrPort) (int, error) {
	fd, err := sysSocket(familyOf(to))
	if (err == unix.EMFILE || err == unix.ENFILE) && l.reclaim(reclaimBatch) > 0 {
		fd, err = sysSocket(familyOf(to))
	}
	if err != nil {
		return -1, err
	}
	if to.path == "" {
		err = prepareDial(fd)
		if err == nil && from.IsValid() {
			err = unix.Bind(fd, sockaddrOf(TCPAddr(from)))
		}
		if err != nil {
			_ = unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}

// connectEvent finds out what became of connect(2). The event may be a stale one of the descriptor's former connection:
// only a peer's name proves that the connection stands.
func (c *Conn) connectEvent() {
	no, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		c.closeFor(err)
		return
	}
	if no != 0 {
		c.closeFor(unix.Errno(no))
		return
	}
	if _, no := c.loop.sysName(int(c.fd), true); no != 0 {
		c.state &^= readable | writable | hungUp
		return
	}
	if c.selfConnected() {
		c.closeFor(unix.ECONNREFUSED)
		return
	}
	c.state &^= connecting
	c.handler.(DialHandler).Connected(c)
	if c.state&(closed|finishing) != 0 {
		return
	}
	if c.out != nil {
		c.sendQueued()
	} else if c.state&finQueued != 0 {
		c.sendFin()
	}
	if c.state&(readable|closed|finishing) == readable {
		c.handler.Readable(c)
	}
}

// firstFreePort is where ports begin that the kernel may choose for an outgoing connection.
const firstFreePort = 1024

// selfConnected: dialling a port on which nobody listens may connect the socket to itself, when the kernel happens to
// choose that very port as the local one (TCP's simultaneous open, RFC 9293 3.5).
func (c *Conn) selfConnected() bool {
	if c.state&unixSocket != 0 || c.remote.port < firstFreePort {
		return false
	}
	local, no := c.loop.sysName(int(c.fd), false)
	return no == 0 && local.port == c.remote.port && local.ip == c.remote.ip
}
