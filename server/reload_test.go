package server

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seawall/internal/freeport"
)

func TestReloadUnderLoadLosesNothing(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "page "+x.body, "Cache-Control: max-age=1") })
	const text = `
	proxy_cache_path {{dir}} keys_zone=z:8m;
	upstream app { server {{origin}}; keepalive 4; }
	server { listen {{listen}}; keepalive_requests 1000000;
		access_log access{{n}}.log; error_log own{{n}}.log;
		location / { proxy_pass http://app; add_header X-N {{n}} always; }
		location /cached { proxy_pass http://app; proxy_cache z; proxy_cache_lock on; }
	}`
	pairs := func(n int) []string { return []string{"origin", o.addr(), "dir", "cache", "n", fmt.Sprint(n % 3)} }
	w := newWorld(t, text, pairs(0)...)
	var stop atomic.Bool
	var served atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		p := w.dial()
		p.SetDeadline(time.Now().Add(30 * time.Second))
		request := getRequest([]string{"/", "/cached"}[i%2])
		if i%4 == 2 {
			request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stop.Load() {
				p.send(request)
				a := p.read(strings.Fields(request)[0])
				if a.status != 200 || a.err != nil || a.close {
					t.Errorf("%+v", a)
					return
				}
				served.Add(1)
			}
		}()
	}
	goroutines := 0
	for n := range 100 {
		if err := w.reload(text, pairs(n)...); err != nil {
			t.Error(err)
		}
		before := served.Load()
		eventually(t, "requests go on", func() bool { return served.Load() > before+8 || stop.Load() })
		if n == 10 {
			goroutines = runtime.NumGoroutine()
		}
		if t.Failed() {
			break
		}
	}
	stop.Store(true)
	wg.Wait()
	if a := w.get("/"); a.header.Get("X-N") != "0" {
		t.Errorf("%+v", a)
	}
	if st := w.srv.Stats().Engine; st.Panics != 0 {
		t.Errorf("%d panics", st.Panics)
	}
	eventually(t, "no goroutine of an old configuration is left", func() bool { return runtime.NumGoroutine() <= goroutines+4 })
	eventually(t, "idle backend connections are few", func() bool { return o.openConns() <= 4 })
}

func TestReloadThatFailsChangesNothing(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", fmt.Sprint(x.n), "Cache-Control: max-age=60") })
	const text = `
	proxy_cache_path {{dir}} keys_zone=z:{{size}};
	server { listen {{listen}}; location / { proxy_pass http://{{to}}; proxy_cache z; } }`
	pairs := func(size, to string) []string { return []string{"dir", "cache", "size", size, "to", to} }
	w := newWorld(t, text, pairs("8m", o.addr())...)
	w.get("/")
	if err := w.reload(text, pairs("16m", "no.such.host.invalid")...); err == nil {
		t.Fatal("no error")
	}
	if err := w.reload(text, pairs("8m", o.addr())...); err != nil {
		t.Fatal(err)
	}
	if a := w.get("/"); a.body != "1" {
		t.Errorf("the cache was lost: %+v", a)
	}
}

func TestConnectionOfARemovedAddressEndsWithItsNextRequest(t *testing.T) {
	const before = `server { listen {{listen}}; listen 127.0.0.1:{{other}}; access_log before.log; location / { return 200 "before"; } }`
	const after = `server { listen {{listen}}; access_log after.log; location / { return 200 "after"; } }`
	other := strconv.Itoa(freeport.TCP(t))
	w := newWorld(t, before, "other", other)
	listen := w.addr
	w.addr = "127.0.0.1:" + other
	p := w.dial()
	w.addr = listen
	ask := func() answer {
		p.send(getRequest("/"))
		return p.read("GET")
	}
	if a := ask(); a.body != "before" || a.close {
		t.Fatalf("%+v", a)
	}
	if err := w.reload(after); err != nil {
		t.Fatal(err)
	}
	if a := ask(); a.body != "before" || a.err != nil || !a.close {
		t.Errorf("%+v", a)
	}
	if a := w.get("/"); a.body != "after" {
		t.Errorf("%+v", a)
	}
}
