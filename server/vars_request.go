package server

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"seawall/httpparse"
)

// requestVariables tell what was asked for and by whom.
var requestVariables = map[string]getter{
	"args":                text(func(r *Request) []byte { return r.args }),
	"query_string":        text(func(r *Request) []byte { return r.args }),
	"uri":                 text(func(r *Request) []byte { return r.uri }),
	"document_uri":        text(func(r *Request) []byte { return r.uri }),
	"request_uri":         text((*Request).requestURI),
	"request":             text((*Request).requestLine),
	"is_args":             func(r *Request, dst []byte) ([]byte, bool) { return appendIf(dst, len(r.args) > 0, "?"), true },
	"host":                func(r *Request, dst []byte) ([]byte, bool) { return r.appendHost(dst), true },
	"request_method":      func(r *Request, dst []byte) ([]byte, bool) { return r.appendMethod(dst) },
	"server_protocol":     func(r *Request, dst []byte) ([]byte, bool) { return r.appendProtocol(dst) },
	"scheme":              func(r *Request, dst []byte) ([]byte, bool) { return append(dst, "http"...), true },
	"https":               func(r *Request, dst []byte) ([]byte, bool) { return dst, true },
	"content_length":      func(r *Request, dst []byte) ([]byte, bool) { return r.appendContentLength(dst) },
	"content_type":        requestField("content_type"),
	"remote_user":         func(r *Request, dst []byte) ([]byte, bool) { return r.appendUser(dst) },
	"request_id":          func(r *Request, dst []byte) ([]byte, bool) { return append(dst, r.requestID()...), true },
	"request_length":      func(r *Request, dst []byte) ([]byte, bool) { return appendInt(dst, r.received()), true },
	"request_body":        func(r *Request, dst []byte) ([]byte, bool) { return r.appendBody(dst) },
	"request_body_file":   func(r *Request, dst []byte) ([]byte, bool) { return r.appendBodyFile(dst) },
	"server_name":         text(func(r *Request) []byte { return r.vhost.name }),
	"server_addr":         func(r *Request, dst []byte) ([]byte, bool) { return r.appendServerAddr(dst) },
	"server_port":         func(r *Request, dst []byte) ([]byte, bool) { return r.appendServerPort(dst) },
	"remote_addr":         func(r *Request, dst []byte) ([]byte, bool) { return r.appendRemoteAddr(dst), true },
	"binary_remote_addr":  func(r *Request, dst []byte) ([]byte, bool) { return r.appendBinaryAddr(dst), true },
	"remote_port":         func(r *Request, dst []byte) ([]byte, bool) { return r.appendRemotePort(dst) },
	"connection":          func(r *Request, dst []byte) ([]byte, bool) { return appendInt(dst, int64(r.conn().ID())), true },
	"connection_requests": func(r *Request, dst []byte) ([]byte, bool) { return appendInt(dst, int64(r.serverNo)), true },
	"connection_time": func(r *Request, dst []byte) ([]byte, bool) {
		return appendSeconds(dst, r.now()-r.client.connection().since), true
	},
	"pipe": func(r *Request, dst []byte) ([]byte, bool) {
		if r.client.connection().pipelined {
			return append(dst, 'p'), true
		}
		return append(dst, '.'), true
	},
}

// text makes a getter of a view; an absent value is not found.
func text(view func(*Request) []byte) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		v := view(r)
		return append(dst, v...), v != nil
	}
}

