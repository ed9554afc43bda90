package server

import "seawall/conf"

// phase is a step of a request's life.
type phase uint8

// The phases of a request, in order. The head was read and the virtual
// server chosen before the first (h1.go); an internal redirect goes back to
// phaseFindLocation, one to a named location to phaseLocationRewrite.
const (
	phaseServerRewrite   phase = iota // `return` at server level
	phaseFindLocation                 // uri -> location; `internal`, body size, limit_except
	phaseLocationRewrite              // `return` in the location
	phaseAccess                       // allow, deny
	phaseContent                      // backend, stored response, or 404; it drives filters, sending and log
)

// verdict is what a phase says when it returns.
type verdict uint8

const (
	next verdict = iota // go on with the phase that r.phase names now
	done                // an event (body, backend, timer) goes on, or the response is on its way
)

// do runs one phase. Each has one function, which sets nothing but what it decides.
func (p phase) do(r *Request) verdict {
	switch p {
	case phaseServerRewrite:
		return r.serverRewrite()
	case phaseFindLocation:
		return r.findLocation()
	case phaseLocationRewrite:
		return r.locationRewrite()
	case phaseAccess:
		return r.checkAccess()
	}
	return r.serveContent()
}

// run drives the request until it waits for an event or its response is on
// its way.
func (r *Request) run() {
	for v := next; v == next; {
		at := r.phase
		r.phase++
		v = at.do(r) // after done, r may be another request already
	}
}

// settle goes on after a verdict that was reached outside of run.
func (r *Request) settle(v verdict) {
	if v == next {
		r.run()
	}
}

// serverRewrite answers a `return` that stands in the server block.
func (r *Request) serverRewrite() verdict {
	r.loc = r.vhost.root
	if r.head.Dropped > 0 && !r.redirected {
		r.logDropped()
	}
	if ret := r.loc.ret; ret != nil {
		return r.serveReturn(ret)
	}
	return next
}

// findLocation chooses the location that serves r.uri.
func (r *Request) findLocation() verdict {
	m := r.vhost.locations.find(r.uri)
	if m.captures != nil {
		r.capturesOf, r.captures, r.captured = m.loc.regex, m.captures, r.uri
	}
	if m.loc.set.Internal && !r.internal {
		r.loc = m.loc
		return r.fail(404, "")
	}
	r.setLocation(m.loc)
	if limit := r.loc.set.ClientMaxBodySize; limit > 0 && r.head.ContentLength > limit && r.body.unasked() && !r.expectTested {
		r.logClient(levelError, "client intended to send too large body: %d bytes", r.head.ContentLength)
		r.body.refused = true
		return r.fail(413, "")
	}
	if m.redirect {
		// nginx: "a permanent redirect with the code 301 will be returned
		// to the requested URI with the slash appended".
		target := append(append(r.keep(r.uri), '/'), r.argsSuffix()...)
		return r.redirect(301, target)
	}
	return next
}

// argsSuffix is "?args", or nothing.
func (r *Request) argsSuffix() []byte {
	if len(r.args) == 0 {
		return nil
	}
	from := len(r.arena)
	r.arena = append(append(r.arena, '?'), r.args...)
	return r.arena[from:]
}

// setLocation makes l the location of the request and takes over what it
// says about methods and the connection.
func (r *Request) setLocation(l *location) {
	if le := l.limitExcept; le != nil && !le.lets(r) {
		l = le.location
	}
	r.loc = l
	if r.keepalive && (l.set.KeepaliveTimeout == 0 || int(r.serverNo) >= l.set.KeepaliveRequests) {
		r.keepalive = false
	}
}

// locationRewrite answers a `return` that stands in the location.
func (r *Request) locationRewrite() verdict {
	if ret := r.loc.ret; ret != nil && r.loc.kind != conf.Level {
		return r.serveReturn(ret)
	}
	return next
}

// serveContent hands the request to the location's handler.
func (r *Request) serveContent() verdict {
	if l := r.loc; l.proxy != nil {
		return r.serveProxy()
	}
	// Static files come with a later issue; until then a location without
	// a handler has nothing at any URI.
	return r.fail(404, "")
}
