package itest

import (
	"strings"
	"testing"
	"time"
)

// statusLog shows what became of the attempts; ports are normalised, times left out.
const statusLog = `log_format tries '$request_method $uri $status [$upstream_addr] [$upstream_status] [$upstream_cache_status] $body_bytes_sent';
access_log logs/access.log tries;
`

func TestParityUpstreamFailures(t *testing.T) {
	bad := func(text string) []Reply { return []Reply{AnswerClose(text)} }
	headers := func(n, size int) string {
		return strings.Repeat("X-Pad: "+strings.Repeat("p", size)+"\r\n", n)
	}
	Suite{
		Config: Config{HTTP: statusLog, Server: `
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /refused { proxy_pass http://127.0.0.1:{{dead}}; }
location /hole { proxy_connect_timeout 300ms; proxy_pass http://127.0.0.1:{{hole}}; }
location /stall { proxy_read_timeout 300ms; proxy_pass http://127.0.0.1:{{origin}}; }
location /small { proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k; proxy_pass http://127.0.0.1:{{origin}}; }
location /page { error_page 502 504 /sorry; proxy_pass http://127.0.0.1:{{origin}}; }
location /page504 { error_page 502 504 =200 /sorry; proxy_read_timeout 300ms; proxy_pass http://127.0.0.1:{{origin}}; }
location /named { error_page 502 = @second; proxy_pass http://127.0.0.1:{{dead}}; }
location @second { proxy_pass http://127.0.0.1:{{origin2}}; }
location /sorry { return 200 "sorry [$upstream_status] [$upstream_addr]\n"; }
location /unix { proxy_pass http://unix:{{prefix}}/missing.sock; }
location /unixuri/ { proxy_pass http://unix:{{prefix}}/missing.sock:/base/; }
location /unbuffered { proxy_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "refused", Req: get("/refused"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "refused, POST", Req: request("POST", "/refused", "x"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "refused, HEAD", Req: request("HEAD", "/refused", ""), Want: "502 Bad Gateway"},
			{Name: "connect times out", Req: get("/hole"), Want: "504 Gateway Time-out", ErrorLog: true},
			{Name: "answer times out", Req: get("/stall"), Origin: []Reply{Does(Stall())}, Want: "504 Gateway Time-out", ErrorLog: true},
			{Name: "body times out", Req: get("/stall"), Origin: []Reply{Does(Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), Stall())}, Want: "cut short", Differs: "what-came-is-passed-on", Seawall: "12345[cut short, 5 bytes missing]"},
			{Name: "chunked body times out", Req: get("/stall"), Origin: []Reply{Does(Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"), Stall())}, Want: "cut short", ErrorLog: true},
			{Name: "closes at once", Req: get("/"), Origin: []Reply{Does(Close())}, Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "resets at once", Req: get("/"), Origin: []Reply{Does(Reset())}, Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "closes within the head", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nContent-Le"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "closes within the body", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), Want: "cut short", ErrorLog: true},
			{Name: "closes within the body, to a 1.0 client", Req: "GET / HTTP/1.0\r\n\r\n", Origin: bad("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), Want: "cut short"},
			{Name: "closes within a chunk", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n12345"), Want: "cut short", ErrorLog: true},
			{Name: "closes before the last chunk", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"), Want: "cut short", ErrorLog: true},
			{Name: "closes within the body, unbuffered", Req: get("/unbuffered"), Origin: bad("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), Want: "cut short"},
			{Name: "bad chunk size", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n12345\r\n0\r\n\r\n"), Want: "[closed]", ErrorLog: true, Differs: "what-came-is-passed-on", Seawall: "[cut short, -1 bytes missing]"},
			{Name: "garbage", Req: get("/"), Origin: bad("garbage garbage\r\n\r\n"), Want: "garbage", Differs: "backends-must-speak-http", Seawall: "502 Bad Gateway"},
			{Name: "binary garbage", Req: get("/"), Origin: bad("\x00\x01\x02\x03\r\n\r\n"), Want: "\x01", Differs: "backends-must-speak-http", Seawall: "502 Bad Gateway"},
			{Name: "0.9 answer", Req: get("/"), Origin: bad("<html>old</html>\n"), Want: "<html>old", Differs: "backends-must-speak-http", Seawall: "502 Bad Gateway"},
			{Name: "status is not a number", Req: get("/"), Origin: bad("HTTP/1.1 abc OK\r\n\r\n"), Want: "HTTP/1.1 abc", Differs: "backends-must-speak-http", Seawall: "502 Bad Gateway"},
			{Name: "status of two digits", Req: get("/"), Origin: bad("HTTP/1.1 20 OK\r\n\r\n"), Want: "HTTP/1.1 20", Differs: "backends-must-speak-http", Seawall: "502 Bad Gateway"},
			{Name: "status 000", Req: get("/"), Origin: bad("HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"), Want: "HTTP/1.1 000", Differs: "backends-must-speak-http", Seawall: "502 Bad Gateway"},
			{Name: "header without colon", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nNoColon\r\nContent-Length: 1\r\n\r\nx"), Want: "HTTP/1.1"},
			{Name: "header name with a space", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 1\r\n\r\nx"), Want: "HTTP/1.1"},
			{Name: "NUL in a header", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 1\r\n\r\nx"), Want: "HTTP/1.1", ErrorLog: true},
			{Name: "bare CR in a header", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 1\r\n\r\nx"), Want: "HTTP/1.1"},
			{Name: "folded header", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\nx"), Want: "HTTP/1.1"},
			{Name: "head larger than the buffer", Req: get("/small"), Origin: bad("HTTP/1.1 200 OK\r\n" + headers(20, 100) + "\r\nx"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "head just fits", Req: get("/small"), Origin: bad("HTTP/1.1 200 OK\r\n" + headers(8, 90) + "Content-Length: 1\r\n\r\nx"), Want: "200 OK"},
			{Name: "endless head", Req: get("/"), Origin: []Reply{Does(Send("HTTP/1.1 200 OK\r\n"), Repeat("X-Pad: "+strings.Repeat("p", 1000)+"\r\n", 200))}, Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "endless status line", Req: get("/"), Origin: []Reply{Does(Send("HTTP/1.1 200 "), Repeat(strings.Repeat("p", 1000), 200))}, Want: "502 Bad Gateway"},
			{Name: "two different lengths", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"), Want: "HTTP/1.1", Differs: "contradicting-framing-of-backends", Seawall: "502 Bad Gateway"},
			{Name: "length and chunked", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), Want: "HTTP/1.1", Differs: "contradicting-framing-of-backends", Seawall: "502 Bad Gateway"},
			{Name: "length is not a number", Req: get("/"), Origin: bad("HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nxy"), Want: "HTTP/1.1", Differs: "contradicting-framing-of-backends", Seawall: "502 Bad Gateway"},
			{Name: "own page for 502", Req: get("/page"), Origin: []Reply{Does(Close())}, Want: "sorry [502]"},
			{Name: "own page for 504", Req: get("/page504"), Origin: []Reply{Does(Stall())}, Want: "sorry [504]"},
			{Name: "another backend by error_page", Req: get("/named"), Want: "origin 2"},
			{Name: "Unix socket that is missing", Req: get("/unix"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "Unix socket with uri", Req: get("/unixuri/x"), Want: "502 Bad Gateway"},
			{Name: "early answer while the body is sent", Steps: []Step{On(Send(request("POST", "/", "", "Content-Length: 10") + "0123456789"))}, Origin: []Reply{{Early: true, Acts: []Act{Send(reply("403 Forbidden", "no", "Connection: close")), Stall()}}}, Want: "403 Forbidden"},
		},
	}.Run(t)
}

func TestParityNextUpstream(t *testing.T) {
	const ok = "second\n"
	second := []Reply{AnswerClose(reply("200 OK", ok, "Connection: close"))}
	status := func(s string) []Reply { return []Reply{Answer(reply(s, "from first"))} }
	Suite{
		Config: Config{HTTP: statusLog + `
upstream pair { server 127.0.0.1:{{origin}} max_fails=0; server 127.0.0.1:{{origin2}} backup max_fails=0; }
upstream deadfirst { server 127.0.0.1:{{dead}} max_fails=0; server 127.0.0.1:{{origin2}} backup max_fails=0; }
upstream alldead { server 127.0.0.1:{{dead}} max_fails=0; server 127.0.0.1:{{dead}} max_fails=0; }
upstream three { server 127.0.0.1:{{dead}} max_fails=0; server 127.0.0.1:{{dead}} max_fails=0; server 127.0.0.1:{{origin2}} backup max_fails=0; }
upstream markeddown { server 127.0.0.1:{{origin}} down; server 127.0.0.1:{{origin2}}; }
upstream alldown { server 127.0.0.1:{{origin}} down; }
upstream twofails { server 127.0.0.1:{{dead}} max_fails=1 fail_timeout=1s; server 127.0.0.1:{{dead}} max_fails=1 fail_timeout=1s; }
`, Server: `
location / { proxy_pass http://pair; }
location /off { proxy_next_upstream off; proxy_pass http://pair; }
location /http { proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_403 http_404 http_429 invalid_header; proxy_pass http://pair; }
location /timeout { proxy_read_timeout 300ms; proxy_pass http://pair; }
location /notimeout { proxy_next_upstream error; proxy_read_timeout 300ms; proxy_pass http://pair; }
location /nonidempotent { proxy_next_upstream error timeout non_idempotent; proxy_pass http://pair; }
location /deadfirst { proxy_pass http://deadfirst; }
location /alldead { proxy_pass http://alldead; }
location /three { proxy_pass http://three; }
location /tries { proxy_next_upstream_tries 2; proxy_pass http://three; }
location /nexttimeout { proxy_next_upstream_timeout 100ms; proxy_read_timeout 300ms; proxy_pass http://pair; }
location /down { proxy_pass http://markeddown; }
location /alldown { proxy_pass http://alldown; }
location /twofails { proxy_pass http://twofails; }
location /stream { proxy_request_buffering off; proxy_pass http://deadfirst; }
`},
		Cases: []Case{
			{Name: "reset before an answer", Req: get("/"), Origin: []Reply{Does(Reset())}, Origin2: second, Want: ok, ErrorLog: true},
			{Name: "close before an answer", Req: get("/"), Origin: []Reply{Does(Close())}, Origin2: second, Want: ok},
			{Name: "close within the head", Req: get("/"), Origin: []Reply{AnswerClose("HTTP/1.1 200 OK\r\nX: ")}, Origin2: second, Want: ok},
			{Name: "close within the body is final", Req: get("/"), Origin: []Reply{AnswerClose("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")}, Origin2: second, Want: "half[cut short"},
			{Name: "refused", Req: get("/deadfirst"), Origin2: second, Want: ok, ErrorLog: true},
			{Name: "POST, refused", Req: request("POST", "/deadfirst", "body"), Origin2: second, Want: "body"},
			{Name: "POST streamed, refused", Req: request("POST", "/stream", "body"), Origin2: second, Want: "HTTP/1.1"},
			{Name: "POST that was sent", Req: request("POST", "/", "body"), Origin: []Reply{Does(Reset())}, Origin2: second, Want: "502 Bad Gateway"},
			{Name: "PUT that was sent", Req: request("PUT", "/", "body"), Origin: []Reply{Does(Close())}, Origin2: second, Want: ok},
			{Name: "PATCH that was sent", Req: request("PATCH", "/", "body"), Origin: []Reply{Does(Close())}, Origin2: second, Want: "HTTP/1.1"},
			{Name: "LOCK that was sent", Req: request("LOCK", "/", ""), Origin: []Reply{Does(Close())}, Origin2: second, Want: "502 Bad Gateway"},
			{Name: "unknown method that was sent", Req: request("BREW", "/", ""), Origin: []Reply{Does(Close())}, Origin2: second, Want: ok, Differs: "unknown-methods-are-not-repeated", Seawall: "502 Bad Gateway"},
			{Name: "POST with non_idempotent", Req: request("POST", "/nonidempotent", "body"), Origin: []Reply{Does(Close())}, Origin2: second, Want: ok},
			{Name: "off", Req: get("/off"), Origin: []Reply{Does(Close())}, Origin2: second, Want: "502 Bad Gateway"},
			{Name: "500 without http_500", Req: get("/"), Origin: status("500 Oops"), Origin2: second, Want: "from first"},
			{Name: "500", Req: get("/http"), Origin: status("500 Oops"), Origin2: second, Want: ok},
			{Name: "503", Req: get("/http"), Origin: status("503 Busy"), Origin2: second, Want: ok},
			{Name: "404", Req: get("/http"), Origin: status("404 Gone"), Origin2: second, Want: ok},
			{Name: "403", Req: get("/http"), Origin: status("403 No"), Origin2: second, Want: ok},
			{Name: "429", Req: get("/http"), Origin: status("429 Slow down"), Origin2: second, Want: ok},
			{Name: "POST and 500", Req: request("POST", "/http", "x"), Origin: status("500 Oops"), Origin2: second, Want: "from first"},
			{Name: "last 500 is passed on", Req: get("/http"), Origin: status("500 Oops"), Origin2: []Reply{Answer(reply("502 Also", "from second"))}, Want: "from second"},
			{Name: "both fail differently", Req: get("/http"), Origin: status("500 Oops"), Origin2: []Reply{Does(Close())}, Want: "502 Bad Gateway"},
			{Name: "invalid header", Req: get("/http"), Origin: []Reply{AnswerClose("HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n")}, Origin2: second, Want: ok},
			{Name: "timeout", Req: get("/timeout"), Origin: []Reply{Does(Stall())}, Origin2: second, Want: ok, ErrorLog: true},
			{Name: "timeout is not in the list", Req: get("/notimeout"), Origin: []Reply{Does(Stall())}, Origin2: second, Want: "504 Gateway Time-out"},
			{Name: "time for tries is over", Req: get("/nexttimeout"), Origin: []Reply{Does(Stall())}, Origin2: second, Want: "504 Gateway Time-out"},
			{Name: "all refuse", Req: get("/alldead"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "third one answers", Req: get("/three"), Origin2: second, Want: ok},
			{Name: "tries are limited", Req: get("/tries"), Origin2: second, Want: "502 Bad Gateway"},
			{Name: "down is not asked", Req: get("/down"), Origin2: second, Want: ok},
			{Name: "all down", Req: get("/alldown"), Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "all failed recently", Steps: []Step{Ask(get("/twofails")), Ask(get("/twofails"))}, AccessLines: 2, Want: "502 Bad Gateway", ErrorLog: true},
			{Name: "asked again after fail_timeout", Steps: []Step{After(2200*time.Millisecond, get("/twofails"))}, Want: "502 Bad Gateway"},
		},
	}.Run(t)
}

func TestParityBalancing(t *testing.T) {
	many := func(target string, n int) []Step {
		var steps []Step
		for range n {
			steps = append(steps, Ask(get(target)))
		}
		return steps
	}
	Suite{
		Config: Config{HTTP: statusLog + `
upstream equal { server 127.0.0.1:{{origin}}; server 127.0.0.1:{{origin2}}; }
upstream weighted { server 127.0.0.1:{{origin}} weight=5; server 127.0.0.1:{{origin2}}; server 127.0.0.1:{{origin3}}; }
upstream failing { server 127.0.0.1:{{dead}} max_fails=2 fail_timeout=1s; server 127.0.0.1:{{origin2}}; }
upstream backups { server 127.0.0.1:{{dead}} max_fails=1 fail_timeout=10s; server 127.0.0.1:{{origin2}} backup max_fails=0; server 127.0.0.1:{{origin3}} backup; }
upstream single { server 127.0.0.1:{{origin}} max_fails=1 fail_timeout=10s; }
upstream kept { server 127.0.0.1:{{origin}}; keepalive 4; }
`, Server: `
location /equal { proxy_pass http://equal; }
location /weighted { proxy_pass http://weighted; }
location /failing { proxy_pass http://failing; }
location /backups { proxy_pass http://backups; }
location /single { proxy_pass http://single; }
location /kept { proxy_pass http://kept; }
`},
		Cases: []Case{
			{Name: "round robin", Steps: many("/equal", 5), AccessLines: 5, Want: "origin 2 got request 2"},
			{Name: "smooth weighted round robin", Steps: many("/weighted", 14), AccessLines: 14, Want: "origin 3 got request 2"},
			{Name: "failing peer is left out after max_fails", Steps: many("/failing", 8), AccessLines: 8, Want: "origin 2 got request 8"},
			{Name: "failing peer is tried again", Steps: append([]Step{After(2200*time.Millisecond, get("/failing"))}, many("/failing", 4)...), AccessLines: 5, Want: "origin 2 got request 5"},
			{Name: "backups take turns", Steps: many("/backups", 5), AccessLines: 5, Want: "origin 3 got request 2"},
			{Name: "single peer is never marked down", Steps: many("/single", 3), AccessLines: 3, Origin: []Reply{Does(Close()), Does(Close()), Answer(reply("200 OK", "back"))}, Want: "back"},
			{Name: "kept-alive connection that died is replaced", Steps: []Step{Ask(get("/kept/1")), After(100*time.Millisecond, get("/kept/2"))}, AccessLines: 2,
				Origin: []Reply{Does(Send(reply("200 OK", "one")), Close()), Answer(reply("200 OK", "two"))}, Want: "two"},
			{Name: "kept-alive connection that dies on the next request", Steps: []Step{Ask(get("/kept/1")), Ask(get("/kept/2"))}, AccessLines: 2,
				Origin: []Reply{Answer(reply("200 OK", "one")), Does(Close()), Answer(reply("200 OK", "three"))}, Want: "HTTP/1.1"},
		},
	}.Run(t)
}

func TestParityUpgrade(t *testing.T) {
	upgrade := "GET /ws HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	switching := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"
	Suite{
		Config: Config{HTTP: statusLog, Server: `
location /ws { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; proxy_read_timeout 500ms; proxy_pass http://127.0.0.1:{{origin}}; }
location /plain { proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "tunnel both ways", Steps: []Step{On(Send(upgrade), AwaitText("hello client"), Send("hello origin"), AwaitText("bye"))},
				Origin: []Reply{Does(Send(switching+"hello client"), ReadMore(12), Send("bye"), Close())}, Want: "hello origin"},
			{Name: "client data with the head", Steps: []Step{On(Send(upgrade + "early"))},
				Origin: []Reply{Does(Send(switching), ReadMore(5), Send("got it"), Close())}, Want: "got it"},
			{Name: "upgrade refused", Steps: []Step{On(Send(upgrade), Await(1), Close())}, Origin: []Reply{Answer(reply("400 Bad", "no"))}, Want: "400 Bad"},
			{Name: "tunnel is idle too long", Steps: []Step{On(Send(upgrade), AwaitText("101"))}, Origin: []Reply{Does(Send(switching), Stall())}, Want: "101 Switching Protocols"},
			{Name: "client ends its side", Steps: []Step{On(Send(upgrade), AwaitText("101"), Send("last"), AwaitText("heard"), CloseWrite())},
				Origin: []Reply{Does(Send(switching), ReadMore(4), Send("heard"), Stall())}, Want: "101 Switching Protocols"},
			{Name: "101 that nobody asked for", Req: get("/plain"), Origin: []Reply{AnswerClose(switching)}, Want: "101 Switching", Differs: "unasked-101-is-refused", Seawall: "502 Bad Gateway"},
		},
	}.Run(t)
}

// Names in proxy_pass when no name server answers: the hosts file does not count. How long answers live
// (names-live-thirty-seconds) is tested beside the resolver, in package server.
func TestParityResolver(t *testing.T) {
	Suite{
		Config: Config{Server: `
resolver 127.0.0.1:{{dead}}; resolver_timeout 300ms;
location / { proxy_pass http://$arg_host:{{origin}}; }
`},
		Cases: []Case{
			{Name: "address needs no resolver", Req: get("/?host=127.0.0.1"), Want: "200 OK"},
			{Name: "name in the hosts file", Req: get("/?host=localhost"), Want: "502 Bad Gateway"},
		},
	}.Run(t)
}
