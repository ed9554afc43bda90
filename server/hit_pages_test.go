//go:build linux

package server

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"seawall/cache"
	"seawall/engine"
)

const pagedHTTP = `
proxy_cache_path {{dir}} keys_zone=z:32m;
log_format sent '$status $bytes_sent $body_bytes_sent $upstream_cache_status';
access_log access.log sent;
server {
	listen {{listen}}; keepalive_requests 1000000;
	location / { proxy_pass http://{{origin}}; proxy_cache z; proxy_cache_valid 60s; proxy_cache_bypass $arg_fresh; proxy_cache_key $uri; }
	location /other/ { proxy_pass http://{{origin}}; proxy_cache z; proxy_cache_valid 60s; proxy_cache_key /page; add_header X-Other yes; }
}`

// paged is how many bodies the first loop has in pages.
func (w *world) paged() (n int) {
	w.onLoop(func(s *loopState) { n = s.paged.len() })
	return n
}

// len is how many bodies are in pages; -1 when the list is broken.
func (d *pagedBodies) len() (n int) {
	var last *hotPages
	for b := d.oldest; b != nil; b = b.newer {
		if b.older != last || b.pages == nil {
			return -1
		}
		last = b
		n++
	}
	if last != d.newest {
		return -1
	}
	return n
}

// pagedOrigin answers with a body that tells the request's serial number.
func pagedOrigin(t *testing.T, size int) *origin {
	return newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", fmt.Sprintf("%08d", x.n)+pattern(size-8), "Accept-Ranges: bytes")
	})
}

func TestHotBodyIsSentFromPages(t *testing.T) {
	const size = 100 << 10
	o := pagedOrigin(t, size)
	w := newWorld(t, pagedHTTP, "origin", o.addr(), "dir", t.TempDir())
	p := w.dial()
	body := "00000001" + pattern(size-8)
	ask := func(path, want string, fields ...string) answer {
		t.Helper()
		p.send(getRequest(path, fields...))
		a := p.read("GET")
		if a.err != nil || a.body != want {
			t.Fatalf("%s: %d, %d bytes, %v", path, a.status, len(a.body), a.err)
		}
		return a
	}
	eventually(t, "it is in pages after some hits", func() bool { ask("/page", body); return w.paged() == 1 })
	for range 20 {
		ask("/page", body)
	}
	// What is not the plain answer comes from memory, beside it.
	ask("/page", body[5:1000], "Range: bytes=5-999")
	if a := ask("/other/", body); a.header.Get("X-Other") != "yes" {
		t.Error("the other location's head")
	}
	if a := ask("/other/", body); a.header.Get("X-Other") != "yes" {
		t.Error("the other location's head")
	}
	if a := ask("/page", body); a.header.Get("X-Other") != "" {
		t.Error("another location's head")
	}
	if w.paged() != 1 {
		t.Error("pages were lost, or made twice")
	}
	// Requests that come together are answered in order, each whole.
	p.send(strings.Repeat(getRequest("/page"), 10))
	for range 10 {
		if a := p.read("GET"); a.err != nil || a.body != body {
			t.Fatalf("pipelined: %d bytes, %v", len(a.body), a.err)
		}
	}
	// A new version of the page takes the place of the old one.
	second := "00000002" + pattern(size-8)
	ask("/page?fresh=1", second)
	if w.paged() != 0 {
		t.Error("pages of a response that was replaced")
	}
	for range pagesAfter + 1 {
		ask("/page", second)
	}
	if w.paged() != 1 { // memory was ready
		t.Error("no pages for the second version")
	}
	for line := range strings.Lines(w.file("access.log")) {
		var status, all, sent int
		var cached string
		fmt.Sscan(line, &status, &all, &sent, &cached)
		if status == 200 && (sent != size || all < sent+100 || all > sent+400) {
			t.Errorf("logged: %s", line)
		}
	}
}

