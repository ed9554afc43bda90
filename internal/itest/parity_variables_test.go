package itest

import (
	"strings"
	"testing"
	"time"
)

func TestParityVariables(t *testing.T) {
	// Each case asks /NAME; the location answers with the variables it is about.
	type variable struct{ name, text, req, want string }
	at := func(name string, headers ...string) string {
		return get("/"+name+"?a=1&B=two&empty=&a=3&x%20y=z", headers...)
	}
	list := []variable{
		{"args", "[$args][$query_string][$is_args]", "", "[a=1&B=two"},
		{"arg", "[$arg_a][$arg_b][$arg_B][$arg_empty][$arg_missing]", "", "[1][two][two]"},
		{"argcase", "[$arg_A]", "", "[1]"},
		{"uri", "[$uri][$document_uri][$request_uri]", "", "[/uri][/uri]"},
		{"request", "[$request][$request_method][$server_protocol][$scheme][$https]", "", "[GET][HTTP/1.1][http][]"},
		{"server", "[$server_name][$server_port][$server_addr][$host][$http_host]", "", "[example.com]"},
		{"remote", "[$remote_addr][$remote_user]", "", "[127.0.0.1]"},
		{"basicauth", "[$remote_user]", get("/basicauth", "Authorization: Basic dXNlcjpwYXNz"), "[user]"},
		{"basicauthbad", "[$remote_user]", get("/basicauthbad", "Authorization: Basic ???"), "[]"},
		{"basicauthother", "[$remote_user]", get("/basicauthother", "Authorization: Bearer dXNlcjpwYXNz"), "[]"},
		{"content", "[$content_length][$content_type]", request("POST", "/content", "12345", "Content-Type: a/b"), "[5][a/b]"},
		{"lengths", "[$request_length][$body_bytes_sent][$bytes_sent]", "", "["},
		{"connection", "[$connection_requests][$pipe][$http_connection][$request_completion]", "", "[1][.]"},
		{"limits", "[$limit_rate]", "", "[0]"},
		{"status", "[$status]", "", "["},
		{"http", "[$http_user_agent][$http_x_multi_word][$http_missing][$http_referer]", at("http", "User-Agent: u", "X-Multi-Word: w", "Referer: r"), "[u][w][][r]"},
		{"cookies", "[$cookie_a][$cookie_b][$cookie_missing][$http_cookie]", at("cookies", "Cookie: a=1; b=2"), "[1][2][]"},
		{"body", "[$request_body][$request_body_file]", request("POST", "/body", "hello"), "["},
		{"root", "[$proxy_host][$proxy_port][$upstream_addr][$upstream_status]", "", "[][][][]"},
		{"sent", "[$sent_http_content_type][$sent_http_x_none]", "", "["},
		{"dollar", "[$host$uri][${host}x][$host-x][a$arg_a.b]", "", "[example.com/dollar][example.comx]"},
		{"literal", "[ {} ; # \\\" ' ]", "", "{} ; #"},
		{"tcpinfo", "[$server_protocol]", "GET /tcpinfo HTTP/1.0\r\n\r\n", "[HTTP/1.0]"},
		{"old", "[$server_protocol][$host][$http_host][$request_method]", "GET /old\r\n", "[GET]"},
		{"nohost", "[$host][$http_host][$server_name]", "GET /nohost HTTP/1.0\r\n\r\n", "[example.com]"},
		{"hostport", "[$host][$http_host]", get("/hostport", "Host: EXAMPLE.com:81"), "[example.com][EXAMPLE.com:81]"},
		{"hostdot", "[$host][$http_host]", get("/hostdot", "Host: example.com."), "[example.com]"},
		{"absolute", "[$host][$http_host][$request_uri][$uri]", "GET http://other.test/absolute?q HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", "[other.test]"},
		{"forwarded", "[$proxy_add_x_forwarded_for]", get("/forwarded", "X-Forwarded-For: 1.2.3.4"), "[1.2.3.4, 127.0.0.1]"},
		{"chunked", "[$http_transfer_encoding]", request("POST", "/chunked", "", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n", "[chunked]"},
		{"unix", "[$nginx_version]", "", "["},
	}
	var server strings.Builder
	var cases []Case
	for _, v := range list {
		server.WriteString("location = /" + v.name + " { return 200 \"" + v.text + "\\n\"; }\n")
		c := Case{Name: v.name, Req: v.req, Want: v.want}
		if v.req == "" {
			c.Req = at(v.name)
		}
		if v.name == "unix" {
			continue
		}
		cases = append(cases, c)
	}
	Suite{Config: Config{Server: server.String()}, Cases: cases}.Run(t)
}

func TestParityUpstreamVariables(t *testing.T) {
	Suite{
		Config: Config{HTTP: `
log_format up '$uri|$upstream_addr|$upstream_status|$upstream_response_length|$upstream_bytes_received|$upstream_bytes_sent|$upstream_http_x_up|$upstream_cookie_c|$upstream_cache_status|$proxy_host|$proxy_port|$sent_http_x_up|$sent_http_content_length|$sent_http_content_type|$sent_http_transfer_encoding|$sent_http_connection|$sent_http_location|$sent_http_last_modified|$sent_http_cache_control|$bytes_sent|$body_bytes_sent|$request_length|$request_completion|$pipe';
access_log logs/access.log up;
upstream group { server 127.0.0.1:{{dead}} max_fails=0; server 127.0.0.1:{{origin}} backup; }
`, Server: `
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /group { proxy_pass http://group; }
location /return { return 200 "x"; }
location /redirect { return 302 /y; }
location /errorpage { error_page 502 /return; proxy_pass http://127.0.0.1:{{dead}}; }
location /twobackends { error_page 502 = @second; proxy_pass http://127.0.0.1:{{dead}}; }
location @second { proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "plain answer", Req: get("/"), Origin: []Reply{Answer(reply("200 OK", "12345", "X-Up: u", "Set-Cookie: c=cookie; path=/", "Content-Type: a/b", "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", "Cache-Control: private"))}, Want: "|200|5|"},
			{Name: "chunked answer", Req: get("/"), Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: t\r\n\r\n")}, Want: "|200|23|", Differs: "response-length-without-framing", Seawall: "|200|5|"},
			{Name: "POST", Req: request("POST", "/", "12345"), Want: "|200|7|"},
			{Name: "two tries", Req: get("/group"), Want: ", 127.0.0.1:{{origin}}|502, 200|"},
			{Name: "no backend", Req: get("/return"), Want: "/return|-|-|"},
			{Name: "redirect", Req: get("/redirect"), Want: "http://example.com:{{port}}/y"},
			{Name: "failure and error page", Req: get("/errorpage"), Want: "|502|"},
			{Name: "second backend by error_page", Req: get("/twobackends"), Want: "502 : 200"},
			{Name: "HEAD", Req: request("HEAD", "/", ""), Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")}, Want: "|200|0|"},
			{Name: "304", Req: get("/"), Origin: []Reply{Answer("HTTP/1.1 304 Not Modified\r\n\r\n")}, Want: "|304|0|"},
			{Name: "repeated header", Req: get("/"), Origin: []Reply{Answer(reply("200 OK", "x", "X-Up: one", "X-Up: two"))}, Want: "|one|", Differs: "variables-join-repeated-headers", Seawall: "|one, two|"},
		},
	}.Run(t)
}

// TestParityUpstreamTrailerVariable: nginx 1.22 knows trailers of gRPC backends only; trailers-are-dropped is a difference to
// nginx since 1.27.2.
func TestParityUpstreamTrailerVariable(t *testing.T) {
	Suite{
		Config: Config{HTTP: "log_format f '[$upstream_trailer_x_t]'; access_log logs/access.log f;", Server: "location / { proxy_pass http://127.0.0.1:{{origin}}; }"},
		Cases:  []Case{{Name: "trailer", Req: get("/"), Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: t\r\n\r\n")}, Want: "[-]"}},
	}.Run(t)
}

func TestParityAccessLog(t *testing.T) {
	logs := func(format string) Config {
		return Config{HTTP: format, Server: `
location / { return 200 "ok\n"; }
location /other { return 404; }
location /proxied { proxy_pass http://127.0.0.1:{{origin}}; }
`}
	}
	odd := []string{"User-Agent: quote\" back\\slash tab\tend", "Referer: \xc3\xa4\x01 \x7f<>&'/"}
	suites := map[string]Suite{
		"escape default": {Config: logs(`log_format f '[$http_user_agent] [$http_referer] [$http_missing] [$request] [$arg_x]'; access_log logs/access.log f;`),
			Cases: []Case{{Name: "odd bytes", Req: get("/?x=%22&\"", odd...), Want: `quote\x22`}, {Name: "bad request", Req: "BAD \"\\\x01\r\n\r\n", Want: "400"}, {Name: "empty value", Req: get("/", "User-Agent:"), Want: "[-]"}}},
		"escape json": {Config: logs(`log_format f escape=json '{"ua":"$http_user_agent","ref":"$http_referer","missing":"$http_missing","request":"$request"}'; access_log logs/access.log f;`),
			Cases: []Case{{Name: "odd bytes", Req: get("/", odd...), Want: `quote\" back\\slash tab\t`}, {Name: "control bytes", Req: get("/", "User-Agent: \x02\x1f\x08\x0c"), Want: `\u0002`}}},
		"escape none": {Config: logs(`log_format f escape=none '[$http_user_agent] [$http_referer] [$http_missing]'; access_log logs/access.log f;`),
			Cases: []Case{{Name: "odd bytes", Req: get("/", odd...), Want: `quote" back\slash`}}},
		"if": {Config: logs(`log_format f '$uri $status'; access_log logs/access.log f if=$arg_log;`),
			Cases: []Case{{Name: "not set", Req: get("/"), AccessLines: -1}, {Name: "zero", Req: get("/?log=0"), AccessLines: -1}, {Name: "set", Req: get("/?log=1"), Want: "/ 200"}, {Name: "any text", Req: get("/other?log=x"), Want: "/other 404"}}},
		"combined": {Config: Config{HTTP: `log_format f '$remote_addr - $remote_user [-] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'; access_log logs/access.log f;`, Server: `location / { return 200 "ok\n"; }`},
			Cases: []Case{{Name: "GET", Req: get("/", "User-Agent: u"), Want: `127.0.0.1 - - [-] "GET / HTTP/1.1" 200 3 "-" "u"`}, {Name: "HEAD", Req: request("HEAD", "/", ""), Want: `200 0`}, {Name: "0.9", Req: "GET /\r\n", Want: `"GET /" 200 3`}}},
		"levels": {Config: Config{HTTP: `log_format f 'http $uri'; log_format g 'location $uri'; access_log logs/access.log f;`, Server: `
location / { return 200 "ok\n"; }
location /own { access_log logs/access.log g; return 200 "ok\n"; }
location /off { access_log off; return 200 "ok\n"; }
location /two { access_log logs/access.log f; access_log logs/access.log g; return 200 "ok\n"; }
location /errorpage { access_log off; error_page 404 /own; return 404; }
`},
			Cases: []Case{{Name: "inherited", Req: get("/"), Want: "http /"}, {Name: "own", Req: get("/own"), Want: "location /own"}, {Name: "off", Req: get("/off"), AccessLines: -1}, {Name: "two", Req: get("/two"), AccessLines: 2, Want: "location /two"}, {Name: "location of the error page logs", Req: get("/errorpage"), Want: "location /own"}}},
		"what a request log says": {Config: logs(requestLogFormat),
			Cases: []Case{
				{Name: "pipelined", Steps: []Step{On(Send(keep("GET", "/1", "") + keep("POST", "/2", "body") + get("/3")))}, AccessLines: 3, Want: `"GET /3 HTTP/1.1" 200 3`},
				{Name: "client goes away", Steps: []Step{On(Send(get("/proxied")), Pause(100*time.Millisecond), Reset())}, Origin: []Reply{Does(Stall())}, Want: `499 0`},
				{Name: "bad header", Req: get("/", "A : b"), Want: " 400 "},
				{Name: "long uri", Req: get("/" + strings.Repeat("u", 9000)), Want: "414"},
			}},
		"buffered": {Config: logs(`log_format f '$uri $status'; access_log logs/access.log f buffer=32k flush=100ms;`),
			Cases: []Case{{Name: "flushed after its time", Req: get("/flushed"), Want: "/flushed 200"}}},
	}
	t.Parallel()
	for name, s := range suites {
		t.Run(name, func(t *testing.T) { s.Run(t) })
	}
}

func TestParityErrorLogOfClients(t *testing.T) {
	Suite{
		Config: Config{HTTP: "client_header_buffer_size 1k; large_client_header_buffers 2 1k;", Server: `
client_max_body_size 5;
lingering_timeout 200ms;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /denied { limit_except GET { deny all; } return 200 x; }
location /internal { internal; return 200 x; }
`},
		Cases: []Case{
			{Name: "invalid method", Req: "get / HTTP/1.1\r\n\r\n", Want: "client sent invalid method while reading client request line", ErrorLog: true},
			{Name: "invalid request", Req: "GET foo HTTP/1.1\r\n\r\n", Want: "client sent invalid request while reading client request line", ErrorLog: true},
			{Name: "invalid version", Req: "GET / HTTP/9.1\r\n\r\n", Want: "client sent invalid version", ErrorLog: true},
			{Name: "no Host", Req: "GET / HTTP/1.1\r\n\r\n", Want: "client sent HTTP/1.1 request without \"Host\" header", ErrorLog: true},
			{Name: "invalid Host", Req: get("/", "Host: a/b"), Want: "client sent invalid host header", ErrorLog: true},
			{Name: "duplicate Host", Req: get("/", "Host: a", "Host: b"), Want: "client sent duplicate host header", ErrorLog: true},
			{Name: "duplicate Content-Length", Req: get("/", "Content-Length: 1", "Content-Length: 2"), Want: "client sent duplicate header line", ErrorLog: true},
			{Name: "invalid Content-Length", Req: get("/", "Content-Length: x"), Want: "client sent invalid \"Content-Length\" header", ErrorLog: true},
			{Name: "invalid header line", Req: get("/", "A B: c"), Want: "client sent invalid header line", ErrorLog: true},
			{Name: "too long URI", Req: get("/" + strings.Repeat("u", 3000)), Want: "client sent too long URI while reading client request line", ErrorLog: true},
			{Name: "too long header line", Req: get("/", "X: "+strings.Repeat("u", 3000)), Want: "client sent too long header line", ErrorLog: true},
			{Name: "too many header lines", Req: get("/", "A: "+strings.Repeat("u", 900), "B: "+strings.Repeat("u", 900), "C: "+strings.Repeat("u", 900), "D: "+strings.Repeat("u", 900)), Want: "client sent too long header line", ErrorLog: true},
			{Name: "body too large", Req: request("POST", "/", "123456"), Want: "client intended to send too large body: 6 bytes", ErrorLog: true},
			{Name: "chunked body too large", Req: request("POST", "/", "", "Transfer-Encoding: chunked") + "6\r\n123456\r\n0\r\n\r\n", Want: "client intended to send too large chunked body", ErrorLog: true},
			{Name: "invalid chunked body", Req: request("POST", "/", "", "Transfer-Encoding: chunked") + "Z\r\n", Want: "client sent invalid chunked body", ErrorLog: true},
			{Name: "access forbidden", Req: request("POST", "/denied", "x"), Want: "access forbidden by rule", ErrorLog: true},
			{Name: "client closes before the answer", Steps: []Step{On(Send(get("/")), Pause(100*time.Millisecond), Close())}, Origin: []Reply{Does(Stall())}, Want: "client prematurely closed connection", ErrorLog: true},
			{Name: "client closes within the body", Steps: []Step{On(Send(request("POST", "/", "", "Content-Length: 5")+"1"), Pause(50*time.Millisecond), Close())}, Want: "client prematurely closed connection", ErrorLog: true},
			{Name: "client closes within the head", Steps: []Step{On(Send("GET / HTTP/1.1\r\nHost: a"), Close())}, Want: "client prematurely closed connection", ErrorLog: true},
		},
	}.Run(t)
}
