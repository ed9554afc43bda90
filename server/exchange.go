package server

import (
	"errors"

	"seawall/cache"
	"seawall/httpparse"
	"seawall/upstream"
)

// exchange is the dealings with a backend on behalf of a request, or, once
// its response is to be stored, of the cache: then it goes on when the client
// leaves. It is the call's upstream.Receiver. Owner: one loop.
//
// Its life: askBackend -> UpstreamHead -> direct, filling or tunnel -> over.
type exchange struct {
	call  upstream.Call
	loop  *loopState
	loc   *location
	group *upstream.Group
	r     *Request // the client's request; nil when it has left, or never was one (background update)
	state exchangeState

	// The request to the backend.
	head        []byte
	ownBody     fixedBody
	headRequest bool
	idempotent  bool
	again       bool // a further group for the same client request

	// The response's head, kept for $upstream_http_* and for storing.
	reply  []byte
	fields []httpparse.Field
	status int

	// What is to be stored.
	zone    *cache.Zone
	fill    *cache.Fill
	key     cache.Key
	keyText []byte
	asker   headCopy      // the request's fields, for Vary
	stale   *cache.Object // what is stored but expired
	paused  bool
}

// exchangeState is how far an exchange is.
type exchangeState uint8

const (
	exchangeIdle    exchangeState = iota // in the pool
	exchangeWaiting                      // for the response head
	exchangeDirect                       // the body goes to the client as it comes
	exchangeFilling                      // the body goes to a fill; the client reads it from there
	exchangeTunnel                       // upgraded
	exchangeOver                         // the call has ended; kept for the log's variables
)

// headCopy is a copy of a request's fields that outlives the request. It is
// a cache.VaryRequest.
type headCopy struct {
	raw    []byte
	fields []httpparse.Field
}

func (h *headCopy) take(r *Request) {
	h.raw = append(h.raw[:0], r.raw...)
	h.fields = append(h.fields[:0], r.head.Fields...)
}

// HeaderValue implements cache.VaryRequest.
func (h *headCopy) HeaderValue(name []byte, i int) ([]byte, bool) {
	return fieldValue(h.raw, h.fields, name, i)
}

// HeaderValue implements cache.VaryRequest.
func (r *Request) HeaderValue(name []byte, i int) ([]byte, bool) {
	return fieldValue(r.raw, r.head.Fields, name, i)
}

// fieldValue returns the i-th field called name, in any case.
func fieldValue(raw []byte, fields []httpparse.Field, name []byte, i int) ([]byte, bool) {
	for k := range fields {
		if f := &fields[k]; int(f.Name.Len) == len(name) && httpparse.EqualFold(f.Name.In(raw), name) {
			if i == 0 {
				return f.Value.In(raw), true
			}
			i--
		}
	}
	return nil, false
}

// newExchange takes an exchange from the pool, for r or, nil, for nobody yet.
func (s *loopState) newExchange(r *Request) *exchange {
	var ex *exchange
	if n := len(s.exchanges); n > 0 {
		ex = s.exchanges[n-1]
		s.exchanges = s.exchanges[:n-1]
	} else {
		ex = &exchange{loop: s}
	}
	ex.r = r
	return ex
}

// leave takes the client away from the exchange. What nobody else waits for
// is cancelled.
func (ex *exchange) leave() {
	ex.r = nil
	switch {
	case ex.state == exchangeOver:
		ex.free()
	case ex.fill != nil: // the cache still wants it
		if ex.paused {
			ex.paused = false
			ex.call.Resume()
		}
	default:
		ex.call.Cancel()
		ex.free()
	}
}

// over notes that the call has ended.
func (ex *exchange) over() {
	ex.state = exchangeOver
	if ex.r == nil {
		ex.free()
	}
}

// free puts the exchange back into the pool. The call keeps its own memory.
func (ex *exchange) free() {
	ex.loc, ex.group, ex.r = nil, nil, nil
	ex.state = exchangeIdle
	ex.head, ex.reply, ex.fields = ex.head[:0], ex.reply[:0], ex.fields[:0]
	ex.ownBody = fixedBody{}
	ex.headRequest, ex.idempotent, ex.again, ex.paused = false, false, false, false
	ex.status = 0
	ex.zone, ex.fill, ex.stale = nil, nil, nil
	ex.key = cache.Key{}
	ex.keyText = ex.keyText[:0]
	ex.asker.raw, ex.asker.fields = ex.asker.raw[:0], ex.asker.fields[:0]
	if len(ex.loop.exchanges) < maxPooled {
		ex.loop.exchanges = append(ex.loop.exchanges, ex)
	}
}

// askBackend reads the body, if the location wants it first, and starts the call.
func (r *Request) askBackend() verdict {
	h := r.loc.proxy
	if !r.body.whole && r.body.state == bodyUnread {
		r.handlerState = contentReading
		r.readBody(!h.bufferBody && (!r.head.Chunked || h.speaksHTTP11()))
		return done
	}
	r.startCall()
	return done
}

// speaksHTTP11 tells whether the backend is spoken to in HTTP/1.1: only then
// can a chunked body be passed on as it comes.
func (h *proxyHandler) speaksHTTP11() bool { return string(h.version) == " HTTP/1.1\r\n" }

