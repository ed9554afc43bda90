package itest

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Faults of clients. What makes sense on nginx also runs there, to show that the test itself is sound.

func TestFaultTrickledHeadIsEnded(t *testing.T) {
	cfg := Config{Server: `client_header_timeout 500ms; location / { return 200 "ok\n"; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		start := time.Now()
		heard := w.Ask(Trickle(strings.Repeat("GET / HTTP/1.1\r\nHost: example.com\r\nX: y", 3), 20*time.Millisecond))
		if heard.End == EndOpen {
			t.Errorf("the connection was left open")
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
		mustNotContain(t, string(heard.Raw), "200 OK")
		mustContain(t, w.AskText(get("/")), "ok")
	})
}

func TestFaultManyTricklingClientsLeaveRoomForOthers(t *testing.T) {
	cfg := Config{Server: `client_header_timeout 1s; location / { return 200 "ok\n"; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		stop := make(chan struct{})
		var wait sync.WaitGroup
		for range 200 {
			wait.Go(func() { w.Ask(Send("GET / HTTP/1.1\r\nHost: exa"), Hold(stop), Close()) })
		}
		for range 20 {
			mustContain(t, w.AskText(get("/")), "ok")
		}
		close(stop)
		wait.Wait()
	})
}

func TestFaultVanishingClientFreesItsBackend(t *testing.T) {
	cfg := Config{Server: `location / { proxy_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		w.Origin[0].Script(Does(Stall()))
		for _, end := range []Act{Reset(), Close()} {
			arrived := len(w.Origin[0].Received())
			w.Ask(Send(get("/")), Call(func() { w.Origin[0].WaitRequests(arrived + 1) }), end)
			w.Origin[0].WaitOpenConns(0)
		}
		w.Origin[0].Script(Does(Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin"), Stall()))
		w.Ask(Send(get("/")), AwaitText("begin"), Reset())
		w.Origin[0].WaitOpenConns(0)
	})
}

func TestFaultVanishingClientWithinItsBody(t *testing.T) {
	cfg := Config{Server: `location / { proxy_pass http://127.0.0.1:{{origin}}; } location /stream { proxy_request_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		w.Ask(Send(request("POST", "/", "", "Content-Length: 1000")+"half"), Reset())
		w.Ask(Send(request("POST", "/stream", "", "Content-Length: 1000")+"half"), Pause(50*time.Millisecond), Reset())
		w.Origin[0].WaitOpenConns(0)
		mustContain(t, w.AskText(get("/")), "origin")
		for _, r := range w.Origin[0].Received() {
			if strings.HasPrefix(r.Head, "POST / ") {
				t.Errorf("a half body was passed on: %q", r.Head)
			}
		}
	})
}

func TestFaultThousandPipelinedRequests(t *testing.T) {
	cfg := Config{HTTP: cacheHTTP, Server: `
keepalive_requests 2000;
location / { return 200 "answer\n"; }
location /proxied { proxy_pass http://127.0.0.1:{{origin}}; }
location /cached { proxy_cache cache; proxy_cache_valid 200 60s; proxy_pass http://127.0.0.1:{{origin}}; }
`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		for _, target := range []string{"/", "/cached", "/proxied"} {
			var b strings.Builder
			for range 999 {
				b.WriteString(keep("GET", target, ""))
			}
			b.WriteString(get(target))
			sent := make(chan struct{})
			// Written beside the reading: the answers fill the socket long before the last request is sent.
			c := w.dial("port")
			go func() {
				defer close(sent)
				_, _ = c.conn.Write([]byte(b.String()))
			}()
			heard := c.run(t, nil)
			<-sent
			answers := splitMessages(heard.Raw, nil)
			for i, m := range answers {
				if !m.complete || m.status != 200 {
					t.Fatalf("%s: answer %d: %q", target, i, m.head)
				}
			}
			if len(answers) != 1000 || heard.End != EndClosed {
				t.Errorf("%s: %d answers, %s", target, len(answers), heard.End)
			}
		}
	})
}

