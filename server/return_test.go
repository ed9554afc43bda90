package server

import (
	"io"
	"strings"
	"testing"
)

// The head of a plain `return` is kept and sent again, as long as it is right.
func TestReturnKeepsItsHead(t *testing.T) {
	const text = `server { listen {{listen}};
		types { text/html html; }
		default_type text/plain;
		location / { return 200 "ok\n"; }
		location /named { add_header X-Name $arg_name; return 200 "ok\n"; }
		location /status { return 404 "ok\n"; }
		location /text { return 200 "$arg_name\n"; }
	}`
	w := newWorld(t, text)
	p := w.dial()
	ask := func(path, want string, fields ...string) answer {
		t.Helper()
		p.send(getRequest(path, fields...))
		a := p.read("GET")
		if a.err != nil || a.body != want {
			t.Fatalf("%s: %d %q, %v", path, a.status, a.body, a.err)
		}
		return a
	}
	for range 3 {
		if a := ask("/a", "ok\n"); a.status != 200 || a.header.Get("Content-Type") != "text/plain" || a.header.Get("Content-Length") != "3" {
			t.Errorf("/a: %d, %v", a.status, a.header)
		}
		if a := ask("/a.html", "ok\n"); a.header.Get("Content-Type") != "text/html" {
			t.Errorf("/a.html: %v", a.header)
		}
		for _, name := range []string{"one", "two"} {
			if a := ask("/named?name="+name, "ok\n"); a.header.Get("X-Name") != name {
				t.Errorf("named %s: %v", name, a.header)
			}
			ask("/text?name="+name, name+"\n")
		}
		if a := ask("/status", "ok\n"); a.status != 404 {
			t.Errorf("/status: %d", a.status)
		}
		p.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n")
		if a := p.read("HEAD"); a.err != nil || a.body != "" || a.header.Get("Content-Length") != "3" {
			t.Errorf("HEAD: %q, %v", a.body, a.err)
		}
	}
	// The last on its connection says so, and leaves nothing behind.
	q := w.dial()
	q.send(getRequest("/a", "Connection: close"))
	if a := q.read("GET"); a.err != nil || a.body != "ok\n" {
		t.Errorf("the last: %q, %v", a.body, a.err)
	}
	if _, err := q.r.Peek(1); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	if a := ask("/a", "ok\n"); a.header.Get("Connection") != "keep-alive" {
		t.Errorf("after it: %v", a.header)
	}
	if err := w.reload(strings.Replace(text, "location / {", "location / { add_header X-New yes;", 1)); err != nil {
		t.Fatal(err)
	}
	if a := ask("/a", "ok\n"); a.header.Get("X-New") != "yes" {
		t.Errorf("after the reload: %v", a.header)
	}
}
