package itest

import (
	"strings"
	"testing"
)

func TestParityReturn(t *testing.T) {
	var server strings.Builder
	var cases []Case
	for _, code := range []string{"200", "201", "202", "204", "206", "301", "302", "303", "304", "307", "308", "400", "401", "402", "403", "404", "405", "406", "408", "409", "410", "411", "412", "413", "414", "415", "416", "418", "421", "429", "431", "451", "494", "495", "496", "497", "499", "500", "501", "502", "503", "504", "505", "507", "599", "299", "999"} {
		server.WriteString("location = /code/" + code + " { return " + code + "; }\n")
		server.WriteString("location = /text/" + code + " { return " + code + " \"text of " + code + "\"; }\n")
		cases = append(cases, Case{Name: "code " + code, Steps: []Step{Ask(get("/code/" + code)), Ask(get("/text/" + code)), Ask(request("HEAD", "/code/"+code, ""))}})
	}
	server.WriteString(`
location = /url { return https://other.test/path?x=$args; }
location = /urltext { return 200 "https://other.test/"; }
location = /path { return 302 /local/path; }
location = /pathargs { return 301 $uri/more?$args; }
location = /relative { return 302 relative; }
location = /empty { return 200 ""; }
location = /emptyredirect { return 302 ""; }
location = /crlf { return 302 "/a\r\nX-Injected: 1"; }
location = /spaces { return 302 "/a b"; }
location = /scheme { return 302 $scheme://$host:$server_port$request_uri; }
location = /json { default_type application/json; return 200 '{"a":"$arg_a","b":1}'; }
location = /escapes { return 200 "quote\" backslash\\ dollar tab\t newline\n"; }
location = /braces { return 200 "${uri}x$uri"; }
location = /long { return 200 "` + strings.Repeat("0123456789", 300) + `"; }
location = /server { return 200 $server_protocol; }
location = /notype { default_type ""; return 200 "no type"; }
location /post { return 200 "posted\n"; }
`)
	cases = append(cases,
		Case{Name: "redirect by url alone", Req: get("/url?a=1"), Want: "Location: https://other.test/path?x=a=1"},
		Case{Name: "url as text", Req: get("/urltext"), Want: "200 OK"},
		Case{Name: "local path becomes absolute", Req: get("/path"), Want: "Location: http://example.com:{{port}}/local/path"},
		Case{Name: "local path from an uri with arguments", Req: get("/pathargs?q=1"), Want: "/pathargs/more?q=1"},
		Case{Name: "relative redirect", Req: get("/relative"), Want: "Location: relative"},
		Case{Name: "empty text", Req: get("/empty"), Want: "200 OK"},
		Case{Name: "empty redirect", Req: get("/emptyredirect"), Want: "302 Moved Temporarily"},
		Case{Name: "spaces in a redirect", Req: get("/spaces"), Want: "/a b"},
		Case{Name: "redirect with variables", Req: get("/scheme?z"), Want: "Location: http://example.com:{{port}}/scheme?z"},
		Case{Name: "json", Req: get("/json?a=7"), Want: `{"a":"7","b":1}`},
		Case{Name: "escapes", Req: get("/escapes"), Want: "quote\""},
		Case{Name: "braces", Req: get("/braces"), Want: "/bracesx/braces"},
		Case{Name: "long text", Req: get("/long"), Want: "Content-Length: 3000"},
		Case{Name: "HEAD of a long text", Req: request("HEAD", "/long", ""), Want: "Content-Length: 3000"},
		Case{Name: "variable alone", Req: get("/server"), Want: "HTTP/1.1"},
		Case{Name: "no type", Req: get("/notype"), Want: "no type"},
		Case{Name: "POST with a body that is not read", Req: request("POST", "/post", strings.Repeat("x", 5000)), Want: "posted"},
		Case{Name: "Range of a returned text", Req: get("/long", "Range: bytes=0-9"), Want: "HTTP/1.1"},
		Case{Name: "condition on a returned text", Req: get("/long", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT", `If-None-Match: "x"`), Want: "200 OK"},
		Case{Name: "redirect for a 1.0 client without Host", Req: "GET /path HTTP/1.0\r\n\r\n", Want: "Location: http://127.0.0.1:{{port}}/local/path"},
		Case{Name: "redirect with a Host that has another port", Req: get("/path", "Host: example.com:81"), Want: "/local/path"},
		Case{Name: "old browsers get padding", Req: get("/code/404", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"), Want: "padding to disable MSIE"},
		Case{Name: "Chrome gets padding too", Req: get("/code/404", "User-Agent: Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"), Want: "padding to disable MSIE"},
		Case{Name: "MSIE without a version gets no padding", Req: get("/code/404", "User-Agent: MSIE 8."), Want: "404 Not Found"},
		Case{Name: "MSIE with the shortest version", Req: get("/code/404", "User-Agent: MSIE 8.0"), Want: "padding to disable MSIE"},
		Case{Name: "Chrome that is Opera, too", Req: get("/code/404", "User-Agent: Chrome/120.0 Opera"), Want: "404 Not Found"},
		Case{Name: "Chrome that is Firefox, too", Req: get("/code/404", "User-Agent: Gecko/2010 Chrome/120.0"), Want: "404 Not Found"},
		Case{Name: "Opera gets no padding", Req: get("/code/404", "User-Agent: Opera/9.80 MSIE Presto"), Want: "404 Not Found"},
	)
	Suite{Config: Config{Server: server.String()}, Cases: cases}.Run(t)
}

func TestParityRedirectForms(t *testing.T) {
	Suite{
		Config: Config{Server: `
location = /default { return 302 /x; }
location = /noabsolute { absolute_redirect off; return 302 /x; }
location = /noport { port_in_redirect off; return 302 /x; }
location = /servername { server_name_in_redirect on; return 302 /x; }
location = /servernamenoport { server_name_in_redirect on; port_in_redirect off; return 302 /x; }
location = /absolute { absolute_redirect off; return 302 http://other.test/x; }
location = /missing { error_page 404 http://other.test/sorry; return 404; }
location = /missinglocal { error_page 404 =301 /sorry; return 404; }
location /slash/ { proxy_pass http://127.0.0.1:{{origin}}; }
location /slashrel/ { absolute_redirect off; proxy_pass http://127.0.0.1:{{origin}}; }
location = /sorry { return 200 "sorry\n"; }
`},
		Cases: []Case{
			{Name: "default", Req: get("/default"), Want: "Location: http://example.com:{{port}}/x"},
			{Name: "name from Host", Req: get("/default", "Host: alias.test"), Want: "Location: http://alias.test:{{port}}/x"},
			{Name: "name from Host in capitals", Req: get("/default", "Host: ALIAS.test"), Want: "Location: http://alias.test"},
			{Name: "absolute_redirect off", Req: get("/noabsolute"), Want: "Location: /x"},
			{Name: "port_in_redirect off", Req: get("/noport"), Want: "Location: http://example.com/x"},
			{Name: "server_name_in_redirect", Req: get("/servername", "Host: alias.test"), Want: "Location: http://example.com:{{port}}/x"},
			{Name: "server name without port", Req: get("/servernamenoport", "Host: alias.test"), Want: "Location: http://example.com/x"},
			{Name: "absolute target", Req: get("/absolute"), Want: "Location: http://other.test/x"},
			{Name: "error_page to a url", Req: get("/missing"), Want: "302 Moved Temporarily"},
			{Name: "error_page with a redirect code to a local uri", Req: get("/missinglocal"), Want: "HTTP/1.1"},
			{Name: "missing slash before a proxied location", Req: get("/slash"), Want: "Location: http://example.com:{{port}}/slash/"},
			{Name: "missing slash with arguments", Req: get("/slash?a=b"), Want: "/slash/?a=b"},
			{Name: "missing slash, POST", Req: request("POST", "/slash", "x"), Want: "301 Moved Permanently"},
			{Name: "missing slash, relative", Req: get("/slashrel"), Want: "Location: /slashrel/"},
			{Name: "with the slash", Req: get("/slash/"), Want: "origin"},
		},
	}.Run(t)
}

func TestParityMsieRefresh(t *testing.T) {
	const msie = "User-Agent: Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)"
	Suite{
		Config: Config{HTTP: `msie_refresh on;`, Server: `
location = /301 { return 301 /x; }
location = /302 { return 302 "http://other.test/?q=$arg_q"; }
location = /303 { return 303 /x; }
location = /307 { return 307 /x; }
location = /308 { return 308 /x; }
location = /all { return 302 "/a !#%&'()*+,-./:;<=>?@[]^_` + "`" + `{|}~\"\\é"; }
location = /empty { return 302 ""; }
location = /fields { expires max; add_header X-A a; return 302 /x; }
location = /off { msie_refresh off; return 302 /x; }
location = /page { error_page 302 http://other.test/own; return 302 /x; }
location = /missing { error_page 404 http://other.test/sorry; return 404; }
location = /missing303 { error_page 404 =303 http://other.test/sorry; return 404; }
location = /covered { error_page 404 =410 /301; return 404; }
location /slash/ { proxy_pass http://127.0.0.1:{{origin}}; }
location /proxied { proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "301", Req: get("/301", msie), Want: `content="0; URL=/x"`},
			{Name: "302", Req: get("/302?q=%22", msie), Want: `content="0; URL=http://other.test/?q=%22"`},
			{Name: "303", Req: get("/303", msie), Want: "303 See Other"},
			{Name: "307", Req: get("/307", msie), Want: "307 Temporary Redirect"},
			{Name: "308", Req: get("/308", msie), Want: "308 Permanent Redirect"},
			{Name: "what is escaped", Req: get("/all", msie), Want: "%20"},
			{Name: "no target", Req: get("/empty", msie), Want: `URL="`},
			{Name: "fields of ours", Req: get("/fields", msie), Want: "X-A: a"},
			{Name: "HEAD", Req: request("HEAD", "/301", "", msie), Want: "200 OK"},
			{Name: "POST", Req: request("POST", "/301", "x", msie), Want: "200 OK"},
			{Name: "HTTP/1.0", Req: "GET /301 HTTP/1.0\r\n" + msie + "\r\n\r\n", Want: "200 OK"},
			{Name: "off", Req: get("/off", msie), Want: "302 Moved"},
			{Name: "no browser", Req: get("/301"), Want: "301 Moved"},
			{Name: "Opera", Req: get("/301", "User-Agent: Opera/9.80 MSIE 8.0"), Want: "301 Moved"},
			{Name: "no version", Req: get("/301", "User-Agent: MSIE 8."), Want: "301 Moved"},
			{Name: "shortest version", Req: get("/301", "User-Agent: MSIE 8.0"), Want: "200 OK"},
			{Name: "error_page for the redirect", Req: get("/page", msie), Want: "URL=http://other.test/own"},
			{Name: "error_page to a url", Req: get("/missing", msie), Want: "URL=http://other.test/sorry"},
			{Name: "error_page to a url with 303", Req: get("/missing303", msie), Want: "URL=http://other.test/sorry"},
			{Name: "error_page to a redirect", Req: get("/covered", msie), Want: "HTTP/1.1"},
			{Name: "missing slash", Req: get("/slash", msie), Want: "/slash/"},
			{Name: "a backend's redirect", Req: get("/proxied", msie), Origin: []Reply{AnswerClose("HTTP/1.1 302 Found\r\nLocation: http://other.test/\r\nContent-Length: 0\r\n\r\n")}, Want: "302"},
		},
	}.Run(t)
}

func TestParityAddHeader(t *testing.T) {
	Suite{
		Config: Config{HTTP: `add_header X-Http http;`, Server: `
add_header X-Server server;
add_header X-Always always always;
location / { return 200 "ok\n"; }
location /own { add_header X-Own "value of $uri"; return 200 "ok\n"; }
location /own/nested { return 200 "nested\n"; }
location /empty { add_header X-Empty ""; add_header X-Var $arg_v; return 200 "ok\n"; }
location /codes/200 { return 200; }
location /codes/201 { return 201; }
location /codes/204 { return 204; }
location /codes/206 { return 206; }
location /codes/301 { return 301 /x; }
location /codes/303 { return 303 /x; }
location /codes/304 { return 304; }
location /codes/307 { return 307 /x; }
location /codes/308 { return 308 /x; }
location /codes/400 { return 400; }
location /codes/404 { return 404; }
location /codes/500 { return 500; }
location /twice { add_header X-A 1; add_header X-A 2; add_header x-b 3; return 200 "ok\n"; }
location /special { add_header Cache-Control no-store; add_header Cache-Control private; add_header Vary X; add_header Link "<a>"; add_header Server own; add_header Date own; add_header Content-Type own/type; return 200 "ok\n"; }
location /lastmod { add_header Last-Modified "Mon, 01 Jan 2024 00:00:00 GMT"; add_header ETag '"x"'; return 200 "ok\n"; }
location /length { add_header Content-Length 5; add_header Connection foo; return 200 "ok\n"; }
location /proxied { add_header X-Cache "$upstream_status"; add_header X-Origin "$upstream_http_x_from"; proxy_pass http://127.0.0.1:{{origin}}; }
location /errorpage { error_page 404 = /own/page; return 404; }
location /sent { add_header X-One 1; add_header X-Two "$sent_http_x_one $sent_http_content_type $sent_http_content_length $status"; return 200 "ok\n"; }
location /limited { limit_except GET { deny all; } return 200 "ok\n"; }
`},
		Cases: []Case{
			{Name: "inherited", Req: get("/"), Want: "X-Server: server"},
			{Name: "own headers replace the inherited", Req: get("/own"), Want: "X-Own: value of /own"},
			{Name: "nested by prefix", Req: get("/own/nested"), Want: "nested"},
			{Name: "line end in a variable", Req: get("/own/%0d%0aX-Evil:%201"), Want: "X-Own: value of /own/",
				Differs: "values-stay-in-their-line", Seawall: "X-Own: value of /own/  X-Evil: 1"},
			{Name: "empty values are left out", Req: get("/empty"), Want: "ok"},
			{Name: "variable value", Req: get("/empty?v=1"), Want: "X-Var: 1"},
			{Name: "by status", Steps: []Step{
				Ask(get("/codes/200")), Ask(get("/codes/201")), Ask(get("/codes/204")), Ask(get("/codes/206")), Ask(get("/codes/301")), Ask(get("/codes/303")),
				Ask(get("/codes/304")), Ask(get("/codes/307")), Ask(get("/codes/308")), Ask(get("/codes/400")), Ask(get("/codes/404")), Ask(get("/codes/500"))}, Want: "X-Always: always"},
			{Name: "the same header twice", Req: get("/twice"), Want: "x-b: 3"},
			{Name: "headers that the server has itself", Req: get("/special"), Want: "Cache-Control: no-store", Ignore: []string{"Date"}},
			{Name: "validators", Req: get("/lastmod"), Want: "Last-Modified: Mon, 01 Jan 2024"},
			{Name: "condition on an added validator", Req: get("/lastmod", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"), Want: "HTTP/1.1"},
			{Name: "upstream variables", Req: get("/proxied"), Origin: []Reply{Answer(reply("200 OK", "x", "X-From: o"))}, Want: "X-Origin: o"},
			{Name: "upstream variables after a failure", Req: get("/proxied"), Origin: []Reply{Does(Close())}, Want: "502 Bad Gateway"},
			{Name: "headers of the error page's location", Req: get("/errorpage"), Want: "X-Own: value of /own/page"},
			{Name: "sent headers as variables", Req: get("/sent"), Want: "X-Two:"},
			{Name: "400 of a bad request", Req: "GET / HTTP/1.1\r\n\r\n", Want: "400 Bad Request"},
			{Name: "limit_except lets GET pass", Req: get("/limited"), Want: "200 OK"},
			{Name: "limit_except lets HEAD pass", Req: request("HEAD", "/limited", ""), Want: "200 OK"},
			{Name: "limit_except stops POST", Req: request("POST", "/limited", "x"), Want: "HTTP/1.1"},
		},
	}.Run(t)
}

func TestParityLimitExcept(t *testing.T) {
	Suite{
		Config: Config{Server: `
location / { limit_except GET { deny all; } proxy_pass http://127.0.0.1:{{origin}}; }
location /put { limit_except PUT DELETE { deny all; } proxy_pass http://127.0.0.1:{{origin}}; }
location /allow { limit_except GET { allow 127.0.0.1; deny all; } proxy_pass http://127.0.0.1:{{origin}}; }
location /other { limit_except GET { proxy_pass http://127.0.0.1:{{origin2}}; } proxy_pass http://127.0.0.1:{{origin}}; }
location /page { error_page 403 /denied; limit_except GET { deny all; } proxy_pass http://127.0.0.1:{{origin}}; }
location /denied { return 200 "denied $request_method\n"; }
`},
		Cases: []Case{
			{Name: "GET", Req: get("/"), Want: "origin 1"},
			{Name: "HEAD goes with GET", Req: request("HEAD", "/", ""), Want: "origin 1"},
			{Name: "POST is denied", Req: request("POST", "/", "x"), Want: "403 Forbidden", ErrorLog: true},
			{Name: "unknown method is denied", Req: request("BREW", "/", ""), Want: "403 Forbidden"},
			{Name: "PUT only", Req: request("PUT", "/put", "x"), Want: "origin 1"},
			{Name: "GET where only PUT may", Req: get("/put"), Want: "403 Forbidden"},
			{Name: "allow within", Req: request("POST", "/allow", "x"), Want: "origin 1"},
			{Name: "another backend for other methods", Req: request("POST", "/other", "x"), Want: "origin 2"},
			{Name: "the usual backend for GET", Req: get("/other"), Want: "origin 1"},
			{Name: "error_page for the denied", Req: request("POST", "/page", "x"), Want: "denied"},
		},
	}.Run(t)
}

func TestParityErrorPage(t *testing.T) {
	Suite{
		Config: Config{HTTP: `error_page 404 /http404;`, Server: `
error_page 500 502 503 504 /50x;
error_page 418 = @teapot;
location / { return 404; }
location /http404 { return 200 "page of the http level, status $status\n"; }
location /50x { return 200 "50x page uri=$uri request=$request_uri\n"; }
location /five/500 { return 500; }
location /five/503 { return 503; }
location /five/504 { return 504; }
location @teapot { return 202 "tea uri=$uri\n"; }
location /teapot { return 418; }
location /own { error_page 404 =410 /gone; return 404; }
location /gone { return 200 "gone\n"; }
location /keep { error_page 404 =200 /gone; return 404; }
location /equals { error_page 404 = /created; return 404; }
location /created { return 201 "created\n"; }
location /proxied { error_page 404 = /handler; return 404; }
location /handler { proxy_pass http://127.0.0.1:{{origin}}; }
location /proxied404 { error_page 404 /handler; return 404; }
location /loop { error_page 404 /loop/again; return 404; }
location /loop/again { return 404; }
location /recursive { recursive_error_pages on; error_page 404 /recursive/second; return 404; }
location /recursive/second { recursive_error_pages on; error_page 404 /gone; return 404; }
location /norecursive { error_page 404 /norecursive/second; return 404; }
location /norecursive/second { error_page 404 /gone; return 404; }
location /endless { recursive_error_pages on; error_page 404 /endless; return 404; }
location /variable { error_page 404 /pages/$arg_p; return 404; }
location /pages/ { return 200 "variable page $uri\n"; }
location /redirect { error_page 404 =302 http://other.test/; return 404; }
location /redirect301 { error_page 404 =301 http://other.test/; return 404; }
location /redirect200 { error_page 404 =200 http://other.test/; return 404; }
location /named404 { error_page 404 @named; return 404; }
location @named { proxy_pass http://127.0.0.1:{{origin}}; }
location /missingnamed { error_page 404 @nowhere; return 404; }
location /text { error_page 404 /gone; return 404 "own text\n"; }
location /post { error_page 404 /echo; return 404; }
location /echo { return 200 "$request_method $uri $request_uri\n"; }
location /401 { error_page 401 /echo; return 401; }
location /405 { error_page 405 =200 $uri/x; return 405; }
location /405/x { return 200 "was 405\n"; }
location /400 { error_page 400 /echo; return 400; }
location /414 { error_page 414 /echo; return 414; }
`},
		Cases: []Case{
			{Name: "inherited from http", Req: get("/x"), Want: "HTTP/1.1 404"},
			{Name: "uri page keeps the status", Req: get("/five/500"), Want: "50x page uri=/50x request=/five/500"},
			{Name: "503", Req: get("/five/503"), Want: "503 Service"},
			{Name: "504", Req: get("/five/504"), Want: "504 Gateway"},
			{Name: "named location with its own status", Req: get("/teapot"), Want: "202 Accepted"},
			{Name: "other status", Req: get("/own"), Want: "410 Gone"},
			{Name: "status 200", Req: get("/keep"), Want: "200 OK"},
			{Name: "status of the handler", Req: get("/equals"), Want: "201 Created"},
			{Name: "status of the backend", Req: get("/proxied"), Origin: []Reply{Answer(reply("203 Odd", "b"))}, Want: "203"},
			{Name: "status kept over the backend's", Req: get("/proxied404"), Origin: []Reply{Answer(reply("203 Odd", "b"))}, Want: "404 Not Found"},
			{Name: "error within an error page", Req: get("/loop"), Want: "404 Not Found"},
			{Name: "recursive", Req: get("/recursive"), Want: "gone"},
			{Name: "not recursive", Req: get("/norecursive"), Want: "404 Not Found"},
			{Name: "endless recursion ends", Req: get("/endless"), Want: "500 Internal Server Error", ErrorLog: true},
			{Name: "page by variable", Req: get("/variable?p=seven"), Want: "variable page /pages/seven"},
			{Name: "redirect with 302", Req: get("/redirect"), Want: "Location: http://other.test/"},
			{Name: "redirect with 301", Req: get("/redirect301"), Want: "301 Moved Permanently"},
			{Name: "redirect with 200 is 302", Req: get("/redirect200"), Want: "302 Moved Temporarily"},
			{Name: "named location that proxies", Req: get("/named404?a=b"), Want: "GET /named404?a=b"},
			{Name: "named location that is missing", Req: get("/missingnamed"), Want: "500 Internal Server Error", ErrorLog: true},
			{Name: "text of return against error_page", Req: get("/text"), Want: "HTTP/1.1 404"},
			{Name: "POST becomes GET for a uri", Req: request("POST", "/post", "x"), Want: "GET /echo /post"},
			{Name: "HEAD stays HEAD", Req: request("HEAD", "/post", ""), Want: "404 Not Found"},
			{Name: "DELETE becomes GET", Req: request("DELETE", "/post", ""), Want: "GET /echo"},
			{Name: "401", Req: get("/401"), Want: "401 Unauthorized"},
			{Name: "405 with variable uri", Req: get("/405"), Want: "was 405"},
			{Name: "400", Req: get("/400"), Want: "400 Bad Request"},
			{Name: "414", Req: get("/414"), Want: "414 Request-URI Too Large"},
			{Name: "error page and keep-alive", Steps: []Step{On(Send(keep("GET", "/own", "")+get("/keep")), Await(2))}, Want: "410 Gone"},
		},
	}.Run(t)
}

func TestParityErrorPageOfBadRequests(t *testing.T) {
	Suite{
		Config: Config{HTTP: `client_header_buffer_size 1k; large_client_header_buffers 2 1k;`, Server: `
error_page 400 /page; error_page 414 /page; error_page 494 =431 /page; error_page 505 /page; error_page 405 /page; error_page 501 /page;
location = /page { return 200 "own page $status $request_method [$uri] [$request]\n"; }
location / { return 200 "ok\n"; }
`},
		Cases: []Case{
			{Name: "bad request line", Req: "BAD\r\n\r\n", Want: "own page"},
			{Name: "no Host", Req: "GET / HTTP/1.1\r\n\r\n", Want: "own page"},
			{Name: "uri too long", Req: get("/" + strings.Repeat("x", 2000)), Want: "own page"},
			{Name: "header too long", Req: get("/", "X: "+strings.Repeat("x", 2000)), Want: "own page"},
			{Name: "version", Req: "GET / HTTP/3.0\r\n\r\n", Want: "own page"},
			{Name: "TRACE", Req: request("TRACE", "/", ""), Want: "own page"},
			{Name: "unknown transfer coding", Req: request("POST", "/", "", "Transfer-Encoding: x"), Want: "own page"},
		},
	}.Run(t)
}

func TestParityServerTokens(t *testing.T) {
	Suite{
		Config: Config{Server: `
location / { return 404; }
location /off { server_tokens off; return 404; }
location /offok { server_tokens off; return 200 "ok\n"; }
location /on { server_tokens on; return 404; }
location /proxied { server_tokens off; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "default", Req: get("/"), Want: "Server: PRODUCT/VERSION"},
			{Name: "off", Req: get("/off"), Want: "Server: PRODUCT\u240d"},
			{Name: "off, ok", Req: get("/offok"), Want: "Server: PRODUCT\u240d"},
			{Name: "on", Req: get("/on"), Want: "<center>PRODUCT/VERSION</center>"},
			{Name: "off, HEAD", Req: request("HEAD", "/off", ""), Want: "Server: PRODUCT\u240d"},
			{Name: "Server of the backend is hidden", Req: get("/proxied"), Origin: []Reply{Answer(reply("200 OK", "x", "Server: backend/1", "Date: Mon, 01 Jan 2024 00:00:00 GMT"))}, Want: "Server: PRODUCT\u240d"},
		},
	}.Run(t)
}
