package server

import (
	"errors"

	"seawall/conf"
	"seawall/httpparse"
	"seawall/upstream"
)

// What can happen to a request beside its regular course, and its end.

// readBody asks the client for the body: streamed, it goes to the backend as
// it comes; else all of it is collected first.
func (r *Request) readBody(streamed bool) {
	b := &r.body
	b.state = bodyBuffer
	if streamed {
		b.state = bodyStream
	}
	b.streamed = streamed
	b.toFile = !streamed && r.loc.set.ClientBodyInFileOnly != conf.BodyInFileOff
	b.max = r.loc.set.ClientMaxBodySize
	b.limit = max(int(r.loc.set.ClientBodyBufferSize), 1)
	r.client.readBody(r)
}

// bodyProgress is called by the client when body bytes came, or all did, and
// when all of it lies in the file that client_body_in_file_only wants.
func (r *Request) bodyProgress() {
	switch {
	case r.handlerState == contentReading && (r.body.whole || r.body.streamed):
		if !r.body.streamed && !r.body.saved(r) {
			return // comes back
		}
		r.handlerState = contentWaiting
		r.settle(r.serveProxy())
	case r.body.streamed:
		r.bodyReady()
	}
}

// bodyReady tells the backend call that the body's source may have more.
func (r *Request) bodyReady() {
	if r.ex != nil && r.ex.call.Active() {
		r.ex.call.BodyReady()
	}
}

// pumpClient reads the body on after the backend, or the disk, made room.
func (r *Request) pumpClient() {
	if r.client != nil && r.body.wanted() {
		r.client.readBody(r)
	}
}

// bodyFailed ends a request whose body cannot be had.
func (r *Request) bodyFailed(err error) {
	r.body.state = bodyBroken
	r.keepalive = false
	r.lingering = true
	status := 400
	var bad *httpparse.Error
	switch {
	case errors.As(err, &bad):
		status = bad.Page
		r.logClient(levelError, "%s", bad.Reason)
	case errors.Is(err, errBodyTooLarge):
		status = 413
		r.logClient(levelError, "%s: %d+%d bytes", err.Error(), r.body.received-r.body.lastPiece, r.body.lastPiece)
	default:
		status = 500
		r.logClient(levelCrit, "request body: %v", err)
	}
	r.dropBackend()
	r.settle(r.fail(status, ""))
}

// bodyCut is called when the client's input ended within the body.
func (r *Request) bodyCut(err error) {
	r.body.state = bodyBroken
	r.keepalive = false
	r.logClient(levelInfo, "client prematurely closed connection")
	if !r.resp.headSent {
		r.resp.status = 400
	}
	r.dropBackend()
	r.client.drop(r)
}

// dropBackend cancels what is done for this request, whose body will never be whole.
func (r *Request) dropBackend() {
	r.reader.Leave()
	r.loop.l.StopTimer(&r.lockTimer)
	r.resolving = nil
	if ex := r.ex; ex != nil && ex.state != exchangeOver {
		ex.abandonFill(errBodyLost)
		ex.call.Cancel()
		ex.over()
		ex.forget()
	}
}

var errBodyLost = errors.New("the request body did not come whole")

// clientClosed is called when the client has finished sending while its
// request is being worked on. As nginx, that is taken for its leaving, unless
// the response is of use to others or proxy_ignore_client_abort is on.
func (r *Request) clientClosed() {
	ex := r.ex
	if ex == nil || ex.fill != nil || r.loc.proxy == nil || r.loc.proxy.ignoreAbort || r.resp.ended || !ex.call.Active() && r.resolving == nil {
		return
	}
	if !r.resp.headSent {
		r.resp.status = clientClosed
	}
	doing := upstream.PhaseSend
	if r.resp.headSent {
		doing = upstream.PhaseBody
	}
	ex.log(levelInfo, pollCall+" reported that client prematurely closed connection, so upstream connection is closed too while "+
		string(doing), ex.lastPeer())
	r.client.drop(r)
}

// requestTimedOut answers a client that does not send what it began. nginx
// only closes the connection; see docs/differences.md.
func (r *Request) requestTimedOut() {
	r.keepalive = false
	if r.loc == nil {
		r.loc = r.vhost.root
	}
	if r.resp.headSent {
		r.client.abort(r)
		return
	}
	r.resp.begin(408)
	body := page(nil, 408, r.loc.signature, false)
	r.resp.contentType = []byte("text/html")
	r.answer(body, true)
}

// connectionLost is called when the client's connection was closed under the
// request.
func (r *Request) connectionLost() {
	if !r.resp.headSent && r.resp.status == 0 {
		r.resp.status = clientClosed
	}
}

// timedOut is called when the connection's deadline passed while the request
// was being worked on.
func (r *Request) timedOut() {
	switch {
	case r.client.pending() > 0:
		r.logClient(levelInfo, "client timed out (110: Connection timed out) while sending to client")
		r.client.expire(r)
	case r.body.wanted():
		r.logClient(levelInfo, "client timed out (110: Connection timed out) while reading client request body")
		r.body.state = bodyBroken
		r.keepalive = false
		r.dropBackend()
		r.requestTimedOut()
	}
}

// discardBody leaves the body unread: what still comes of it is dropped when
// the response has been sent.
func (r *Request) discardBody() {
	if r.body.wanted() {
		r.body.state = bodyUnread
	}
	r.expectTested = true
}

// closeSilently ends the connection without an answer (return 444).
func (r *Request) closeSilently() {
	r.keepalive = false
	r.resp.status = closeSilent
	r.client.drop(r)
}

// headCut prepares the log line of a request whose head never became whole.
func (r *Request) headCut(raw []byte) {
	r.resp.status = 400
	r.raw = raw
	r.loc = r.vhost.root
	r.malformed = true
	if r.head.Line.Len == 0 {
		r.lineBroken = true
		return
	}
	r.method = r.head.Method
	r.setPath()
	r.read = int64(r.head.Line.End()) + 2
}

// complete writes the request's log lines and counts it; once.
func (r *Request) complete() {
	if r.finished {
		return
	}
	r.finished = true
	if r.loc == nil {
		if r.vhost == nil {
			return
		}
		r.loc = r.vhost.root
	}
	r.loop.stats.count(r)
	r.writeAccessLogs()
	slowDown() // nothing, but in the load test's own test
}