// slowReader asks for target and takes rate bytes a second until stop is closed; its socket buffer is as small as can be.
func slowReader(w *World, target string, rate int, stop <-chan struct{}) (got int, err error) {
	dialer := net.Dialer{Timeout: clientPatience, Control: func(_, _ string, raw syscall.RawConn) error {
		var set error
		if err := raw.Control(func(fd uintptr) {
			set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		}); err != nil {
			return err
		}
		return set
	}}
	conn, err := dialer.Dial("tcp4", w.addr("port"))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(get(target))); err != nil {
		return 0, err
	}
	buf := make([]byte, rate/10)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return got, nil
		case <-tick.C:
		}
		_ = conn.SetReadDeadline(time.Now().Add(clientPatience))
		n, err := conn.Read(buf)
		got += n
		if err != nil {
			return got, err
		}
	}
}

// anonymousMemory is the server's RssAnon in bytes.
func anonymousMemory(t *testing.T, w *World) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(w.Pid()) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no RssAnon in /proc")
	return 0
}

// 200 clients read a 100 MB answer at 1 KB/s: what they do not take must stay with the backend.
func TestFaultSlowReadersDoNotGrowMemory(t *testing.T) {
	cfg := Config{HTTP: cacheHTTP, Server: `
proxy_max_temp_file_size 0;
location /buffered { proxy_pass http://127.0.0.1:{{origin}}; }
location /unbuffered { proxy_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
`}
	t.Parallel()
	for _, target := range []string{"/buffered", "/unbuffered"} {
		t.Run(target[1:], func(t *testing.T) {
			onSeawall(t, cfg, func(t *testing.T, w *World) {
				const clients, block = 200, 64 << 10
				w.Origin[0].Script(Does(Send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 100<<20)), Repeat(strings.Repeat("x", block), 100<<20/block)))
				mustContain(t, w.AskText(request("HEAD", target, "")), "200 OK") // what the first request allocates is not growth
				w.Origin[0].Script(Does(Send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 100<<20)), Repeat(strings.Repeat("x", block), 100<<20/block)))
				before := anonymousMemory(t, w)
				stop := make(chan struct{})
				var wait sync.WaitGroup
				for range clients {
					wait.Go(func() {
						got, err := slowReader(w, target, 1<<10, stop)
						if err != nil || got < 1<<10 {
							t.Errorf("a slow client got %d bytes and %v", got, err)
						}
					})
				}
				most := 0
				for range 25 {
					time.Sleep(200 * time.Millisecond)
					most = max(most, anonymousMemory(t, w))
				}
				if growth := most - before; growth >= 64<<20 {
					t.Errorf("memory grew by %d MB", growth>>20)
				}
				// Others are served meanwhile.
				w.Origin[1].Script()
				close(stop)
				wait.Wait()
				w.Origin[0].WaitOpenConns(0)
			})
		})
	}
}

// A slow client must not hold the application: the whole answer is taken off the backend's hands.
func TestFaultSlowReaderDoesNotHoldTheBackend(t *testing.T) {
	cfg := Config{Server: `location / { proxy_pass http://127.0.0.1:{{origin}}; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		body := strings.Repeat("0123456789abcdef", 4<<20/16)
		taken := make(chan struct{})
		w.Origin[0].Script(Does(Send(reply("200 OK", body)), Call(func() { close(taken) })))
		heard := w.Ask(Send(get("/")), Hold(taken)) // not a byte is read before the backend has sent everything
		mustContain(t, normalResponses(heard, w.Places, nil), fmt.Sprintf("%d bytes, hash %x", len(body), hashText(body)))
	})
}

func TestFaultSlowUploaderDoesNotHoldTheBackend(t *testing.T) {
	cfg := Config{Server: `client_max_body_size 10m; location / { proxy_pass http://127.0.0.1:{{origin}}; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		body := strings.Repeat("0123456789abcdef", 1<<20/16)
		heard := w.Ask(
			Send(request("POST", "/", "", "Content-Length: "+itoa(len(body)))+body[:len(body)/2]), Pause(200*time.Millisecond),
			Call(func() {
				if n := w.Origin[0].Conns(); n != 0 {
					t.Errorf("the backend has %d connections before the body is complete", n)
				}
			}),
			Send(body[len(body)/2:]))
		mustContain(t, string(heard.Raw), "200 OK")
		if got := w.Origin[0].Received(); len(got) != 1 || hashText(string(got[0].Body)) != hashText(body) {
			t.Errorf("the body came changed")
		}
	})
}

