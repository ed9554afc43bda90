package server

import (
	"errors"
	"io"
	"strings"

	"seawall/conf"
	"seawall/engine"
	"seawall/httpparse"
)

// h1State says what an HTTP/1.x client connection is doing.
type h1State uint8

const (
	h1Idle    h1State = iota // between requests, no bytes of the next one -> h1Head
	h1Head                   // some of a request's head is there -> h1Busy, closed
	h1Busy                   // the request machine has the request -> h1Flush, h1Tunnel, closed
	h1Flush                  // the response is complete, the kernel has not taken all -> h1Discard, h1Idle, closed
	h1Discard                // the rest of a request's body is read and dropped -> h1Idle, closed
	h1Tunnel                 // upgraded: bytes go both ways -> closed
	h1Closing                // Finish or Close was called
)

// h1Conn is the client's side of an HTTP/1.x connection. It implements
// engine.Handler and client. While it is idle it holds neither buffer nor
// request, so that an idle connection costs little more than this struct.
type h1Conn struct {
	c     *engine.Conn
	loop  *loopState
	addr  *listenAddr // as of the current request
	req   *Request    // nil while idle
	in    *engine.Buf // what was read and not used up; the request's head stays here until it is over
	more  *engine.Buf // body bytes read behind in
	off   int         // of the current head in in.B
	used  int         // of in.B: head and body bytes that were taken
	since int64       // loop time of accept, for keepalive_time
	spare int64       // idle, within keepalive_min_timeout: what of keepalive_timeout is left behind it, ns

	served    uint32
	state     h1State
	reading   bool // readRequests is on the stack: it goes on by itself
	last      bool // the address is not listened on any more: the next request ends the connection
	protected bool // it is not marked idle while it is: keepalive_min_timeout
	moreUsed  int32
	firstRead int32 // how much the next request's first read asks for
}

// Buffer sizes in bytes. A head that outgrows the first is moved to larger
// ones, up to what large_client_header_buffers allows.
const (
	firstRead = 4 << 10
	bodyRead  = 16 << 10 // also how much a first read asks for at most
	// outputHigh is how much output may wait before a source is paused,
	// where nothing else says so.
	outputHigh = 64 << 10
)

// accepted takes over a new connection.
func (s *loopState) accepted(c *engine.Conn, addr *listenAddr) {
	h := &h1Conn{c: c, loop: s, addr: addr, since: s.l.Now(), firstRead: firstRead}
	c.SetHandler(h)
	c.SetDeadline(h.since + int64(addr.fallback.conf.ClientHeaderTimeout))
}

// Readable implements engine.Handler.
func (h *h1Conn) Readable(c *engine.Conn) {
	switch h.state {
	case h1Idle, h1Head:
		h.readRequests()
	case h1Busy:
		if h.req.body.wanted() {
			h.pumpBody()
		} else if c.PeerClosed() {
			h.req.clientClosed()
		}
	case h1Discard:
		h.discard()
	case h1Tunnel:
		h.req.tunnelFromClient()
	}
}

// readRequests reads and serves requests until the input is dry or one of
// them has to wait. What pipelined requests answer leaves by one write.
func (h *h1Conn) readRequests() {
	h.reading = true
	for h.state == h1Idle || h.state == h1Head {
		if h.in != nil && len(h.in.B) > h.off {
			if h.parse() {
				continue
			}
		}
		if h.state != h1Idle && h.state != h1Head || !h.fill() {
			break
		}
	}
	h.reading = false
	if h.state == h1Closing || h.c.IsClosed() {
		return
	}
	if h.c.Pending() > 0 {
		if h.c.Flush(); h.c.Pending() > 0 && h.req != nil {
			h.setSendDeadline()
		}
	}
	if h.state == h1Idle {
		h.rest()
	}
}

