package itest

import (
	"strings"
	"testing"
	"time"
)

func TestParityKeepAlive(t *testing.T) {
	one := func(version, target string, headers ...string) string {
		return "GET " + target + " HTTP/" + version + "\r\nHost: example.com\r\n" + headerLines(headers) + "\r\n"
	}
	last := get("/last")
	Suite{
		Config: Config{Server: `
keepalive_requests 5;
location / { return 200 "$uri $connection_requests\n"; }
location /proxied { proxy_pass http://127.0.0.1:{{origin}}; }
location /patient { proxy_ignore_client_abort on; proxy_pass http://127.0.0.1:{{origin}}; }
location /off { keepalive_timeout 0; return 200 "off\n"; }
location /hint { keepalive_timeout 65 20; return 200 "hint\n"; }
location /short { keepalive_timeout 200ms; return 200 "short\n"; }
location /missing { return 404; }
location /bad { return 400; }
location /fail { return 500; }
location /created { return 201; }
location /drop { return 444; }
`},
		Cases: []Case{
			{Name: "1.1 stays open", Steps: []Step{On(Send(one("1.1", "/a")), Await(1), Send(last))}, Want: "/last 2"},
			{Name: "1.1 with close", Steps: []Step{On(Send(one("1.1", "/a", "Connection: close")+last), Await(1))}, Want: "Connection: close"},
			{Name: "1.1 with Close in capitals", Steps: []Step{On(Send(one("1.1", "/a", "Connection: CLOSE")+last), Await(1))}, Want: "Connection: close"},
			{Name: "close in a list", Steps: []Step{On(Send(one("1.1", "/a", "Connection: foo, close")+last), Await(1))}, Want: "/a"},
			{Name: "1.0 closes", Steps: []Step{On(Send(one("1.0", "/a")))}, Want: "Connection: close"},
			{Name: "1.0 with keep-alive", Steps: []Step{On(Send(one("1.0", "/a", "Connection: keep-alive")), Await(1), Send(last))}, Want: "Connection: keep-alive"},
			{Name: "1.0 with Keep-Alive in capitals", Steps: []Step{On(Send(one("1.0", "/a", "Connection: Keep-Alive")), Await(1), Send(last))}, Want: "/last 2"},
			{Name: "both keep-alive and close", Steps: []Step{On(Send(one("1.1", "/a", "Connection: keep-alive, close")), Await(1), Send(last))}, Want: "/a"},
			{Name: "1.2 stays open", Steps: []Step{On(Send(one("1.2", "/a")), Await(1), Send(last))}, Want: "/a"},
			{Name: "0.9 closes", Steps: []Step{On(Send("GET /old\r\n"))}, Want: "/old 1"},
			{Name: "0.9 not found", Steps: []Step{On(Send("GET /missing\r\n"))}, Want: "404 Not Found"},
			{Name: "0.9 proxied", Steps: []Step{On(Send("GET /proxied\r\n"))}, Want: "origin"},
			{Name: "0.9 with another method", Steps: []Step{On(Send("POST /old\r\n"))}, Want: "400 Bad Request"},
			{Name: "keepalive_requests", Steps: []Step{On(Send(strings.Repeat(one("1.1", "/n"), 7)))}, Want: "/n 5"},
			{Name: "pipelining", Steps: []Step{On(Send(one("1.1", "/1") + one("1.1", "/2") + last))}, Want: "/last 3"},
			{Name: "pipelining with proxied requests", Steps: []Step{On(Send(one("1.1", "/1") + one("1.1", "/proxied/2") + one("1.1", "/3") + last))}, Want: "/last 4"},
			{Name: "pipelining cut in the middle of a head", Steps: []Step{On(Send(one("1.1", "/1")+"GET /2 HT"), Await(1), Send("TP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"))}, Want: "/2 2"},
			{Name: "pipelining after POST with a body", Steps: []Step{On(Send(keep("POST", "/1", "body") + last))}, Want: "/last 2"},
			{Name: "pipelining after a chunked body", Steps: []Step{On(Send(keep("POST", "/1", "", "Transfer-Encoding: chunked") + "4\r\nbody\r\n0\r\n\r\n" + last))}, Want: "/last 2"},
			{Name: "pipelining, second request is bad", Steps: []Step{On(Send(one("1.1", "/1") + "BAD\r\n\r\n"))}, Want: "400 Bad Request"},
			{Name: "empty line between requests", Steps: []Step{On(Send(one("1.1", "/1") + "\r\n" + last))}, Want: "/last 2"},
			{Name: "404 stays open", Steps: []Step{On(Send(one("1.1", "/missing")+last), Await(2))}, Want: "/last 2"},
			{Name: "400 closes", Steps: []Step{On(Send(one("1.1", "/bad") + last))}, Want: "Connection: close"},
			{Name: "500 by return", Steps: []Step{On(Send(one("1.1", "/fail") + last))}, Want: "500 Internal Server Error"},
			{Name: "201 stays open", Steps: []Step{On(Send(one("1.1", "/created") + last))}, Want: "/last 2"},
			{Name: "444 closes without an answer", Steps: []Step{On(Send(one("1.1", "/drop")))}, Want: "[closed]"},
			{Name: "HEAD stays open", Steps: []Step{On(Send(keep("HEAD", "/h", "") + last))}, Want: "/last 2"},
			{Name: "keepalive_timeout 0", Steps: []Step{On(Send(one("1.1", "/off") + last))}, Want: "Connection: close"},
			{Name: "Keep-Alive hint", Steps: []Step{On(Send(one("1.1", "/hint") + last))}, Want: "Keep-Alive: timeout=20"},
			{Name: "Keep-Alive hint for 1.0", Steps: []Step{On(Send(one("1.0", "/hint", "Connection: keep-alive") + last))}, Want: "Keep-Alive: timeout=20"},
			{Name: "idle connection is closed", Steps: []Step{On(Send(one("1.1", "/short")))}, Want: "[closed]"},
			{Name: "FIN after the request", Steps: []Step{On(Send(one("1.1", "/a")), CloseWrite())}, Want: "/a 1"},
			{Name: "FIN after a proxied request", Steps: []Step{On(Send(one("1.1", "/patient")), CloseWrite())}, Want: "origin"},
		},
	}.Run(t)
	t.Run("keepalive_disable and limits of 1.0", func(t *testing.T) {
		Suite{
			Config: Config{Server: `keepalive_disable none; keepalive_timeout 0s; location / { return 200 "x"; } location /chunks { chunked_transfer_encoding off; proxy_pass http://127.0.0.1:{{origin}}; }`},
			Cases: []Case{
				{Name: "timeout 0 at server level", Req: one("1.1", "/"), Want: "Connection: close"},
				{Name: "chunked_transfer_encoding off", Req: one("1.1", "/chunks"), Want: "[closed]",
					Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")}},
			},
		}.Run(t)
	})
}

func TestParityClientTimeouts(t *testing.T) {
	Suite{
		Config: Config{Server: `
client_header_timeout 400ms;
client_body_timeout 400ms;
lingering_timeout 300ms;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /return { return 200 "done\n"; }
`},
		Cases: []Case{
			{Name: "no request at all", Steps: []Step{On()}, Want: "[closed]"},
			{Name: "half a head", Steps: []Step{On(Send("GET / HTTP/1.1\r\nHost: example.com\r\n"))}, Want: "[closed]", ErrorLog: true, Differs: "timeouts-of-clients-are-answered", Seawall: "HTTP/1.1 408 Request Time-out"},
			{Name: "half a request line", Steps: []Step{On(Send("GET /abc"))}, Want: "[closed]", ErrorLog: true, Differs: "timeouts-of-clients-are-answered", Seawall: "HTTP/1.1 408 Request Time-out"},
			{Name: "body does not come", Steps: []Step{On(Send(keep("POST", "/", "", "Content-Length: 10") + "12345"))}, Want: "[closed]", Differs: "timeouts-of-clients-are-answered", Seawall: "HTTP/1.1 408 Request Time-out"},
			{Name: "chunked body does not come", Steps: []Step{On(Send(keep("POST", "/", "", "Transfer-Encoding: chunked") + "5\r\nab"))}, Want: "[closed]", Differs: "timeouts-of-clients-are-answered", Seawall: "HTTP/1.1 408 Request Time-out"},
			{Name: "body that nobody needs does not come", Steps: []Step{On(Send(keep("POST", "/return", "", "Content-Length: 10") + "12345"))}, Want: "done"},
		},
	}.Run(t)
}

func TestParityExpect(t *testing.T) {
	head := func(target string, headers ...string) string { return request("POST", target, "", headers...) }
	Suite{
		Config: Config{Server: `
lingering_timeout 300ms;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /stream { proxy_request_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
location /return { return 200 "no body read\n"; }
location /small { client_max_body_size 3; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "continue before the body", Steps: []Step{On(Send(head("/", "Expect: 100-continue", "Content-Length: 4")), AwaitText("100 Continue"), Send("body"))}, Want: "HTTP/1.1 100 Continue"},
			{Name: "continue before a streamed body", Steps: []Step{On(Send(head("/stream", "Expect: 100-continue", "Content-Length: 4")), AwaitText("100 Continue"), Send("body"))}, Want: "HTTP/1.1 100 Continue"},
			{Name: "continue before a chunked body", Steps: []Step{On(Send(head("/", "Expect: 100-continue", "Transfer-Encoding: chunked")), AwaitText("100 Continue"), Send("4\r\nbody\r\n0\r\n\r\n"))}, Want: "HTTP/1.1 100 Continue"},
			{Name: "body comes with the head", Req: head("/", "Expect: 100-continue", "Content-Length: 4") + "body", Want: "100 Continue", Differs: "continue-only-when-waited-for", Seawall: "200 OK"},
			{Name: "body is not read", Req: head("/return", "Expect: 100-continue", "Content-Length: 4"), Want: "100 Continue", Differs: "continue-only-when-waited-for", Seawall: "no body read"},
			{Name: "too large at once", Req: head("/small", "Expect: 100-continue", "Content-Length: 4"), Want: "413 Request Entity Too Large"},
			{Name: "in capitals", Steps: []Step{On(Send(head("/", "Expect: 100-CONTINUE", "Content-Length: 4")), AwaitText("100 Continue"), Send("body"))}, Want: "HTTP/1.1 100 Continue"},
			{Name: "unknown expectation", Req: head("/", "Expect: something", "Content-Length: 4") + "body", Want: "200 OK"},
			{Name: "from a 1.0 client", Req: "POST / HTTP/1.0\r\nHost: example.com\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", Want: "200 OK"},
			{Name: "without a body", Req: get("/", "Expect: 100-continue"), Want: "100 Continue", Differs: "continue-only-when-waited-for", Seawall: "200 OK"},
		},
	}.Run(t)
}

// Both servers count the files they name from 1.
func TestParityRequestBodiesInFiles(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 2000)
	Suite{
		Config: Config{Server: `
client_body_buffer_size 4k;
client_body_temp_path bodies;
proxy_set_header Connection "";
proxy_set_header X-File $request_body_file;
proxy_set_header X-Body "<$request_body>";
client_body_in_file_only on;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /clean { client_body_in_file_only clean; client_body_temp_path levels 1 2; proxy_pass http://127.0.0.1:{{origin}}; }
location /stream { proxy_request_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
location /name { proxy_pass_request_body off; proxy_set_header Connection ""; proxy_set_header Content-Length ""; proxy_set_header X-File $request_body_file; proxy_pass http://127.0.0.1:{{origin}}; }
location /off { client_body_in_file_only off; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "small", Req: request("POST", "/", "hello"), Want: "/0000000001", ErrorLog: true},
			{Name: "large", Req: request("POST", "/", long), Want: "/0000000002"},
			{Name: "chunked", Req: request("POST", "/", "", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", Want: "/0000000003"},
			{Name: "empty in chunks", Req: request("POST", "/", "", "Transfer-Encoding: chunked") + "0\r\n\r\n", Want: "/0000000004"},
			{Name: "no body", Req: get("/"), Want: "X-Body: <>"},
			{Name: "levels", Req: request("POST", "/clean", "hello"), Want: "levels/5/00/0000000005"},
			{Name: "slowly", Steps: []Step{On(Trickle(request("POST", "/clean", "hello"), 0))}, Want: "levels/6/00/0000000006"},
			{Name: "streamed", Steps: []Step{On(Send(request("POST", "/stream", "", "Content-Length: 10")), Pause(50*time.Millisecond), Send("0123456789"))}, Want: "0123456789"},
			{Name: "only its name is passed", Req: request("POST", "/name", "hello"), Want: "X-File: "},
			{Name: "off", Req: request("POST", "/off", "hello"), Want: "X-Body: <hello>"},
			{Name: "too large", Req: request("POST", "/", "", "Content-Length: 100000000"), Want: "413"},
			{Name: "no bytes", Req: request("POST", "/", "", "Content-Length: 0"), Want: "/0000000008", Differs: "files-of-bodies-have-names-on-demand", Seawall: "X-Body: <>"},
			{Name: "off, larger than its buffer", Req: request("POST", "/off", long), Want: "/0000000009", Differs: "files-of-bodies-have-names-on-demand", Seawall: "X-Body: <>"},
		},
	}.Run(t)
}

func TestParityRequestBodies(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 2000)
	chunks := func(parts ...string) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(hex(len(p)) + "\r\n" + p + "\r\n")
		}
		return b.String() + "0\r\n\r\n"
	}
	chunked := func(target string, parts ...string) string {
		return request("POST", target, "", "Transfer-Encoding: chunked") + chunks(parts...)
	}
	Suite{
		Config: Config{Server: `
client_max_body_size 40k;
lingering_timeout 300ms;
client_body_buffer_size 4k;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /stream { proxy_request_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
location /small { client_max_body_size 10; proxy_pass http://127.0.0.1:{{origin}}; }
location /smallreturn { client_max_body_size 10; return 200 "returned\n"; }
location /smallstream { client_max_body_size 10; proxy_request_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
location /unlimited { client_max_body_size 0; proxy_pass http://127.0.0.1:{{origin}}; }
location /nobody { proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:{{origin}}; }
location /noheaders { proxy_pass_request_headers off; proxy_pass http://127.0.0.1:{{origin}}; }
location /setbody { proxy_set_body "args=$args body=[$request_body]"; proxy_pass http://127.0.0.1:{{origin}}; }
location /method { proxy_method PUT; proxy_pass http://127.0.0.1:{{origin}}; }
location /echo { return 200 "length=$content_length type=$content_type body=$request_body\n"; }
location /page413 { client_max_body_size 10; error_page 413 /too-large; proxy_pass http://127.0.0.1:{{origin}}; }
location /too-large { return 200 "own page for $request_method\n"; }
`},
		Cases: []Case{
			{Name: "length", Req: request("POST", "/", "hello"), Want: "hello"},
			{Name: "length zero", Req: request("POST", "/", "", "Content-Length: 0"), Want: "Content-Length: 0"},
			{Name: "POST without length", Req: request("POST", "/", ""), Want: "POST / HTTP"},
			{Name: "chunked is passed with a length", Req: chunked("/", "hello", " ", "world"), Want: "Content-Length: 11"},
			{Name: "empty chunked body", Req: chunked("/"), Want: "POST / HTTP"},
			{Name: "chunked in small writes", Steps: []Step{On(Trickle(chunked("/", "hello", "world"), 0))}, Want: "helloworld"},
			{Name: "body in small writes", Steps: []Step{On(Trickle(request("POST", "/", "hello world"), 0))}, Want: "hello world"},
			{Name: "body larger than its buffer", Req: request("POST", "/", long), Want: "200 OK"},
			{Name: "chunked body larger than its buffer", Req: chunked("/", long[:20000], long[20000:]), Want: "200 OK"},
			{Name: "streamed length", Req: request("POST", "/stream", "hello"), Want: "hello"},
			{Name: "streamed chunked body stays chunked", Steps: []Step{On(Send(request("POST", "/stream", "", "Transfer-Encoding: chunked")), Pause(50*time.Millisecond), Send(chunks("hello", "world")))}, Want: "helloworld[end of chunks"},
			{Name: "streamed large body", Req: request("POST", "/stream", long), Want: "200 OK"},
			{Name: "streamed body in pieces", Steps: []Step{On(Send(request("POST", "/stream", "", "Content-Length: 10")), Pause(50*time.Millisecond), Send("01234"), Pause(50*time.Millisecond), Send("56789"))}, Want: "0123456789"},
			{Name: "too large by length", Req: request("POST", "/small", "0123456789x"), Want: "413 Request Entity Too Large", ErrorLog: true},
			{Name: "just not too large", Req: request("POST", "/small", "0123456789"), Want: "200 OK"},
			{Name: "too large by chunks", Req: chunked("/small", "01234", "56789x"), Want: "413 Request Entity Too Large", ErrorLog: true},
			{Name: "too large, body never sent", Req: request("POST", "/small", "", "Content-Length: 1000000"), Want: "413 Request Entity Too Large"},
			{Name: "too large by chunks, streamed", Req: chunked("/smallstream", "01234", "56789x"), Want: "413 Request Entity Too Large"},
			{Name: "too large for a location with return", Req: request("POST", "/smallreturn", "0123456789x"), Want: "HTTP/1.1"},
			{Name: "too large by chunks for a location with return", Req: chunked("/smallreturn", "01234", "56789x"), Want: "HTTP/1.1"},
			{Name: "no limit", Req: request("POST", "/unlimited", strings.Repeat(long, 4)), Want: "200 OK"},
			{Name: "body is not passed", Req: request("POST", "/nobody", "hello"), Want: "POST /nobody"},
			{Name: "headers are not passed", Req: request("POST", "/noheaders", "hello", "X-A: 1"), Want: "POST /noheaders"},
			{Name: "proxy_set_body", Req: request("POST", "/setbody?q=1", "hello"), Want: "args=q=1 body=[hello]"},
			{Name: "proxy_method", Req: request("POST", "/method", "hello"), Want: "PUT /method"},
			{Name: "body variables in return", Req: request("POST", "/echo", "hello", "Content-Type: text/x"), Want: "length=5 type=text/x"},
			{Name: "own page for 413", Req: request("POST", "/page413", "0123456789x"), Want: "own page for"},
			{Name: "next request after a body on the same connection", Steps: []Step{On(Send(keep("POST", "/", "hello")), Await(1), Send(get("/two")))}, Want: "GET /two"},
			{Name: "next request after 413 is not read from the body", Steps: []Step{On(Send(keep("POST", "/small", "GET /x HTTP/1.1\r\nHost: example.com\r\n\r\n")), Await(1))}, Want: "413"},
			{Name: "body cut short by the client", Steps: []Step{On(Send(request("POST", "/", "", "Content-Length: 10")+"123"), CloseWrite())}, Want: "["},
		},
	}.Run(t)
}
