package server

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// cachedHTTP is a cache before one backend.
const cachedHTTP = `
proxy_cache_path {{dir}} keys_zone=z:{{zone}} memory={{zone}} inactive=60s;
server {
	listen {{listen}};
	proxy_cache z; proxy_cache_valid 200 301 {{valid}}; proxy_cache_lock on; proxy_connect_timeout 2s;
	add_header X-Cache $upstream_cache_status always;
	location / { proxy_pass http://{{origin}}; {{more}} }
	{{locations}}
}`

func newCachedWorld(t testing.TB, o *origin, pairs ...string) *world {
	all := append([]string(nil), pairs...)
	for _, p := range [][2]string{{"origin", o.addr()}, {"zone", "8m"}, {"valid", "10s"}, {"more", ""}, {"locations", ""}, {"dir", t.TempDir()}} {
		given := false
		for i := 0; i < len(pairs); i += 2 {
			given = given || pairs[i] == p[0]
		}
		if !given {
			all = append(all, p[0], p[1])
		}
	}
	// {{origin}} stands in other values too
	text := cachedHTTP
	for range 2 {
		for i := 0; i < len(all); i += 2 {
			text = strings.ReplaceAll(text, "{{"+all[i]+"}}", all[i+1])
		}
	}
	return newWorld(t, text)
}

func TestStaleOnErrorGivesTheExchangeBackOnce(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		if x.n > 1 {
			x.Close()
			return
		}
		x.reply("200 OK", "first")
	})
	w := newCachedWorld(t, o, "valid", "1ms", "more", "proxy_cache_use_stale error;")
	if a := w.get("/"); a.body != "first" {
		t.Fatalf("%+v", a)
	}
	time.Sleep(5 * time.Millisecond) // the lifetime
	for range 3 {
		if a := w.get("/"); a.body != "first" || a.header.Get("X-Cache") != "STALE" {
			t.Fatalf("%+v", a)
		}
	}
	w.checkPools()
}

// A location that a failed cached one falls back to has no cache of its own.
func TestFallbackFromCachedToUncachedLocation(t *testing.T) {
	down := newOrigin(t, func(x *exchangeScript) { x.Close() })
	o := newOrigin(t, func(x *exchangeScript) { x.reply("304 Not Modified", "") })
	w := newCachedWorld(t, down, "more", "error_page 502 = @fallback; proxy_cache_revalidate on;",
		"locations", "location @fallback { proxy_cache off; proxy_pass http://"+o.addr()+"; }")
	for _, method := range []string{"GET", "HEAD"} {
		a := w.ask(method + " / HTTP/1.1\r\nHost: a\r\n\r\n")
		if a.status != 304 {
			t.Errorf("%s: %+v", method, a)
		}
	}
	if n := w.srv.Stats().Engine.Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}

// A fill whose body outgrows the cache holds the backend back, and goes on.
func TestWindowFillGoesOnAfterAPause(t *testing.T) {
	for _, lock := range []string{"on", "off"} {
		t.Run("lock "+lock, func(t *testing.T) {
			const size = 16 << 20
			body := pattern(size)
			o := newOrigin(t, func(x *exchangeScript) {
				io.WriteString(x, "HTTP/1.1 200 OK\r\n\r\n")
				io.WriteString(x, body)
				x.Close()
			})
			w := newCachedWorld(t, o, "zone", "4m", "more", "proxy_cache_lock "+lock+";")
			p := w.slowPeer()
			p.send(getRequest("/"))
			time.Sleep(200 * time.Millisecond) // the backend's bytes have to wait
			p.SetDeadline(time.Now().Add(patience))
			a := p.read("GET")
			if a.err != nil || a.body != body {
				t.Fatalf("%d bytes, %v", len(a.body), a.err)
			}
			// What the fill held is not held any more: the zone stores again.
			eventually(t, "another response is stored", func() bool { return w.get("/").err == nil })
		})
	}
}

