package server

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
)

// steadyHTTP has a page of each kind that is to be served without allocating.
const steadyHTTP = `
proxy_cache_path {{dir}} keys_zone=z:8m;
log_format timed '$remote_addr [$time_local] "$request" $status $body_bytes_sent $upstream_cache_status $request_time $upstream_response_time';
access_log access.log timed buffer=32k flush=1s;
upstream app { server {{origin}}; keepalive 8; }
server {
	listen {{listen}}; keepalive_requests 1000000;
	location = /return { return 200 "ok\n"; }
	location /cached { proxy_pass http://app; proxy_cache z; proxy_cache_valid 60s; proxy_cache_lock on; add_header X-Cache $upstream_cache_status; }
	location /proxied { proxy_pass http://app; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
		proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }
	location /post { proxy_pass http://app; }
}`

// plainOrigin answers every request, of one packet, with the same bytes: it
// allocates nothing itself, so that what is counted is the server's.
func plainOrigin(t testing.TB, body string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 16<<10)
				for n := 0; ; {
					k, err := c.Read(buf[n:])
					if err != nil {
						return
					}
					n += k
					if at := bytes.Index(buf[:n], []byte("\r\n\r\n")); at < 0 || bytes.HasPrefix(buf[:n], []byte("POST")) && n < at+4+100 {
						continue
					}
					n = 0
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func TestSteadyRequestsAllocateNothing(t *testing.T) {
	body := strings.Repeat("x", 1024)
	w := newWorld(t, steadyHTTP, "origin", plainOrigin(t, body), "dir", t.TempDir())
	for _, request := range []string{
		getRequest("/return"), getRequest("/cached?page=1"), getRequest("/proxied"),
		"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("b", 100),
	} {
		name := strings.Fields(request)[1]
		t.Run(name, func(t *testing.T) {
			p := w.dial()
			out, in := []byte(request), make([]byte, 8<<10)
			want := 0
			once := func() {
				if _, err := p.Write(out); err != nil {
					t.Fatal(err)
				}
				if want == 0 { // the first answer tells how long they are
					p.send("")
					n, err := p.Read(in)
					if err != nil {
						t.Fatal(err)
					}
					head := bytes.Index(in[:n], []byte("\r\n\r\n")) + 4
					want = n
					if !strings.Contains(name, "return") {
						want = head + len(body)
						if _, err := io.ReadFull(p.Conn, in[:want-n]); err != nil {
							t.Fatal(err)
						}
					}
					return
				}
				if _, err := io.ReadFull(p.Conn, in[:want]); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 {
				once()
				if strings.Contains(name, "cached") {
					want = 0 // MISS is as long as HIT, but let no luck be in it
				}
			}
			once()
			const requests = 4000
			// The runtime and the log's writer allocate now and then, so none per
			// request means few in all.
			if n := mallocsOf(requests, once); n > requests/20 {
				t.Errorf("%d allocations in %d requests", n, requests)
			}
		})
	}
}

// mallocsOf counts the allocations of the whole process while f is called n times.
func mallocsOf(n int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
