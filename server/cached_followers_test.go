package server

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// A thousand requests for one uncached page ask the backend once.
func TestThousandClientsAskOnce(t *testing.T) {
	const clients = 1000
	release := make(chan struct{})
	body := pattern(100 << 10)
	o := newOrigin(t, func(x *exchangeScript) {
		x.wait(release)
		x.reply("200 OK", body)
	})
	w := newCachedWorld(t, o, "more", "proxy_cache_lock_timeout 30s;")
	var wg sync.WaitGroup
	errs := make(chan error, clients)
	for range clients {
		p := w.dial()
		p.SetDeadline(time.Now().Add(30 * time.Second))
		p.send(getRequest("/"))
		wg.Add(1)
		go func() {
			defer wg.Done()
			if a := p.read("GET"); a.status != 200 || a.body != body {
				errs <- fmt.Errorf("status %d, %d bytes, %v", a.status, len(a.body), a.err)
			}
			p.Close()
		}()
	}
	eventually(t, "all wait", func() bool { return w.srv.Stats().Coalesced == clients-1 })
	close(release)
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
		break
	}
	if n := o.count.Load(); n != 1 {
		t.Errorf("the backend was asked %d times", n)
	}
	w.checkPools()
}

// After an error that cannot be stored those who waited go on one by one: the
// backend that fails is not asked by all at once.
func TestFollowersOfAnErrorGoOneByOne(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	release := make(chan struct{})
	o := newOrigin(t, func(x *exchangeScript) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		if x.n == 1 {
			x.wait(release)
		}
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		if x.n < 10 {
			x.reply("500 Oops", "oops", "Cache-Control: max-age=0")
			return
		}
		x.reply("200 OK", "page")
	})
	w := newCachedWorld(t, o, "more", "proxy_ignore_headers Cache-Control;")
	const clients = 30
	var peers []*peer
	for range clients {
		p := w.dial()
		p.send(getRequest("/"))
		peers = append(peers, p)
	}
	eventually(t, "all wait", func() bool { return w.srv.Stats().Coalesced == clients-1 })
	close(release)
	failed, served := 0, 0
	for _, p := range peers {
		switch a := p.read("GET"); {
		case a.status == 500 && a.body == "oops":
			failed++
		case a.status == 200 && a.body == "page":
			served++
		default:
			t.Errorf("%+v", a)
		}
	}
	if failed != 9 || served != clients-9 || most != 1 || o.count.Load() != 10 {
		t.Errorf("%d failed, %d served, %d requests, %d at once", failed, served, o.count.Load(), most)
	}
	w.checkPools()
}

// Those who waited for a page that turns out to be personal go on at once, and
// what they get may be stored.
func TestFollowersOfAPersonalPageGoAtOnce(t *testing.T) {
	release := make(chan struct{})
	first := make(chan struct{})
	o := newOrigin(t, func(x *exchangeScript) {
		if x.n == 1 {
			x.wait(first)
			x.reply("200 OK", "mine", "Set-Cookie: a=1")
			return
		}
		x.wait(release)
		x.reply("200 OK", "page")
	})
	w := newCachedWorld(t, o)
	const clients = 20
	var peers []*peer
	for range clients {
		p := w.dial()
		p.send(getRequest("/"))
		peers = append(peers, p)
	}
	eventually(t, "all wait", func() bool { return w.srv.Stats().Coalesced == clients-1 })
	close(first)
	eventually(t, "all ask", func() bool { return o.count.Load() == clients })
	close(release)
	for _, p := range peers {
		if a := p.read("GET"); a.body != "page" && a.body != "mine" {
			t.Errorf("%+v", a)
		}
	}
	if a := w.get("/"); a.header.Get("X-Cache") != "HIT" {
		t.Errorf("%+v", a)
	}
	w.checkPools()
}

// The wait for others is bounded over all that a request waits for.
func TestLockTimeoutIsForAllWaits(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		time.Sleep(100 * time.Millisecond)
		x.reply("500 Oops", itoa(x.n))
	})
	w := newCachedWorld(t, o, "more", "proxy_cache_lock_timeout 250ms;")
	var peers []*peer
	began := time.Now()
	for range 20 {
		p := w.dial()
		p.send(getRequest("/"))
		peers = append(peers, p)
	}
	for _, p := range peers {
		if a := p.read("GET"); a.status != 500 {
			t.Errorf("%+v", a)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