func appendIf(dst []byte, cond bool, s string) []byte {
	if cond {
		return append(dst, s...)
	}
	return dst
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendSeconds appends ns as seconds with three decimals.
func appendSeconds(dst []byte, ns int64) []byte {
	ms := max(ns, 0) / 1e6
	dst = strconv.AppendInt(dst, ms/1000, 10)
	ms %= 1000
	return append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}

// appendHost appends $host: the request's host name, else the server's.
func (r *Request) appendHost(dst []byte) []byte {
	if len(r.host) > 0 {
		return append(dst, r.host...)
	}
	return append(dst, r.vhost.name...)
}

func (r *Request) appendMethod(dst []byte) ([]byte, bool) {
	if r.lineBroken && r.head.LineLen() == 0 && !r.redirected {
		return dst, false
	}
	if r.method != r.head.Method {
		return append(dst, r.method.String()...), true
	}
	m := r.head.MethodText.In(r.raw)
	return append(dst, m...), len(m) > 0
}

func (r *Request) appendProtocol(dst []byte) ([]byte, bool) {
	if r.head.MethodText.Len == 0 {
		return dst, false
	}
	if r.head.Major == 0 {
		return dst, false
	}
	dst = appendInt(append(dst, "HTTP/"...), int64(r.head.Major))
	return appendInt(append(dst, '.'), int64(r.head.Minor)), true
}

func (r *Request) appendContentLength(dst []byte) ([]byte, bool) {
	if r.head.ContentLength < 0 {
		return dst, false
	}
	return appendInt(dst, r.head.ContentLength), true
}

// appendUser appends the user name of Basic authentication (RFC 7617).
func (r *Request) appendUser(dst []byte) ([]byte, bool) {
	v := r.header(httpparse.HeaderAuthorization)
	if len(v) < 6 || !httpparse.EqualFold(v[:6], []byte("basic ")) {
		return dst, false
	}
	v = bytes.TrimLeft(v[6:], " ")
	plain := make([]byte, base64.StdEncoding.DecodedLen(len(v)))
	n, err := base64.StdEncoding.Decode(plain, v)
	if err != nil {
		return dst, false
	}
	user, _, ok := bytes.Cut(plain[:n], []byte(":"))
	if !ok {
		return dst, false
	}
	return append(dst, user...), true
}

// requestID is $request_id, 32 hexadecimal digits that identify the request; made when
// first asked for.
func (r *Request) requestID() []byte {
	if !r.idMade {
		r.idMade = true
		var raw [16]byte
		for i := range 2 {
			bits := r.loop.random.Uint64()
			for k := range 8 {
				raw[8*i+k] = byte(bits >> (8 * k))
			}
		}
		hex.Encode(r.id[:], raw[:])
	}
	return r.id[:]
}

// received is how long the request is so far: line, fields and body, bytes.
// Empty lines before it do not count; of one that is refused, what was read
// before the fault does.
func (r *Request) received() int64 {
	switch {
	case r.lineBroken:
		return int64(r.head.LineLen())
	case r.malformed:
		return int64(r.head.Taken())
	}
	return r.read - int64(r.head.Line.Off) + r.body.received
}

// appendBody appends $request_body: the body when it lies in memory.
func (r *Request) appendBody(dst []byte) ([]byte, bool) {
	b := &r.body
	switch {
	case !b.whole || b.file != nil || b.streamed:
		return dst, false
	case b.view != nil:
		return append(dst, b.view...), true
	case b.mem != nil:
		return append(dst, b.mem.B...), true
	}
	return dst, false
}

// appendBodyFile appends $request_body_file: the path of the body's file when
// it has one (client_body_in_file_only).
func (r *Request) appendBodyFile(dst []byte) ([]byte, bool) {
	f := r.body.file
	if f == nil || f.path == "" {
		return dst, false
	}
	return append(dst, f.path...), true
}

func (r *Request) appendRemoteAddr(dst []byte) []byte {
	c := r.conn()
	if c.IsUnix() {
		return append(dst, "unix:"...)
	}
	return c.AppendRemoteIP(dst)
}

func (r *Request) appendBinaryAddr(dst []byte) []byte {
	c := r.conn()
	if c.IsUnix() {
		return append(dst, "unix:"...)
	}
	return append(dst, c.RemoteAddr().Addr().Unmap().AsSlice()...)
}

func (r *Request) appendRemotePort(dst []byte) ([]byte, bool) {
	if r.conn().IsUnix() {
		return dst, true
	}
	return appendInt(dst, int64(r.conn().RemoteAddr().Port())), true
}

func (r *Request) appendServerAddr(dst []byte) ([]byte, bool) {
	c := r.conn()
	if c.IsUnix() {
		return append(append(dst, "unix:"...), c.Listener().Path()...), true
	}
	return c.LocalAddr().Addr().Unmap().AppendTo(dst), true
}

func (r *Request) appendServerPort(dst []byte) ([]byte, bool) {
	if r.conn().IsUnix() {
		return dst, true
	}
	return appendInt(dst, int64(r.conn().LocalAddr().Port())), true
}

// requestLine is $request: the first line, as much of it as came.
func (r *Request) requestLine() []byte {
	if r.head.Line.Len > 0 {
		return r.head.Line.In(r.raw)
	}
	if i := bytes.IndexAny(r.raw, "\r\n"); i >= 0 {
		return r.raw[:i]
	}
	return r.raw
}