// fill reads once behind what is in the buffer. false: nothing came.
func (h *h1Conn) fill() bool {
	if h.in == nil {
		h.in = h.loop.l.GetBuf(int(h.firstRead))
		h.off = 0
	}
	b := h.in.B
	if len(b) == cap(b) {
		b = h.makeRoom()
	}
	n, err := h.c.Read(b[len(b):cap(b)])
	if n > 0 {
		h.in.B = b[:len(b)+n]
		return true
	}
	if err == engine.ErrAgain {
		return false
	}
	h.inputEnded(err)
	return false
}

// makeRoom moves an unfinished head to the start of a buffer with free space.
// The parser's limits keep it from growing without bound.
func (h *h1Conn) makeRoom() []byte {
	rest := h.in.B[h.off:]
	if h.off > 0 && len(rest) <= cap(h.in.B)/2 {
		h.in.B = h.in.B[:copy(h.in.B[:cap(h.in.B)], rest)]
	} else {
		larger := h.loop.l.GetBuf(2 * len(rest))
		larger.B = append(larger.B, rest...)
		h.loop.l.PutBuf(h.in)
		h.in = larger
	}
	h.off = 0
	return h.in.B
}

// inputEnded handles the end of input, or a read error, between requests or
// within a head.
func (h *h1Conn) inputEnded(err error) {
	if h.state == h1Head && h.req != nil {
		if errors.Is(err, io.EOF) {
			h.logConn(levelInfo, "client prematurely closed connection while reading client request "+h.headPart())
		}
		h.req.headCut(h.in.B[h.off:])
		h.dropRequest()
	}
	h.close()
}

// parse tries to make a request of what is in the buffer, and runs it. true:
// go on with the input, the connection is ready for the next head.
func (h *h1Conn) parse() bool {
	r := h.req
	if r == nil {
		r = h.loop.newRequest(h)
		h.req = r
		if h.state == h1Idle {
			h.state = h1Head
			h.c.SetIdle(false)
			if h.served > 0 {
				h.c.SetDeadline(r.started + int64(h.addr.fallback.conf.ClientHeaderTimeout))
			}
		}
		h.addr = h.loop.currentAddr(h)
		r.site, r.vhost = h.addr.site, h.addr.fallback
		r.site.active[h.loop.index]++
	}
	head := h.in.B[h.off:]
	whole, err := r.head.Parse(head, &r.vhost.limits)
	switch {
	case err != nil:
		h.refuse(r, head, err)
	case !whole:
		return false
	default:
		h.used = h.off + r.head.HeadLen
		r.read = int64(r.head.HeadLen)
		r.raw = head[:r.head.HeadLen:r.head.HeadLen]
		h.state = h1Busy
		h.begin(r)
	}
	return h.state == h1Idle || h.state == h1Head
}

// refuse answers a head that cannot be served.
func (h *h1Conn) refuse(r *Request, head []byte, err error) {
	status, text := 400, err.Error()
	var refused *httpparse.Error
	if errors.As(err, &refused) {
		status = refused.Page
		text = string(refused.AppendLog(nil, r.head.Culprit.In(head)))
		r.lineBroken = strings.HasSuffix(refused.Action, "request line")
		r.oldProtocol = refused == httpparse.ErrInvalidMethod09
		if r.head.Culprit.Len > 0 {
			r.read = int64(r.head.Culprit.Off)
		}
	}
	r.raw = head
	h.used = len(h.in.B)
	if h.state != h1Busy {
		h.state = h1Busy
		h.served++
		r.serverNo = h.served
	}
	r.keepalive = false
	r.malformed = true
	r.lingering = true
	if !r.lineBroken {
		r.method = r.head.Method
		r.setPath() // as far as it is known
	}
	r.loc = r.vhost.root
	r.logClient(levelInfo, "%s", text)
	r.resp.begin(status)
	r.settle(r.specialResponse(status))
}

