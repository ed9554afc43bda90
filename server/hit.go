package server

import (
	"seawall/cache"
	"seawall/engine"
	"seawall/httpparse"
)

// renderedHead is the head of a response as it was sent last, ready to be sent
// again: that of a stored response, or of a `return`. Owner: a loop.
type renderedHead struct {
	loc         *location // whose add_header it has; nil: there is no head yet
	site        uint64
	head        []byte
	contentType []byte // of a `return`, which may depend on the URI
	dateAt      int    // offset of the Date field's value in head
	unix        int64  // the second that the Date shows
	body        hotPages
}

// fits tells whether the head is right for r.
func (h *renderedHead) fits(r *Request) bool { return h.loc == r.loc && h.site == r.site.serial }

// sendReady sends a ready head, with the second of its Date brought up.
func (r *Request) sendReady(h *renderedHead, status int) {
	if clock := r.loop.clock(); clock.unix != h.unix {
		copy(h.head[h.dateAt:], clock.httpDate)
		h.unix = clock.unix
	}
	r.resp.status = status
	r.resp.headSent = true
	r.client.sendRendered(r, h.head)
}

// serveStored answers with a complete stored response.
func (r *Request) serveStored(obj *cache.Object, status cacheStatus) verdict {
	r.cacheStatus = status
	if status == cacheHit && r.takesRendered() {
		return r.serveRendered(obj)
	}
	r.adoptObject(obj)
	r.sendHead()
	r.sendObjectBody(obj)
	r.endResponse()
	return done
}

// takesRendered tells whether nothing about the request makes its answer
// differ from that to any other plain GET.
func (r *Request) takesRendered() bool {
	h := &r.head
	return r.loc.staticHit && r.method == httpparse.MethodGet && r.keepalive && h.Major == 1 && h.Minor == 1 &&
		r.resp.overrides == 0 && r.loc.set.LimitRate.Value == 0 && r.loc.limitRate == nil &&
		!h.Has(httpparse.HeaderRange) && !h.Has(httpparse.HeaderIfNoneMatch) && !h.Has(httpparse.HeaderIfModifiedSince) &&
		!h.Has(httpparse.HeaderIfMatch) && !h.Has(httpparse.HeaderIfUnmodifiedSince)
}

// serveRendered answers a plain GET from the hot table: the ready head, with
// the second of its Date brought up, and the body behind it, in one write.
func (r *Request) serveRendered(obj *cache.Object) verdict {
	entry := r.loop.hot.Entry()
	if entry == nil || entry.Object != obj {
		return r.serveUnrendered(obj, nil)
	}
	ready, _ := entry.Rendered.(*renderedHead)
	if ready == nil || !ready.fits(r) {
		return r.serveUnrendered(obj, entry)
	}
	r.sendReady(ready, obj.Status)
	if p := r.loop.pagesOf(&ready.body, &obj.Body); p != nil {
		r.client.sendPages(r, p, 0, p.Size())
	} else {
		for _, chunk := range obj.Body.Chunks() {
			r.client.sendBody(r, chunk, true)
		}
	}
	r.endResponse()
	return done
}

// serveUnrendered answers in the ordinary way and keeps the head for the next
// request, when entry has room for it.
func (r *Request) serveUnrendered(obj *cache.Object, entry *cache.HotEntry) verdict {
	r.adoptObject(obj)
	_, aged := obj.Age(r.now())
	if entry != nil && !aged && !r.rateSet {
		r.rendering = renderedOf(entry)
	}
	r.sendHead()
	r.sendObjectBody(obj)
	r.endResponse()
	return done
}

// keepRendered stores the head that was just rendered. It is called by the
// connection, before the head is sent.
func (r *Request) keepRendered(head []byte) {
	at := dateOffset(head)
	if at < 0 {
		return
	}
	ready := r.rendering // its pages stay: whatever the location, the body is the object's
	ready.loc, ready.site = r.loc, r.site.serial
	ready.head, ready.dateAt, ready.unix = append(ready.head[:0], head...), at, r.loop.text.unix
}

// dateOffset finds the value of the Date field that we sent in head, -1 without.
func dateOffset(head []byte) int {
	const field = "\r\nDate: "
	for i := 0; i+len(field)+29 < len(head); i++ {
		if head[i] == '\r' && string(head[i:i+len(field)]) == field {
			return i + len(field)
		}
	}
	return -1
}

// adoptObject makes a stored response the one to be sent.
func (r *Request) adoptObject(obj *cache.Object) {
	p := &r.resp
	p.begin(obj.Status)
	p.length = obj.Body.Len()
	p.lastModified = -1
	r.caching = true
	r.adoptFields(obj.Head, obj.Fields)
	if age, ok := obj.Age(r.now()); ok {
		p.setAge(appendInt(nil, age))
	}
}

// sendObjectBody sends the body of a complete object, or the ranges of it
// that were asked for. Its pieces are referenced, not copied: they cost no
// memory however slowly the client takes them.
func (r *Request) sendObjectBody(obj *cache.Object) {
	if r.parts != nil {
		r.sendMultipart(obj)
		return
	}
	if p := r.pagesOf(obj); p != nil {
		from, to := 0, p.Size()
		if len(r.resp.ranges) == 1 {
			from, to = int(r.resp.ranges[0].Start), int(r.resp.ranges[0].End)
		}
		r.client.sendPages(r, p, from, to-from)
		return
	}
	for _, chunk := range obj.Body.Chunks() {
		r.sendBody(chunk, true)
	}
}

// pagesOf gives the pages of obj's body if it has some and may be sent as it
// is, in one piece; else nil. Expired objects have theirs as long as they are
// in the hot table.
func (r *Request) pagesOf(obj *cache.Object) *engine.Pages {
	if obj.Body.Len() < pagesFrom || r.headerOnly || r.limitRate > 0 || r.resp.chunked || r.replacement != nil {
		return nil
	}
	entry := r.loop.hot.Entry()
	if entry == nil || entry.Object != obj {
		return nil
	}
	return r.loop.pagesOf(&renderedOf(entry).body, &obj.Body)
}

// renderedOf gives what an entry of the hot table has in rendered form; that
// may be nothing yet.
func renderedOf(entry *cache.HotEntry) *renderedHead {
	ready, _ := entry.Rendered.(*renderedHead)
	if ready == nil {
		ready = new(renderedHead)
		entry.Rendered = ready
	}
	return ready
}

// sendMultipart sends several ranges, each with its own head.
func (r *Request) sendMultipart(obj *cache.Object) {
	for i, g := range r.resp.ranges {
		r.sendBody(r.parts.heads[i], true)
		for _, view := range obj.Body.AppendRange(nil, g.Start, g.End) {
			r.sendBody(view, true)
		}
	}
	r.sendBody(r.parts.tail, true)
}
