package server

import (
	"bytes"
	"slices"
	"strconv"

	"seawall/conf"
	"seawall/engine"
	"seawall/httpparse"
)

// The backend's response as the client gets it.

// adoptReply makes the response to the client of a backend's head. raw and
// fields live as long as the request's exchange, or as the stored object.
func (r *Request) adoptReply(raw []byte, fields []httpparse.Field, resp *httpparse.Response) {
	r.resp.begin(resp.Status)
	r.resp.statusText = resp.StatusText.In(raw)
	r.resp.length = resp.ContentLength
	// Several ranges need the whole body at hand.
	r.resp.singleRange = true
	r.adoptFields(raw, fields)
}

// adoptFields takes over the end-to-end fields of a backend's response.
func (r *Request) adoptFields(raw []byte, fields []httpparse.Field) {
	h := r.loc.proxy
	p := &r.resp
	for i := range fields {
		f := &fields[i]
		name, v := f.Name.In(raw), f.Value.In(raw)
		r.heedAccel(f.ID, v)
		if h.hide.has(f.ID, name) {
			continue
		}
		if f.ID == httpparse.HeaderUnknown && name[0] == '@' {
			if string(name) == storedStatus {
				p.statusText = v
			} else if p.length = -1; len(v) > 0 && v[0] != '-' {
				p.length, _ = strconv.ParseInt(string(v), 10, 64)
			}
			continue
		}
		switch f.ID {
		case httpparse.HeaderContentType:
			p.contentType = v
			continue
		case httpparse.HeaderLastModified:
			if t, ok := httpparse.ParseDate(v); ok {
				p.lastModified = t
			}
			p.lastModListed = true
		case httpparse.HeaderETag:
			p.etag = v
		case httpparse.HeaderAcceptRanges:
			if h.forceRanges {
				continue
			}
			if r.caching && bytes.Contains(v, []byte("bytes")) {
				p.allowRanges = true
				continue
			}
		case httpparse.HeaderLocation:
			to, rewritten := r.rewriteLocation(v, 0)
			if rewritten {
				p.setLocation(to)
				continue
			}
		case httpparse.HeaderRefresh:
			v = r.rewriteRefresh(v)
		case httpparse.HeaderSetCookie:
			if h.cookies != nil {
				v = r.rewriteCookie(v)
			}
		case httpparse.HeaderServer:
			p.ownServer = true
		case httpparse.HeaderDate:
			p.ownDate = true
		}
		p.add(name, v)
	}
	if h.forceRanges {
		p.allowRanges = true
	}
	if r.caching {
		p.conditional = true
	}
}

// heedAccel obeys the X-Accel-* fields that steer how the response is sent.
func (r *Request) heedAccel(id httpparse.HeaderID, v []byte) {
	ignore := r.loc.proxy.ignore
	switch id {
	case httpparse.HeaderXAccelLimitRate:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && n >= 0 && ignore&conf.IgnoreXAccelLimitRate == 0 {
			r.limitRate, r.rateSet = n, true
		}
	case httpparse.HeaderXAccelBuffering:
		if ignore&conf.IgnoreXAccelBuffering == 0 {
			switch {
			case httpparse.EqualFold(v, []byte("no")):
				r.unbuffered = true
			case httpparse.EqualFold(v, []byte("yes")):
				r.unbuffered = false
			}
		}
	}
}

// keptOverRedirect are the fields of a response with X-Accel-Redirect that
// the redirect's own response keeps (nginx's copied "redirect" headers).
var keptOverRedirect = []httpparse.HeaderID{
	httpparse.HeaderContentType, httpparse.HeaderSetCookie, httpparse.HeaderContentDisposition,
	httpparse.HeaderCacheControl, httpparse.HeaderExpires, httpparse.HeaderAcceptRanges,
}

// accelTarget is the X-Accel-Redirect to be followed, nil without.
func (ex *exchange) accelTarget() []byte {
	v, ok := ex.field(httpparse.HeaderXAccelRedirect)
	if !ok || len(v) == 0 || ex.loc.proxy.ignore&conf.IgnoreXAccelRedirect != 0 {
		return nil
	}
	return v
}

