package server

import (
	"strconv"

	"seawall/engine"
	"seawall/httpparse"
)

// conn implements client.
func (h *h1Conn) conn() *engine.Conn { return h.c }

// pending implements client.
func (h *h1Conn) pending() int { return h.c.Pending() }

// flush implements client.
func (h *h1Conn) flush(r *Request) {
	if h.c.Pending() == 0 {
		return
	}
	if h.c.Flush(); h.c.Pending() > 0 {
		h.setSendDeadline()
	}
}

// setSendDeadline bounds the time between two writes (send_timeout).
func (h *h1Conn) setSendDeadline() {
	l := h.req.loc
	if l == nil { // the next head is being read meanwhile
		l = h.req.vhost.root
	}
	h.c.SetDeadline(h.loop.l.Now() + int64(l.set.SendTimeout))
}

// sendHead implements client: it decides on the framing of the body and
// renders the head.
func (h *h1Conn) sendHead(r *Request) {
	if r.isHTTP09() { // there is no head in it
		r.keepalive = false
		return
	}
	p := &r.resp
	if p.length < 0 && !r.headerOnly && p.status >= 200 {
		if r.head.Minor >= 1 && r.loc.set.ChunkedTransferEncoding {
			p.chunked = true
		} else {
			r.keepalive = false
		}
	}
	b := h.c.Reserve(headSize(p))
	from := len(b)
	b = r.appendHead(b)
	if r.rendering != nil && !p.ownDate {
		r.keepRendered(b[from:])
	}
	r.headBytes += int64(len(b) - from)
	r.responded += int64(len(b) - from)
	h.c.Commit(b)
}

// sendRendered implements client.
func (h *h1Conn) sendRendered(r *Request, head []byte) {
	h.c.Write(head)
	r.headBytes += int64(len(head))
	r.responded += int64(len(head))
}

// headSize is room enough for the head of p, bytes.
func headSize(p *response) int {
	n := 512 + len(p.statusText) + len(p.contentType)
	for i := range p.fields {
		n += len(p.fields[i].name) + len(p.fields[i].value) + 4
	}
	return n
}

// appendHead renders the head of r's response in HTTP/1.x, fields in nginx's order.
func (r *Request) appendHead(b []byte) []byte {
	p := &r.resp
	l := r.loc
	apart := -1 // index of the field that is sent before its turn
	b = appendStatusLine(b, p.status, p.statusText)
	if !p.ownServer {
		b = r.appendServerField(b)
	}
	if !p.ownDate {
		b = append(b, "Date: "...)
		b = append(b, r.loop.clock().httpDate...)
		b = append(b, '\r', '\n')
	}
	if len(p.contentType) > 0 {
		b = appendField(b, "Content-Type: ", p.contentType)
	}
	if p.length >= 0 {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, p.length, 10)
		b = append(b, '\r', '\n')
	}
	if p.lastModified >= 0 && !p.lastModListed {
		b = append(b, "Last-Modified: "...)
		b = httpparse.AppendDate(b, p.lastModified)
		b = append(b, '\r', '\n')
	}
	if i := p.location - 1; i >= 0 && l.set.AbsoluteRedirect && len(p.fields[i].value) > 0 && p.fields[i].value[0] == '/' {
		p.fields[i].value = append(r.appendOrigin(nil), p.fields[i].value...)
		b = appendField(b, "Location: ", p.fields[i].value)
		apart = i
	}
	if p.chunked {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	switch {
	case p.upgraded:
		b = append(b, "Connection: upgrade\r\n"...)
	case r.keepalive:
		b = append(b, "Connection: keep-alive\r\n"...)
		if s := l.set.KeepaliveHeader; s > 0 {
			b = append(b, "Keep-Alive: timeout="...)
			b = strconv.AppendInt(b, int64(s.Seconds()), 10)
			b = append(b, '\r', '\n')
		}
	default:
		b = append(b, "Connection: close\r\n"...)
	}
	for i := range p.fields {
		if f := &p.fields[i]; f.name != nil && i != apart {
			b = append(b, f.name...)
			b = append(b, ':', ' ')
			b = append(b, f.value...)
			b = append(b, '\r', '\n')
		}
	}
	return append(b, '\r', '\n')
}

