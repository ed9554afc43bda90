package server

import (
	"strconv"

	"seawall/httpparse"
	"seawall/upstream"
)

// The request as a backend gets it.

// buildBackendHead renders the request's head for the backend into ex.head.
func (r *Request) buildBackendHead(ex *exchange) {
	h := r.loc.proxy
	r.ex = ex
	b := ex.head[:0]
	b = r.appendBackendMethod(b, ex)
	b = append(b, ' ')
	b = r.appendBackendURI(b)
	b = append(b, h.version...)
	sent := &h.plain
	if ex.storing = ex.fill != nil || ex.zone != nil && len(h.cache.noCache) > 0; ex.storing {
		sent = &h.storing
	}
	for i := range sent.fields {
		f := &sent.fields[i]
		from := len(b)
		b = append(b, f.name...)
		valueAt := len(b)
		if b = f.value.append(r, b); len(b) == valueAt {
			b = b[:from] // an empty value: the field is not sent
			continue
		}
		if !f.value.oneLine {
			blankControls(b[valueAt:])
		}
		b = append(b, '\r', '\n')
	}
	if h.passFields {
		b = r.appendClientFields(b, sent)
	}
	ex.head = append(b, '\r', '\n')
}

// appendBackendMethod appends the method: proxy_method, or the client's; a
// HEAD whose answer is to be stored is asked for as GET.
func (r *Request) appendBackendMethod(b []byte, ex *exchange) []byte {
	h := r.loc.proxy
	from := len(b)
	switch {
	case h.method != nil:
		b = h.method.append(r, b)
		ex.headRequest = string(b[from:]) == "HEAD"
	case r.method == httpparse.MethodHead && r.caching && h.cache.convertHead:
		b = append(b, "GET"...)
	case r.method == httpparse.MethodGet && r.redirected:
		b = append(b, "GET"...)
	default:
		b = append(b, r.head.MethodText.In(r.raw)...)
		ex.headRequest = r.method == httpparse.MethodHead
	}
	ex.idempotent = httpparse.LookupMethod(b[from:]).Idempotent()
	return b
}

// appendBackendURI appends the request target as proxy_pass says
// (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass).
func (r *Request) appendBackendURI(b []byte) []byte {
	h := r.loc.proxy
	hasURI, uri := h.hasURI, h.uri
	if h.dynamic != nil {
		hasURI, uri = len(r.dynamicURI) > 0, r.dynamicURI
		if hasURI { // passed as it is, replacing the whole
			return append(b, uri...)
		}
	}
	if !hasURI && !r.redirected {
		t := r.requestURI()
		if len(t) == 0 || t[0] == '?' { // "http://host?args"
			b = append(b, '/')
		}
		return append(b, t...)
	}
	rest := r.uri
	if hasURI {
		b = append(b, uri...)
		rest = rest[min(len(r.loc.pattern), len(rest)):]
	}
	if r.escapesURI() {
		b = httpparse.EscapeURI(b, rest)
	} else {
		b = append(b, rest...)
	}
	if len(r.args) > 0 || r.head.HasQuery && !r.redirected {
		if len(r.args) > 0 {
			b = append(append(b, '?'), r.args...)
		}
	}
	return b
}

// escapesURI tells whether the normalised path has to be escaped anew: nginx
// does so when the client's had escapes, or a redirect made it.
func (r *Request) escapesURI() bool { return r.head.Quoted || r.redirected || r.internal }

// appendClientFields passes on the client's fields that are not ours to set.
// Neighbours that stand in raw as they are to be sent are copied together.
func (r *Request) appendClientFields(b []byte, sent *sentFields) []byte {
	raw := r.raw
	named := r.fieldsOfConnection()
	from, to := 0, 0 // of raw: lines to be copied
	for i := range r.head.Fields {
		f := &r.head.Fields[i]
		name := f.Name.In(raw)
		if sent.skip.has(f.ID, name) || named != nil && listed(named, name) {
			continue
		}
		if nameEnd, end := int(f.Name.End()), int(f.Value.End()); int(f.Value.Off) == nameEnd+2 && raw[nameEnd+1] == ' ' &&
			raw[end] == '\r' && raw[end+1] == '\n' {
			if int(f.Name.Off) != to {
				b = append(b, raw[from:to]...)
				from = int(f.Name.Off)
			}
			to = end + 2
			continue
		}
		b = append(b, raw[from:to]...)
		from, to = 0, 0
		b = append(b, name...)
		b = append(b, ':', ' ')
		b = append(b, f.Value.In(raw)...)
		b = append(b, '\r', '\n')
	}
	return append(b, raw[from:to]...)
}

// fieldsOfConnection is the Connection field's list when it names fields,
// which then concern this connection only (RFC 9110 section 7.6.1).
func (r *Request) fieldsOfConnection() []byte {
	v, ok := r.head.Get(r.raw, httpparse.HeaderConnection)
	if !ok || httpparse.EqualFold(v, keepAliveToken) || httpparse.EqualFold(v, closeToken) {
		return nil
	}
	return v
}

var (
	keepAliveToken = []byte("keep-alive")
	closeToken     = []byte("close")
	upgradeToken   = []byte("upgrade")
)

// listed tells whether a field is named in a Connection list.
func listed(list, name []byte) bool {
	if httpparse.EqualFold(name, keepAliveToken) || httpparse.EqualFold(name, closeToken) ||
		httpparse.EqualFold(name, upgradeToken) || httpparse.EqualFold(name, []byte("Host")) {
		return false
	}
	return httpparse.HasToken(list, name)
}

// backendRequest describes the request to the call.
func (r *Request) backendRequest(ex *exchange) upstream.RequestBytes {
	h := r.loc.proxy
	req := upstream.RequestBytes{
		Head:         ex.head,
		Idempotent:   ex.idempotent,
		HeadRequest:  ex.headRequest,
		WantsUpgrade: h.sendsUpgrade && r.head.Upgrade,
		Again:        ex.again,
	}
	switch {
	case h.setBody != nil:
		ex.ownBody = fixedBody{data: append([]byte(nil), h.setBody.eval(r)...)}
		req.Body = &ex.ownBody
	case h.passBody && r.body.sendable():
		ex.clientBody = clientBody{from: &r.source}
		req.Body = &ex.clientBody
		req.Chunked = r.body.streamed && r.body.chunked
	}
	return req
}

// fixedBody is the body that proxy_set_body makes.
type fixedBody struct {
	data []byte
	pos  int
}

// Next implements upstream.BodySource.
func (b *fixedBody) Next(limit int) ([]byte, upstream.BodyState) {
	p := b.data[b.pos:]
	if len(p) > limit {
		p = p[:limit]
	}
	b.pos += len(p)
	if b.pos < len(b.data) {
		return p, upstream.BodyMore
	}
	return p, upstream.BodyEnd
}

// Rewind implements upstream.BodySource.
func (b *fixedBody) Rewind() bool {
	b.pos = 0
	return true
}

// appendBodyLength appends $proxy_internal_body_length: the Content-Length of
// the request to the backend, nothing when there is none.
func (r *Request) appendBodyLength(b []byte) []byte {
	h := r.loc.proxy
	switch {
	case h != nil && h.setBody != nil:
		return strconv.AppendInt(b, int64(len(h.setBody.eval(r))), 10)
	case h != nil && !h.passBody || r.body.streamed && r.body.chunked || r.body.refused:
		return b
	case r.head.Chunked:
		return strconv.AppendInt(b, r.body.received, 10)
	case r.head.ContentLength >= 0:
		return strconv.AppendInt(b, r.head.ContentLength, 10)
	}
	return b
}
