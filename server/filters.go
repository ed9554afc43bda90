package server

import (
	"strconv"

	"seawall/conf"
	"seawall/httpparse"
)

// headFilters change a response's head before it is sent, in nginx's order.
var headFilters = [...]func(*Request){
	(*Request).filterConditional,
	(*Request).filterExpires,
	(*Request).filterAddHeaders,
	(*Request).filterRange,
}

// filterConditional turns a response into a 304 or 412 when the client's
// conditions say so (RFC 9110 section 13).
func (r *Request) filterConditional() {
	p := &r.resp
	if p.status != 200 || !p.conditional {
		return
	}
	if v, ok := r.head.Get(r.raw, httpparse.HeaderIfUnmodifiedSince); ok && !r.unmodifiedSince(v) {
		r.preconditionFailed()
		return
	}
	if v, ok := r.head.Get(r.raw, httpparse.HeaderIfMatch); ok && !httpparse.MatchETag(v, p.etag, false) {
		r.preconditionFailed()
		return
	}
	since, hasSince := r.head.Get(r.raw, httpparse.HeaderIfModifiedSince)
	match, hasMatch := r.head.Get(r.raw, httpparse.HeaderIfNoneMatch)
	if !hasSince && !hasMatch {
		return
	}
	if hasSince && r.modifiedSince(since) {
		return
	}
	if hasMatch && !httpparse.MatchETag(match, p.etag, true) {
		return
	}
	p.status, p.statusText = 304, nil
	p.contentType = nil
	p.length = -1
	p.allowRanges = false
	p.remove("Content-Encoding")
	p.remove("Accept-Ranges")
	r.headerOnly = true
}

// preconditionFailed makes the response a bare 412.
func (r *Request) preconditionFailed() {
	p := &r.resp
	p.begin(412)
	body := page(nil, 412, r.loc.signature, r.padsPages())
	p.contentType = []byte("text/html")
	p.length = int64(len(body))
	r.replacement = body
}

func (r *Request) unmodifiedSince(v []byte) bool {
	if r.resp.lastModified < 0 {
		return false
	}
	t, ok := httpparse.ParseDate(v)
	return ok && t >= r.resp.lastModified
}

func (r *Request) modifiedSince(v []byte) bool {
	if r.resp.lastModified < 0 || r.loc.set.IfModifiedSince == conf.IMSOff {
		return true
	}
	t, ok := httpparse.ParseDate(v)
	if !ok {
		return true
	}
	if t == r.resp.lastModified {
		return false
	}
	return r.loc.set.IfModifiedSince == conf.IMSExact || t < r.resp.lastModified
}

// headerRule is one add_header.
type headerRule struct {
	name   []byte
	value  value
	always bool
	kind   headerKind
}

// headerKind says how an added field goes together with what is there.
type headerKind uint8

const (
	headerPlain        headerKind = iota // added behind the others
	headerLastModified                   // replaces
	headerETag                           // replaces
)

func (b *builder) compileAddHeaders(hs []conf.AddHeader) []headerRule {
	var rules []headerRule
	for _, h := range hs {
		rule := headerRule{name: []byte(h.Name), value: b.compile(h.Value), always: h.Always}
		switch {
		case httpparse.EqualFold(rule.name, []byte("Last-Modified")):
			rule.kind = headerLastModified
		case httpparse.EqualFold(rule.name, []byte("ETag")):
			rule.kind = headerETag
		}
		rules = append(rules, rule)
	}
	return rules
}

// headersAreStatic tells whether what the rules add is the same for every
// request that is answered from the same stored response.
func headersAreStatic(rules []headerRule) bool {
	for i := range rules {
		if rules[i].kind != headerPlain {
			return false
		}
		for _, p := range rules[i].value.parts {
			if p.get != nil && !p.fixedForHit {
				return false
			}
		}
	}
	return true
}

// takesAddedHeaders tells whether add_header applies to a status without `always`.
func takesAddedHeaders(status int) bool {
	switch status {
	case 200, 201, 204, 206, 301, 302, 303, 304, 307, 308:
		return true
	}
	return false
}

func (r *Request) filterAddHeaders() {
	rules := r.loc.addHeaders
	if len(rules) == 0 {
		return
	}
	p := &r.resp
	usual := takesAddedHeaders(p.status)
	for i := range rules {
		rule := &rules[i]
		if !usual && !rule.always {
			continue
		}
		v := rule.value.eval(r)
		if !rule.value.oneLine {
			blankControls(v)
		}
		switch rule.kind {
		case headerLastModified:
			p.remove("Last-Modified")
			p.lastModified, p.lastModListed = -1, len(v) > 0
			if t, ok := httpparse.ParseDate(v); ok {
				p.lastModified = t
			}
		case headerETag:
			p.remove("ETag")
			p.etag = v
		}
		if len(v) > 0 {
			p.add(rule.name, v)
		}
	}
}

// filterRange answers a Range request with a part of a response whose whole
// body is at hand (RFC 9110 section 14).
func (r *Request) filterRange() {
	p := &r.resp
	if !p.allowRanges || p.status != 200 || p.length < 0 || r.head.Major == 0 {
		return
	}
	set := r.loc.set
	if set.MaxRanges == 0 {
		return
	}
	defer func() {
		if p.status == 200 {
			p.add([]byte("Accept-Ranges"), []byte("bytes"))
		}
	}()
	v, ok := r.head.Get(r.raw, httpparse.HeaderRange)
	if !ok {
		return
	}
	if cond, ok := r.head.Get(r.raw, httpparse.HeaderIfRange); ok && !httpparse.IfRange(cond, p.etag, p.lastModified) {
		return
	}
	most := set.MaxRanges
	if p.singleRange {
		most = 1
	}
	ranges, result := httpparse.ParseRange(r.loop.ranges[:0], v, p.length, most)
	r.loop.ranges = ranges
	switch result {
	case httpparse.RangeUnsatisfiable:
		size := p.length
		p.status, p.statusText = 416, nil
		p.clearEntity()
		p.remove("ETag")
		p.add([]byte("Content-Range"), strconv.AppendInt([]byte("bytes */"), size, 10))
		body := page(nil, 416, r.loc.signature, r.padsPages())
		p.contentType = []byte("text/html")
		p.length = int64(len(body))
		r.replacement = body
	case httpparse.RangePartial:
		p.status, p.statusText = 206, nil
		p.ranges = append([]httpparse.ByteRange(nil), ranges...)
		if len(ranges) == 1 {
			p.add([]byte("Content-Range"), httpparse.AppendContentRange(nil, ranges[0], p.length))
			p.length = ranges[0].End - ranges[0].Start
			return
		}
		r.prepareMultipart()
	}
}
