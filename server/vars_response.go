package server

import (
	"os"
	"strconv"

	"seawall/httpparse"
	"seawall/upstream"
)

// responseVariables tell what was answered, when, and with whose help.
var responseVariables = map[string]getter{
	"status":             func(r *Request, dst []byte) ([]byte, bool) { return r.appendStatusCode(dst), true },
	"bytes_sent":         func(r *Request, dst []byte) ([]byte, bool) { return appendInt(dst, r.responded), true },
	"body_bytes_sent":    func(r *Request, dst []byte) ([]byte, bool) { return appendInt(dst, r.responded-r.headBytes), true },
	"request_time":       func(r *Request, dst []byte) ([]byte, bool) { return appendSeconds(dst, r.now()-r.started), true },
	"request_completion": func(r *Request, dst []byte) ([]byte, bool) { return appendIf(dst, r.resp.ended, "OK"), true },
	"limit_rate":         func(r *Request, dst []byte) ([]byte, bool) { return appendInt(dst, r.limitRate), true },
	"time_local":         text(func(r *Request) []byte { return r.loop.clock().local }),
	"time_iso8601":       text(func(r *Request) []byte { return r.loop.clock().iso8601 }),
	"msec":               func(r *Request, dst []byte) ([]byte, bool) { return appendSeconds(dst, r.loop.l.Wall()*1e6), true },
	"pid":                text(func(r *Request) []byte { return r.site.pid }),
	"hostname":           text(func(r *Request) []byte { return r.site.hostname }),
	"nginx_version":      func(r *Request, dst []byte) ([]byte, bool) { return append(dst, Version...), true },

	"proxy_host":                   func(r *Request, dst []byte) ([]byte, bool) { return r.appendProxyHost(dst) },
	"proxy_port":                   func(r *Request, dst []byte) ([]byte, bool) { return r.appendProxyPort(dst) },
	"proxy_add_x_forwarded_for":    func(r *Request, dst []byte) ([]byte, bool) { return r.appendForwardedFor(dst), true },
	"proxy_internal_body_length":   func(r *Request, dst []byte) ([]byte, bool) { return r.appendBodyLength(dst), true },
	"proxy_internal_chunked":       func(r *Request, dst []byte) ([]byte, bool) { return r.appendChunked(dst), true },
	"upstream_addr":                tries(upstream.TryAddr),
	"upstream_status":              tries(upstream.TryStatus),
	"upstream_connect_time":        tries(upstream.TryConnectTime),
	"upstream_header_time":         tries(upstream.TryHeaderTime),
	"upstream_response_time":       tries(upstream.TryResponseTime),
	"upstream_response_length":     tries(upstream.TryResponseLength),
	"upstream_bytes_received":      tries(upstream.TryBytesReceived),
	"upstream_bytes_sent":          tries(upstream.TryBytesSent),
	"upstream_cache_status":        func(r *Request, dst []byte) ([]byte, bool) { return r.appendCacheStatus(dst) },
	"upstream_cache_last_modified": func(r *Request, dst []byte) ([]byte, bool) { return r.appendStaleModified(dst) },
	"upstream_cache_etag":          func(r *Request, dst []byte) ([]byte, bool) { return r.appendStaleETag(dst) },
}

// allVariables joins the tables.
func allVariables() map[string]getter {
	all := map[string]getter{}
	for _, table := range []map[string]getter{requestVariables, responseVariables, tcpVariables} {
		for name, g := range table {
			all[name] = g
		}
	}
	return all
}

// appendStatus appends $status: three digits, "000" before there is one.
func appendStatus(dst []byte, status int) []byte {
	return append(dst, byte('0'+status/100%10), byte('0'+status/10%10), byte('0'+status%10))
}

// tries lists one field of all attempts at backends.
func tries(field upstream.TryField) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		if r.ex == nil || r.ex.group == nil { // no call was started
			return dst, false
		}
		list := r.ex.call.Tries()
		return upstream.AppendTries(dst, list, field), len(list) > 0
	}
}

func (r *Request) appendProxyHost(dst []byte) ([]byte, bool) {
	h := r.loc.proxy
	if h == nil {
		return dst, false
	}
	if h.dynamic != nil {
		return append(dst, r.dynamicHost...), true
	}
	return append(dst, h.host...), true
}

func (r *Request) appendProxyPort(dst []byte) ([]byte, bool) {
	h := r.loc.proxy
	if h == nil {
		return dst, false
	}
	if h.dynamic != nil {
		return append(dst, r.dynamicPort...), true
	}
	return append(dst, h.port...), true
}

// appendForwardedFor appends the client's X-Forwarded-For with its address behind.
func (r *Request) appendForwardedFor(dst []byte) []byte {
	var found bool
	if r.head.Has(httpparse.HeaderXForwardedFor) {
		dst, found = joinFields(dst, r.raw, r.head.Fields, []byte("x-forwarded-for"), ", ")
	}
	if found {
		dst = append(dst, ", "...)
	}
	return r.appendRemoteAddr(dst)
}

// appendChunked appends $proxy_internal_chunked: "chunked" when the body is
// passed on as it comes without a known length.
func (r *Request) appendChunked(dst []byte) []byte {
	h := r.loc.proxy
	if h == nil || h.setBody != nil || !h.passBody || !r.body.streamed || !r.body.chunked {
		return dst
	}
	return append(dst, "chunked"...)
}

func (r *Request) appendCacheStatus(dst []byte) ([]byte, bool) {
	return append(dst, cacheStatusNames[r.cacheStatus]...), r.cacheStatus != cacheNone
}

// appendStaleModified appends what a revalidation sends as If-Modified-Since.
func (r *Request) appendStaleModified(dst []byte) ([]byte, bool) {
	if !r.revalidates() || r.ex.stale.LastModified == nil {
		return dst, false
	}
	return append(dst, r.ex.stale.LastModified...), true
}

// appendStaleETag appends what a revalidation sends as If-None-Match.
func (r *Request) appendStaleETag(dst []byte) ([]byte, bool) {
	if !r.revalidates() || r.ex.stale.ETag == nil {
		return dst, false
	}
	return append(dst, r.ex.stale.ETag...), true
}

func (r *Request) revalidates() bool {
	return r.ex != nil && r.ex.stale != nil && r.loc.proxy != nil && r.loc.proxy.cache != nil && r.loc.proxy.cache.revalidate
}

// processVariables are the values that stay for the process's life.
func processVariables() (pid, hostname []byte) {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return strconv.AppendInt(nil, int64(os.Getpid()), 10), []byte(name)
}

// appendStatusCode appends $status: while an error page is being made, the
// status that it will have.
func (r *Request) appendStatusCode(dst []byte) []byte {
	if !r.resp.headSent && r.resp.overrides > 0 {
		return appendStatus(dst, wireStatus(r.resp.overrides))
	}
	return appendStatus(dst, r.resp.status)
}