// startCall sends the request to a backend.
func (r *Request) startCall() {
	h := r.loc.proxy
	ex := r.ex
	if ex == nil {
		ex = r.loop.newExchange(r)
		r.ex = ex
	}
	ex.loc = r.loc
	group := h.group
	if h.dynamic != nil {
		if group = r.resolveDynamic(h); group == nil {
			r.logClient(levelError, "no resolver defined to resolve %s", r.dynamicHost)
			ex.abandonFill(errNoGroup)
			r.settle(r.fail(502, ""))
			return
		}
	}
	ex.group = group
	r.source.Rewind()
	r.body.taken = true
	r.handlerState = contentWaiting
	r.buildBackendHead(ex)
	req := r.backendRequest(ex)
	ex.again = true
	ex.start(req)
}

var errNoGroup = errors.New("no backend group of that name")

func (ex *exchange) start(req upstream.RequestBytes) {
	ex.state = exchangeWaiting
	ex.loop.stats.backendRequests++
	ex.call.Start(ex.loop.l, ex.group, &ex.loc.proxy.policy, req, ex)
}

// UpstreamHead implements upstream.Receiver.
func (ex *exchange) UpstreamHead(c *upstream.Call, resp *httpparse.Response, buf []byte) {
	ex.reply = append(ex.reply[:0], buf[:resp.HeadLen]...)
	ex.fields = append(ex.fields[:0], resp.Fields...)
	ex.status = resp.Status
	if ex.zone != nil && ex.replyFromCache(resp) {
		return
	}
	r := ex.r
	if r == nil {
		if !ex.fillFrom(resp) {
			ex.call.Cancel()
			ex.over()
		}
		return
	}
	h := ex.loc.proxy
	switch {
	case resp.Status == 101:
		r.beginTunnel(ex, resp)
	case ex.accelRedirect(r):
	case h.intercept && resp.Status >= 300 && r.loc.errorPages[resp.Status] != nil && !r.errorPage:
		ex.intercept(r, resp)
	case ex.fillFrom(resp):
		r.replyFromFill()
	default:
		ex.state = exchangeDirect
		r.handlerState = contentStreaming
		r.adoptReply(ex.reply, ex.fields, resp)
		r.sendHead()
	}
}

// intercept drops the backend's response in favour of error_page.
func (ex *exchange) intercept(r *Request, resp *httpparse.Response) {
	ex.abandonFill(errIntercepted)
	ex.call.Cancel()
	ex.state = exchangeOver
	r.resp.begin(resp.Status)
	if v, ok := ex.field(httpparse.HeaderWWWAuthenticate); ok && resp.Status == 401 {
		r.resp.add([]byte("WWW-Authenticate"), r.keep(v))
	}
	r.settle(r.specialResponse(resp.Status))
}

var errIntercepted = errors.New("the response was replaced by an error page")

// field returns a field of the backend's response.
func (ex *exchange) field(id httpparse.HeaderID) ([]byte, bool) {
	for i := range ex.fields {
		if ex.fields[i].ID == id {
			return ex.fields[i].Value.In(ex.reply), true
		}
	}
	return nil, false
}

// UpstreamBody implements upstream.Receiver.
func (ex *exchange) UpstreamBody(c *upstream.Call, p []byte) {
	switch ex.state {
	case exchangeDirect:
		ex.r.takeBody(p)
	case exchangeFilling:
		ex.fill.Append(p)
		if ex.fill.WantsPause() {
			ex.paused = true
			c.Pause()
		}
		if r := ex.r; r != nil {
			r.pumpFill()
		}
	case exchangeTunnel:
		ex.r.tunnelFromBackend(p)
	}
}

// UpstreamDone implements upstream.Receiver.
func (ex *exchange) UpstreamDone(c *upstream.Call) {
	if note := c.Note(); note != nil {
		ex.log(levelOf(note), note.Error(), "")
	}
	r := ex.r
	switch ex.state {
	case exchangeDirect:
		ex.over()
		r.bodyComplete()
	case exchangeFilling:
		ex.storeFill()
		ex.over()
		if r != nil {
			r.pumpFill()
		}
	case exchangeTunnel:
		ex.over()
		r.tunnelEnded()
	default:
		ex.over()
	}
}

// UpstreamFailed implements upstream.Receiver.
func (ex *exchange) UpstreamFailed(c *upstream.Call, e *upstream.Error) {
	ex.logFailure(e)
	r := ex.r
	state := ex.state
	if ex.fill != nil {
		ex.fill.Abort(e)
		ex.fill = nil
	}
	if state == exchangeWaiting && ex.zone != nil && r != nil && r.serveStale(e) {
		ex.over()
		return
	}
	ex.state = exchangeOver
	switch {
	case r == nil:
		ex.free()
	case state == exchangeTunnel:
		r.tunnelEnded()
	case r.resp.headSent:
		r.client.abort(r)
	default:
		r.settle(r.fail(e.Status, ""))
		r.flushIfIdle()
	}
}

// UpstreamWritable implements upstream.Receiver.
func (ex *exchange) UpstreamWritable(*upstream.Call) {
	if ex.state == exchangeTunnel {
		ex.r.tunnelToBackendDrained()
	}
}

// UpstreamTry implements upstream.Receiver.
func (ex *exchange) UpstreamTry(_ *upstream.Call, t *upstream.Try, e *upstream.Error) {
	ex.logFailure(e)
}

// FillProgress implements cache.Waiter: followers made room, the backend may
// be read again. It comes from any loop.
func (ex *exchange) FillProgress(f *cache.Fill) {
	ex.loop.l.Post(func() {
		if ex.fill == f && ex.paused && !f.WantsPause() {
			ex.paused = false
			ex.call.Resume()
		}
	})
}
