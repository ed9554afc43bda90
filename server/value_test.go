package server

import (
	"strings"
	"testing"
)

func TestValuesStayWithinTheirLine(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		if len(x.req.Header["Evil"]) > 0 {
			x.reply("200 OK", "split")
			return
		}
		x.reply("200 OK", x.req.URL.Path+" "+x.req.Header.Get("X-Path"))
	})
	w := newWorld(t, `server { listen {{listen}};
		location /h { add_header X-U $uri; return 200 x; }
		location /l { return 302 $uri; }
		location /a { return 302 http://h$uri; }
		location /m { add_header X-U "$host$uri"; return 200 x; }
		location /p { proxy_set_header X-Path $uri; proxy_pass http://{{origin}}; }
		location /d { proxy_pass http://{{origin}}$uri; }
	}`, "origin", o.addr())
	const tail = "%0d%0aEvil:%201"
	for _, path := range []string{"/h", "/l", "/a", "/m", "/p", "/d"} {
		a := w.get(path + tail)
		if a.header.Get("Evil") != "" || a.body == "split" {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if got := w.get("/l" + tail).header.Get("Location"); !strings.HasSuffix(got, "/l%0D%0AEvil:%201") {
		t.Errorf("Location %q", got)
	}
	if got := w.get("/h" + tail).header.Get("X-U"); got != "/h  Evil: 1" {
		t.Errorf("X-U %q", got)
	}
}

func TestVariables(t *testing.T) {
	w := newWorld(t, `
	server { listen {{listen}}; server_name ~^(?P<who>\w+)\.test$;
		location ~ ^/re/(?<first>\w+)/(\w+) { return 200 "$first|$1|$2|$who|$uri|$args|$arg_b|$arg_none|$cookie_c|$http_x_y|$is_args|$request_uri"; }
		location / { return 200 "$scheme $host $request_method $server_protocol $remote_addr $content_length $request_length $server_port"; }
	}`)
	a := w.ask("GET /re/one/two%20x?a=1&B=2&b=3 HTTP/1.1\r\nHost: Joe.test\r\nCookie: a=1; c=v\r\nX-Y: 1\r\nX-Y: 2\r\n\r\n")
	if want := "one|one|two|joe|/re/one/two x|a=1&B=2&b=3|2||v|1, 2|?|/re/one/two%20x?a=1&B=2&b=3"; a.body != want {
		t.Errorf("%q\nwant %q", a.body, want)
	}
	const req = "PUT /x HTTP/1.0\r\nHost: joe.test\r\nContent-Length: 3\r\n\r\n"
	a = w.ask(req + "abc")
	if want := "http joe.test PUT HTTP/1.0 127.0.0.1 3 " + itoa(len(req)) + " " + w.port; a.body != want {
		t.Errorf("%q\nwant %q", a.body, want)
	}
}

func TestClientFieldsGoOnAsTheyWereSent(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		h := x.req.Header
		x.reply("200 OK", strings.Join([]string{h.Get("A"), h.Get("B"), h.Get("C"), h.Get("D"), h.Get("E"), h.Get("F"), h.Get("Te"), h.Get("Gone")}, "|"))
	})
	w := newWorld(t, `server { listen {{listen}}; location / { proxy_pass http://{{origin}}; proxy_set_header Gone ""; } }`, "origin", o.addr())
	a := w.ask("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nHost: h\r\nTE: x\r\nC:3\r\nD:  4 \r\nGone: 5\r\nE: 6\nF: \t7\r\nConnection: close\r\n\r\n")
	if want := "1|2|3|4|6|7||"; a.body != want {
		t.Errorf("%q, want %q", a.body, want)
	}
}

func itoa(n int) string { return string(appendInt(nil, int64(n))) }