// begin chooses the virtual server and starts the request machine.
func (h *h1Conn) begin(r *Request) {
	h.served++
	r.serverNo = h.served
	r.method = r.head.Method
	r.keepalive = r.head.KeepAlive
	r.headerOnly = r.method == httpparse.MethodHead
	r.body.begin(&r.head)
	r.host = r.lower(r.head.HostName.In(r.raw))
	if names := &h.addr.names; !names.sole {
		if v, re, captures := names.find(r.host); v != nil {
			r.vhost, r.nameRegex, r.nameMatch = v, re, captures
		}
	}
	r.loc = r.vhost.root
	s := r.loc.set
	if r.keepalive && (int(h.served) >= s.KeepaliveRequests || s.KeepaliveTimeout == 0 ||
		r.started-h.since > int64(s.KeepaliveTime) || h.loop.draining || h.last || h.refusesKeepalive(r)) {
		r.keepalive = false
	}
	h.firstRead = firstReadAfter(&r.head)
	h.c.SetDeadline(0)
	if err := r.setPath(); err != nil {
		h.refuse(r, r.raw, err)
		return
	}
	r.run()
}

// firstReadAfter is how much to read at first of a request that follows one
// with this head on its connection: enough for another such body behind its head.
// What comes whole is neither read in two calls nor copied.
func firstReadAfter(head *httpparse.Request) int32 {
	if all := int64(head.HeadLen) + head.ContentLength; head.ContentLength > 0 && all > firstRead && all <= bodyRead {
		return int32(all)
	}
	return firstRead
}

// Writable implements engine.Handler.
func (h *h1Conn) Writable(c *engine.Conn) {
	r := h.req
	switch h.state {
	case h1Busy:
		if c.Pending() > 0 {
			h.setSendDeadline()
		} else if !r.body.wanted() {
			c.SetDeadline(0)
		}
		r.outputDrained()
	case h1Flush:
		if c.Pending() == 0 {
			h.finish()
		} else {
			h.setSendDeadline()
		}
	case h1Tunnel:
		r.tunnelToClientDrained()
	}
}

// Timeout implements engine.Handler.
func (h *h1Conn) Timeout(c *engine.Conn) {
	switch h.state {
	case h1Idle:
		if h.spare > 0 && !h.loop.draining {
			h.giveWay()
			return
		}
		h.close()
	case h1Head:
		h.logConn(levelInfo, "client timed out (110: Connection timed out) while reading client request "+h.headPart())
		r := h.req
		r.raw = h.in.B[h.off:]
		h.used = len(h.in.B)
		h.state = h1Busy
		r.malformed = true
		r.requestTimedOut()
	case h1Busy:
		h.req.timedOut()
	case h1Flush:
		h.req.timedOut()
	case h1Discard:
		h.close()
	case h1Tunnel:
		h.req.tunnelTimedOut()
	case h1Closing:
		h.close()
	}
}

// expire implements client.
func (h *h1Conn) expire(r *Request) {
	reset := r.loc.set.ResetTimedoutConnection
	h.dropRequest()
	if reset {
		h.state = h1Closing
		h.releaseInput()
		h.c.Reset()
		return
	}
	h.close()
}

// drop implements client.
func (h *h1Conn) drop(*Request) {
	h.dropRequest()
	h.close()
}

// beginTunnel implements client.
func (h *h1Conn) beginTunnel(r *Request) {
	h.state = h1Tunnel
	h.c.Flush()
	r.tunnelTouch()
	if rest := h.unreadInput(); len(rest) > 0 { // what the client sent without waiting for the 101
		r.ex.call.TunnelWrite(rest)
		h.take(len(rest))
	}
	r.tunnelFromClient()
}

// connection implements client.
func (h *h1Conn) connection() connectionInfo {
	return connectionInfo{requests: h.served, pipelined: len(h.unreadInput()) > 0, since: h.since}
}

// Closed implements engine.Handler.
func (h *h1Conn) Closed(c *engine.Conn, why error) {
	if r := h.req; r != nil {
		if h.state == h1Head && h.in != nil {
			r.headCut(h.in.B[h.off:])
		}
		r.connectionLost()
		h.dropRequest()
	}
	h.state = h1Closing
	h.releaseInput()
}

