//go:build linux

package server

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pipeEnds counts the process's descriptors of pipes.
func pipeEnds() (n int) {
	all, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range all {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

const moveHTTP = `
log_format sent '$uri $status $bytes_sent $body_bytes_sent $upstream_response_length $upstream_bytes_received';
access_log access.log sent;
upstream app { server {{origin}}; keepalive 8; }
server {
	listen {{listen}}; keepalive_requests 1000000; proxy_http_version 1.1; proxy_set_header Connection "";
	location / { proxy_pass http://app; proxy_temp_path tmp; }
	location /off/ { proxy_pass http://app; proxy_buffering off; }
}`

func TestBodiesOfAllSizesAreForwarded(t *testing.T) {
	for _, how := range []string{"/at-once/", "/in-pieces/", "/body-later/", "/off/"} {
		t.Run(how[1:], func(t *testing.T) {
			before := pipeEnds()
			o := newOrigin(t, func(x *exchangeScript) {
				size, _ := strconv.Atoi(x.req.URL.Path[len(how):])
				body := pattern(size)
				if how == "/at-once/" || how == "/off/" {
					x.reply("200 OK", body)
					return
				}
				fmt.Fprintf(x, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
				step := 3000 + size/50
				if how == "/body-later/" {
					time.Sleep(2 * time.Millisecond)
					step = size + 1
				}
				for i := 0; i < size; i += step {
					io.WriteString(x, body[i:min(size, i+step)])
				}
			})
			w := newWorld(t, moveHTTP, "origin", o.addr())
			p := w.dial()
			lines := 0
			for _, size := range []int{0, 1, 3900, 4096, 5000, 16384, 20000, 32768, 40000, 65535, 65536, 70000, 100000, 102400, 131072,
				262144, 262145, 300000, 1000000, 3 << 20, 100, 150000, 10} {
				for range 2 {
					p.send(getRequest(how + itoa(size)))
					if a := p.read("GET"); a.err != nil || a.status != 200 || a.body != pattern(size) || a.length != int64(size) {
						t.Fatalf("%d: %d, %d bytes, %v", size, a.status, len(a.body), a.err)
					}
					lines++
				}
			}
			if n := o.conns.Load(); n != 1 {
				t.Errorf("%d connections to the backend", n)
			}
			if pipeEnds() == before {
				t.Error("nothing was moved")
			}
			eventually(t, "all are logged", func() bool { return strings.Count(w.file("access.log"), "\n") == lines })
			for line := range strings.Lines(w.file("access.log")) {
				var uri string
				var status, all, sent, length, received int
				fmt.Sscan(line, &uri, &status, &all, &sent, &length, &received)
				size, _ := strconv.Atoi(uri[len(how):])
				if sent != size || length != size || all < size+50 || all > size+300 || received < size+30 || received > size+100 {
					t.Errorf("logged: %s", line)
				}
			}
		})
	}
}

// What a backend says after its response goes to nobody, and the connection is not used again.
func TestExcessAfterMovedBody(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"+pattern(200000)+"HTTP/1.1 200 OK\r\n\r\nsmuggled")
	})
	w := newWorld(t, moveHTTP, "origin", o.addr())
	p := w.dial()
	for i := range 5 {
		p.send(getRequest("/"))
		if a := p.read("GET"); a.err != nil || a.body != pattern(200000) {
			t.Fatalf("%d bytes, %v", len(a.body), a.err)
		}
		if n := int(o.conns.Load()); n != i+1 {
			t.Errorf("%d connections after %d requests", n, i+1)
		}
	}
}

// A backend that ends in the middle of what is being moved.
func TestMovedBodyCutShort(t *testing.T) {
	for _, sent := range []int{10, 5000, 70000, 300000} {
		o := newOrigin(t, func(x *exchangeScript) {
			fmt.Fprintf(x, "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n%s", pattern(sent))
			x.Close()
		})
		w := newWorld(t, moveHTTP, "origin", o.addr())
		a := w.get("/")
		if a.err != io.ErrUnexpectedEOF || a.body != pattern(sent) {
			t.Errorf("%d of %d bytes, %v", len(a.body), sent, a.err)
		}
		eventually(t, "the failure is logged", func() bool {
			return strings.Contains(w.file("error.log"), "upstream prematurely closed connection while reading upstream")
		})
		w.checkPools()
	}
}

// Clients that leave in the middle leave nothing behind.
func TestClientLeavesWhileBodyIsMoved(t *testing.T) {
	before := pipeEnds()
	o := newOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
		for piece := strings.Repeat("x", 1<<20); ; {
			if _, err := io.WriteString(x, piece); err != nil {
				return
			}
		}
	})
	w := newWorld(t, moveHTTP, "origin", o.addr())
	for i := range 100 {
		p := w.slowPeer()
		p.send(getRequest([]string{"/", "/off/"}[i%2]))
		if _, err := io.CopyN(io.Discard, p.r, int64(i)*5000+1); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			p.Close()
		} else {
			p.closeHard()
		}
	}
	eventually(t, "all is over", func() bool { return w.srv.Stats().Active == 0 && o.openConns() == 0 })
	w.checkPools()
	w.srv.Stop()
	if n := pipeEnds(); n > before {
		t.Errorf("%d ends of pipes, %d before", n, before)
	}
}

// Many slow clients of large responses: pipes are bounded, and all get all.
func TestManySlowClientsOfMovedBodies(t *testing.T) {
	const size = 3 << 20
	before := pipeEnds()
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", pattern(size)) })
	w := newWorld(t, moveHTTP, "origin", o.addr())
	var peers []*peer
	for i := range 200 {
		p := w.slowPeer()
		p.send(getRequest([]string{"/", "/off/"}[i%2]))
		peers = append(peers, p)
	}
	if n := pipeEnds() - before; n > 2*128 {
		t.Errorf("%d ends of pipes", n)
	}
	for i, p := range peers {
		p.SetDeadline(time.Now().Add(patience))
		if a := p.read("GET"); a.err != nil || a.body != pattern(size) {
			t.Fatalf("client %d: %d bytes, %v", i, len(a.body), a.err)
		}
	}
	w.checkPools()
}
