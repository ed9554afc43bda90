package server

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowBody is long enough to fill the kernel's buffers on both sides.
const slowBody = 12 << 20

func TestSlowReaderGetsAll(t *testing.T) {
	body := pattern(slowBody)
	for _, how := range []struct{ name, set string }{
		{"held back", "proxy_max_temp_file_size 0;"},
		{"unbuffered", "proxy_buffering off;"},
		{"spooled", ""},
		{"small spool", "proxy_max_temp_file_size 1m; proxy_temp_file_write_size 64k;"},
	} {
		for _, framing := range []string{"length", "chunked", "close"} {
			t.Run(how.name+" "+framing, func(t *testing.T) {
				t.Parallel()
				sent := make(chan struct{})
				o := newOrigin(t, func(x *exchangeScript) {
					switch framing {
					case "length":
						x.reply("200 OK", body)
					case "chunked":
						io.WriteString(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
						for i := 0; i < len(body); i += 1 << 20 {
							fmt.Fprintf(x, "%x\r\n%s\r\n", 1<<20, body[i:i+1<<20])
						}
						io.WriteString(x, "0\r\n\r\n")
					default:
						io.WriteString(x, "HTTP/1.1 200 OK\r\n\r\n"+body)
						x.Close()
					}
					close(sent)
				})
				w := newWorld(t, "server { listen {{listen}}; location / { proxy_pass http://{{origin}}; proxy_temp_path tmp; "+how.set+" } }", "origin", o.addr())
				p := w.slowPeer()
				p.send(getRequest("/"))
				if how.name == "spooled" {
					select {
					case <-sent: // the backend is free before the client has read a byte
					case <-time.After(patience):
						t.Fatal("the backend was held back")
					}
				} else {
					time.Sleep(100 * time.Millisecond)
				}
				a := p.read("GET")
				if a.status != 200 || a.err != nil || a.body != body {
					t.Fatalf("%d, %d bytes, %v", a.status, len(a.body), a.err)
				}
				eventually(t, "the request is over", func() bool { return w.srv.Stats().Active == 0 })
				w.checkPools()
				if left, _ := os.ReadDir(w.dir + "/tmp"); len(left) > 0 {
					t.Errorf("files are left: %v", left)
				}
			})
		}
	}
}

func TestClientsThatStopReadingCostLittle(t *testing.T) {
	body := make([]byte, 20<<20)
	o := newOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 200 OK\r\nContent-Length: "+itoa(len(body))+"\r\n\r\n")
		x.Write(body)
	})
	w := newWorld(t, "server { listen {{listen}} sndbuf=64k; location / { proxy_pass http://{{origin}}; proxy_max_temp_file_size 0; } }", "origin", o.addr())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const clients = 50
	var peers []*peer
	for range clients {
		p := w.slowPeer()
		p.send(getRequest("/"))
		peers = append(peers, p)
	}
	eventually(t, "all are asked for", func() bool { return o.count.Load() == clients })
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > clients*256<<10 {
		t.Errorf("%d clients that do not read hold %d bytes", clients, grown)
	}
	for _, p := range peers {
		p.closeHard()
	}
	eventually(t, "all are gone", func() bool { return w.srv.Stats().Active == 0 })
	w.checkPools()
}

func TestRates(t *testing.T) {
	body := pattern(300 << 10)
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", body, "Cache-Control: max-age=60", "X-Accel-Limit-Rate: "+x.req.URL.Query().Get("rate"))
	})
	w := newWorld(t, `
	proxy_cache_path {{dir}} keys_zone=z:8m;
	server { listen {{listen}}; proxy_pass_header X-Accel-Limit-Rate;
		location /client { proxy_pass http://{{origin}}; limit_rate 150k; }
		location /variable { proxy_pass http://{{origin}}; limit_rate $arg_r; limit_rate_after 10k; }
		location /accel { proxy_pass http://{{origin}}; }
		location /backend { proxy_pass http://{{origin}}; proxy_limit_rate 150k; }
		location /cached { proxy_pass http://{{origin}}; proxy_cache z; limit_rate 150k; }
		location /free { proxy_pass http://{{origin}}; }
	}`, "origin", o.addr(), "dir", t.TempDir())
	if a := w.get("/cached"); a.body != body { // fills the cache
		t.Fatalf("%d bytes, %v", len(a.body), a.err)
	}
	for path, slow := range map[string]bool{"/client": true, "/variable?r=150k": true, "/accel?rate=150000": true, "/backend": true,
		"/cached": true, "/free": false, "/variable?r=0": false} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			a := w.get(path)
			took := time.Since(began)
			if a.status != 200 || a.err != nil || a.body != body {
				t.Errorf("%d, %d bytes, %v", a.status, len(a.body), a.err)
			}
			if slow != (took > 600*time.Millisecond) || took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// What a paced response still has comes without waiting for more from the backend.
