package http1

import (
	"io"
	"net/netip"

	"golang.org/x/sys/unix"

	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

// sendState is how far the request is.
type sendState uint8

const (
	sendNone       sendState = iota // no request; then connecting or body
	sendConnecting                  // the connection is being made; then body
	sendBody                        // the body source has more; then stalled, flushing or broken
	sendStalled                     // the body source has nothing now; then body or broken
	sendFlushing                    // all is queued, not all taken by the kernel; then done or broken
	sendDone                        // the kernel has it all
	sendBroken                      // the peer takes no more; what it sent before may still be read
)

// recvState is how far the response is.
type recvState uint8

const (
	recvNone      recvState = iota // no request, so nothing may come; then head
	recvHead                       // then any of those below, or whole
	recvLength                     // a body of x.left more bytes; then whole
	recvChunked                    // a body in chunks; then whole
	recvClose                      // a body that ends with the connection; then whole
	recvTunnel                     // after 101: bytes both ways; then tunnelEnd
	recvTunnelEnd                  // the peer has sent all it will, we perhaps not; then whole
)

// A conn is a connection to a peer, and the exchange that uses it. Its life:
//
//   - pool.Dial makes it, with nothing but a connection in the making;
//   - Begin gives it an exchange: sink, req and policy are set;
//   - the exchange ends, by finish, fail or Abort: the three are nil again. After
//     finish the connection may be kept (kept is set: it is in its pool's
//     lists, holds no buffer, and Begin may follow), otherwise it is closed;
//   - Closed is the last that is heard of it.
//
// Loop only.
type conn struct {
	pool *pool
	peer *upstream.Peer
	ec   *engine.Conn
	bind netip.AddrPort // local address it was made from

	sink   upstream.Sink // nil: no exchange
	req    *upstream.RequestBytes
	policy *upstream.Policy

	out     sendState
	in      recvState
	kept    bool
	paused  bool // Pause was called
	pumping bool // pump is running: the buffer is its own until it ends
	started bool // sending was begun
	finSent bool // tunnel: TunnelCloseWrite was called
	interim uint8
	bits    uint8 // of the body that were moved and small

	buf   *engine.Buf // what was read and not used up yet; nil as a rule
	pos   int         // how much of buf.B is used up
	left  int64       // recvLength: body bytes to come
	resp  httpparse.Response
	chunk httpparse.Chunked

	phase   upstream.Phase // what reading is about, for the log
	sendErr error          // sendBroken: why
	headBy  int64          // when the head must be there, loop ns; 0: not set yet

	sentBefore, readBefore int64 // the connection's counts when the exchange began

	born   int64 // loop ns
	served int   // requests begun
	links  links
	later  func() // pump, for Loop.Defer; made once, when first needed
}

// Begin implements upstream.Exchange.
func (x *conn) Begin(req *upstream.RequestBytes, p *upstream.Policy, s upstream.Sink) {
	x.req, x.policy, x.sink = req, p, s
	x.served++
	x.in = recvHead
	x.interim, x.bits, x.headBy = 0, 0, 0
	x.paused, x.started = false, false
	x.resp.Reset()
	x.phase = upstream.PhaseHead
	x.sentBefore, x.readBefore = x.ec.BytesSent(), x.ec.BytesRead()
	if x.out != sendConnecting {
		x.send()
	} else if d := p.ConnectTimeout; d > 0 {
		x.ec.SetDeadline(x.pool.loop.Now() + int64(d))
	}
}

// Abort implements upstream.Exchange.
func (x *conn) Abort() {
	x.detach()
	x.ec.Close()
}

// Started implements upstream.Exchange.
func (x *conn) Started() bool { return x.started }

// Bytes implements upstream.Exchange.
func (x *conn) Bytes() (sent, received int64) {
	return x.ec.BytesSent() - x.sentBefore, x.ec.BytesRead() - x.readBefore
}

// Pause implements upstream.Exchange.
func (x *conn) Pause() {
	x.paused = true
	if x.ec.Pending() == 0 && x.out != sendConnecting {
		x.headBy = 0
		x.ec.SetDeadline(0) // the peer is not to blame for our not reading
	}
}

// Resume implements upstream.Exchange.
func (x *conn) Resume() {
	if !x.paused {
		return
	}
	x.paused = false
	if x.later == nil {
		x.later = x.pump
	}
	x.pool.loop.Defer(x.later)
}

// detach ends the exchange: nobody is told of what comes from now on.
func (x *conn) detach() {
	x.sink, x.req, x.policy = nil, nil, nil
	x.out, x.in = sendNone, recvNone
	x.sendErr = nil
	if !x.pumping {
		x.putBuffer()
	}
}

// fail ends the exchange and the connection.
func (x *conn) fail(e *upstream.Error) {
	s := x.sink
	x.detach()
	x.ec.Close()
	s.Failed(e)
}

// finish ends the exchange whose response is whole.
func (x *conn) finish() {
	s, note := x.sink, x.excess()
	keep := note == nil && x.reusable()
	x.detach()
	if keep {
		x.pool.keep(x)
	} else {
		x.ec.Close()
	}
	s.Done(note)
}

// reusable reports whether another request may be sent after this one.
func (x *conn) reusable() bool {
	pl := x.pool
	switch {
	case x.in == recvClose, x.in == recvTunnelEnd:
		return false
	case !x.resp.KeepAlive:
		return false
	case x.out != sendDone: // the peer answered early; it may read the rest as a request
		return false
	case pl.closed, pl.lim.Idle == 0:
		return false
	case pl.lim.Requests > 0 && x.served >= pl.lim.Requests:
		return false
	case pl.lim.Age > 0 && pl.loop.Now()-x.born > int64(pl.lim.Age):
		return false
	case x.ec.ReadableNow(): // more than the response, or its end: seldom, so it may cost a read
		return x.dry()
	}
	return true
}

// dry reports whether there is nothing to read, not even an end.
func (x *conn) dry() bool {
	b := x.pool.loop.GetBuf(1)
	_, err := x.ec.Read(b.B[:1])
	x.pool.loop.PutBuf(b)
	return err == engine.ErrAgain
}

// Connected implements engine.DialHandler.
func (x *conn) Connected(*engine.Conn) {
	if x.sink == nil {
		return
	}
	x.sink.Connected()
	if x.sink != nil {
		x.send()
	}
}

// Readable implements engine.Handler.
func (x *conn) Readable(*engine.Conn) {
	if x.kept && !x.dry() {
		x.pool.drop(x) // it was closed, or says something that nobody asked for
		return
	}
	x.pump()
}

// Writable implements engine.Handler.
func (x *conn) Writable(*engine.Conn) {
	if x.sink == nil {
		return
	}
	if x.ec.Pending() > 0 {
		x.arm()
		return
	}
	switch x.in {
	case recvTunnel, recvTunnelEnd:
		if x.finSent && x.in == recvTunnelEnd {
			x.finish()
			return
		}
		x.arm()
		x.sink.Writable()
	default:
		x.push()
	}
}

// Timeout implements engine.Handler.
func (x *conn) Timeout(*engine.Conn) {
	switch {
	case x.kept:
		x.pool.drop(x)
	case x.sink == nil:
	case x.out == sendConnecting:
		x.fail(upstream.Timeout(upstream.PhaseConnect))
	case x.out == sendBroken && x.in == recvHead:
		x.fail(x.sendFailure())
	case x.ec.Pending() > 0 && x.in < recvTunnel:
		x.fail(upstream.Timeout(upstream.PhaseSend))
	case x.in == recvHead:
		x.fail(upstream.Timeout(upstream.PhaseHead))
	case x.in >= recvTunnel:
		x.fail(upstream.Timeout(upstream.PhaseTunnel))
	default:
		x.fail(upstream.Timeout(upstream.PhaseBody))
	}
}

// Closed implements engine.Handler.
func (x *conn) Closed(_ *engine.Conn, why error) {
	x.pumping = false // it may be a panic of ours that ended the connection
	if x.kept {
		x.pool.remove(x)
	}
	if x.sink == nil {
		x.putBuffer()
		return
	}
	switch {
	case why == nil || why == io.EOF:
		x.fail(upstream.ClosedEarly(x.phase))
	case !isErrno(why):
		x.fail(upstream.Local(why.Error(), why))
	case x.out == sendConnecting:
		x.fail(connectFailure(x.peer, why))
	case x.in == recvHead && x.out != sendDone:
		x.fail(upstream.IOError(upstream.KindReset, "writev", why, upstream.PhaseSend))
	default:
		x.fail(upstream.IOError(upstream.KindReset, "recv", why, x.phase))
	}
}

func isErrno(err error) bool {
	_, ok := err.(unix.Errno)
	return ok
}

// arm sets the deadline for what is waited for now.
func (x *conn) arm() {
	now, p := x.pool.loop.Now(), x.policy
	at := int64(0)
	switch {
	case x.ec.Pending() > 0:
		at = deadline(now, int64(p.SendTimeout))
	case x.paused:
	case x.in == recvHead:
		// Once for the whole head, as nginx: a head that trickles in gets no more.
		if x.out == sendDone && x.headBy == 0 {
			x.headBy = deadline(now, int64(p.ReadTimeout))
		}
		at = x.headBy
	default:
		at = deadline(now, int64(p.ReadTimeout))
	}
	x.ec.SetDeadline(at)
}

func deadline(now, d int64) int64 {
	if d <= 0 {
		return 0
	}
	return now + d
}
