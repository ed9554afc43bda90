package server

import (
	"fmt"
	"io"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"seawall/httpparse"
)

func TestBodiesReachTheBackendWhole(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", x.body, fmt.Sprintf("X-Framing: %d %v", x.req.ContentLength, x.req.TransferEncoding))
	})
	w := newWorld(t, `server { listen {{listen}}; client_max_body_size 8m; client_body_temp_path tmp; proxy_max_temp_file_size 0;
		location /memory { proxy_pass http://{{origin}}; client_body_buffer_size 4m; }
		location /spooled { proxy_pass http://{{origin}}; client_body_buffer_size 1k; }
		location /odd { proxy_pass http://{{origin}}; client_body_buffer_size 3001; }
		location /streamed { proxy_pass http://{{origin}}; proxy_request_buffering off; client_body_buffer_size 5k; }
		location /old { proxy_pass http://{{origin}}; proxy_request_buffering off; proxy_http_version 1.0; }
		location /set { proxy_pass http://{{origin}}; proxy_set_body "<$request_body>"; }
		location /none { proxy_pass http://{{origin}}; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
	}`, "origin", o.addr())
	for _, place := range []string{"/memory", "/spooled", "/odd", "/streamed", "/old", "/set", "/none"} {
		for _, size := range []int{0, 1, 1000, 5000, 20000, 100000, 1 << 20} {
			for _, chunked := range []bool{false, true} {
				for _, split := range []bool{false, true} {
					body := pattern(size)
					want := body
					switch {
					case place == "/set" && size > 10000, place == "/set" && size < 1:
						continue // $request_body is for what is in memory
					case place == "/set":
						want = "<" + body + ">"
					case place == "/none":
						want = ""
					}
					request := "POST " + place + " HTTP/1.1\r\nHost: a\r\n"
					if chunked {
						var b strings.Builder
						c := httputil.NewChunkedWriter(&b)
						for rest := body; rest != ""; {
							n := min(len(rest), 7777)
							io.WriteString(c, rest[:n])
							rest = rest[n:]
						}
						c.Close()
						request += "Transfer-Encoding: chunked\r\n\r\n" + b.String() + "\r\n"
					} else {
						request += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body)
					}
					p := w.dial()
					if split {
						half := len(request) * 2 / 3
						p.send(request[:half])
						w.onLoop(func(*loopState) {})
						p.send(request[half:])
					} else {
						p.send(request)
					}
					if a := p.read("POST"); a.status != 200 || a.err != nil || a.body != want {
						t.Errorf("%s, %d bytes, chunked %v, split %v: %d, %d bytes, %v %v", place, size, chunked, split, a.status, len(a.body), a.err, a.header["X-Framing"])
					}
					// The connection goes on after it.
					p.send(getRequest("/memory"))
					if a := p.read("GET"); a.status != 200 || a.body != "" {
						t.Errorf("%s, %d bytes, chunked %v: then %+v", place, size, chunked, a)
					}
					p.Close()
				}
			}
		}
	}
	w.checkPools()
}

func TestBodyInFileOnly(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		path := x.req.Header.Get("X-File")
		stored, err := os.ReadFile(path)
		x.reply("200 OK", x.body, "X-File: "+path, fmt.Sprintf("X-Stored: %v %v", string(stored) == x.body, err))
	})
	w := newWorld(t, `server { listen {{listen}}; client_max_body_size 0; client_body_buffer_size 3001; proxy_set_header X-File $request_body_file;
		location /on { proxy_pass http://{{origin}}; client_body_in_file_only on; client_body_temp_path kept; }
		location /clean { proxy_pass http://{{origin}}; client_body_in_file_only clean; client_body_temp_path cleaned 2 1; }
		location /lost { proxy_pass http://{{origin}}; client_body_in_file_only on; client_body_temp_path nginx.conf; error_page 500 = /again; }
		location /again { proxy_pass http://{{origin}}; }
	}`, "origin", o.addr())
	n := 0
	for _, size := range []int{1, 3000, 3001, 3002, 9003, 100000} {
		body := pattern(size)
		for _, framing := range []string{
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body),
			fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body),
		} {
			for _, place := range []string{"/on", "/clean"} {
				n++
				name := fmt.Sprintf("%010d", n)
				want := w.dir + "/kept/" + name
				if place == "/clean" {
					want = w.dir + "/cleaned/" + name[8:] + "/" + name[7:8] + "/" + name
				}
				p := w.dial()
				p.send("POST " + place + " HTTP/1.1\r\nHost: a\r\n" + framing)
				a := p.read("POST")
				if a.status != 200 || a.body != body || a.header.Get("X-Stored") != "true <nil>" || a.header.Get("X-File") != want {
					t.Errorf("%s, %d bytes: %d, %d bytes, %v; want %s", place, size, a.status, len(a.body), a.header, want)
				}
				p.send(getRequest("/on"))
				if a := p.read("GET"); a.status != 200 || a.header.Get("X-File") != "" {
					t.Errorf("%s, %d bytes: then %+v", place, size, a)
				}
				if place == "/clean" {
					eventually(t, "the file is removed", func() bool { _, err := os.Stat(want); return os.IsNotExist(err) })
				} else if w.file("kept/"+name) != body {
					t.Errorf("%d bytes: the file has %d", size, len(w.file("kept/"+name)))
				}
			}
		}
	}
	// A body that cannot be written goes nowhere.
	a := w.ask("POST /lost HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
	if a.status != 200 || a.body != "" || !strings.Contains(w.file("error.log"), "[crit]") {
		t.Errorf("%+v", a)
	}
	w.checkPools()
}