func TestPacedBytesAreFlushed(t *testing.T) {
	release := make(chan struct{})
	o := newOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n"+strings.Repeat("a", 2000))
		x.wait(release)
		io.WriteString(x, strings.Repeat("b", 1000))
	})
	w := newWorld(t, "server { listen {{listen}}; location / { proxy_pass http://{{origin}}; limit_rate 1500; } }", "origin", o.addr())
	p := w.dial()
	p.send(getRequest("/"))
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	if _, err := io.CopyN(io.Discard, p.r, 2000); err != nil {
		t.Fatal(err)
	}
	close(release)
	if _, err := io.CopyN(io.Discard, p.r, 1000); err != nil {
		t.Fatal(err)
	}
}

func TestTunnel(t *testing.T) {
	const size = 6 << 20
	up, down := pattern(size), strings.Repeat("d", size)
	o := newLazyOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: t\r\n\r\n")
		got := make([]byte, size)
		if _, err := io.ReadFull(x.r, got); err != nil || string(got) != up {
			t.Errorf("upward: %v", err)
		}
		io.WriteString(x, down) // its end comes while the client still reads
		x.Close()
	})
	w := newWorld(t, `server { listen {{listen}}; location / { proxy_pass http://{{origin}};
		proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } }`, "origin", o.addr())
	p := w.slowPeer()
	p.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: t\r\n\r\n" + up[:1000])
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	p.send(up[1000:])
	p.Conn.(interface{ CloseWrite() error }).CloseWrite()
	time.Sleep(100 * time.Millisecond)
	b, err := io.ReadAll(p.r)
	if err != nil || string(b) != down {
		t.Errorf("downward: %d bytes, %v", len(b), err)
	}
	eventually(t, "the tunnel is over", func() bool { return w.srv.Stats().Active == 0 })
	w.checkPools()
}

// proxy_ignore_client_abort lets the backend end what it does.
func TestIgnoreClientAbort(t *testing.T) {
	var mu sync.Mutex
	ended := map[string]error{}
	o := newOrigin(t, func(x *exchangeScript) {
		_, err := io.WriteString(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for i := 0; i < 600 && err == nil; i++ {
			_, err = fmt.Fprintf(x, "%x\r\n%s\r\n", 64<<10, strings.Repeat("x", 64<<10))
		}
		if err == nil {
			_, err = io.WriteString(x, "0\r\n\r\n")
		}
		mu.Lock()
		ended[x.req.URL.Path] = err
		mu.Unlock()
	})
	w := newWorld(t, `server { listen {{listen}}; proxy_max_temp_file_size 0;
		location /on { proxy_pass http://{{origin}}; proxy_ignore_client_abort on; }
		location /off { proxy_pass http://{{origin}}; } }`, "origin", o.addr())
	for _, path := range []string{"/on", "/off"} {
		p := w.slowPeer()
		p.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
		p.r.Peek(1)
		p.closeHard()
	}
	eventually(t, "both have ended", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(ended) == 2
	})
	if ended["/on"] != nil || ended["/off"] == nil {
		t.Errorf("on: %v, off: %v", ended["/on"], ended["/off"])
	}
	eventually(t, "all is over", func() bool { return w.srv.Stats().Active == 0 })
	w.checkPools()
}
