package itest

import (
	"strings"
	"testing"
)

func TestParityProxyRequests(t *testing.T) {
	Suite{
		Config: Config{HTTP: `upstream group { server 127.0.0.1:{{origin}}; }`, Server: `
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /noslash { proxy_pass http://127.0.0.1:{{origin}}; }
location /slash/ { proxy_pass http://127.0.0.1:{{origin}}/; }
location /uri/ { proxy_pass http://127.0.0.1:{{origin}}/base/; }
location /urinoslash { proxy_pass http://127.0.0.1:{{origin}}/base; }
location /group/ { proxy_pass http://group/in/; }
location /groupplain/ { proxy_pass http://group; }
location ~ ^/regex/(.*)$ { proxy_pass http://127.0.0.1:{{origin}}; }
location ~ ^/regexvar/(.*)$ { proxy_pass http://127.0.0.1:{{origin}}/to/$1; }
location /vars/ { proxy_pass http://127.0.0.1:{{origin}}/v$uri?from=$arg_x; }
location /varhost/ { proxy_pass http://127.0.0.1:$arg_p; }
location = /exact { proxy_pass http://127.0.0.1:{{origin}}/other; }
location /query/ { proxy_pass http://127.0.0.1:{{origin}}/q?fixed=1; }
location /headers { proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Empty ""; proxy_set_header Accept-Encoding ""; proxy_set_header User-Agent own; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:{{origin}}; }
location /hosts/http { proxy_set_header Host $http_host; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:{{origin}}; }
location /hosts/proxy { proxy_set_header Host $proxy_host:$proxy_port; proxy_set_header Connection ""; proxy_pass http://group; }
location /hosts/none { proxy_set_header Host ""; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:{{origin}}; }
location /inherit { proxy_pass http://127.0.0.1:{{origin}}; }
location /connection { proxy_set_header Connection close; proxy_pass http://127.0.0.1:{{origin}}; }
location /upgradeheader { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; proxy_pass http://127.0.0.1:{{origin}}; }
location /version10 { proxy_http_version 1.0; proxy_set_header Connection close; proxy_pass http://127.0.0.1:{{origin}}; }
location /errorpath { error_page 404 /noslash/page; return 404; }
location /outer/ { proxy_pass http://127.0.0.1:{{origin}}/outer2/; location /outer/inner/ { proxy_pass http://127.0.0.1:{{origin}}/inner2/; } }
`},
		Cases: []Case{
			{Name: "as it came", Req: get("/a%20b/../c//d?x=%20&y"), Want: "GET /a%20b/../c//d?x=%20&y HTTP/1.1"},
			{Name: "no uri part", Req: get("/noslash/x?y"), Want: "GET /noslash/x?y"},
			{Name: "uri part is a slash", Req: get("/slash/x/y?z"), Want: "GET /x/y?z"},
			{Name: "uri part is a slash, request is the location", Req: get("/slash/"), Want: "GET / "},
			{Name: "uri part", Req: get("/uri/x"), Want: "GET /base/x"},
			{Name: "uri part without slashes", Req: get("/urinoslash/x"), Want: "GET /base/x"},
			{Name: "uri part glued", Req: get("/urinoslashx"), Want: "GET /basex"},
			{Name: "replaced uri is normalised and escaped again", Req: get("/uri/a%20b/%3f/%25/../%c3%a4?x=%20"), Want: "GET /base/a%20b/"},
			{Name: "replaced uri with escaped slash", Req: get("/uri/a%2fb"), Want: "GET /base/a/b"},
			{Name: "replaced uri with special characters", Req: get("/uri/a+b;c=d,e'f(g)*h!i$j&k:l@m~n\"o<p>q|r^s`t{u}"), Want: "GET /base/a+b"},
			{Name: "escaped characters in a replaced uri", Req: get("/uri/%22%3c%3e%5c%5e%60%7b%7c%7d%7f%23%26%2b%3a"), Want: "GET /base/"},
			{Name: "group with uri", Req: get("/group/x"), Want: "Host: group"},
			{Name: "group without uri", Req: get("/groupplain/x"), Want: "GET /groupplain/x"},
			{Name: "regex location", Req: get("/regex/x%20y"), Want: "GET /regex/x%20y"},
			{Name: "regex location with capture", Req: get("/regexvar/abc/d?q=1"), Want: "GET /to/abc/d"},
			{Name: "variables in the uri", Req: get("/vars/x?x=1"), Want: "GET /v/vars/x?from=1"},
			{Name: "variable in the port", Req: get("/varhost/x?p={{origin}}"), Want: "GET /varhost/x"},
			{Name: "exact location with uri", Req: get("/exact?q"), Want: "GET /other?q"},
			{Name: "fixed query", Req: get("/query/x?a=b"), Want: "fixed=1"},
			{Name: "set headers", Req: get("/headers", "Accept-Encoding: gzip", "User-Agent: browser", "X-Empty: 1", "X-Kept: 2", "X-Forwarded-For: 9.9.9.9"), Want: "X-Forwarded-For: 9.9.9.9, 127.0.0.1"},
			{Name: "Host as sent", Req: get("/hosts/http", "Host: ALIAS.test:99"), Want: "Host: ALIAS.test:99"},
			{Name: "Host of the group and its port", Req: get("/hosts/proxy"), Want: "Host: group:80"},
			{Name: "no Host at all", Req: get("/hosts/none"), Want: "GET /hosts/none"},
			{Name: "Connection close", Req: get("/connection"), Want: "Connection: close"},
			{Name: "upgrade headers without upgrade", Req: keep("GET", "/upgradeheader", "", "Upgrade: h2c", "Connection: Upgrade, close"), Want: "Upgrade: h2c"},
			{Name: "HTTP/1.0 to the backend", Req: get("/version10"), Want: "GET /version10 HTTP/1.0"},
			{Name: "chunked body to a 1.0 backend", Req: request("POST", "/version10", "", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", Want: "Content-Length: 5"},
			{Name: "error page that proxies by uri", Req: get("/errorpath?q=1"), Want: "GET /noslash/page"},
			{Name: "nested location has its own uri", Req: get("/outer/inner/x"), Want: "GET /inner2/x"},
			{Name: "outer location", Req: get("/outer/x"), Want: "GET /outer2/x"},
			{Name: "HEAD", Req: request("HEAD", "/", ""), Want: "HEAD / HTTP/1.1"},
			{Name: "OPTIONS", Req: request("OPTIONS", "/", ""), Want: "OPTIONS / HTTP/1.1"},
			{Name: "DELETE with a body", Req: request("DELETE", "/", "x"), Want: "DELETE / HTTP/1.1"},
			{Name: "unknown method", Req: request("BREW", "/", ""), Want: "BREW / HTTP/1.1"},
			{Name: "1.0 client", Req: "GET / HTTP/1.0\r\n\r\n", Want: "GET / HTTP/1.1"},
			{Name: "0.9 client", Req: "GET /old\r\n", Want: "GET /old HTTP/1.1"},
			{Name: "absolute form", Req: "GET http://example.com/a%20b?c HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "GET "},
			{Name: "absolute form without path", Req: "GET http://example.com?c HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "GET /"},
			{Name: "absolute form, uri part", Req: "GET http://example.com/uri/x HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "GET /base/x"},
			{Name: "fragment", Req: get("/frag#x"), Want: "GET /frag"},
			{Name: "bytes over 127", Req: get("/\xc3\xa4"), Want: "GET /\xc3\xa4"},
			{Name: "question mark at the end", Req: get("/q?"), Want: "GET /q?"},
			{Name: "two requests on one connection", Steps: []Step{On(Send(keep("GET", "/1", "")+get("/2")), Await(2))}, Want: "GET /2"},
		},
	}.Run(t)
}

func TestParityProxyResponses(t *testing.T) {
	raw := func(lines ...string) []Reply { return []Reply{Answer(strings.Join(lines, "\r\n"))} }
	rawClose := func(lines ...string) []Reply { return []Reply{AnswerClose(strings.Join(lines, "\r\n"))} }
	old := "GET / HTTP/1.0\r\nHost: example.com\r\n\r\n"
	both := []Step{Ask(get("/")), Ask(old), Ask("GET /\r\n"), Ask(get("/unbuffered"))}
	const date = "Date: Mon, 01 Jan 2024 00:00:00 GMT"
	Suite{
		Config: Config{HTTP: requestLogFormat, Server: `
proxy_next_upstream off;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /unlogged { access_log off; proxy_pass http://127.0.0.1:{{origin}}; }
location /unbuffered { proxy_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
location /pass { proxy_pass_header Server; proxy_pass_header Date; proxy_pass_header X-Accel-Expires; proxy_pass http://127.0.0.1:{{origin}}; }
location /hide { proxy_hide_header X-Secret; proxy_hide_header ETag; proxy_pass http://127.0.0.1:{{origin}}; }
location /intercept { proxy_intercept_errors on; error_page 404 500 /page; error_page 301 /page; proxy_pass http://127.0.0.1:{{origin}}; }
location /nointercept { error_page 404 500 /page; proxy_pass http://127.0.0.1:{{origin}}; }
location /page { return 200 "own page [$upstream_status]\n"; }
location /fromstatus { add_header X-Status "$upstream_status $status" always; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "length", Steps: both, AccessLines: 4, Origin: raw("HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: 5", "", "hello"), Want: "hello"},
			{Name: "chunked", Steps: both, AccessLines: 4, Origin: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5", "hello", "6", " world", "0", "", ""), Want: "hello world"},
			{Name: "until close", Steps: both, AccessLines: 4, Origin: rawClose("HTTP/1.1 200 OK", "Content-Type: text/plain", "", "hello until close"), Want: "hello until close"},
			{Name: "until close from 1.0", Steps: both, AccessLines: 4, Origin: rawClose("HTTP/1.0 200 OK", "", "hello 1.0"), Want: "hello 1.0"},
			{Name: "empty body with length", Steps: both, AccessLines: 4, Origin: raw("HTTP/1.1 200 OK", "Content-Length: 0", "", ""), Want: "200 OK"},
			{Name: "empty chunked body", Steps: both, AccessLines: 4, Origin: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "0", "", ""), Want: "200 OK"},
			{Name: "trailers", Steps: both, AccessLines: 4, Origin: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum", "", "5", "hello", "0", "X-Sum: 1", "", ""), Want: "Trailer: X-Sum", Differs: "hop-by-hop-headers-stay", Seawall: "hello"},
			{Name: "chunk extensions", Req: get("/"), Origin: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5;a=b", "hello", "0", "", ""), Want: "hello"},
			{Name: "large body", Steps: both, AccessLines: 4, Origin: raw(reply("200 OK", strings.Repeat("0123456789abcdef", 10000))), Want: "Content-Length: 160000"},
			{Name: "large chunked body", Req: get("/unlogged"), Origin: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", hex(50000), strings.Repeat("x", 50000), "0", "", ""), Want: "50000", AccessLines: -1},
			{Name: "204", Steps: both, AccessLines: 4, Origin: raw("HTTP/1.1 204 No Content", "X-A: 1", "", ""), Want: "204 No Content"},
			{Name: "204 with a length", Req: get("/"), Origin: raw("HTTP/1.1 204 No Content", "Content-Length: 0", "", ""), Want: "Content-Length: 0", Differs: "no-length-in-204", Seawall: "204 No Content"},
			{Name: "304", Req: get("/", `If-None-Match: "x"`), Origin: raw("HTTP/1.1 304 Not Modified", `ETag: "x"`, "Content-Length: 5", "", ""), Want: "304 Not Modified"},
			{Name: "205", Req: get("/"), Origin: raw(reply("205 Reset Content", "")), Want: "205 Reset Content"},
			{Name: "HEAD with length", Req: request("HEAD", "/", ""), Origin: raw("HTTP/1.1 200 OK", "Content-Length: 500", "", ""), Want: "Content-Length: 500"},
			{Name: "HEAD of a chunked answer", Req: request("HEAD", "/", ""), Origin: raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", ""), Want: "200 OK"},
			{Name: "HEAD without length", Req: request("HEAD", "/", ""), Origin: raw("HTTP/1.1 200 OK", "Content-Type: text/plain", "", ""), Want: "200 OK"},
			{Name: "HEAD and keep-alive", Steps: []Step{On(Send(keep("HEAD", "/", "")+get("/page")), Await(2))}, AccessLines: 2, Origin: raw("HTTP/1.1 200 OK", "Content-Length: 500", "", ""), Want: "own page"},
			{Name: "own reason", Req: get("/"), Origin: raw(reply("200 Very Fine", "x")), Want: "200 Very Fine"},
			{Name: "no reason", Req: get("/"), Origin: raw("HTTP/1.1 200", "Content-Length: 1", "", "x"), Want: "200"},
			{Name: "empty reason", Req: get("/"), Origin: raw("HTTP/1.1 200 ", "Content-Length: 1", "", "x"), Want: "200"},
			{Name: "unknown status", Req: get("/"), Origin: raw(reply("299 Odd", "x")), Want: "299 Odd"},
			{Name: "status 600", Req: get("/"), Origin: raw(reply("600 Odd", "x")), Want: "HTTP/1.1"},
			{Name: "status 404", Req: get("/"), Origin: raw(reply("404 Nowhere", "not here")), Want: "404 Nowhere"},
			{Name: "headers in order", Req: get("/"), Origin: raw(reply("200 OK", "x", "X-B: 1", "Content-Type: a/b; charset=utf-8", "X-A: 2", "ETag: \"e\"", "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", "Cache-Control: private", "x-lower: 3")), Want: "x-lower: 3"},
			{Name: "backend's Date and Server", Steps: []Step{Ask(get("/")), Ask(get("/pass"))}, AccessLines: 2, Origin: raw(reply("200 OK", "x", "Server: backend", date)), Want: "Server: backend"},
			{Name: "hidden by default", Req: get("/"), Origin: raw(reply("200 OK", "x", "X-Pad: 1", "X-Accel-Expires: 5", "X-Accel-Foo: 1", "Status: 200 OK", "X-Powered-By: y")), Want: "X-Powered-By: y"},
			{Name: "hidden by configuration", Req: get("/hide"), Origin: raw(reply("200 OK", "x", "X-Secret: 1", "ETag: \"e\"", "Server: b")), Want: "200 OK"},
			{Name: "hop-by-hop headers", Req: get("/"), Origin: raw(reply("200 OK", "x", "Connection: keep-alive, X-Hop", "Keep-Alive: timeout=5", "X-Hop: 1", "Proxy-Authenticate: Basic", "Upgrade: h2")), Want: "200 OK"},
			{Name: "repeated headers", Req: get("/"), Origin: raw(reply("200 OK", "x", "Set-Cookie: a=1", "Set-Cookie: b=2", "Link: <a>", "Link: <b>", "Vary: A", "Vary: B", "Cache-Control: private", "Cache-Control: max-age=1", "WWW-Authenticate: Basic", "WWW-Authenticate: Digest")), Want: "Set-Cookie: b=2"},
			{Name: "repeated Content-Type", Req: get("/"), Origin: raw(reply("200 OK", "x", "Content-Type: a/b", "Content-Type: c/d")), Want: "HTTP/1.1"},
			{Name: "no Content-Type", Req: get("/"), Origin: raw(reply("200 OK", "x")), Want: "200 OK"},
			{Name: "Content-Encoding", Req: get("/"), Origin: raw(reply("200 OK", "x", "Content-Encoding: gzip")), Want: "Content-Encoding: gzip"},
			{Name: "empty header value", Req: get("/"), Origin: raw(reply("200 OK", "x", "X-Empty:", "X-Space:   ")), Want: "200 OK"},
			{Name: "Accept-Ranges", Req: get("/", "Range: bytes=0-1"), Origin: raw(reply("200 OK", "0123456789", "Accept-Ranges: bytes")), Want: "HTTP/1.1"},
			{Name: "206 of the backend", Req: get("/", "Range: bytes=0-1"), Origin: raw(reply("206 Partial Content", "01", "Content-Range: bytes 0-1/10", "Accept-Ranges: bytes")), Want: "206 Partial Content"},
			{Name: "416 of the backend", Req: get("/", "Range: bytes=99-"), Origin: raw(reply("416 Range Not Satisfiable", "", "Content-Range: bytes */10")), Want: "416"},
			{Name: "100 before the answer", Req: get("/"), Origin: []Reply{AnswerClose("HTTP/1.1 100 Continue\r\n\r\n" + reply("200 OK", "x"))}, Want: "HTTP/1.1", AccessLines: 1, Differs: "interim-responses-of-backends", Seawall: "HTTP/1.1 200 OK"},
			{Name: "intercepted 404", Req: get("/intercept"), Origin: raw(reply("404 Not Found", "backend's")), Want: "own page"},
			{Name: "intercepted 500", Req: get("/intercept"), Origin: raw(reply("500 Oops", "backend's")), Want: "own page"},
			{Name: "status without an error_page is not intercepted", Req: get("/intercept"), Origin: raw(reply("403 Forbidden", "backend's")), Want: "backend's"},
			{Name: "not intercepted", Req: get("/nointercept"), Origin: raw(reply("404 Not Found", "backend's")), Want: "backend's"},
			{Name: "401 keeps its challenge when intercepted", Req: get("/intercept"), Origin: raw(reply("401 Unauthorized", "b", "WWW-Authenticate: Basic")), Want: "WWW-Authenticate"},
			{Name: "status variables", Req: get("/fromstatus"), Origin: raw(reply("203 Odd", "x")), Want: "X-Status: 203 203"},
			{Name: "body bytes after the length", Req: get("/"), Origin: raw(reply("200 OK", "12345") + "surplus"), Want: "12345"},
			{Name: "short answer to a HEAD with a body", Req: request("HEAD", "/", ""), Origin: rawClose("HTTP/1.1 200 OK", "Content-Length: 5", "", "hello"), Want: "Content-Length: 5"},
			{Name: "lines end with LF", Req: get("/"), Origin: raw("HTTP/1.1 200 OK\nContent-Length: 1\nX-A: 1\n\nx"), Want: "X-A: 1"},
			{Name: "LF in pieces", Req: get("/"), Origin: []Reply{Does(Trickle(reply("200 OK", "trickled", "X-A: 1"), 0))}, Want: "trickled"},
			{Name: "HTTP/2.0 status line", Req: get("/"), Origin: raw("HTTP/2.0 200 OK", "Content-Length: 1", "", "x"), Want: "HTTP/1.1"},
			{Name: "keep-alive from a 1.0 backend", Req: get("/"), Origin: raw("HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 1", "", "x"), Want: "200 OK"},
		},
	}.Run(t)
}

func TestParityProxyRedirectAndCookies(t *testing.T) {
	located := func(location string, headers ...string) []Reply {
		return []Reply{Answer(reply("302 Found", "", append([]string{"Location: " + location}, headers...)...))}
	}
	Suite{
		Config: Config{Server: `
location /default/ { proxy_pass http://127.0.0.1:{{origin}}/base/; }
location /plain/ { proxy_pass http://127.0.0.1:{{origin}}; }
location /off/ { proxy_redirect off; proxy_pass http://127.0.0.1:{{origin}}/base/; }
location /own/ { proxy_redirect http://internal.test/ http://public.test/; proxy_redirect /x/ /y/; proxy_pass http://127.0.0.1:{{origin}}; }
location /variable/ { proxy_redirect http://internal.test/ $scheme://$host:$server_port/v/; proxy_pass http://127.0.0.1:{{origin}}; }
location /regex/ { proxy_redirect ~^http://([^/]+)\.internal(/.*)$ http://public.test/$1$2; proxy_redirect ~*^/UP/(.*)$ /down/$1; proxy_pass http://127.0.0.1:{{origin}}; }
location /both/ { proxy_pass http://127.0.0.1:{{origin}}/base/; proxy_redirect default; proxy_redirect http://internal.test/ /int/; }
location /domain/ { proxy_cookie_domain internal.test public.test; proxy_cookie_path /app/ /; proxy_pass http://127.0.0.1:{{origin}}; }
location /domainregex/ { proxy_cookie_domain ~\.([a-z]+)\.internal$ $1.public; proxy_cookie_path ~^/app/(.*)$ /new/$1; proxy_pass http://127.0.0.1:{{origin}}; }
location /flags/ { proxy_cookie_flags one httponly secure samesite=strict; proxy_cookie_flags ~^t nosecure; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "default, own address", Req: get("/default/x"), Origin: located("http://127.0.0.1:{{origin}}/base/y"), Want: "Location: http://example.com:{{port}}/default/y"},
			{Name: "default, other address", Req: get("/default/x"), Origin: located("http://other.test/base/y"), Want: "Location: http://other.test/base/y"},
			{Name: "default, other path", Req: get("/default/x"), Origin: located("http://127.0.0.1:{{origin}}/else/y"), Want: "Location: http://127.0.0.1:{{origin}}/else/y"},
			{Name: "default, path alone", Req: get("/default/x"), Origin: located("/base/y"), Want: "Location: "},
			{Name: "default, relative", Req: get("/default/x"), Origin: located("y"), Want: "Location: y"},
			{Name: "plain, own address", Req: get("/plain/x"), Origin: located("http://127.0.0.1:{{origin}}/y"), Want: "Location: "},
			{Name: "off", Req: get("/off/x"), Origin: located("http://127.0.0.1:{{origin}}/base/y"), Want: "Location: http://127.0.0.1:{{origin}}/base/y"},
			{Name: "own pair", Req: get("/own/x"), Origin: located("http://internal.test/z"), Want: "Location: http://public.test/z"},
			{Name: "own second pair", Req: get("/own/x"), Origin: located("/x/z"), Want: "/y/z"},
			{Name: "own pair that does not match", Req: get("/own/x"), Origin: located("http://Internal.test/z"), Want: "Location: http://Internal.test/z"},
			{Name: "variables", Req: get("/variable/x"), Origin: located("http://internal.test/z"), Want: "Location: http://example.com:{{port}}/v/z"},
			{Name: "regex", Req: get("/regex/x"), Origin: located("http://db.internal/z?q"), Want: "Location: http://public.test/db/z?q"},
			{Name: "regex, any case", Req: get("/regex/x"), Origin: located("/up/z"), Want: "/down/z"},
			{Name: "default and own", Steps: []Step{Ask(get("/both/x"))}, Origin: located("http://internal.test/z"), Want: "/int/z"},
			{Name: "Refresh", Req: get("/own/x"), Origin: []Reply{Answer(reply("200 OK", "", "Refresh: 5; url=http://internal.test/z"))}, Want: "Refresh: 5; url=http://public.test/z"},
			{Name: "Location with 201", Req: get("/own/x"), Origin: []Reply{Answer(reply("201 Created", "", "Location: http://internal.test/z"))}, Want: "Location: http://public.test/z"},
			{Name: "cookie domain and path", Req: get("/domain/x"), Origin: []Reply{Answer(reply("200 OK", "", "Set-Cookie: a=1; Domain=internal.test; Path=/app/x; HttpOnly", "Set-Cookie: b=2; domain=other.test; path=/", "Set-Cookie: c=3"))}, Want: "public.test"},
			{Name: "cookie domain with a dot", Req: get("/domain/x"), Origin: []Reply{Answer(reply("200 OK", "", "Set-Cookie: a=1; domain=.internal.test"))}, Want: "Set-Cookie"},
			{Name: "cookie regex", Req: get("/domainregex/x"), Origin: []Reply{Answer(reply("200 OK", "", "Set-Cookie: a=1; domain=x.web.internal; path=/app/y"))}, Want: "Set-Cookie"},
			{Name: "cookie flags", Req: get("/flags/x"), Origin: []Reply{Answer(reply("200 OK", "", "Set-Cookie: one=1; path=/", "Set-Cookie: two=2; Secure; HttpOnly", "Set-Cookie: other=3; Secure"))}, Want: "Set-Cookie: one=1"},
		},
	}.Run(t)
}

func TestParityAccelHeaders(t *testing.T) {
	accel := func(headers ...string) []Reply {
		return []Reply{Answer(reply("200 OK", "body of the first", headers...)), Answer(reply("200 OK", "body of the second", "X-Second: 1"))}
	}
	Suite{
		Config: Config{Server: `
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /internal/ { internal; return 200 "internal $uri $args $request_uri\n"; }
location /internalproxy/ { internal; proxy_pass http://127.0.0.1:{{origin}}/second/; }
location @named { return 200 "named $uri\n"; }
location /ignored { proxy_ignore_headers X-Accel-Redirect X-Accel-Charset X-Accel-Limit-Rate X-Accel-Buffering; proxy_pass http://127.0.0.1:{{origin}}; }
location /passed { proxy_pass_header X-Accel-Redirect; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "redirect", Req: get("/x?a=1"), Origin: accel("X-Accel-Redirect: /internal/page?b=2", "X-First: 1"), Want: "internal /internal/page b=2"},
			{Name: "redirect keeps some headers", Req: get("/x"), Origin: accel("X-Accel-Redirect: /internal/page", "Content-Type: first/type", "Set-Cookie: a=1", "Content-Disposition: attachment", "Cache-Control: private", "Expires: Mon, 01 Jan 2024 00:00:00 GMT", "Accept-Ranges: bytes", "ETag: \"e\"", "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", "X-Own: 1"), Want: "Set-Cookie: a=1"},
			{Name: "redirect to a proxied location", Req: get("/x"), Origin: accel("X-Accel-Redirect: /internalproxy/y?z=1"), Want: "GET /second/y?z=1"},
			{Name: "redirect of a POST", Req: request("POST", "/x", "data"), Origin: accel("X-Accel-Redirect: /internalproxy/y"), Want: "/second/y"},
			{Name: "redirect of a HEAD", Req: request("HEAD", "/x", ""), Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nX-Accel-Redirect: /internal/y\r\nContent-Length: 3\r\n\r\n")}, Want: "200 OK"},
			{Name: "redirect to a named location", Req: get("/x"), Origin: accel("X-Accel-Redirect: @named"), Want: "named /x"},
			{Name: "redirect with an escape", Req: get("/x"), Origin: accel("X-Accel-Redirect: /internal/a%20b"), Want: "internal /internal/a"},
			{Name: "redirect above the root", Req: get("/x"), Origin: accel("X-Accel-Redirect: /internal/../../x"), Want: "HTTP/1.1"},
			{Name: "redirect with another status", Req: get("/x"), Origin: []Reply{Answer(reply("404 Not Found", "b", "X-Accel-Redirect: /internal/z"))}, Want: "HTTP/1.1"},
			{Name: "redirect ignored", Req: get("/ignored"), Origin: accel("X-Accel-Redirect: /internal/page"), Want: "body of the first"},
			{Name: "redirect passed", Req: get("/passed"), Origin: accel("X-Accel-Redirect: /internal/page"), Want: "HTTP/1.1"},
			{Name: "charset", Req: get("/x"), Origin: accel("Content-Type: text/html", "X-Accel-Charset: koi8-r"), Want: "200 OK"},
			{Name: "charset over another", Req: get("/x"), Origin: accel("Content-Type: text/html; charset=utf-8", "X-Accel-Charset: koi8-r"), Want: "200 OK"},
			{Name: "limit rate", Req: get("/x"), Origin: accel("X-Accel-Limit-Rate: 1000000"), Want: "body of the first"},
			{Name: "buffering off", Req: get("/x"), Origin: accel("X-Accel-Buffering: no"), Want: "body of the first"},
			{Name: "expires without a cache", Req: get("/x"), Origin: accel("X-Accel-Expires: 10"), Want: "body of the first"},
		},
	}.Run(t)
}