// Every answer that is a piece of the body leaves from the pages, also an old
// one while a new one is made. The pages are changed behind the server's back
// to see which answers come from them.
func TestWhatIsSentFromPages(t *testing.T) {
	const size = 100 << 10
	body := pattern(size)
	var shorts atomic.Int32
	over := make(chan struct{})
	defer close(over)
	o := newOrigin(t, func(x *exchangeScript) {
		if x.req.URL.Path == "/short" && shorts.Add(1) > 1 {
			x.wait(over)
		}
		x.reply("200 OK", body, "Accept-Ranges: bytes")
	})
	w := newWorld(t, `
proxy_cache_path {{dir}} keys_zone=z:32m;
server {
	listen {{listen}};
	proxy_cache z; proxy_cache_valid 60s; proxy_cache_key $uri; proxy_cache_use_stale updating; proxy_cache_background_update on;
	location / { proxy_pass http://{{origin}}; }
	location /other/ { proxy_pass http://{{origin}}; proxy_cache_key /page; add_header X-Host $host; }
	location /slow/ { proxy_pass http://{{origin}}; proxy_cache_key /page; limit_rate 10m; }
	location /short { proxy_pass http://{{origin}}; proxy_cache_valid 1s; add_header X-Cache $upstream_cache_status; }
}`, "origin", o.addr(), "dir", t.TempDir())
	heat := func(path string) {
		n := w.paged()
		eventually(t, path+" is in pages", func() bool { w.get(path); return w.paged() > n })
	}
	heat("/page")
	changed := "changed!" + body[8:]
	change := func(at int64) {
		t.Helper()
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			name := "/proc/self/fd/" + fd.Name()
			if to, _ := os.Readlink(name); !strings.HasPrefix(to, "/memfd:seawall") {
				continue
			}
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte("changed!"), at)
				_ = f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	change(0)
	for _, c := range []struct{ what, request, method, want string }{
		{"a plain answer", getRequest("/page"), "GET", changed},
		{"another location's head", getRequest("/other/"), "GET", changed},
		{"HTTP/1.0", "GET /page HTTP/1.0\r\nHost: a\r\n\r\n", "GET", changed},
		{"the last on its connection", getRequest("/page", "Connection: close"), "GET", changed},
		{"a range", getRequest("/page", "Range: bytes=5-999"), "GET", changed[5:1000]},
		{"the end", getRequest("/page", "Range: bytes=-10"), "GET", changed[size-10:]},
		{"a head alone", "HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD", ""},
		{"paced", getRequest("/slow/"), "GET", body},
	} {
		p := w.dial()
		p.send(c.request)
		if a := p.read(c.method); a.err != nil || a.body != c.want {
			t.Errorf("%s: %d, %d bytes, %.10q, %v", c.what, a.status, len(a.body), a.body, a.err)
		}
		p.Close()
	}
	heat("/short")
	change(25 * 4096)
	for _, status := range []string{"STALE", "UPDATING"} {
		var a answer
		eventually(t, status, func() bool { a = w.get("/short"); return a.header.Get("X-Cache") == status })
		if a.body != changed {
			t.Errorf("%s: %.10q", status, a.body)
		}
	}
}

// A client that reads slowly gets the version that it was answered with, while
// the page changes again and again.
func TestSlowClientsKeepTheirPages(t *testing.T) {
	const size = 900 << 10
	o := pagedOrigin(t, size)
	w := newWorld(t, pagedHTTP, "origin", o.addr(), "dir", t.TempDir())
	fresh := w.dial()
	type reader struct {
		*peer
		want string
	}
	var slow []reader
	for version := 1; version <= 5; version++ {
		want := fmt.Sprintf("%08d", version)
		fresh.send(getRequest("/page?fresh=1"))
		if a := fresh.read("GET"); a.err != nil || a.body[:8] != want {
			t.Fatalf("version %s: %q, %v", want, a.body[:8], a.err)
		}
		eventually(t, "it is in pages", func() bool {
			fresh.send(getRequest("/page"))
			if a := fresh.read("GET"); a.err != nil || a.body[:8] != want {
				t.Fatalf("version %s: %q, %v", want, a.body[:8], a.err)
			}
			return w.paged() == 1
		})
		p := w.slowPeer()
		p.send(strings.Repeat(getRequest("/page"), 6))
		slow = append(slow, reader{p, want})
		if _, err := p.r.Peek(1); err != nil { // it is being answered
			t.Fatal(err)
		}
	}
	slow[0].closeHard() // one goes in the middle
	for _, p := range slow[1:] {
		for i := range 6 {
			a := p.read("GET")
			if a.err != nil || len(a.body) != size || a.body[8:] != pattern(size-8) {
				t.Fatalf("%d bytes, %v", len(a.body), a.err)
			}
			if i == 0 && a.body[:8] != p.want {
				t.Errorf("%q instead of %q", a.body[:8], p.want)
			}
		}
	}
	eventually(t, "the requests are over", func() bool { return w.srv.Stats().Active == 0 })
	w.checkPools()
}

