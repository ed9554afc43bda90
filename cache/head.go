package cache

import (
	"bytes"

	"seawall/httpparse"
)

// scanFields finds the fields of stored field lines "Name: value\r\n"... ok is
// false when head is not of that shape; the result aliases nothing.
func scanFields(head []byte) (fields []httpparse.Field, ok bool) {
	if len(head) == 0 {
		return nil, true
	}
	fields = make([]httpparse.Field, 0, bytes.Count(head, crlf))
	for pos := 0; pos < len(head); {
		line := head[pos:]
		end := bytes.Index(line, crlf)
		if end < 0 {
			return nil, false
		}
		line = line[:end]
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return nil, false
		}
		value := httpparse.TrimOWS(line[colon+1:])
		valueAt := pos + colon + 1
		for i := colon + 1; i < end && (line[i] == ' ' || line[i] == '\t'); i++ {
			valueAt++
		}
		fields = append(fields, httpparse.Field{
			Name:  httpparse.Span{Off: uint32(pos), Len: uint32(colon)},
			Value: httpparse.Span{Off: uint32(valueAt), Len: uint32(len(value))},
			ID:    httpparse.LookupHeader(line[:colon]),
		})
		pos += end + len(crlf)
	}
	return fields, true
}

var crlf = []byte("\r\n")

// first returns the first field with this ID; nil and false when there is none.
func (h Headers) first(id httpparse.HeaderID) (value []byte, ok bool) {
	for i := range h.Fields {
		if f := &h.Fields[i]; f.ID == id {
			return f.Value.In(h.Buf), true
		}
	}
	return nil, false
}

// joinVary returns the response's Vary fields as one list, which nginx does
// since 1.23.0; nil when there is none. The result is a copy.
func (h Headers) joinVary() []byte {
	var out []byte
	for i := range h.Fields {
		if f := &h.Fields[i]; f.ID == httpparse.HeaderVary && f.Value.Len > 0 {
			if out != nil {
				out = append(out, ", "...)
			}
			out = append(out, f.Value.In(h.Buf)...)
		}
	}
	return out
}

// keptOn304 are fields that a 304 does not update: they describe the stored
// body, which it does not carry (RFC 9111 section 3.2), or are not stored.
func keptOn304(id httpparse.HeaderID) bool {
	switch id {
	case httpparse.HeaderContentLength, httpparse.HeaderContentEncoding, httpparse.HeaderContentType,
		httpparse.HeaderContentRange, httpparse.HeaderDate, httpparse.HeaderServer, httpparse.HeaderAge:
		return true
	}
	return httpparse.IsHopByHop(id)
}

// sameName reports whether two fields have the same name.
func sameName(a *httpparse.Field, abuf []byte, b *httpparse.Field, bbuf []byte) bool {
	return a.ID == b.ID && (a.ID != httpparse.HeaderUnknown || httpparse.EqualFold(a.Name.In(abuf), b.Name.In(bbuf)))
}

// AppendUpdatedHead appends the object's field lines updated by those of a 304
// (RFC 9111 section 3.2): fields that the 304 has replace those of the same
// name, but for those that describe the body or the connection.
func (o *Object) AppendUpdatedHead(dst []byte, h Headers) []byte {
	for i := range o.Fields {
		old := &o.Fields[i]
		replaced := false
		for j := range h.Fields {
			if f := &h.Fields[j]; !keptOn304(f.ID) && sameName(f, h.Buf, old, o.Head) {
				replaced = true
				break
			}
		}
		if !replaced {
			dst = appendLine(dst, old, o.Head)
		}
	}
	for j := range h.Fields {
		if f := &h.Fields[j]; !keptOn304(f.ID) {
			dst = appendLine(dst, f, h.Buf)
		}
	}
	return dst
}

func appendLine(dst []byte, f *httpparse.Field, buf []byte) []byte {
	dst = append(dst, f.Name.In(buf)...)
	dst = append(dst, ": "...)
	dst = append(dst, f.Value.In(buf)...)
	return append(dst, crlf...)
}