// accelRedirect follows X-Accel-Redirect: the response is what the location
// it names gives.
func (ex *exchange) accelRedirect(r *Request) {
	target := r.keep(ex.accelTarget())
	ex.refuseFill(ex.status)
	ex.call.Cancel()
	ex.state = exchangeOver
	ex.forget()
	ex.keepOverRedirect(r)
	r.resp.begin(200)
	r.uncached = true // what the backend let through for this request is not for the next one
	if r.method != httpparse.MethodHead {
		r.method = httpparse.MethodGet
	}
	if target[0] == '@' {
		r.settle(r.namedLocation(string(target)))
		return
	}
	path, args := splitArgs(target)
	uri, err := httpparse.NormalizePath(nil, path, r.vhost.conf.MergeSlashes)
	if err != nil || len(uri) == 0 || uri[0] != '/' {
		r.logClient(levelError, "upstream sent unsafe or invalid X-Accel-Redirect \"%s\"", target)
		r.settle(r.fail(404, ""))
		return
	}
	r.settle(r.internalRedirect(uri, args))
}

// keepOverRedirect saves the fields that outlive X-Accel-Redirect.
func (ex *exchange) keepOverRedirect(r *Request) {
	for i := range ex.fields {
		f := &ex.fields[i]
		if !slices.Contains(keptOverRedirect, f.ID) {
			continue
		}
		v := r.keep(f.Value.In(ex.reply))
		if f.ID == httpparse.HeaderContentType {
			r.resp.keptType = v
			continue
		}
		r.resp.kept = append(r.resp.kept, outField{r.keep(f.Name.In(ex.reply)), v})
	}
}

// takeBody sends body bytes that came from the backend, and holds the backend
// back, or spools, when the client is slower.
func (r *Request) takeBody(p []byte) {
	if sp := r.out; sp != nil && sp.active {
		r.spoolMore(p)
		return
	}
	r.sendBody(p, false)
	if r.queued() > r.loc.proxy.memory {
		r.client.flush(r)
		if r.client == nil {
			return
		}
		if r.queued() > r.loc.proxy.memory {
			r.outputFull()
			return
		}
	}
	r.flushSoon()
}

// movesBody tells whether the backend's bytes may go to the client as they
// are: nothing here wants to see, count out or keep them.
func (r *Request) movesBody() bool {
	return !r.resp.chunked && r.resp.length >= 0 && !r.headerOnly && r.replacement == nil && len(r.resp.ranges) == 0 &&
		r.limitRate == 0 && r.paced.bytes == 0 && (r.out == nil || !r.out.active)
}

// moveBody moves body bytes from the backend's connection to the client's, and
// sends them. When the client is slower, what follows is copied, as takeBody does.
func (r *Request) moveBody(src *engine.Conn, n int) (int, error) {
	moved, err := r.client.moveBody(r, src, n)
	if moved > 0 {
		r.client.flush(r)
		if r.client != nil && r.queued() > r.loc.proxy.memory {
			r.outputFull()
		}
	}
	return moved, err
}

// outputFull is reached when the client has not taken what memory may hold.
func (r *Request) outputFull() {
	h := r.loc.proxy
	if h.buffering && !r.unbuffered && h.maxTemp > 0 && r.limitRate == 0 {
		r.beginSpooling()
		return
	}
	r.paused = true
	r.ex.hold(heldForClient)
}

// flushSoon flushes when the current event has been dealt with: what comes
// with it leaves together.
func (r *Request) flushSoon() {
	if !r.flushPending {
		r.flushPending = true
		r.loop.l.Defer(r.flushLater)
	}
}

// flushNow is flushSoon's second half. The request may have been finished, and
// even taken into use again, since.
func (r *Request) flushNow() {
	r.flushPending = false
	r.flushIfIdle()
}

// flushIfIdle sends what an answer outside of the connection's own reading left
// queued. A request whose head is still being read (loc is nil) is another one
// than the answer's.
func (r *Request) flushIfIdle() {
	if r.client != nil && r.loc != nil && r.client.pending() > 0 {
		r.client.flush(r)
	}
}

// bodyComplete is reached when all of a direct response has come.
func (r *Request) bodyComplete() {
	if sp := r.out; sp != nil && sp.active {
		sp.complete = true
		r.pumpSpool()
		return
	}
	r.endResponse()
}

// outputDrained goes on with whatever waits for the client: a spooled
// response, a fill, a paused backend.
func (r *Request) outputDrained() {
	switch {
	case r.reader.Fill() != nil:
		r.pumpFill()
	case r.out != nil && r.out.active:
		r.pumpSpool()
	case r.paused && r.queued() <= r.loc.proxy.memory/2:
		r.paused = false
		r.ex.release(heldForClient)
	}
}
