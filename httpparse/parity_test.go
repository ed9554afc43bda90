package httpparse

import (
	"errors"
	"strings"
	"testing"
)

// verdict is what this package makes of a request, in nginx's terms.
type verdict struct {
	status int // 200, 9 (HTTP/0.9), or the error's
	lines  [5]string
	reason string
}

func judge(setting, raw string) verdict {
	lim := DefaultLimits
	merge := true
	switch setting {
	case "merge_slashes off;":
		merge = false
	case "ignore_invalid_headers off;":
		lim.IgnoreInvalidHeaders = false
	case "underscores_in_headers on;":
		lim.UnderscoresInHeaders = true
	}
	var r Request
	buf := []byte(raw)
	done, err := r.Parse(buf, &lim)
	path := []byte(nil)
	if err == nil && done {
		path, err = NormalizePath(nil, r.Path.In(buf), merge)
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		return verdict{status: e.Status, reason: e.Reason}
	case !done:
		return verdict{}
	}
	v := verdict{status: 200}
	if r.Dropped > 0 {
		v.reason = ErrInvalidHeader.Reason // nginx logs what it leaves out
	}
	if r.Major == 0 {
		v.status = 9
	}
	f, ok := r.Find(buf, []byte("x-f"))
	if !ok {
		f, _ = r.Find(buf, []byte("x_f")) // $http_x_f is either
	}
	v.lines = [5]string{string(path), string(r.Target.In(buf)), string(r.Query.In(buf)), string(AppendLower(nil, r.HostName.In(buf))), string(f)}
	return v
}

