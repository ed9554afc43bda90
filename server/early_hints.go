package server

import "seawall/httpparse"

const hintsLine = "HTTP/1.1 103 Early Hints\r\n"

// sendHints sends a backend's 103 with its end-to-end fields at once, unless
// it has none. raw and fields are valid during the call only. The request may
// be over afterwards.
// (https://nginx.org/en/docs/http/ngx_http_core_module.html#early_hints)
func (r *Request) sendHints(raw []byte, fields []httpparse.Field) {
	b := append(r.loop.scratch[:0], hintsLine...)
	for i := range fields {
		f := &fields[i]
		name := f.Name.In(raw)
		if httpparse.IsHopByHop(f.ID) || r.loc.proxy.hide.has(f.ID, name) || inConnection(raw, fields, name) {
			continue
		}
		b = append(b, name...)
		b = append(b, ':', ' ')
		b = append(b, f.Value.In(raw)...)
		b = append(b, '\r', '\n')
	}
	b = append(b, '\r', '\n')
	r.loop.scratch = keepLarger(r.loop.scratch, b)
	if len(b) == len(hintsLine)+len(crlf) {
		return
	}
	r.client.sendRendered(r, b)
	r.client.flush(r)
}

// inConnection tells whether a Connection field names the field: then it is
// for one connection only (RFC 9110 section 7.6.1).
func inConnection(raw []byte, fields []httpparse.Field, name []byte) bool {
	for i := range fields {
		if f := &fields[i]; f.ID == httpparse.HeaderConnection && httpparse.HasToken(f.Value.In(raw), name) {
			return true
		}
	}
	return false
}
