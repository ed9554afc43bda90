package itest

import (
	"strings"
	"testing"
)

func TestParityVirtualServers(t *testing.T) {
	host := func(name string) string {
		return "GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n"
	}
	Suite{
		Config: Config{
			HTTP: `
server { listen 127.0.0.1:{{port}} default_server; server_name _; return 200 "default host=$host name=$server_name\n"; }
server { listen 127.0.0.1:{{port}}; server_name exact.test second.test; return 200 "exact host=$host name=$server_name\n"; }
server { listen 127.0.0.1:{{port}}; server_name *.wild.test; return 200 "leading wildcard host=$host name=$server_name\n"; }
server { listen 127.0.0.1:{{port}}; server_name *.longer.wild.test; return 200 "longer wildcard host=$host\n"; }
server { listen 127.0.0.1:{{port}}; server_name .dot.test; return 200 "dot host=$host name=$server_name\n"; }
server { listen 127.0.0.1:{{port}}; server_name tail.*; return 200 "trailing wildcard host=$host name=$server_name\n"; }
server { listen 127.0.0.1:{{port}}; server_name ~^re(?<digits>\d+)\.test$ ; return 200 "regex digits=$digits name=$server_name\n"; }
server { listen 127.0.0.1:{{port}}; server_name ~^re.*\.test$ ; return 200 "second regex\n"; }
server { listen 127.0.0.1:{{port}}; server_name deep.wild.test; return 200 "exact under wildcard\n"; }
server { listen 127.0.0.1:{{port}}; server_name ""; return 200 "empty name host=[$host] http_host=[$http_host]\n"; }
server { listen 127.0.0.1:{{port2}}; server_name first.port2; return 200 "first of port 2 host=$host port=$server_port\n"; }
server { listen 127.0.0.1:{{port2}}; server_name exact.test; return 200 "exact on port 2\n"; }
server { listen 127.0.0.1:{{port3}}; server_name a.test; return 200 "a $server_name $server_port $server_addr\n"; }
server { listen 127.0.0.1:{{port3}} default_server; server_name b.test; return 200 "b $server_name\n"; }
`,
		},
		Cases: []Case{
			{Name: "exact", Req: host("exact.test"), Want: "exact host=exact.test name=exact.test"},
			{Name: "second name", Req: host("second.test"), Want: "exact host=second.test name=exact.test"},
			{Name: "upper case", Req: host("EXACT.Test"), Want: "exact host=exact.test"},
			{Name: "trailing dot", Req: host("exact.test."), Want: "exact host=exact.test"},
			{Name: "with port", Req: host("exact.test:8080"), Want: "exact host=exact.test"},
			{Name: "with empty port", Req: host("exact.test:"), Want: "HTTP/1.1 200"},
			{Name: "with a port that is no number", Req: host("exact.test:abc"), Want: "200 OK", Differs: "host-header-is-strict", Seawall: "400 Bad Request"},
			{Name: "leading wildcard", Req: host("a.wild.test"), Want: "leading wildcard"},
			{Name: "leading wildcard over two labels", Req: host("a.b.wild.test"), Want: "leading wildcard"},
			{Name: "wildcard does not match the bare domain", Req: host("wild.test"), Want: "default"},
			{Name: "longer wildcard wins", Req: host("a.longer.wild.test"), Want: "longer wildcard"},
			{Name: "exact before wildcard", Req: host("deep.wild.test"), Want: "exact under wildcard"},
			{Name: "dot name, bare", Req: host("dot.test"), Want: "dot host=dot.test"},
			{Name: "dot name, below", Req: host("x.dot.test"), Want: "dot host=x.dot.test"},
			{Name: "trailing wildcard", Req: host("tail.org"), Want: "trailing wildcard"},
			{Name: "trailing wildcard over two labels", Req: host("tail.co.uk"), Want: "trailing wildcard"},
			{Name: "regex with capture", Req: host("re42.test"), Want: "digits=42"},
			{Name: "second regex", Req: host("rex.test"), Want: "second regex"},
			{Name: "unknown name", Req: host("unknown.test"), Want: "default host=unknown.test name=_"},
			{Name: "address as name", Req: host("127.0.0.1"), Want: "default host=127.0.0.1"},
			{Name: "IPv6 address as name", Req: host("[::1]"), Want: "default host=[::1]"},
			{Name: "IPv6 address with port", Req: host("[::1]:80"), Want: "default"},
			{Name: "broken IPv6 address", Req: host("[::1"), Want: "200 OK", Differs: "host-header-is-strict", Seawall: "400 Bad Request"},
			{Name: "empty Host value", Req: host(""), Want: "400 Bad Request"},
			{Name: "no Host in 1.0", Req: "GET / HTTP/1.0\r\n\r\n", Want: "empty name host="},
			{Name: "no Host in 1.1", Req: "GET / HTTP/1.1\r\n\r\n", Want: "400 Bad Request"},
			{Name: "Host in 1.0", Req: "GET / HTTP/1.0\r\nHost: exact.test\r\n\r\n", Want: "exact host"},
			{Name: "HTTP/0.9", Req: "GET /\r\n", Want: "name host"},
			{Name: "two equal Hosts", Req: "GET / HTTP/1.1\r\nHost: exact.test\r\nHost: exact.test\r\n\r\n", Want: "400 Bad Request"},
			{Name: "slash in Host", Req: host("exact.test/x"), Want: "400 Bad Request"},
			{Name: "space in Host", Req: host("exact .test"), Want: "400 Bad Request"},
			{Name: "two dots in Host", Req: host("exact..test"), Want: "400 Bad Request"},
			{Name: "comma in Host", Req: host("exact.test,other.test"), Want: "HTTP/1.1"},
			{Name: "at sign in Host", Req: host("user@exact.test"), Want: "200 OK", Differs: "host-header-is-strict", Seawall: "400 Bad Request"},
			{Name: "only a dot", Req: host("."), Want: "HTTP/1.1"},
			{Name: "NUL in Host", Req: host("exact\x00.test"), Want: "400 Bad Request"},
			{Name: "first server of a port is its default", Steps: []Step{To("port2", host("nobody.test"))}, Want: "first of port 2"},
			{Name: "names are per port", Steps: []Step{To("port2", host("exact.test"))}, Want: "exact on port 2"},
			{Name: "wildcard of another port does not count", Steps: []Step{To("port2", host("a.wild.test"))}, Want: "first of port 2"},
			{Name: "explicit default server", Steps: []Step{To("port3", host("x.test"))}, Want: "b b.test"},
			{Name: "server variables", Steps: []Step{To("port3", host("a.test"))}, Want: "a a.test {{port3}} 127.0.0.1"},
			{Name: "absolute form chooses the server", Req: "GET http://re7.test/ HTTP/1.1\r\nHost: exact.test\r\nConnection: close\r\n\r\n", Want: "digits=7"},
			{Name: "second request on a connection may have another name", Steps: []Step{On(
				Send("GET / HTTP/1.1\r\nHost: exact.test\r\n\r\n"), Await(1), Send(host("a.wild.test")))}, Want: "leading wildcard"},
			{Name: "regex captures of the request before are gone", Steps: []Step{On(
				Send("GET / HTTP/1.1\r\nHost: re1.test\r\n\r\n"), Await(1), Send(host("re22.test")))}, Want: "digits=22"},
		},
	}.Run(t)
}

