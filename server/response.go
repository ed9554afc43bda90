package server

import (
	"bytes"

	"seawall/httpparse"
)

// response is what is being answered, before it is put into a version's
// words. Byte slices live as long as the request.
type response struct {
	status        int
	statusText    []byte // "200 Fine" as the backend said it, nil for the standard phrase
	contentType   []byte // nil: none is sent
	length        int64  // of the body; -1: not known
	lastModified  int64  // Unix seconds, -1: unknown
	lastModListed bool   // its field is among fields: none is made of it
	etag          []byte
	fields        []outField // the rest, in order
	location      int        // index of Location in fields plus one, 0 without
	ownServer     bool       // the backend's Server field was passed on: ours is not sent
	ownDate       bool
	headSent      bool
	chunked       bool
	ended         bool
	allowRanges   bool       // Range applies
	singleRange   bool       // but to one range only
	conditional   bool       // If-Modified-Since and its kin apply
	upgraded      bool       // 101
	overrides     int        // error_page: the status that replaces the target's; 0 none
	kept          []outField // of a response with X-Accel-Redirect
	keptType      []byte
	ranges        []httpparse.ByteRange
}

// outField is a header field of a response. A field with a nil name was removed.
type outField struct {
	name, value []byte
}

// begin makes resp an empty response with a status.
func (p *response) begin(status int) {
	*p = response{status: status, length: -1, lastModified: -1, overrides: p.overrides,
		contentType: p.keptType, keptType: p.keptType, kept: p.kept, fields: append(p.fields[:0], p.kept...)}
}

func (p *response) add(name, value []byte) {
	p.fields = append(p.fields, outField{name, value})
}

// setLocation makes value the Location field, once.
func (p *response) setLocation(value []byte) {
	p.clearLocation()
	p.add([]byte("Location"), escapeLineEnds(value))
	p.location = len(p.fields)
}

// escapeLineEnds keeps a Location within its line.
func escapeLineEnds(u []byte) []byte {
	if bytes.IndexByte(u, '\n') < 0 && bytes.IndexByte(u, '\r') < 0 && bytes.IndexByte(u, 0) < 0 {
		return u
	}
	return escapeControls(u)
}

func (p *response) clearLocation() {
	if p.location > 0 {
		p.fields[p.location-1] = outField{}
		p.location = 0
	}
}

// remove drops all fields called name.
func (p *response) remove(name string) {
	for i := range p.fields {
		if f := &p.fields[i]; len(f.name) == len(name) && httpparse.EqualFold(f.name, []byte(name)) {
			*f = outField{}
		}
	}
}

// clearEntity forgets what described a body that is not sent after all.
func (p *response) clearEntity() {
	p.contentType = nil
	p.length = -1
	p.lastModified = -1
	if p.lastModListed {
		p.remove("Last-Modified")
	}
}

// sendHead runs the header filters and puts the head into the connection's
// output. r.headerOnly tells afterwards whether a body follows.
func (r *Request) sendHead() {
	p := &r.resp
	if p.headSent {
		return
	}
	if p.overrides > 0 {
		p.status, p.statusText = wireStatus(p.overrides), nil
	}
	for _, filter := range headFilters {
		filter(r)
	}
	switch s := p.status; {
	case s == 204:
		r.headerOnly = true
		p.clearEntity()
	case s == 304:
		r.headerOnly = true
	}
	p.headSent = true
	if p.location > 0 { // a Location of ours may name the host that was asked for: not to be sent to others
		r.rendering = nil
	}
	r.setPace()
	r.client.sendHead(r)
	if r.replacement != nil { // a filter answers in place of the handler
		r.sendBody(r.replacement, false)
		r.headerOnly = true
	}
}

// sendBody puts body bytes behind the head. shared: p is immutable from now
// on and may be referenced; else it is copied.
func (r *Request) sendBody(p []byte, shared bool) {
	if r.headerOnly || len(p) == 0 {
		return
	}
	if len(r.resp.ranges) == 1 && r.replacement == nil {
		if p = r.clip(p); len(p) == 0 {
			return
		}
	}
	if r.limitRate > 0 {
		r.pace(p, shared)
		return
	}
	r.client.sendBody(r, p, shared)
}

// clip cuts from p, the next bytes of the whole body, what lies in the range
// that is being sent.
func (r *Request) clip(p []byte) []byte {
	from, to := r.bodyPos, r.bodyPos+int64(len(p))
	r.bodyPos = to
	g := r.resp.ranges[0]
	from, to = max(from, g.Start)-from, min(to, g.End)-from
	if from >= to {
		return nil
	}
	return p[from:to]
}

// endResponse says that all of the response was given to the connection.
func (r *Request) endResponse() {
	if r.resp.ended {
		return
	}
	r.resp.ended = true
	if r.backlogged() {
		return // the pacer ends it
	}
	r.client.endResponse(r)
}

// queued is how much of the response waits for the client, bytes.
func (r *Request) queued() int { return r.client.pending() + r.paced.bytes }

// answer sends a response whose body is at hand.
func (r *Request) answer(body []byte, shared bool) verdict {
	r.resp.length = int64(len(body))
	r.sendHead()
	r.sendBody(body, shared)
	r.endResponse()
	return done
}

// setAge replaces the Age that the origin sent by the present one.
func (p *response) setAge(age []byte) {
	for i := range p.fields {
		if f := &p.fields[i]; len(f.name) == 3 && httpparse.EqualFold(f.name, []byte("Age")) {
			f.value = age
		}
	}
}
