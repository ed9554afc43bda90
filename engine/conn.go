package engine

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// connState is a set of facts about a connection.
type connState uint32

const (
	readable    connState = 1 << iota // a read may give something; until one came back short or dry
	writable                          // the kernel may take output; until it took less than offered
	hungUp                            // an event said that the peer is gone: only a read to the end tells what happened
	connecting                        // dialled, connect(2) in progress; ends in open or closed
	finishing                         // Finish was called; ends in closed
	lingering                         // finishing, all sent: reading and dropping what the peer sends; ends in closed
	closed                            // descriptor closed, Handler.Closed called or about to be; nothing follows
	ended                             // a read reported EOF or an error: the input is over
	writeFailed                       // a write failed: output is dropped from now on, the end of input is a reset
	finQueued                         // CloseWrite was called and output is still pending
	finSent                           // our FIN is sent
	idleMarked                        // SetIdle(true)
	readAsked                         // is in Loop.resumed, to be told Readable
	sendAsked                         // is in Loop.resumed, to go on sending
	dialled                           // our side began it
	unixSocket
)

// Conn is a connection, accepted or dialled. It is never recycled: a stored pointer stays valid, and IsClosed tells
// whether the connection still lives. It holds no buffer unless output is queued. Owner: its loop.
//
// There may be very many: TestConnSize holds its size. What every request touches stands first, in one cache line.
type Conn struct {
	loop      *Loop
	handler   Handler
	out       *outQueue // nil when nothing is queued
	fd        int32
	state     connState
	stamp     int64 // idleMarked: since when; finishing: the linger time in ns, then (lingering) when it ends
	deadline  int64 // loop ns; 0: none. May be later than timer, which then goes on to it
	bytesRead int64

	bytesSent int64
	timer     Timer
	ln        *Listener // nil: dialled
	id        uint64
	remote    endpoint
	lingerMS  uint32 // Finish's lingerEach
}

// Loop is the loop that owns the connection.
func (c *Conn) Loop() *Loop { return c.loop }

// ID is a process-wide serial number, nginx's *17 in the error log and $connection.
func (c *Conn) ID() uint64 { return c.id }

// SetHandler exchanges the handler.
func (c *Conn) SetHandler(h Handler) { c.handler = h }

// Handler gives the handler.
func (c *Conn) Handler() Handler { return c.handler }

// Listener is the listener that accepted the connection; nil for one we dialled.
func (c *Conn) Listener() *Listener { return c.ln }

// RemoteAddr is the peer's address; zero for unix sockets.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.remote.addrPort() }

// AppendRemoteIP appends RemoteAddr's IP address as text, one that is IPv4 in IPv6 as IPv4; nothing for unix sockets.
func (c *Conn) AppendRemoteIP(dst []byte) []byte { return c.remote.appendIP(dst) }

// LocalAddr is our side's address; zero for unix sockets and after Close. One system call unless the listener is bound
// to one address.
func (c *Conn) LocalAddr() netip.AddrPort {
	if c.state&(unixSocket|closed) != 0 {
		return netip.AddrPort{}
	}
	if c.ln != nil && !c.ln.addr.Addr().IsUnspecified() {
		return c.ln.addr
	}
	return c.loop.localName(c)
}

// IsUnix says whether this is a unix socket.
func (c *Conn) IsUnix() bool { return c.state&unixSocket != 0 }

// IsClosed says whether the connection is closed (Handler.Closed was called or is about to be).
func (c *Conn) IsClosed() bool { return c.state&closed != 0 }

// SetKeepAlive turns SO_KEEPALIVE on or off (proxy_socket_keepalive).
func (c *Conn) SetKeepAlive(on bool) {
	if c.state&closed == 0 {
		v := 0
		if on {
			v = 1
		}
		_ = unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, v) // a hint, nothing to do without it
	}
}

// BytesRead is the number of bytes read since the connection began.
func (c *Conn) BytesRead() int64 { return c.bytesRead }

// BytesSent is the number of bytes that the kernel took since the connection began.
func (c *Conn) BytesSent() int64 { return c.bytesSent }

// SetDeadline sets the connection's one deadline (loop ns as Loop.Now; 0: none). Moving it later is a store: the timer
// stays where it is, and goes on to the deadline when it expires.
func (c *Conn) SetDeadline(at int64) {
	c.deadline = at
	if at != 0 && (!c.timer.Armed() || at < c.timer.at) && c.state&closed == 0 {
		c.loop.SetTimer(&c.timer, at, (*connTimer)(c))
	}
}

// connTimer is a connection as the Expirer of its deadline.
type connTimer Conn

// Expired goes on to a deadline that was moved, or tells the handler.
func (ct *connTimer) Expired(*Timer) {
	c := (*Conn)(ct)
	l := c.loop
	l.current = c
	switch {
	case c.deadline == 0:
	case c.deadline > l.Now():
		l.SetTimer(&c.timer, c.deadline, ct)
	case c.state&lingering != 0:
		c.closeFor(nil)
	default:
		c.deadline = 0
		c.handler.Timeout(c)
	}
}