// Descriptors run out: accepting pauses, the log says so, nothing breaks, and service resumes when some are free again.
func TestFaultDescriptorsRunOut(t *testing.T) {
	cfg := Config{Server: `location / { return 200 "ok\n"; }`, Limit: 64, Events: "worker_connections 500;"}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		release := make(chan struct{})
		var held sync.WaitGroup
		for range 150 {
			// Half a head: these are not idle, so that none of them may be closed to make room.
			held.Go(func() { w.Ask(Send("GET / HTTP/1.1\r\nHost: example.com\r\n"), Hold(release), Close()) })
		}
		w.waitLog("logs/error.log", "(24: Too many open files)")
		close(release)
		held.Wait()
		mustContain(t, w.AskText(get("/")), "ok")
		for _, a := range crowd(w, 20, func(int) []Act { return []Act{Send(get("/"))} }) {
			mustContain(t, a, "ok")
		}
	})
}

// Idle keep-alive connections give way when descriptors or worker_connections are used up: everybody gets an answer.
func TestFaultIdleConnectionsGiveWay(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"descriptors":        {Server: `location / { return 200 "ok\n"; }`, Limit: 64, Events: "worker_connections 500;"},
		"worker_connections": {Server: `location / { return 200 "ok\n"; }`, Events: "worker_connections 40;"},
	} {
		t.Run(name, func(t *testing.T) {
			onSeawall(t, cfg, func(t *testing.T, w *World) {
				// One after the other: a connection is idle only when its answer is out.
				for i := range 150 {
					c := w.dial("port")
					defer c.conn.Close()
					c.do(t, Send(keep("GET", "/", "")))
					c.do(t, Await(1))
					if !strings.Contains(string(c.heard.Raw), "200 OK") {
						t.Fatalf("client %d got %q, %s", i, c.heard.Raw, c.heard.End)
					}
				}
				mustContain(t, w.AskText(get("/")), "ok")
				// All at once: those beyond the limit wait until others are answered.
				var clients sync.WaitGroup
				for range 150 {
					c := w.dial("port")
					defer c.conn.Close()
					clients.Go(func() {
						c.do(t, Send(keep("GET", "/", "")))
						c.do(t, Await(1))
						if !strings.Contains(string(c.heard.Raw), "200 OK") {
							t.Errorf("in a burst: %q, %s", c.heard.Raw, c.heard.End)
						}
					})
				}
				clients.Wait()
			})
		})
	}
}

func TestFaultTunnelCarriesMuchBothWays(t *testing.T) {
	cfg := Config{Server: `location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass http://127.0.0.1:{{origin}}; }`}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		const size = 4 << 20
		block := strings.Repeat("0123456789abcdef", 4096)
		w.Origin[0].Script(Does(
			Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
			Repeat(block, size/len(block)), ReadMore(size), Send("end"), Close()))
		c := w.dial("port")
		c.do(t, Send("GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"))
		c.do(t, AwaitText("101 Switching"))
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for range size / len(block) {
				if _, err := c.conn.Write([]byte(block)); err != nil {
					return
				}
			}
		}()
		heard := c.run(t, nil)
		<-sent
		_, data, _ := strings.Cut(string(heard.Raw), "\r\n\r\n")
		if len(data) != size+3 || !strings.HasSuffix(data, "end") {
			t.Errorf("the client got %d bytes of %d", len(data), size+3)
		}
		if more := w.Origin[0].More(); len(more) != size || hashText(string(more)) != hashText(strings.Repeat(block, size/len(block))) {
			t.Errorf("the origin got %d bytes of %d, or changed ones", len(more), size)
		}
	})
}
