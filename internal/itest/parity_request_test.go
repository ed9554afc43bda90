package itest

import (
	"strings"
	"testing"
)

// reply is a whole origin answer with Content-Length.
func reply(status, body string, headers ...string) string {
	return "HTTP/1.1 " + status + "\r\n" + headerLines(headers) + "Content-Length: " + itoa(len(body)) + "\r\n\r\n" + body
}

func headerLines(headers []string) string {
	if len(headers) == 0 {
		return ""
	}
	return strings.Join(headers, "\r\n") + "\r\n"
}

const requestLogFormat = `log_format line '"$request" $status $body_bytes_sent $request_length $request_method "$uri" "$args"';
access_log logs/access.log line;
`

func TestParityRequestLine(t *testing.T) {
	const tail = " HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
	Suite{
		Config: Config{
			HTTP:   requestLogFormat,
			Server: `location / { return 200 "method=$request_method uri=$uri args=$args target=$request_uri host=$host protocol=$server_protocol\n"; }`,
		},
		Cases: []Case{
			{Name: "plain GET", Req: get("/a/b?c=d"), Want: "uri=/a/b args=c=d target=/a/b?c=d"},
			{Name: "HEAD", Req: request("HEAD", "/", ""), Want: "200 OK"},
			{Name: "POST", Req: request("POST", "/", "x=1"), Want: "method=POST"},
			{Name: "PUT", Req: request("PUT", "/", "x=1"), Want: "method=PUT"},
			{Name: "DELETE", Req: request("DELETE", "/", ""), Want: "method=DELETE"},
			{Name: "PATCH", Req: request("PATCH", "/", "x"), Want: "method=PATCH"},
			{Name: "OPTIONS", Req: request("OPTIONS", "/", ""), Want: "method=OPTIONS"},
			{Name: "OPTIONS of the server as a whole", Req: request("OPTIONS", "*", ""), Want: "400 Bad Request", ErrorLog: true},
			{Name: "PROPFIND", Req: request("PROPFIND", "/", ""), Want: "method=PROPFIND"},
			{Name: "unknown method", Req: request("BREW", "/", ""), Want: "method=BREW"},
			{Name: "unknown long method with dash and underscore", Req: request("BREW_COFFEE-NOW", "/", ""), Want: "method=BREW_COFFEE-NOW"},
			{Name: "TRACE", Req: request("TRACE", "/", ""), Want: "405 Not Allowed"},
			{Name: "CONNECT", Req: request("CONNECT", "example.com:443", ""), Want: "HTTP/1.1 400", Differs: "connect-is-not-allowed", Seawall: "HTTP/1.1 405 Not Allowed"},
			{Name: "lower-case method", Req: "get /" + tail, Want: "400 Bad Request", ErrorLog: true},
			{Name: "method with a digit", Req: "GE7 /" + tail, Want: "400 Bad Request", ErrorLog: true},
			{Name: "method with a colon", Req: "G:T /" + tail, Want: "400 Bad Request"},
			{Name: "version 1.2", Req: "GET / HTTP/1.2\r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "200 OK"},
			{Name: "version 2.0", Req: "GET / HTTP/2.0\r\nHost: example.com\r\n\r\n", Want: "505 HTTP Version Not Supported", ErrorLog: true},
			{Name: "version 1", Req: "GET / HTTP/1\r\nHost: example.com\r\n\r\n", Want: "400 Bad Request", ErrorLog: true},
			{Name: "version 10.1", Req: "GET / HTTP/10.1\r\nHost: example.com\r\n\r\n", Want: "HTTP/1.1"},
			{Name: "version 1.10", Req: "GET / HTTP/1.10\r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "HTTP/1.1"},
			{Name: "lower-case protocol", Req: "GET / http/1.1\r\nHost: example.com\r\n\r\n", Want: "400 Bad Request"},
			{Name: "other protocol", Req: "GET / FTP/1.1\r\nHost: example.com\r\n\r\n", Want: "400 Bad Request", ErrorLog: true},
			{Name: "empty line before the request line", Req: "\r\n" + get("/"), Want: "200 OK"},
			{Name: "two bare LFs before the request line", Req: "\n\n" + get("/"), Want: "200 OK"},
			{Name: "line ends without CR", Req: strings.ReplaceAll(get("/lf"), "\r", ""), Want: "uri=/lf"},
			{Name: "two spaces before the target", Req: "GET  /two" + tail, Want: "HTTP/1.1"},
			{Name: "two spaces before the version", Req: "GET /two  HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "HTTP/1.1"},
			{Name: "tab instead of space", Req: "GET\t/" + tail, Want: "400 Bad Request"},
			{Name: "space after the version", Req: "GET / HTTP/1.1 \r\nHost: example.com\r\nConnection: close\r\n\r\n", Want: "protocol=HTTP/1.1 \n", Differs: "protocol-without-blanks", Seawall: "protocol=HTTP/1.1\n"},
			{Name: "space inside the target", Req: "GET /a b" + tail, Want: "HTTP/1.1"},
			{Name: "target without slash", Req: "GET foo" + tail, Want: "400 Bad Request", ErrorLog: true},
			{Name: "target that is only a query", Req: "GET ?a=b" + tail, Want: "400 Bad Request"},
			{Name: "absolute form", Req: "GET http://example.com/abs?x=1" + tail, Want: "uri=/abs args=x=1"},
			{Name: "absolute form without path", Req: "GET http://example.com" + tail, Want: "uri=/ "},
			{Name: "absolute form without path, with query", Req: "GET http://example.com?q" + tail, Want: "HTTP/1.1"},
			{Name: "absolute form with port", Req: "GET http://example.com:8080/p" + tail, Want: "uri=/p"},
			{Name: "absolute form of another scheme", Req: "GET ftp://example.com/p" + tail, Want: "HTTP/1.1"},
			{Name: "absolute form wins over Host", Req: "GET http://absolute.example/p HTTP/1.1\r\nHost: header.example\r\nConnection: close\r\n\r\n", Want: "host=absolute.example"},
			{Name: "absolute form with upper-case host", Req: "GET http://EXAMPLE.com/p" + tail, Want: "host=example.com"},
			{Name: "absolute form with an IPv6 host", Req: "GET http://[::1]:80/p" + tail, Want: "HTTP/1.1"},
			{Name: "absolute form with user info", Req: "GET http://user@example.com/p" + tail, Want: "400 Bad Request"},
			{Name: "bare CR in the target", Req: "GET /a\rb" + tail, Want: "400 Bad Request"},
			{Name: "NUL in the target", Req: "GET /a\x00b" + tail, Want: "400 Bad Request"},
			{Name: "control character in the target", Req: "GET /a\x01b" + tail, Want: "400 Bad Request"},
			{Name: "DEL in the target", Req: "GET /a\x7fb" + tail, Want: "400 Bad Request"},
			{Name: "bytes over 127 in the target", Req: "GET /\xc3\xa4" + tail, Want: "200 OK"},
			{Name: "empty query", Req: get("/q?"), Want: "args= target=/q?"},
			{Name: "question mark inside the query", Req: get("/q?a?b"), Want: "args=a?b"},
			{Name: "fragment", Req: get("/f#frag"), Want: "200 OK"},
			{Name: "fragment after a query", Req: get("/f?a#frag"), Want: "200 OK"},
			{Name: "only a CRLF and the end", Steps: []Step{On(Send("\r\n\r\n"), CloseWrite())}, Want: "[closed]"},
			{Name: "nothing sent", Steps: []Step{On(CloseWrite())}, Want: "[closed]", AccessLines: -1},
			{Name: "half a request line, then the end", Steps: []Step{On(Send("GET / HT"), CloseWrite())}, Want: "[closed]"},
			{Name: "half a head, then the end", Steps: []Step{On(Send("GET / HTTP/1.1\r\nHost: exa"), CloseWrite())}, Want: "[closed]"},
			{Name: "request line in pieces", Steps: []Step{On(Trickle("GET /slow HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", 0))}, Want: "uri=/slow"},
			{Name: "TLS hello on a plain port", Req: "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("a", 150), Want: "400 Bad Request", ErrorLog: true, Differs: "logs-are-text", Seawall: `request: "\x16\x03\x01\x00`},
			{Name: "HTTP/2 preface on a plain port", Req: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Want: "HTTP/1.1"},
			{Name: "PROXY protocol on a plain port", Req: "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get("/"), Want: "400 Bad Request"},
		},
	}.Run(t)
}

func TestParityURINormalisation(t *testing.T) {
	Suite{
		Config: Config{
			HTTP:   requestLogFormat,
			Server: `location / { return 200 "[$uri] [$args] [$request_uri] [$is_args]\n"; }`,
		},
		Cases: []Case{
			{Name: "dot segment", Req: get("/a/./b"), Want: "[/a/b]"},
			{Name: "double dot segment", Req: get("/a/../b"), Want: "[/b]"},
			{Name: "double dot at the end", Req: get("/a/b/.."), Want: "[/a/]"},
			{Name: "dot at the end", Req: get("/a/."), Want: "[/a/]"},
			{Name: "above the root", Req: get("/../a"), Want: "400 Bad Request", ErrorLog: true},
			{Name: "above the root, later", Req: get("/a/../../b"), Want: "400 Bad Request"},
			{Name: "encoded double dot", Req: get("/a/%2e%2e/b"), Want: "[/b]"},
			{Name: "half encoded double dot", Req: get("/a/.%2E/b"), Want: "[/b]"},
			{Name: "encoded slash", Req: get("/a%2fb"), Want: "[/a/b]"},
			{Name: "encoded slash makes a double dot segment", Req: get("/a/..%2fb"), Want: "[/b]"},
			{Name: "double slash", Req: get("/a//b"), Want: "[/a/b]"},
			{Name: "many slashes", Req: get("////a////b///"), Want: "[/a/b/]"},
			{Name: "slashes and dots", Req: get("/a//.//../b"), Want: "[/b]"},
			{Name: "three dots are a name", Req: get("/a/.../b"), Want: "[/a/.../b]"},
			{Name: "dots in names", Req: get("/a./.b/..c/d.."), Want: "[/a./.b/..c/d..]"},
			{Name: "encoded letter", Req: get("/%61%62c"), Want: "[/abc]"},
			{Name: "encoded space", Req: get("/a%20b"), Want: "[/a b]"},
			{Name: "encoded percent", Req: get("/a%2520b"), Want: "[/a%20b]"},
			{Name: "encoded question mark", Req: get("/a%3fb?c"), Want: "[/a?b] [c]"},
			{Name: "encoded hash", Req: get("/a%23b"), Want: "[/a#b]"},
			{Name: "encoded NUL", Req: get("/a%00b"), Want: "400 Bad Request", ErrorLog: true},
			{Name: "encoded newline", Req: get("/a%0ab"), Want: "200 OK"},
			{Name: "encoded UTF-8", Req: get("/%c3%a4"), Want: "200 OK"},
			{Name: "bad escape", Req: get("/a%zzb"), Want: "400 Bad Request"},
			{Name: "escape cut off", Req: get("/a%2"), Want: "400 Bad Request"},
			{Name: "bad escape in the query", Req: get("/a?b=%zz"), Want: "[b=%zz]"},
			{Name: "dots in the query", Req: get("/a?b=/../c"), Want: "[b=/../c]"},
			{Name: "query after an encoded path", Req: get("/%61?x=%20"), Want: "[/a] [x=%20]"},
			{Name: "plus", Req: get("/a+b"), Want: "[/a+b]"},
			{Name: "backslash", Req: get(`/a\b`), Want: `[/a\b]`},
			{Name: "semicolon parameters", Req: get("/a;b=c/d"), Want: "[/a;b=c/d]"},
			{Name: "quotes and angle brackets", Req: get(`/"<a>"`), Want: "200 OK"},
			{Name: "tilde and bars", Req: get("/~a|b^c`d{e}"), Want: "200 OK"},
		},
	}.Run(t)
	t.Run("merge_slashes off", func(t *testing.T) {
		Suite{
			Config: Config{Server: `merge_slashes off; location / { return 200 "[$uri]\n"; } location /a//b { return 200 "double [$uri]\n"; }`},
			Cases: []Case{
				{Name: "double slash is kept", Req: get("/a//c"), Want: "[/a//c]"},
				{Name: "location with a double slash", Req: get("/a//b"), Want: "double [/a//b]"},
				{Name: "dots after a double slash", Req: get("/a//../b"), Want: "[/a/b]"},
				{Name: "encoded double slash", Req: get("/a/%2fc"), Want: "[/a//c]"},
			},
		}.Run(t)
	})
}

func TestParityLocations(t *testing.T) {
	Suite{
		Config: Config{
			HTTP: `error_log {{prefix}}/logs/error.log info;`,
			Server: `
location / { return 200 "root\n"; }
location = / { return 200 "exact root\n"; }
location /images/ { return 200 "images prefix\n"; }
location ^~ /images/raw/ { return 200 "images raw, no regex\n"; }
location ~ \.jpg$ { return 200 "regex jpg\n"; }
location ~* \.gif$ { return 200 "regex gif, any case\n"; }
location ~ ^/images/.*\.jpg$ { return 200 "second regex\n"; }
location /images/special.jpg { return 200 "never: a regex wins\n"; }
location = /images/exact.jpg { return 200 "exact wins\n"; }
location /long { return 200 "long\n"; }
location /longer { return 200 "longer\n"; }
location /longer/ { return 200 "longer with slash\n"; }
location ~ ^/capture/(\w+)/(?<name>\w+) { return 200 "captured $1 $name $2\n"; }
location /outer/ {
    location /outer/inner { return 200 "nested prefix\n"; }
    location = /outer/exact { return 200 "nested exact\n"; }
    location ~ \.txt$ { return 200 "nested regex\n"; }
    return 200 "outer\n";
}
location ~ ^/regexouter/ {
    location ~ \.a$ { return 200 "regex in regex\n"; }
    return 200 "regex outer\n";
}
location /missing { return 404; }
location /tonamed { error_page 404 @fallback; return 404; }
location /touri { error_page 404 /errors/404?x=1; return 404; }
location /tocode { error_page 404 =200 /errors/ok; return 404; }
location /toinner { error_page 404 /secret/page; return 404; }
location @fallback { return 200 "named: $uri $request_uri\n"; }
location /errors/ { return 200 "error page $uri $args\n"; }
location /secret/ { internal; return 200 "internal page\n"; }
location "/with space/" { return 200 "space\n"; }
location /Case { return 200 "upper\n"; }
location /case { return 200 "lower\n"; }
location /%61bc { return 200 "literal percent\n"; }
location ~ ^/type { default_type application/x-test; return 200 "typed\n"; }
`,
		},
		Cases: []Case{
			{Name: "exact root", Req: get("/"), Want: "exact root"},
			{Name: "root prefix", Req: get("/other"), Want: "root\n"},
			{Name: "prefix", Req: get("/images/a.png"), Want: "images prefix"},
			{Name: "prefix without its slash", Req: get("/images"), Want: "root\n"},
			{Name: "regex beats prefix", Req: get("/images/a.jpg"), Want: "regex jpg"},
			{Name: "regex beats a longer prefix", Req: get("/images/special.jpg"), Want: "regex jpg"},
			{Name: "exact beats regex", Req: get("/images/exact.jpg"), Want: "exact wins"},
			{Name: "caret tilde stops regexes", Req: get("/images/raw/a.jpg"), Want: "no regex"},
			{Name: "case-insensitive regex", Req: get("/x.GIF"), Want: "regex gif"},
			{Name: "case-sensitive regex", Req: get("/x.JPG"), Want: "root\n"},
			{Name: "longest prefix wins", Req: get("/longer/x"), Want: "longer with slash"},
			{Name: "longest prefix without slash", Req: get("/longerx"), Want: "longer\n"},
			{Name: "shorter prefix", Req: get("/lon"), Want: "root\n"},
			{Name: "captures", Req: get("/capture/one/two"), Want: "captured one two two"},
			{Name: "nested prefix", Req: get("/outer/inner/x"), Want: "nested prefix"},
			{Name: "nested exact", Req: get("/outer/exact"), Want: "nested exact"},
			{Name: "nested regex", Req: get("/outer/a.txt"), Want: "nested regex"},
			{Name: "nested regex before outer regexes", Req: get("/outer/a.jpg"), Want: "HTTP/1.1 200"},
			{Name: "outer", Req: get("/outer/x"), Want: "outer\n"},
			{Name: "regex in regex", Req: get("/regexouter/x.a"), Want: "regex in regex"},
			{Name: "regex outer", Req: get("/regexouter/x.b"), Want: "regex outer"},
			{Name: "location by decoded uri", Req: get("/%69mages/x"), Want: "images prefix"},
			{Name: "location after dot segments", Req: get("/x/../images/y"), Want: "images prefix"},
			{Name: "plain 404", Req: get("/missing"), Want: "404 Not Found"},
			{Name: "error_page to a named location", Req: get("/tonamed?q=1"), Want: "named: /tonamed /tonamed?q=1"},
			{Name: "error_page to a uri with arguments", Req: get("/touri"), Want: "error page /errors/404 x=1"},
			{Name: "error_page with another code", Req: get("/tocode"), Want: "200 OK"},
			{Name: "error_page to an internal location", Req: get("/toinner"), Want: "internal page"},
			{Name: "internal location from outside", Req: get("/secret/page"), Want: "404 Not Found"},
			{Name: "location with a space", Req: get("/with%20space/x"), Want: "space\n"},
			{Name: "locations are case-sensitive", Req: get("/Case"), Want: "upper"},
			{Name: "lower-case location", Req: get("/case"), Want: "lower"},
			{Name: "percent in a location is literal", Req: get("/%2561bc"), Want: "literal percent"},
			{Name: "default type in a regex location", Req: get("/typeless"), Want: "application/x-test"},
			{Name: "type by extension of the uri", Req: get("/page.html"), Want: "text/html"},
			{Name: "type by extension goes before default_type", Req: get("/type.html"), Want: "text/html"},
			{Name: "POST to a named error page keeps its method", Req: request("POST", "/tonamed", "x"), Want: "named: /tonamed"},
			{Name: "HEAD of an error page", Req: request("HEAD", "/missing", ""), Want: "404 Not Found"},
		},
	}.Run(t)
}