// close closes at once.
func (h *h1Conn) close() {
	h.state = h1Closing
	h.releaseInput()
	h.c.Close()
}

func (h *h1Conn) releaseInput() {
	if h.in != nil {
		h.loop.l.PutBuf(h.in)
		h.in = nil
	}
	if h.more != nil {
		h.loop.l.PutBuf(h.more)
		h.more = nil
	}
	h.off, h.used, h.moreUsed = 0, 0, 0
}

// finish ends the request whose response the kernel has taken and decides
// what becomes of the connection.
func (h *h1Conn) finish() {
	r := h.req
	keep := r.keepalive && !h.loop.draining
	unread := r.body.unread()
	lingers := r.lingering || unread
	set := r.loc.set
	lingerTime, lingerEach := set.LingeringTime, set.LingeringTimeout
	linger := set.LingeringClose
	if unread && keep {
		h.state = h1Discard
		r.body.discardRest(h.loop.l.Now() + int64(lingerTime))
		h.c.SetDeadline(h.loop.l.Now() + int64(lingerEach))
		r.complete()
		h.discard()
		return
	}
	h.dropRequest()
	if !keep {
		h.state = h1Closing
		if lingerAfter(linger, lingers || len(h.unreadInput()) > 0 || h.c.ReadableNow()) {
			h.c.Finish(lingerTime, lingerEach)
		} else {
			h.c.Finish(0, 0)
		}
		h.releaseInput()
		return
	}
	h.becomeIdle(set)
}

// becomeIdle makes the connection ready for the next request.
func (h *h1Conn) becomeIdle(set *conf.Settings) {
	h.state = h1Idle
	h.keepUnread()
	timeout := set.KeepaliveTimeout
	h.spare = 0
	if least := set.KeepaliveMinTimeout; least > 0 && least < timeout {
		h.spare = int64(timeout - least)
		timeout = least
	}
	h.protected = set.KeepaliveMinTimeout > 0
	h.c.SetDeadline(h.loop.l.Now() + int64(timeout))
	if !h.reading {
		h.readRequests()
	}
}

// rest lets go of the buffer: nothing of the next request is there yet.
func (h *h1Conn) rest() {
	if h.in != nil && h.off >= len(h.in.B) {
		h.releaseInput()
	}
	h.c.SetIdle(!h.protected)
}

// giveWay lets the connection be closed from now on, when connections run
// short and at the end: keepalive_min_timeout is over.
func (h *h1Conn) giveWay() {
	h.c.SetDeadline(h.loop.l.Now() + h.spare)
	h.spare, h.protected = 0, false
	h.c.SetIdle(true)
}

// unreadInput is what was read and not used up.
func (h *h1Conn) unreadInput() []byte {
	if h.more != nil {
		return h.more.B[h.moreUsed:]
	}
	if h.in != nil {
		return h.in.B[h.used:]
	}
	return nil
}

// keepUnread drops what the request used up; the rest is the start of the next.
func (h *h1Conn) keepUnread() {
	if h.more != nil {
		h.loop.l.PutBuf(h.in)
		h.in, h.used = h.more, int(h.moreUsed)
		h.more, h.moreUsed = nil, 0
	}
	h.off = h.used
	if h.in != nil && h.off == len(h.in.B) {
		h.in.B = h.in.B[:0]
		h.off, h.used = 0, 0
	}
}

// dropRequest gives the request back after its log line was written.
func (h *h1Conn) dropRequest() {
	if r := h.req; r != nil {
		h.req = nil
		defer h.loop.recycle(r) // also when the log line panics
		r.complete()
	}
}

// headPart is the part of the head that the client has not finished.
func (h *h1Conn) headPart() string {
	if h.req.head.Line.Len > 0 {
		return "headers"
	}
	return "line"
}