// Pages of a large body that come from the worker when the body was replaced
// meanwhile are given back.
func TestPagesThatComeTooLate(t *testing.T) {
	const size = 3 << 20
	o := pagedOrigin(t, size)
	w := newWorld(t, pagedHTTP, "origin", o.addr(), "dir", t.TempDir())
	w.get("/page")
	made := make(chan *engine.Pages, 1)
	w.onLoop(func(s *loopState) {
		s.l.MakePages([][]byte{make([]byte, size)}, size, func(p *engine.Pages) { made <- p })
	})
	late := <-made
	w.onLoop(func(s *loopState) {
		s.keepPages(&hotPages{gone: true}, late)
		if s.paged.len() != 0 {
			t.Error("pages without an entry were kept")
		}
		b := hotPages{gone: true}
		body := cache.BodyOf(make([]byte, pagesFrom))
		for range 2 * pagesAfter {
			if s.pagesOf(&b, &body) != nil {
				t.Fatal("pages for an entry that is gone")
			}
		}
	})
	p := w.dial()
	ask := func(path string) string {
		p.send(getRequest(path))
		a := p.read("GET")
		if a.err != nil || len(a.body) != size {
			t.Fatalf("%s: %d bytes, %v", path, len(a.body), a.err)
		}
		return a.body[:8]
	}
	for version := 2; version < 12; version++ { // each is replaced about when its pages are made
		want := fmt.Sprintf("%08d", version)
		ask("/page?fresh=1")
		eventually(t, "the new version is stored", func() bool { return ask("/page") == want })
		for range pagesAfter {
			if got := ask("/page"); got != want {
				t.Fatalf("version %s instead of %s", got, want)
			}
		}
	}
	eventually(t, "the last ones are there, and no others", func() (ok bool) {
		w.onLoop(func(s *loopState) { ok = s.paged.len() == 1 && s.l.HasRoomForPages(64<<20-3*(4<<20)) })
		return ok
	})
}

// More bodies than a loop may keep in pages: the oldest make room.
func TestPagedBodiesTakeTurns(t *testing.T) {
	const size = 5 << 20 // 6 MB of slabs: ten of them at the same time
	body := pattern(size)
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.req.URL.Path+body) })
	w := newWorld(t, strings.ReplaceAll(pagedHTTP, "z:32m", "z:128m"), "origin", o.addr(), "dir", t.TempDir())
	before, _ := os.ReadDir("/proc/self/fd")
	p := w.dial()
	defer func() { p.Close() }()
	ask := func(path string) {
		p.send(getRequest(path))
		if a := p.read("GET"); a.err != nil || a.body != path+body {
			t.Fatalf("%s: %d bytes, %v", path, len(a.body), a.err)
		}
	}
	newest := func() (b *hotPages) {
		w.onLoop(func(s *loopState) { b = s.paged.newest })
		return b
	}
	// heat asks for it until it is in pages.
	heat := func(path string) {
		p.Close()
		p = w.dial()
		last := newest()
		eventually(t, path+" is the newest in pages", func() bool { ask(path); return newest() != last })
	}
	most := 0
	for i := range 12 {
		heat("/" + itoa(i))
		most = max(most, w.paged())
	}
	if most != 10 {
		t.Errorf("%d bodies in pages", most)
	}
	w.onLoop(func(s *loopState) {
		s.hot.Clear()
		if s.paged.len() != 0 {
			t.Error("pages outlive the table")
		}
	})
	p.Close()
	eventually(t, "descriptors are given back", func() bool {
		now, _ := os.ReadDir("/proc/self/fd")
		return len(now) <= len(before)+4
	})
}

func TestPagedHitAllocatesNothing(t *testing.T) {
	const size = 100 << 10
	o := plainOrigin(t, pattern(size))
	w := newWorld(t, pagedHTTP, "origin", o, "dir", t.TempDir())
	p := w.dial()
	out := []byte(getRequest("/page"))
	p.send(string(out))
	p.read("GET")
	p.send(string(out)) // the head says HIT nowhere: all are as long
	head := 0
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if head += len(line); line == "\r\n" {
			break
		}
	}
	if _, err := io.CopyN(io.Discard, p.r, size); err != nil {
		t.Fatal(err)
	}
	in := make([]byte, head+size)
	once := func() {
		if _, err := p.Write(out); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(p.Conn, in); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it is in pages", func() bool { once(); return w.paged() == 1 })
	const requests = 2000
	if n := mallocsOf(requests, once); n > requests/20 {
		t.Errorf("%d allocations in %d requests", n, requests)
	}
}
