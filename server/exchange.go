package server

import (
	"errors"

	"seawall/cache"
	"seawall/engine"
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
	clientBody  clientBody
	headRequest bool
	idempotent  bool
	again       bool // a further group for the same client request
	storing     bool // it is asked for what is to be stored: in whole, with our conditions instead of the client's

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

	holds holds // what keeps the response from being read
	rate  readPace
}

// exchangeState is how far an exchange is.
type exchangeState uint8

const (
	exchangeIdle    exchangeState = iota // in the pool
	exchangeWaiting                      // for the response head
	exchangeDirect                       // the body goes to the client as it comes
	exchangeFilling                      // the body goes to a fill; the client reads it from there
	exchangeTunnel                       // upgraded
	exchangeRest                         // the client has its answer, or has left; what still comes is dropped
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
	case ex.state == exchangeRest:
	case ex.goesOn():
		ex.clientBody.from = nil
		if ex.state == exchangeDirect {
			ex.state = exchangeRest
		}
		ex.release(heldForClient | heldForFill)
	default:
		ex.abandonFill(errClientLeft)
		ex.call.Cancel()
		ex.free()
	}
}

// goesOn tells whether the backend's answer is wanted though the client has
// left: by the cache, or as proxy_ignore_client_abort says. The request's body
// goes with the request: an exchange that has not sent all of it cannot go on.
func (ex *exchange) goesOn() bool {
	if !ex.call.Active() || ex.state == exchangeTunnel || ex.clientBody.from != nil && !ex.clientBody.ended {
		return false
	}
	return ex.fillWanted() || ex.loc.proxy.ignoreAbort
}

// fillWanted tells whether the fill is of use to anybody but the client.
func (ex *exchange) fillWanted() bool {
	return ex.fill != nil && (ex.fill.Reason() == cache.Storable || ex.fill.Followers() > 0)
}

var errClientLeft = errors.New("the client left before its request was sent")

// over notes that the call has ended.
func (ex *exchange) over() {
	ex.state = exchangeOver
	ex.loop.l.StopTimer(&ex.rate.timer)
	if ex.r == nil {
		ex.free()
	}
}

// forget lets go of what the ended call was to store: the same exchange may
// ask on for another location.
func (ex *exchange) forget() {
	ex.zone, ex.stale = nil, nil
}

// free puts the exchange back into the pool. The call keeps its own memory.
func (ex *exchange) free() {
	ex.abandonFill(errClientLeft)
	ex.loop.l.StopTimer(&ex.rate.timer)
	ex.loc, ex.group, ex.r = nil, nil, nil
	ex.state = exchangeIdle
	ex.head, ex.reply, ex.fields = ex.head[:0], ex.reply[:0], ex.fields[:0]
	ex.ownBody, ex.clientBody = fixedBody{}, clientBody{}
	ex.headRequest, ex.idempotent, ex.again, ex.storing, ex.holds = false, false, false, false, 0
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
	if r.body.unasked() {
		r.readBodyFirst()
		return done
	}
	r.startCall()
	return done
}

// readBodyFirst reads the body, or begins to, and comes back to serveProxy.
func (r *Request) readBodyFirst() {
	h := r.loc.proxy
	r.handlerState = contentReading
	r.readBody(!h.bufferBody && (!r.head.Chunked || h.speaksHTTP11()))
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
	if h.dynamic != nil {
		r.callDynamic(h)
		return
	}
	r.callGroup(h.group)
}

// callGroup sends the request to one of group's backends.
func (r *Request) callGroup(group *upstream.Group) {
	ex := r.ex
	if !r.source.Rewind() { // an earlier location's backend got a part that was not kept
		ex.abandonFill(errBodyUsed)
		ex.forget()
		r.settle(r.fail(502, "the request body was passed on already and cannot be sent again"))
		return
	}
	ex.group = group
	r.body.taken = true
	r.handlerState = contentWaiting
	r.buildBackendHead(ex)
	req := r.backendRequest(ex)
	ex.again = true
	ex.start(req)
}

var errBodyUsed = errors.New("the request body cannot be sent again")

func (ex *exchange) start(req upstream.RequestBytes) {
	ex.state = exchangeWaiting
	ex.holds = 0
	ex.loop.stats.backendRequests++
	ex.call.Start(ex.loop.l, ex.group, &ex.loc.proxy.policy, req, ex)
}

// UpstreamInterim implements upstream.Receiver: early_hints may let the 103
// through to an HTTP/1.1 client that asked for the response itself.
func (ex *exchange) UpstreamInterim(_ *upstream.Call, resp *httpparse.Response, buf []byte) {
	r := ex.r
	if r == nil || ex.state != exchangeWaiting || r.resp.headSent || !anyTruthy(r, ex.loc.earlyHints) {
		return
	}
	if h := &r.head; h.Major == 1 && h.Minor >= 1 {
		r.sendHints(buf, resp.Fields)
	}
}

