package server

import (
	"seawall/conf"
	"seawall/engine"
)

// readBody implements client: the request wants its body.
func (h *h1Conn) readBody(r *Request) {
	if r.head.Expect100 && !r.expectTested {
		r.expectTested = true
		if len(h.unreadInput()) == 0 { // a client that sent the body at once does not wait for us
			h.c.Write(continueHead)
			if !h.reading {
				h.c.Flush()
			}
		}
	}
	h.pumpBody()
}

var continueHead = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// pumpBody gives the body what was read already, then what the socket has,
// until the body is whole, takes no more for now, or the socket is dry.
func (h *h1Conn) pumpBody() {
	r := h.req
	full := false
	for r.body.wanted() {
		if rest := h.unreadInput(); len(rest) > 0 {
			n, err := r.body.feed(r, rest)
			h.take(n)
			if err != nil {
				r.bodyFailed(err)
				return
			}
			if r.body.wanted() && n == 0 {
				full = true // the backend's or the disk's turn, which is not the client's fault
				break
			}
			continue
		}
		if !h.readMore() {
			break
		}
		if h.state == h1Closing || h.req != r {
			return
		}
	}
	if h.req != r {
		return
	}
	if r.body.wanted() && !full {
		h.c.SetDeadline(h.loop.l.Now() + int64(r.loc.set.ClientBodyTimeout))
	} else {
		h.c.SetDeadline(0)
	}
	r.bodyProgress()
}

// take notes that n bytes of the unread input were used.
func (h *h1Conn) take(n int) {
	if h.more != nil {
		h.moreUsed += int32(n)
	} else {
		h.used += n
	}
}

// readMore reads body bytes behind the head's buffer, which must stay where
// it is while the request refers to it.
func (h *h1Conn) readMore() bool {
	if h.more == nil {
		h.more = h.loop.l.GetBuf(bodyRead)
	}
	h.more.B, h.moreUsed = h.more.B[:0], 0
	n, err := h.c.Read(h.more.B[:cap(h.more.B)])
	if n > 0 {
		h.more.B = h.more.B[:n]
		return true
	}
	h.loop.l.PutBuf(h.more)
	h.more = nil
	h.used = len(h.in.B)
	if err != engine.ErrAgain {
		h.req.bodyCut(err)
	}
	return false
}

// discard reads and drops the rest of a body whose response was sent.
func (h *h1Conn) discard() {
	r := h.req
	for r.body.unread() {
		if rest := h.unreadInput(); len(rest) > 0 {
			n, err := r.body.feed(r, rest)
			h.take(n)
			if err != nil {
				h.dropRequest()
				h.close()
				return
			}
			continue
		}
		if !h.readMore() {
			if h.state == h1Closing {
				return
			}
			break
		}
	}
	if !r.body.unread() {
		set := r.loc.set
		h.dropRequest()
		h.becomeIdle(set)
		return
	}
	now := h.loop.l.Now()
	if now >= r.body.discardUntil {
		h.dropRequest()
		h.close()
		return
	}
	h.c.SetDeadline(min(now+int64(r.loc.set.LingeringTimeout), r.body.discardUntil))
}

// lingerAfter tells whether to read on after the response so that a reset
// does not take it from the client (lingering_close).
func lingerAfter(l conf.LingeringClose, unread bool) bool {
	return l == conf.LingeringAlways || l == conf.LingeringOn && unread
}