// TestNginxAcceptance sends raw requests to nginx and compares the status, the
// variables and the log's reason with this package's. A case with ours != 0 is a
// deliberate difference, and why says which reason.
func TestNginxAcceptance(t *testing.T) {
	n := startNginx(t)
	const get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	long := strings.Repeat("a", 9000)
	type row struct {
		raw  string
		ours int
		why  string
	}
	rows := map[string][]row{
		"": {
			// Request lines.
			{raw: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.0\r\n\r\n"},
			{raw: "GET / HTTP/1.0\n\n"},
			{raw: "GET / HTTP/1.1\nHost: a\n\n"},
			{raw: "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", ours: 400, why: "a CR that ends no line"},
			{raw: " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GeT / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "G-E_T / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "G3T / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1x\r\nHost: a\r\n\r\n"},
			{raw: "GET / x HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /\ta HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /?\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1\rX: y\r\nHost: a\r\n\r\n"},
			{raw: "GET  \r\n\r\n"},
			{raw: "GET\r\n\r\n"},
			{raw: "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.999\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1000\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.0001\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/2\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/3.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/10.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/11\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/01.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/\r\nHost: a\r\n\r\n"},
			{raw: "GET / http/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTPS/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET / ICY/1.1\r\nHost: a\r\n\r\n"},
			{raw: "\x16\x03\x01\x02\x00\x01\x00\n"},
			// HTTP/0.9.
			{raw: "GET /\r\n"},
			{raw: "GET /\n"},
			{raw: "GET /a?b \r\n"},
			{raw: "POST /\r\n"},
			{raw: "HEAD /\r\n"},
			{raw: "GET http://h/x\r\n"},
			// Target forms.
			{raw: "GET http://Ex.com/x?y HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com?q=1 HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com:80/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com:80 HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com:80?z HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com#f HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com/#f HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://[::1]:80/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://[::1 HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://u@ex.com/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http:///x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://a_b/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://a..b/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://a./x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http:/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http//x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET HTTP://ex.com/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET a+b-c.9://ex.com/x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET http://ex.com/x HTTP/1.1\r\n\r\n"},
			{raw: "GET http://ex.com/x HTTP/1.1\r\nHost: b/d\r\n\r\n"},
			{raw: "GET http://ex.com/x HTTP/1.0\r\n\r\n"},
			{raw: "GET x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET ?x HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "GET * HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "OPTIONS / HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n", ours: 405, why: "nginx 1.22 does not know the authority form; later ones answer 405"},
			{raw: "CONNECT b HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "CONNECT /x HTTP/1.1\r\nHost: b\r\n\r\n", ours: 400, why: "nginx since: CONNECT takes the authority form only"},
			{raw: "TRACE / HTTP/1.1\r\nHost: b\r\n\r\n"},
			{raw: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
			{raw: "FOO / HTTP/1.1\r\nHost: b\r\n\r\n"},
			// Host.
			{raw: "GET / HTTP/1.1\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
			{raw: "GET / HTTP/1.0\r\nHost:\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a..b\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: A.B.:80\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: .\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", ours: 400, why: "RFC 9110 section 7.2 and nginx since: a port has digits"},
			{raw: "GET / HTTP/1.1\r\nHost: a:80:90\r\n\r\n", ours: 400, why: "as above"},
			{raw: "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", ours: 400, why: "as above"},
			{raw: "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", ours: 400, why: "an unclosed bracket, refused by nginx since"},
			{raw: "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", ours: 400, why: "no host by RFC 3986; others would read it as user and host"},
			{raw: "GET / HTTP/1.1\r\nHost: a_b-c~d!\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a\x00\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n"},
			{raw: "GET / HTTP/1.1\r\nHost:\ta\r\n\r\n", ours: 200, why: "RFC 9112 section 5 and nginx since: a tab is whitespace"},
			{raw: "GET / HTTP/1.1\r\nHost: a\t\r\n\r\n", ours: 200, why: "as above"},
			// Header lines.
			{raw: get + "X-F: v\r\n\r\n"},
			{raw: get + "X-F:v\r\n\r\n"},
			{raw: get + "X-F:   v  w  \r\n\r\n"},
			{raw: get + "X-F:\r\n\r\n"},
			{raw: get + "X-F: \x01\x1f\x7f\xff\r\n\r\n"},
			{raw: get + "X-F: a\x00b\r\n\r\n"},
			{raw: get + "X-F: a\rb\r\n\r\n"},
			{raw: get + "X-F: a\r\r\n\r\n", ours: 400, why: "a CR that ends no line"},
			{raw: get + "X-F : v\r\n\r\n"},
			{raw: get + "X-F\t: v\r\n\r\n"},
			{raw: get + " X-F: v\r\n\r\n"},
			{raw: get + "\tX-F: v\r\n\r\n"},
			{raw: get + "X-F: v\r\n w\r\n\r\n"},
			{raw: get + "X-F: v\r\n\tw\r\n\r\n"},
			{raw: get + ": v\r\n\r\n"},
			{raw: get + "X-F\r\n\r\n", ours: 400, why: "RFC 9112 section 5: no colon, no field"},
			{raw: get + "X_F: v\r\n\r\n"},
			{raw: get + "X.F: v\r\n\r\n"},
			{raw: get + "X/F: v\r\n\r\n"},
			{raw: get + "X\x01F: v\r\n\r\n"},
			{raw: get + "X\x00F: v\r\n\r\n"},
			{raw: get + "X\xffF: v\r\n\r\n"},
			{raw: get + "X\x7fF: v\r\n\r\n"},
			{raw: get + "X F: v\r\n\r\n"},
			{raw: get + "\r \r\n\r\n"},
			{raw: get + "\rX-F: v\r\n\r\n"},
			{raw: get + "X-F: v\n\n"},
			{raw: get + "X-F: v\n\r\n"},
			{raw: get + "X-F: " + strings.Repeat("v", 8000) + "\r\n\r\n"},
			{raw: get + "X-F: " + long + "\r\n\r\n"},
			{raw: "GET /" + strings.Repeat("a", 8000) + " HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: "GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n"},
			{raw: get + strings.Repeat("X-F: "+strings.Repeat("v", 7000)+"\r\n", 6) + "\r\n"},
			// Duplicates.
			{raw: get + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"},
			{raw: get + "If-Match: a\r\nIf-Match: a\r\n\r\n"},
			{raw: get + "If-None-Match: a\r\nIf-None-Match: a\r\n\r\n"},
			{raw: get + "If-Modified-Since: a\r\nIf-Modified-Since: a\r\n\r\n"},
			{raw: get + "If-Unmodified-Since: a\r\nIf-Unmodified-Since: a\r\n\r\n"},
			{raw: get + "If-Range: a\r\nIf-Range: a\r\n\r\n"},
			{raw: get + "Content-Range: a\r\nContent-Range: a\r\n\r\n"},
			{raw: get + "Authorization: a\r\nAuthorization: a\r\n\r\n"},
			{raw: get + "Expect: a\r\nExpect: a\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{raw: get + "Connection: a\r\nConnection: close\r\n\r\n"},
			{raw: get + "Upgrade: a\r\nUpgrade: a\r\n\r\n"},
			{raw: get + "Range: bytes=0-0\r\nRange: bytes=0-0\r\n\r\n"},
			{raw: get + "Content-Type: a\r\nContent-Type: a\r\n\r\n"},
			{raw: get + "User-Agent: a\r\nUser-Agent: a\r\n\r\n"},
			{raw: get + "Referer: a\r\nReferer: a\r\n\r\n"},
			{raw: get + "Cookie: a\r\nCookie: a\r\n\r\n"},
			{raw: get + "Accept-Encoding: a\r\nAccept-Encoding: a\r\n\r\n"},
			{raw: get + "X-Forwarded-For: a\r\nX-Forwarded-For: a\r\n\r\n"},
			{raw: get + "X-Real-IP: a\r\nX-Real-IP: a\r\n\r\n"},
			{raw: get + "Keep-Alive: a\r\nKeep-Alive: a\r\n\r\n"},
			{raw: get + "Date: a\r\nDate: a\r\n\r\n"},
			{raw: get + "Via: a\r\nVia: a\r\n\r\n"},
			{raw: get + "TE: a\r\nTE: a\r\n\r\n"},
			{raw: get + "Accept: a\r\nAccept: a\r\n\r\n"},
			{raw: get + "Destination: a\r\nDestination: a\r\n\r\n"},
			// Framing.
			{raw: get + "Content-Length: 0\r\n\r\n"},
			{raw: get + "Content-Length: 3\r\n\r\nabc"},
			{raw: get + "Content-Length:\r\n\r\n"},
			{raw: get + "Content-Length: -1\r\n\r\n"},
			{raw: get + "Content-Length: +1\r\n\r\n"},
			{raw: get + "Content-Length: 1 1\r\n\r\n"},
			{raw: get + "Content-Length: 0x1\r\n\r\n"},
			{raw: get + "Content-Length: 1,1\r\n\r\n"},
			{raw: get + "Content-Length: 1, 1\r\n\r\n"},
			{raw: get + "Content-Length: 00\r\n\r\n"},
			{raw: get + "Content-Length: 9223372036854775808\r\n\r\n"},
			{raw: get + "Content-Length: 99999999999999999999999\r\n\r\n"},
			{raw: get + "Content-Length : 0\r\n\r\n"},
			{raw: get + "Content_Length: 5\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{raw: get + "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"},
			{raw: get + "Transfer-Encoding: gzip\r\n\r\n"},
			{raw: get + "Transfer-Encoding: identity\r\n\r\n"},
			{raw: get + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked, chunked\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked,\r\n\r\n"},
			{raw: get + "Transfer-Encoding: xchunked\r\n\r\n"},
			{raw: get + "Transfer-Encoding: \x0bchunked\r\n\r\n"},
			{raw: get + "Transfer-Encoding: \"chunked\"\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked;a=b\r\n\r\n"},
			{raw: get + "Transfer-Encoding:\r\n\r\n"},
			{raw: get + "Transfer-Encoding: \r\n chunked\r\n\r\n"},
			{raw: get + "Transfer-Encoding : chunked\r\n\r\n"},
			{raw: get + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
			{raw: get + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{raw: get + "Content-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\n"},
			{raw: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{raw: "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n"},
			{raw: get + "Expect: something\r\n\r\n"},
		},
		"ignore_invalid_headers off;": {
			{raw: get + "X-F: v\r\n\r\n"},
			{raw: get + "X_F: v\r\n\r\n"},
			{raw: get + "X.F: v\r\n\r\n"},
			{raw: get + "X F: v\r\n\r\n"},
		},
		"underscores_in_headers on;": {
			{raw: get + "X_F: v\r\n\r\n"},
			{raw: get + "X-F: v\r\nX_F: w\r\n\r\n"},
		},
	}
	for setting, list := range rows {
		for _, c := range list {
			status, body, reason := n.ask(setting, c.raw)
			got := judge(setting, c.raw)
			show := c.raw
			if len(show) > 120 {
				show = show[:120] + "..."
			}
			if c.ours != 0 {
				if got.status != c.ours {
					t.Errorf("%s%q: got %d %s, want %d because %s", setting, show, got.status, got.reason, c.ours, c.why)
				}
				if got.status == status {
					t.Errorf("%s%q: nginx says %d too: no difference to keep", setting, show, status)
				}
				continue
			}
			if status == 9 && got.reason == ErrInvalidMethod09.Reason {
				status = 400 // refused without a head, as HTTP/0.9 has none
			}
			if got.status != status || got.reason != reason {
				t.Errorf("%s%q: got %d %q, nginx %d %q", setting, show, got.status, got.reason, status, reason)
				continue
			}
			if status != 200 && status != 9 {
				continue
			}
			for i, name := range []string{"$uri", "$request_uri", "$args", "$host", "$http_x_f"} {
				if i < len(body) && got.lines[i] != body[i] {
					t.Errorf("%s%q: %s: got %q, nginx %q", setting, show, name, got.lines[i], body[i])
				}
			}
		}
	}
}