// UpstreamHead implements upstream.Receiver.
func (ex *exchange) UpstreamHead(c *upstream.Call, resp *httpparse.Response, buf []byte) {
	ex.reply = append(ex.reply[:0], buf[:resp.HeadLen]...)
	ex.fields = append(ex.fields[:0], resp.Fields...)
	ex.status = resp.Status
	if ex.zone != nil && ex.replyFromCache(resp) {
		return
	}
	ex.setReadPace()
	r := ex.r
	if r == nil {
		ex.headWithoutClient(resp)
		return
	}
	switch {
	case resp.Status == 101:
		ex.abandonFill(errUpgraded)
		r.beginTunnel(ex, resp)
	case ex.accelTarget() != nil:
		ex.accelRedirect(r)
	case ex.intercepts(resp.Status) && !r.errorPage:
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

// headWithoutClient goes on with a response that only the cache wants. What a
// client would have got something else in place of is not stored.
func (ex *exchange) headWithoutClient(resp *httpparse.Response) {
	h := ex.loc.proxy
	switch {
	case ex.accelTarget() != nil, ex.intercepts(resp.Status), h.cache != nil && h.cache.noCacheByReply:
		ex.refuseFill(resp.Status)
	case ex.fillFrom(resp):
		return
	}
	if h.ignoreAbort {
		ex.state = exchangeRest
		return
	}
	ex.call.Cancel()
	ex.over()
}

// intercepts tells whether error_page answers in place of a backend's response
// (proxy_intercept_errors).
func (ex *exchange) intercepts(status int) bool {
	return ex.loc.proxy.intercept && status >= 300 && ex.loc.errorPages[status] != nil
}

// intercept drops the backend's response in favour of error_page.
func (ex *exchange) intercept(r *Request, resp *httpparse.Response) {
	ex.refuseFill(resp.Status)
	ex.call.Cancel()
	ex.state = exchangeOver
	ex.forget()
	r.resp.begin(resp.Status)
	if v, ok := ex.field(httpparse.HeaderWWWAuthenticate); ok && resp.Status == 401 {
		r.resp.add([]byte("WWW-Authenticate"), r.keep(v))
	}
	r.settle(r.specialResponse(resp.Status))
}

// refuseFill ends the fill because the response is not the page's. Those who
// follow go on their own, but not all at once to a backend that fails.
func (ex *exchange) refuseFill(status int) {
	if ex.fill == nil {
		return
	}
	if status >= 500 {
		ex.abandonFill(&upstream.Error{Kind: upstream.KindStatus, Status: status})
		return
	}
	ex.fill.Release(cache.NoStoreRefused, status, ex.loop.l.Now())
	ex.fill = nil
}

var errUpgraded = errors.New("the connection was upgraded")

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
			ex.hold(heldForFill)
		}
		if r := ex.r; r != nil {
			r.pumpFill()
		} else if !ex.fillWanted() {
			ex.dropFill()
			return
		}
	case exchangeTunnel:
		ex.r.tunnelFromBackend(p)
		return
	}
	ex.paceReading(len(p))
}

// UpstreamMove implements upstream.Receiver.
func (ex *exchange) UpstreamMove(_ *upstream.Call, src *engine.Conn, n int) (int, error) {
	if ex.state != exchangeDirect || ex.rate.rate != 0 || !ex.r.movesBody() {
		return 0, engine.ErrCopy
	}
	if n == 0 {
		if !src.Loop().MovesBytes() {
			return 0, engine.ErrCopy
		}
		return 0, nil
	}
	return ex.r.moveBody(src, n)
}

// dropFill ends an exchange whose response can no longer be stored and is read by nobody.
func (ex *exchange) dropFill() {
	ex.abandonFill(errClientLeft)
	if ex.loc.proxy.ignoreAbort {
		ex.state = exchangeRest
		return
	}
	ex.call.Cancel()
	ex.over()
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
		return // the request may be over, and the exchange with it
	}
	ex.over()
	switch {
	case r == nil, state == exchangeRest: // nobody there, or answered already
	case state == exchangeTunnel:
		r.tunnelEnded()
	case r.resp.headSent:
		r.client.abort(r)
	default:
		ex.forget()
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
		switch {
		case ex.fill != f: // that one has ended
		case ex.r == nil && !ex.fillWanted():
			ex.dropFill()
		case ex.holds&heldForFill != 0 && !f.WantsPause():
			ex.release(heldForFill)
		}
	})
}

var _ engine.Expirer = (*exchange)(nil)