// An endless response that cannot be stored any more ends with its only client.
func TestUnstorableFillEndsWithItsClient(t *testing.T) {
	gone := make(chan struct{})
	o := newOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 200 OK\r\n\r\n")
		piece := strings.Repeat("x", 64<<10)
		for {
			if _, err := io.WriteString(x, piece); err != nil {
				close(gone)
				x.Close()
				return
			}
		}
	})
	w := newCachedWorld(t, o, "zone", "2m")
	p := w.dial()
	p.send(getRequest("/"))
	if _, err := io.CopyN(io.Discard, p.r, 8<<20); err != nil {
		t.Fatal(err)
	}
	p.Close()
	select {
	case <-gone:
	case <-time.After(patience):
		t.Fatal("the backend still sends, for nobody")
	}
	w.checkPools()
}

// A client that announces a body and does not send it blocks nobody's key.
func TestUnsentBodyDoesNotBlockTheKey(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "page") })
	w := newCachedWorld(t, o)
	p := w.dial()
	p.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
	w.onLoop(func(*loopState) {})
	began := time.Now()
	if a := w.get("/"); a.body != "page" {
		t.Fatalf("%+v", a)
	}
	p.Close()
	if a := w.get("/other"); a.body != "page" {
		t.Fatalf("%+v", a)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	w.checkPools()
}

// The body of a request whose client has left is not continued with another's.
func TestBodyOfALeftRequestIsNotContinuedWithAnothers(t *testing.T) {
	release := make(chan struct{})
	var mu sync.Mutex
	var got strings.Builder
	o := newLazyOrigin(t, func(x *exchangeScript) {
		if x.req.URL.Path != "/large" {
			io.Copy(io.Discard, x.req.Body)
			x.reply("200 OK", "x")
			return
		}
		x.wait(release)
		buf := make([]byte, 64<<10)
		for {
			n, err := x.r.Read(buf)
			mu.Lock()
			got.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				x.Close()
				return
			}
		}
	})
	w := newCachedWorld(t, o, "more", "client_max_body_size 0; proxy_request_buffering off;")
	p := w.dial()
	p.send("GET /large HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
	go io.WriteString(p.Conn, strings.Repeat("A", 20<<20)) // ends with the reset
	eventually(t, "the backend is asked", func() bool { return o.count.Load() == 1 })
	time.Sleep(100 * time.Millisecond) // its buffers fill
	p.closeHard()
	for range 4 {
		q := w.dial()
		q.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("S", 100000))
		defer q.Close()
	}
	w.onLoop(func(*loopState) {})
	close(release)
	eventually(t, "the connection ends", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(got.String(), "S") || got.Len() > 0 && o.openConns() < 5
	})
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(got.String(), "S") {
		t.Error("another request's body was sent")
	}
	w.checkPools()
}

// What X-Accel-Redirect or an error page replaces is not stored when no client is there to get it.
func TestReplacedResponsesAreNotStoredInTheBackground(t *testing.T) {
	for _, reply := range []string{
		"HTTP/1.1 200 OK\r\nX-Accel-Redirect: /elsewhere\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nsecret",
		"HTTP/1.1 404 Not Found\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nsecret",
	} {
		o := newOrigin(t, func(x *exchangeScript) {
			if x.n == 2 {
				io.WriteString(x, reply)
				return
			}
			x.reply("200 OK", "page")
		})
		w := newCachedWorld(t, o, "valid", "1ms", "more",
			"proxy_cache_use_stale updating; proxy_cache_background_update on; proxy_intercept_errors on; error_page 404 /missing;")
		for range 4 {
			if a := w.get("/"); a.body != "page" {
				t.Fatalf("%+v", a)
			}
			time.Sleep(20 * time.Millisecond) // the update
		}
	}
}

// proxy_no_cache is asked when the response's head is there, as in nginx.
func TestNoCacheByTheResponse(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", fmt.Sprint(x.n), "X-Private: 1", "Cache-Control: max-age=60, stale-while-revalidate=60")
	})
	w := newCachedWorld(t, o, "more", "proxy_no_cache $upstream_http_x_private; proxy_cache_background_update on; proxy_cache_use_stale updating;")
	for i := range 3 {
		if a := w.get("/"); a.body != fmt.Sprint(i+1) || a.header.Get("X-Cache") != "MISS" {
			t.Fatalf("%+v", a)
		}
	}
}