// appendServerField appends our Server field; server_tokens may leave it out.
func (r *Request) appendServerField(b []byte) []byte {
	v := &r.loc.serverHeader
	if v.isStatic() {
		if len(v.static) == 0 {
			return b
		}
		return appendField(b, "Server: ", v.static)
	}
	before := len(b)
	b = append(b, "Server: "...)
	start := len(b)
	if b = v.append(r, b); len(b) == start {
		return b[:before]
	}
	return append(b, '\r', '\n')
}

func appendField(b []byte, name string, value []byte) []byte {
	b = append(b, name...)
	b = append(b, value...)
	return append(b, '\r', '\n')
}

// appendOrigin appends "http://host[:port]" for a redirect to our own side
// (server_name_in_redirect, port_in_redirect).
func (r *Request) appendOrigin(b []byte) []byte {
	b = append(b, "http://"...)
	set := r.loc.set
	local := r.conn().LocalAddr()
	switch {
	case set.ServerNameInRedirect:
		b = append(b, r.vhost.name...)
	case len(r.host) > 0:
		b = append(b, r.host...)
	case local.IsValid():
		b = local.Addr().AppendTo(b)
	}
	if port := local.Port(); set.PortInRedirect && local.IsValid() && port != 80 {
		b = append(b, ':')
		b = strconv.AppendUint(b, uint64(port), 10)
	}
	return b
}

// sendBody implements client.
func (h *h1Conn) sendBody(r *Request, p []byte, shared bool) {
	if !r.resp.chunked {
		h.put(r, p, shared)
		return
	}
	b := h.c.Reserve(18)
	from := len(b)
	b = strconv.AppendUint(b, uint64(len(p)), 16)
	b = append(b, '\r', '\n')
	r.responded += int64(len(b) - from)
	h.c.Commit(b)
	h.put(r, p, shared)
	h.put(r, crlf, false)
}

var (
	crlf      = []byte("\r\n")
	lastChunk = []byte("0\r\n\r\n")
)

// copyBelow is the size under which shared bytes are copied all the same: one
// write(2) of one buffer costs less than a writev(2) of two.
const copyBelow = 4 << 10

func (h *h1Conn) put(r *Request, p []byte, shared bool) {
	if shared && len(p) > copyBelow {
		h.c.WriteShared(p)
	} else {
		h.c.Write(p)
	}
	r.responded += int64(len(p))
}

// sendPages implements client.
func (h *h1Conn) sendPages(r *Request, p *engine.Pages, off, n int) {
	h.c.WritePages(p, off, n)
	r.responded += int64(n)
}

// moveBody implements client.
func (h *h1Conn) moveBody(r *Request, src *engine.Conn, n int) (int, error) {
	moved, err := h.c.WriteFrom(src, n)
	r.responded += int64(moved)
	return moved, err
}

// endResponse implements client.
func (h *h1Conn) endResponse(r *Request) {
	if r.resp.chunked && !r.headerOnly {
		h.put(r, lastChunk, false)
	}
	if h.reading && r.keepalive && h.c.Pending() < outputHigh && len(h.unreadInput()) > 0 && !r.body.unread() {
		// The next request is there already: its answer leaves with this one.
		h.finish()
		return
	}
	if h.c.Flush(); h.c.IsClosed() {
		return // Closed follows and ends the request
	}
	if h.c.Pending() == 0 {
		h.finish()
		return
	}
	h.state = h1Flush
	h.setSendDeadline()
}

// abort implements client.
func (h *h1Conn) abort(r *Request) {
	r.keepalive = false
	r.resp.ended = true
	if h.c.Pending() > 0 {
		if h.c.Flush(); h.c.Pending() > 0 {
			h.setSendDeadline() // for the engine's Finish, too
		}
	}
	p := &r.resp
	untilClose := p.headSent && p.length < 0 && !p.chunked && !p.upgraded && !r.headerOnly
	h.dropRequest()
	h.state = h1Closing
	h.releaseInput()
	if untilClose { // an orderly end would make the part look whole
		h.c.Reset()
		return
	}
	// What was sent stays readable; the missing end tells the client that
	// the response is not whole.
	h.c.Finish(0, 0)
}