func TestParityHeaders(t *testing.T) {
	big := func(n int) string { return strings.Repeat("x", n) }
	Suite{
		Config: Config{
			HTTP: requestLogFormat + "client_header_buffer_size 1k; large_client_header_buffers 4 2k;",
			Server: `
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /vars { return 200 "a=[$http_a] x=[$http_x_long_name] under=[$http_with_underscore] cookie=[$http_cookie] c=[$cookie_c] ua=[$http_user_agent]\n"; }
`,
		},
		Cases: []Case{
			{Name: "headers are passed as they are", Req: get("/", "X-One: 1", "x-lower: Two", "X-Space:   three  ", "X-None:five"), Want: "x-lower: Two"},
			{Name: "tabs around a value", Req: get("/", "X-Tab:\tfour\t"), Want: "X-Tab: \tfour", Differs: "tabs-around-values-are-trimmed", Seawall: "X-Tab: four␍"},
			{Name: "order of headers", Req: get("/", "B: 1", "A: 2", "User-Agent: t", "Accept: */*", "C: 3"), Want: "B: 1"},
			{Name: "empty value", Req: get("/", "X-Empty:"), Want: "X-Empty"},
			{Name: "duplicates are passed", Req: get("/", "X-Dup: 1", "X-Dup: 2"), Want: "X-Dup: 2"},
			{Name: "underscore is dropped", Req: get("/", "with_underscore: 1", "X-Good: 2"), Want: "X-Good", ErrorLog: true},
			{Name: "invalid name is dropped", Req: get("/", "X Space: 1", "X-Good: 2"), Want: "HTTP/1.1"},
			{Name: "name with parentheses", Req: get("/", "X(a): 1", "X-Good: 2"), Want: "HTTP/1.1"},
			{Name: "name with at sign", Req: get("/", "X@a: 1", "X-Good: 2"), Want: "HTTP/1.1"},
			{Name: "name with dot", Req: get("/", "X.a: 1", "X-Good: 2"), Want: "X-Good"},
			{Name: "name with bytes over 127", Req: get("/", "X-\xc3\xa4: 1", "X-Good: 2"), Want: "X-Good"},
			{Name: "value with bytes over 127", Req: get("/", "X-A: \xc3\xa4"), Want: "X-A: \xc3\xa4"},
			{Name: "value with a tab", Req: get("/", "X-A: a\tb"), Want: "X-A: a\tb"},
			{Name: "NUL in a value", Req: get("/", "X-A: a\x00b"), Want: "400 Bad Request", ErrorLog: true},
			{Name: "control character in a value", Req: get("/", "X-A: a\x01b"), Want: "HTTP/1.1"},
			{Name: "line without a colon", Req: get("/", "NoColon", "X-Good: 1"), Want: "200 OK", Differs: "header-lines-need-a-colon", Seawall: "400 Bad Request"},
			{Name: "line that begins with a colon", Req: get("/", ": value", "X-Good: 1"), Want: "HTTP/1.1"},
			{Name: "space before the colon", Req: get("/", "X-A : 1"), Want: "400 Bad Request", ErrorLog: true},
			{Name: "folded header", Req: get("/", "X-A: 1", " folded"), Want: "400 Bad Request"},
			{Name: "folded header with a tab", Req: get("/", "X-A: 1", "\tfolded"), Want: "400 Bad Request"},
			{Name: "bare LF ends a header", Req: "GET / HTTP/1.1\nHost: example.com\nX-A: 1\nConnection: close\n\n", Want: "X-A: 1"},
			{Name: "colon and spaces in the value", Req: get("/", "X-A: b: c : d"), Want: "X-A: b: c : d"},
			{Name: "header line just within a buffer", Req: get("/", "X-Long: "+big(1900)), Want: "200 OK"},
			{Name: "header line larger than a buffer", Req: get("/", "X-Long: "+big(2100)), Want: "400 Request Header Or Cookie Too Large"},
			{Name: "request line larger than a buffer", Req: get("/" + big(2100)), Want: "414 Request-URI Too Large"},
			{Name: "request line just within a buffer", Req: get("/" + big(1900)), Want: "200 OK"},
			{Name: "too many buffers in all", Req: get("/", "X-A: "+big(1800), "X-B: "+big(1800), "X-C: "+big(1800), "X-D: "+big(1800), "X-E: "+big(1800)), Want: "400 Request Header Or Cookie Too Large", ErrorLog: true},
			{Name: "several large headers", Req: get("/", "X-A: "+big(1800), "X-B: "+big(1800), "X-C: "+big(1800)), Want: "200 OK"},
			{Name: "hundred small headers", Req: get("/", strings.Split(strings.TrimSuffix(strings.Repeat("X-N: 1\n", 100), "\n"), "\n")...), Want: "200 OK"},
			{Name: "header variables", Req: get("/vars", "A: one", "X-Long-Name: two", "User-Agent: agent/1"), Want: "a=[one] x=[two]"},
			{Name: "cookie variables", Req: get("/vars", "Cookie: b=1; c=two; d=3"), Want: "c=[two]"},
			{Name: "two Cookie headers", Req: get("/vars", "Cookie: b=1", "Cookie: c=two"), Want: "cookie=[b=1; c=two] c=[two]"},
			{Name: "cookie names are case-insensitive", Req: get("/vars", "Cookie: C=upper"), Want: "c=["},
			{Name: "cookie value with spaces and equals", Req: get("/vars", "Cookie: c=a=b ; d=1"), Want: "c=["},
			{Name: "cookie name as part of another", Req: get("/vars", "Cookie: cc=1; c=2"), Want: "c=[2]"},
			{Name: "hop-by-hop headers of the client", Req: get("/", "Keep-Alive: timeout=5", "TE: trailers", "Proxy-Connection: keep-alive", "Upgrade: foo", "Trailer: X"), Want: "Proxy-Connection: keep-alive", Differs: "hop-by-hop-headers-stay", Seawall: "200 OK"},
			{Name: "header that Connection names", Req: "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\n\r\n", Want: "X-Secret", Differs: "hop-by-hop-headers-stay", Seawall: "200 OK"},
			{Name: "Range and conditions are passed without a cache", Req: get("/", "Range: bytes=0-1", "If-None-Match: \"x\"", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"), Want: "If-None-Match"},
			{Name: "authorisation is passed", Req: get("/", "Authorization: Basic eDp5"), Want: "Authorization: Basic"},
		},
	}.Run(t)
	t.Run("ignore_invalid_headers off, underscores on", func(t *testing.T) {
		Suite{
			Config: Config{Server: `
underscores_in_headers on;
ignore_invalid_headers off;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /vars { return 200 "[$http_with_underscore]\n"; }`},
			Cases: []Case{
				{Name: "underscore is passed", Req: get("/", "with_underscore: 1"), Want: "with_underscore: 1"},
				{Name: "underscore as variable", Req: get("/vars", "with_underscore: 1"), Want: "[1]"},
				{Name: "invalid name is passed", Req: get("/", "X@a: 1"), Want: "HTTP/1.1"},
				{Name: "name with space", Req: get("/", "X a: 1"), Want: "HTTP/1.1"},
				{Name: "control character in a name", Req: get("/", "X\x01a: 1"), Want: "HTTP/1.1"},
			},
		}.Run(t)
	})
}

func TestParityDuplicateHeaders(t *testing.T) {
	server := `location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /vars { return 200 "dup=[$http_x_dup] xff=[$http_x_forwarded_for] add=[$proxy_add_x_forwarded_for]\n"; }`
	var cases []Case
	for _, name := range []string{"Content-Type", "User-Agent", "Accept", "Accept-Encoding", "Referer", "Authorization", "If-None-Match", "If-Modified-Since", "Range", "Via", "Expect", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade"} {
		value := map[string]string{"Expect": "100-continue", "Content-Length": "0", "Transfer-Encoding": "chunked", "Connection": "close"}[name]
		if value == "" {
			value = "v"
		}
		c := Case{Name: "two " + name + " headers", Req: get("/", name+": "+value, name+": "+value)}
		if name == "Transfer-Encoding" {
			c.Req += "0\r\n\r\n"
		}
		cases = append(cases, c)
	}
	cases = append(cases,
		Case{Name: "two X-Forwarded-For headers", Req: get("/vars", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2"), Want: "xff=[1.1.1.1, 2.2.2.2] add=[1.1.1.1, 2.2.2.2, 127.0.0.1]"},
		Case{Name: "no X-Forwarded-For", Req: get("/vars"), Want: "xff=[] add=[127.0.0.1]"},
		Case{Name: "two headers in one variable", Req: get("/vars", "X-Dup: 1", "X-Dup: 2"), Want: "dup=[1]", Differs: "variables-join-repeated-headers", Seawall: "dup=[1, 2]"},
	)
	Suite{Config: Config{Server: server}, Cases: cases}.Run(t)
}

// TestParitySmuggling sends what request smuggling is made of. What matters is the origin's side of the transcript: whatever is
// forwarded must be one request.
func TestParitySmuggling(t *testing.T) {
	post := func(headers ...string) string {
		return "POST / HTTP/1.1\r\nHost: example.com\r\n" + headerLines(headers) + "\r\n"
	}
	const hidden = "GET /hidden HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
	Suite{
		Config: Config{Server: `location / { proxy_pass http://127.0.0.1:{{origin}}; }`},
		Cases: []Case{
			{Name: "Content-Length and Transfer-Encoding", Req: post("Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "Transfer-Encoding and Content-Length", Req: post("Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "two different lengths", Req: post("Content-Length: 5", "Content-Length: 6") + "hello" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "two equal lengths", Req: post("Content-Length: 5", "Content-Length: 5") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "list of lengths", Req: post("Content-Length: 5, 5") + "hello" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "length with a plus", Req: post("Content-Length: +5") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "negative length", Req: post("Content-Length: -1") + hidden, Want: "400 Bad Request"},
			{Name: "hexadecimal length", Req: post("Content-Length: 0x5") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "length with spaces inside", Req: post("Content-Length: 5 5") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "length beyond 64 bits", Req: post("Content-Length: 18446744073709551621") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "empty length", Req: post("Content-Length:") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "length with leading zeros", Req: post("Content-Length: 0005", "Connection: close") + "hello", Want: "hello"},
			{Name: "length after a space before the colon", Req: post("Content-Length : 5") + "hello" + hidden, Want: "400 Bad Request"},
			{Name: "Transfer-Encoding after a space before the colon", Req: post("Transfer-Encoding : chunked") + "0\r\n\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "unknown transfer coding", Req: post("Transfer-Encoding: xchunked") + "0\r\n\r\n" + hidden, Want: "501 Not Implemented", ErrorLog: true},
			{Name: "chunked is not last", Req: post("Transfer-Encoding: chunked, identity") + "0\r\n\r\n" + hidden, Want: "501 Not Implemented"},
			{Name: "gzip, chunked", Req: post("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n" + hidden, Want: "501 Not Implemented"},
			{Name: "identity", Req: post("Transfer-Encoding: identity") + hidden, Want: "HTTP/1.1"},
			{Name: "chunked in upper case", Req: post("Transfer-Encoding: CHUNKED", "Connection: close") + "5\r\nhello\r\n0\r\n\r\n", Want: "hello"},
			{Name: "chunked with a vertical tab", Req: post("Transfer-Encoding: \x0bchunked") + "0\r\n\r\n" + hidden, Want: "501 Not Implemented"},
			{Name: "chunked in quotes", Req: post("Transfer-Encoding: \"chunked\"") + "0\r\n\r\n" + hidden, Want: "501 Not Implemented"},
			{Name: "two Transfer-Encodings", Req: post("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "underscore spelling is dropped", Req: post("Transfer_Encoding: chunked", "Connection: close") + "0\r\n\r\n", Want: "200 OK"},
			{Name: "Transfer-Encoding in 1.0", Req: "POST / HTTP/1.0\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "bare CR between headers", Req: "POST / HTTP/1.1\r\nHost: example.com\r\nX: a\rContent-Length: 5\r\nConnection: close\r\n\r\n", Want: "HTTP/1.1"},
			{Name: "folded Transfer-Encoding", Req: post("X: a", " Transfer-Encoding: chunked") + "0\r\n\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "chunk size is not a number", Req: post("Transfer-Encoding: chunked") + "G\r\n" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "chunk size beyond 64 bits", Req: post("Transfer-Encoding: chunked") + "10000000000000000\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "chunk size with 0x", Req: post("Transfer-Encoding: chunked") + "0x5\r\nhello\r\n0\r\n\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "chunk data longer than said", Req: post("Transfer-Encoding: chunked") + "3\r\nhello\r\n0\r\n\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "negative chunk size", Req: post("Transfer-Encoding: chunked") + "-1\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "chunk without CRLF after data", Req: post("Transfer-Encoding: chunked") + "5\r\nhello0\r\n\r\n" + hidden, Want: "400 Bad Request"},
			{Name: "chunk extension", Req: post("Transfer-Encoding: chunked", "Connection: close") + "5;a=b\r\nhello\r\n0\r\n\r\n", Want: "hello"},
			{Name: "chunk size with leading zeros", Req: post("Transfer-Encoding: chunked", "Connection: close") + "0005\r\nhello\r\n000\r\n\r\n", Want: "hello"},
			{Name: "chunk lines end with LF", Req: post("Transfer-Encoding: chunked", "Connection: close") + "5\nhello\n0\n\n", Want: "hello", Differs: "chunk-lines-end-with-crlf", Seawall: "400 Bad Request"},
			{Name: "trailers of a request are dropped", Req: post("Transfer-Encoding: chunked", "Connection: close") + "5\r\nhello\r\n0\r\nX-Trailer: 1\r\nContent-Length: 3\r\n\r\n", Want: "hello"},
			{Name: "request after a chunked one", Req: post("Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n" + hidden, Want: "/hidden"},
			{Name: "request after one with a length", Req: post("Content-Length: 5") + "hello" + hidden, Want: "/hidden"},
			{Name: "GET with a body", Req: "GET / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello" + hidden, Want: "/hidden"},
			{Name: "HEAD with a body", Req: "HEAD / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello" + hidden, Want: "/hidden"},
			{Name: "two Hosts", Req: "GET / HTTP/1.1\r\nHost: example.com\r\nHost: evil.test\r\n\r\n" + hidden, Want: "400 Bad Request", ErrorLog: true},
			{Name: "Host and absolute form differ", Req: "GET http://example.com/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n", Want: "HTTP/1.1 200"},
			{Name: "CRLF in an escaped path is not decoded when passed on", Req: get("/a%0d%0aX-Injected:%201"), Want: "/a%0d%0aX-Injected"},
		},
	}.Run(t)
}