func TestNumberedFilesPassOverTakenNames(t *testing.T) {
	dir := t.TempDir()
	var number atomic.Uint32
	for _, want := range []string{"1/0000000001", "7/0000123457"} {
		f, err := createNumbered(dir, []int{1}, &number)
		if err != nil || f.Name() != filepath.Join(dir, want) {
			t.Fatal(f.Name(), err)
		}
		f.Close()
		number.Store(0)
	}
}

func TestBodyIsSentAgainToTheNextBackend(t *testing.T) {
	bad := newOrigin(t, func(x *exchangeScript) { x.reply("503 Unavailable", "") })
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.body) })
	w := newWorld(t, `upstream app { server {{bad}} max_fails=0; server {{origin}} backup; }
	server { listen {{listen}}; client_body_temp_path tmp; client_max_body_size 0; proxy_next_upstream error http_503 non_idempotent;
		location / { proxy_pass http://app; }
		location /spooled { proxy_pass http://app; client_body_buffer_size 1k; }
		location /page { proxy_pass http://{{bad}}; proxy_intercept_errors on; error_page 503 = @other; }
		location /streamed { proxy_pass http://{{bad}}; proxy_request_buffering off; proxy_intercept_errors on; error_page 503 = @other; }
		location @other { proxy_pass http://{{origin}}; }
	}`, "origin", o.addr(), "bad", bad.addr())
	body := pattern(300000)
	request := func(path string) string {
		return fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	for _, path := range []string{"/", "/spooled", "/page"} {
		if a := w.ask(request(path)); a.status != 200 || a.body != body {
			t.Errorf("%s: %d, %d bytes", path, a.status, len(a.body))
		}
	}
	// What was passed on and not kept is not sent by halves.
	p := w.dial()
	p.send(request("/streamed")[:200000])
	w.onLoop(func(*loopState) {})
	p.send(request("/streamed")[200000:])
	if a := p.read("PUT"); a.status != 502 && a.body != body {
		t.Errorf("%d, %d bytes", a.status, len(a.body))
	}
}

func TestTooLargeBody(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "backend "+x.req.URL.Path+" "+x.body) })
	w := newWorld(t, `client_max_body_size 10;
	server { listen {{listen}};
		location /own { proxy_pass http://{{origin}}; }
		location /page { proxy_pass http://{{origin}}; error_page 413 /large; }
		location /large { return 200 "too large\n"; }
		location /proxied { proxy_pass http://{{origin}}; error_page 413 = /handler; }
		location /handler { proxy_pass http://{{origin}}; }
	}`, "origin", o.addr())
	const rest = " HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n01234567890123456789"
	for path, want := range map[string]string{"/own": "413 Request Entity Too Large", "/page": "too large\n", "/proxied": "backend /handler "} {
		a := w.ask("POST " + path + rest)
		if !strings.Contains(a.body, want) || path != "/proxied" && a.status != 413 {
			t.Errorf("%s: %+v", path, a)
		}
	}
	a := w.ask("POST /own HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n")
	if a.status != 413 {
		t.Errorf("chunked: %+v", a)
	}
}

// A backend that takes a streamed body slowly does not cost the client its time.
func TestFullBodyBufferIsNotTheClientsDelay(t *testing.T) {
	o := newLazyOrigin(t, func(x *exchangeScript) {
		time.Sleep(700 * time.Millisecond)
		n, _ := io.Copy(io.Discard, x.req.Body)
		x.reply("200 OK", itoa(int(n)))
	})
	w := newWorld(t, `server { listen {{listen}}; client_max_body_size 0; client_body_timeout 300ms;
		location / { proxy_pass http://{{origin}}; proxy_request_buffering off; } }`, "origin", o.addr())
	const size = 24 << 20
	p := w.dial()
	go func() {
		fmt.Fprintf(p.Conn, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
		p.Conn.Write(make([]byte, size))
	}()
	if a := p.read("PUT"); a.status != 200 || a.body != itoa(size) {
		t.Errorf("%+v", a)
	}
}

// A connection that brought a body reads the next one with its head; whatever
// comes instead is read as well.
func TestBodiesOfAllSizesOnOneConnection(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.req.Method+" "+x.body) })
	w := newWorld(t, "server { listen {{listen}}; client_body_buffer_size 8k; location / { proxy_pass http://{{origin}}; } }", "origin", o.addr())
	p := w.dial()
	for i, size := range []int{10 << 10, 10 << 10, 14 << 10, 20, 15 << 10, 15 << 10, 40 << 10, 40 << 10, 5000, 5001, 1} {
		body := pattern(size)
		post := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(size) + "\r\n\r\n" + body
		if i%2 == 0 {
			p.send(post)
		} else { // in two pieces, and another request behind it
			p.send(post[:50])
			p.send(post[50:] + getRequest("/"))
		}
		if a := p.read("POST"); a.err != nil || a.body != "POST "+body {
			t.Fatalf("POST of %d bytes: %d, %d bytes, %v", size, a.status, len(a.body), a.err)
		}
		if i%2 == 1 {
			if a := p.read("GET"); a.err != nil || a.body != "GET " {
				t.Fatalf("GET after a POST of %d bytes: %d %q, %v", size, a.status, a.body, a.err)
			}
		}
	}
}

func TestFirstReadFollowsTheLastBody(t *testing.T) {
	for _, c := range []struct {
		head int
		body int64
		want int32
	}{
		{100, -1, firstRead}, {100, 0, firstRead}, {100, 1000, firstRead}, {100, 10000, 10100},
		{100, bodyRead - 100, bodyRead}, {100, bodyRead - 99, firstRead}, {100, 1 << 62, firstRead},
	} {
		if got := firstReadAfter(&httpparse.Request{Head: httpparse.Head{HeadLen: c.head, ContentLength: c.body}}); got != c.want {
			t.Errorf("%d + %d: %d, want %d", c.head, c.body, got, c.want)
		}
	}
}
