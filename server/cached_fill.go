package server

import (
	"strconv"

	"seawall/cache"
	"seawall/conf"
	"seawall/httpparse"
	"seawall/upstream"
)

// replyFromCache looks whether a backend's response is to be answered with
// what is stored: a 304 that confirms it, or an error that it covers up.
func (ex *exchange) replyFromCache(resp *httpparse.Response) bool {
	if ex.stale == nil {
		return false
	}
	r := ex.r
	if resp.Status == 304 && ex.storing && ex.loc.proxy.cache.revalidate {
		obj := ex.refresh()
		ex.state = exchangeRest // nothing of it is to come, and its connection can be kept
		if r != nil {
			r.settle(r.serveStored(obj, cacheRevalidated))
			r.flushIfIdle()
		}
		return true
	}
	if cond := staleStatus(resp.Status); cond != 0 && ex.mayCoverUp(cond) {
		ex.abandonFill(&upstream.Error{Kind: upstream.KindStatus, Status: resp.Status})
		ex.call.Cancel()
		stale := ex.stale
		ex.over()
		if r != nil {
			r.settle(r.serveStored(stale, cacheStale))
			r.flushIfIdle()
		}
		return true
	}
	return false
}

func (ex *exchange) mayCoverUp(cond conf.Conditions) bool {
	return ex.loc.proxy.cache.useStale&cond != 0 || ex.stale.StaleOnError(ex.loop.l.Now())
}

// refresh stores the stale response anew with the lifetime that a 304 gives it.
func (ex *exchange) refresh() *cache.Object {
	now, wall := ex.loop.l.Now(), ex.loop.l.Wall()/1000
	h := cache.Headers{Buf: ex.reply, Fields: ex.fields}
	v := cache.DecideRefresh(&ex.loc.proxy.cache.rules, ex.stale, h, wall)
	obj := ex.stale.Refresh(nil, &v, now, wall)
	if f := ex.fill; f != nil {
		ex.fill = nil
		if !v.Cacheable {
			f.Release(v.Reason, ex.stale.Status, now)
		} else if f.CompleteWith(obj, &ex.asker) != nil {
			f.Commit(ex.loop.hot, now)
		}
	}
	return obj
}

// fillFrom begins to store the response whose head has come. false: it is not
// to be stored, and goes to the client alone.
func (ex *exchange) fillFrom(resp *httpparse.Response) bool {
	if ex.fill == nil {
		return false
	}
	now, wall := ex.loop.l.Now(), ex.loop.l.Wall()/1000
	h := cache.Headers{Buf: ex.reply, Fields: ex.fields}
	if c := ex.loc.proxy.cache; len(c.noCache) > 0 && ex.r != nil && anyTruthy(ex.r, c.noCache) {
		// Asked anew: it may depend on the response. nginx asks only now.
		ex.refuseFill(resp.Status)
		return false
	}
	v := cache.Decide(&ex.loc.proxy.cache.rules, resp.Status, h, wall)
	if !ex.buffers() {
		v.Cacheable, v.Reason = false, cache.NoStoreRefused
	}
	if !v.Cacheable {
		ex.fill.Release(v.Reason, resp.Status, now)
		ex.fill = nil
		return false
	}
	obj := cache.NewObject(resp.Status, storedHead(resp, ex.reply, ex.fields, ex.headRequest), h, &v, now, wall)
	if why := ex.fill.Head(obj, &ex.asker, ex.bodyLength(resp), now); why != cache.Storable {
		ex.fill = nil
		return false
	}
	ex.state = exchangeFilling
	return true
}

// buffers tells whether the response is read as fast as the backend sends it:
// as in nginx, what is not (proxy_buffering off, X-Accel-Buffering: no) is not stored.
func (ex *exchange) buffers() bool {
	h := ex.loc.proxy
	if v, ok := ex.field(httpparse.HeaderXAccelBuffering); ok && h.ignore&conf.IgnoreXAccelBuffering == 0 {
		switch {
		case httpparse.EqualFold(v, []byte("no")):
			return false
		case httpparse.EqualFold(v, []byte("yes")):
			return true
		}
	}
	return h.buffering
}

// bodyLength is the length of the body that follows, -1 if it is not known.
func (ex *exchange) bodyLength(resp *httpparse.Response) int64 {
	if resp.Body(ex.headRequest) == httpparse.BodyNone {
		return 0
	}
	return resp.ContentLength
}

// storedStatus names the line of a stored head that keeps an unusual reason
// phrase. No field of a response can have this name: "@" is no token character.
const storedStatus = "@status"

// storedLength names the first line of the stored answer to a HEAD request:
// the Content-Length that it announced, "-" for none.
const storedLength = "@length"

// storedHead copies the field lines that are kept with a stored response: all
// but those that concern the connection.
func storedHead(resp *httpparse.Response, raw []byte, fields []httpparse.Field, bodiless bool) []byte {
	size := len(storedLength) + 32 + len(storedStatus) + int(resp.StatusText.Len) + 4
	for i := range fields {
		size += int(fields[i].Name.Len+fields[i].Value.Len) + 4
	}
	head := make([]byte, 0, size)
	if bodiless {
		head = append(head, storedLength...)
		head = append(head, ": "...)
		if resp.ContentLength >= 0 {
			head = strconv.AppendInt(head, resp.ContentLength, 10)
		} else {
			head = append(head, '-')
		}
		head = append(head, '\r', '\n')
	}
	if text := resp.StatusText.In(raw); string(text) != statusLines[resp.Status] {
		head = append(head, storedStatus...)
		head = append(head, ": "...)
		head = append(head, text...)
		head = append(head, '\r', '\n')
	}
	for i := range fields {
		f := &fields[i]
		if httpparse.IsHopByHop(f.ID) || f.ID == httpparse.HeaderContentLength {
			continue
		}
		head = append(head, f.Name.In(raw)...)
		head = append(head, ':', ' ')
		head = append(head, f.Value.In(raw)...)
		head = append(head, '\r', '\n')
	}
	return head
}

// largeBody is the size from which a response is stored by a worker instead
// of on the loop, bytes.
const largeBody = 1 << 20

// storeFill stores the response that the fill holds whole.
func (ex *exchange) storeFill() {
	f := ex.fill
	ex.fill = nil
	now := ex.loop.l.Now()
	obj := f.Complete()
	if obj == nil || obj.Body.Len() < largeBody { // Commit also ends one that is not stored
		f.Commit(ex.loop.hot, now)
		return
	}
	ex.loop.l.Offload(func() { f.Commit(nil, now) }, nil)
}

// abandonFill ends the fill without a response.
func (ex *exchange) abandonFill(err error) {
	if f := ex.fill; f != nil {
		ex.fill = nil
		f.Abort(err)
	}
}