// A key with $proxy_host tells the backends of a proxy_pass with variables apart.
func TestKeyKnowsTheDynamicHost(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "of "+x.req.Host) })
	w := newCachedWorld(t, o, "locations", `
		location /d { proxy_pass http://$arg_to$uri; proxy_set_header Host $arg_to; proxy_cache_key $proxy_host$uri; }
	}
	upstream one { server {{origin}}; } upstream two { server {{origin}}; } server { listen {{listen}}; server_name other;`)
	for range 2 {
		for _, to := range []string{"one", "two"} {
			if a := w.get("/d?to=" + to); a.body != "of "+to {
				t.Fatalf("%s: %+v", to, a)
			}
		}
	}
}

// The rendered head of a hit does not carry one client's Host to another.
func TestHitsRedirectToTheirOwnHost(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("301 Moved Permanently", "", "Location: http://"+x.req.Host+"/login")
	})
	w := newCachedWorld(t, o)
	for _, host := range []string{"evil.test", "evil.test", "good.test", "good.test"} {
		a := w.ask("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		if got := a.header.Get("Location"); got != "http://"+host+":"+w.port+"/login" {
			t.Fatalf("%s: %+v", host, a)
		}
	}
}

// A request with a body is not refreshed in the background: the body would be missing there.
func TestBackgroundUpdateSendsNoLengthWithoutABody(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", fmt.Sprintf("%d %s", x.n, x.body)) })
	w := newCachedWorld(t, o, "valid", "1ms", "more", "proxy_cache_use_stale updating; proxy_cache_background_update on;")
	for range 3 {
		w.ask("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
		time.Sleep(5 * time.Millisecond)
	}
	a := w.get("/plain")
	if !strings.HasSuffix(a.body, " ") {
		t.Fatalf("%+v", a)
	}
}

// An upgrade on a cached location lets those go who wait for the page.
func TestUpgradeLeavesNoFillBehind(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		if x.req.Header.Get("Upgrade") != "" {
			io.WriteString(x, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: w\r\nConnection: upgrade\r\n\r\nhello")
			io.Copy(io.Discard, x.r)
			x.Close()
			return
		}
		x.reply("200 OK", "page")
	})
	w := newCachedWorld(t, o, "more", "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;")
	p := w.dial()
	p.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: w\r\nConnection: upgrade\r\n\r\n")
	line, err := p.r.ReadString('\n')
	if err != nil || !strings.Contains(line, "101") {
		t.Fatal(line, err)
	}
	began := time.Now()
	if a := w.get("/"); a.body != "page" {
		t.Fatalf("%+v", a)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	p.Close()
	eventually(t, "all is over", func() bool { return w.srv.Stats().Active == 0 })
	w.checkPools()
}

// HEAD that is asked as HEAD stores nothing that a GET would get.
func TestHeadDoesNotPoisonGet(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		if x.req.Method == "HEAD" {
			io.WriteString(x, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
			return
		}
		x.reply("200 OK", "page")
	})
	w := newCachedWorld(t, o, "more", "proxy_cache_convert_head off;")
	for range 2 {
		if a := w.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"); a.length != 4 {
			t.Fatalf("%+v", a)
		}
	}
	if a := w.get("/"); a.body != "page" {
		t.Fatalf("%+v", a)
	}
}

// Revalidation keeps the backend's connection.
func TestRevalidationKeepsTheConnection(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		if x.req.Header.Get("If-None-Match") == `"v"` {
			io.WriteString(x, "HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n")
			return
		}
		x.reply("200 OK", "page", `ETag: "v"`)
	})
	w := newCachedWorld(t, o, "valid", "1ms", "more", "proxy_cache_revalidate on;")
	for i := range 4 {
		a := w.get("/")
		if want := []string{"MISS", "REVALIDATED"}[min(i, 1)]; a.body != "page" || a.header.Get("X-Cache") != want {
			t.Fatalf("%+v", a)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if n := o.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	w.checkPools()
}

// HEAD requests that ask as such get the length of the page from the cache too.
func TestStoredHeadKeepsItsLength(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		io.WriteString(x, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
	})
	w := newCachedWorld(t, o, "more", "proxy_cache_convert_head off; proxy_cache_key $request_method$uri;")
	for _, want := range []string{"MISS", "HIT"} {
		if a := w.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"); a.length != 4 || a.header.Get("X-Cache") != want {
			t.Errorf("%+v", a)
		}
	}
}
