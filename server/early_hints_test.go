package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const hintsHTTP = `
log_format sent "$uri $bytes_sent $body_bytes_sent";
access_log sent.log sent;
proxy_cache_path {{dir}} keys_zone=z:8m;
server { listen {{listen}};
	proxy_pass_header Date; proxy_hide_header X-Hidden;
	location / { proxy_pass http://{{origin}}; early_hints 0 $http_hints; }
	location /off { proxy_pass http://{{origin}}; }
	location /cached { proxy_pass http://{{origin}}; early_hints 1; proxy_cache z; proxy_cache_valid 60s; }
}`

const (
	hintsOfBackend = "HTTP/1.1 103 Whatever\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\nX-Hidden: h\r\nServer: s\r\n" +
		"Connection: X-Mine, close\r\nX-Mine: m\r\nKeep-Alive: k\r\nUpgrade: u\r\nContent-Length: 7\r\nX-Accel-Expires: 1\r\nDate: now\r\n\r\n"
	hintsToClient = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\nDate: now\r\n\r\n"
)

// rawHead reads a head as it is on the wire.
func (p *peer) rawHead() string {
	p.t.Helper()
	var b strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			p.t.Fatalf("%v after %q", err, b.String())
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// hintingOrigin sends a 103 and waits for goOn before the final response.
func hintingOrigin(t *testing.T, goOn chan struct{}) *origin {
	return newOrigin(t, func(x *exchangeScript) {
		if x.req.URL.Path == "/empty" {
			io.WriteString(x, "HTTP/1.1 103 Early Hints\r\nServer: s\r\n\r\n")
		} else {
			io.WriteString(x, hintsOfBackend)
		}
		x.wait(goOn)
		x.reply("200 OK", "body")
	})
}

// TestEarlyHints: the 103 comes before the backend has decided on its answer.
func TestEarlyHints(t *testing.T) {
	goOn := make(chan struct{}, 1)
	o := hintingOrigin(t, goOn)
	w := newWorld(t, hintsHTTP, "origin", o.addr(), "dir", t.TempDir())
	p := w.dial()
	for range 2 {
		p.send(getRequest("/x", "Hints: yes"))
		if got := p.rawHead(); got != hintsToClient {
			t.Errorf("got %q", got)
		}
		goOn <- struct{}{}
		head := p.rawHead()
		body := make([]byte, 4)
		io.ReadFull(p.r, body)
		if !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || strings.Contains(head, "Link") || string(body) != "body" {
			t.Errorf("got %q %q", head, body)
		}
		want := fmt.Sprintf("/x %d 4", len(hintsToClient)+len(head)+4)
		eventually(t, "log line "+want, func() bool { return strings.Contains(w.file("sent.log"), want) })
	}
}

// TestNoEarlyHints: who does not get the 103.
func TestNoEarlyHints(t *testing.T) {
	goOn := make(chan struct{})
	close(goOn)
	o := hintingOrigin(t, goOn)
	w := newWorld(t, hintsHTTP, "origin", o.addr(), "dir", t.TempDir())
	for name, request := range map[string]string{
		"off":       getRequest("/off", "Hints: yes"),
		"zero":      getRequest("/x", "Hints: 0"),
		"empty":     getRequest("/x"),
		"HTTP/1.0":  "GET /x HTTP/1.0\r\nHints: yes\r\n\r\n",
		"no fields": getRequest("/empty", "Hints: yes"),
	} {
		p := w.dial()
		p.send(request)
		if head := p.rawHead(); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
			t.Errorf("%s: %q", name, head)
		}
	}
}

// TestEarlyHintsOfFill: of those who wait for one response, only the client
// that it is asked for gets the 103.
func TestEarlyHintsOfFill(t *testing.T) {
	goOn := make(chan struct{})
	o := hintingOrigin(t, goOn)
	w := newWorld(t, strings.Replace(hintsHTTP, "proxy_cache z;", "proxy_cache z; proxy_cache_lock on;", 1), "origin", o.addr(), "dir", t.TempDir())
	leader, follower := w.dial(), w.dial()
	leader.send(getRequest("/cached"))
	if got := leader.rawHead(); got != hintsToClient {
		t.Errorf("got %q", got)
	}
	follower.send(getRequest("/cached"))
	follower.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := follower.r.Peek(1); err == nil || !err.(net.Error).Timeout() {
		t.Errorf("the follower got %q, %v", b, err)
	}
	follower.SetReadDeadline(time.Now().Add(patience))
	close(goOn)
	for name, p := range map[string]*peer{"leader": leader, "follower": {follower.Conn, t, bufio.NewReader(follower.Conn)}} {
		if head := p.rawHead(); !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%s: %q", name, head)
		}
	}
	if n := o.count.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestEarlyHintsToClientThatLeft: the request ends while the 103 is sent.
func TestEarlyHintsToClientThatLeft(t *testing.T) {
	left, goOn := make(chan struct{}), make(chan struct{})
	o := newOrigin(t, func(x *exchangeScript) {
		x.wait(left)
		for range 8 {
			io.WriteString(x, hintsOfBackend)
		}
		x.wait(goOn)
		x.reply("200 OK", "body")
	})
	w := newWorld(t, hintsHTTP, "origin", o.addr(), "dir", t.TempDir())
	for range 20 {
		p := w.dial()
		p.send(getRequest("/x", "Hints: yes"))
		eventually(t, "a request", func() bool { return o.openConns() > 0 })
		p.closeHard()
	}
	close(left)
	close(goOn)
	eventually(t, "the backends' connections at rest", func() bool { return w.get("/off").status == 200 })
	w.checkPools()
}
