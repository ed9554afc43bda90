package server

import (
	"io"
	"testing"
	"time"
)

// idleWorld serves /free and /held, and gives a connection that is idle after a request for each.
func idleWorld(t *testing.T, times string) (w *world, free, held *peer) {
	t.Helper()
	w = newWorld(t, `server { listen {{listen}}; location /free { return 200 a; }
		location /held { `+times+` return 200 b; } }`)
	ask := func(path string) *peer {
		p := w.dial()
		p.send(getRequest(path))
		if a := p.read("GET"); a.status != 200 {
			t.Fatalf("%+v", a)
		}
		return p
	}
	free, held = ask("/free"), ask("/held")
	w.onLoop(func(*loopState) {}) // both are marked
	return w, free, held
}

// endsAfter is how long it takes until the server closes the connection.
func (p *peer) endsAfter(from time.Time) time.Duration {
	p.t.Helper()
	if b, err := p.r.ReadByte(); err != io.EOF {
		p.t.Fatalf("%q, %v instead of the end", b, err)
	}
	return time.Since(from)
}

func TestKeepaliveMinTimeoutAtShutdown(t *testing.T) {
	const least = 600 * time.Millisecond
	start := time.Now()
	w, free, held := idleWorld(t, "keepalive_min_timeout 600ms;")
	go w.srv.Shutdown()
	if d := free.endsAfter(start); d >= least {
		t.Errorf("closed after %v", d)
	}
	if d := held.endsAfter(start); d < least {
		t.Errorf("closed after %v", d)
	}
}

// What comes meanwhile is answered, as the connection's last request.
func TestKeepaliveMinTimeoutLetsARequestIn(t *testing.T) {
	w, free, held := idleWorld(t, "keepalive_min_timeout 60s;")
	go w.srv.Shutdown()
	free.endsAfter(time.Now())
	held.send(getRequest("/held"))
	if a := held.read("GET"); a.status != 200 || !a.close {
		t.Errorf("%+v", a)
	}
	held.endsAfter(time.Now())
}

func TestKeepaliveMinTimeoutIsPartOfTheTimeout(t *testing.T) {
	start := time.Now()
	w, _, held := idleWorld(t, "keepalive_min_timeout 200ms; keepalive_timeout 500ms;")
	eventually(t, "it may be closed for others", func() bool { return w.srv.Stats().Engine.Idle == 2 })
	if d := time.Since(start); d < 200*time.Millisecond {
		t.Errorf("it may after %v", d)
	}
	if d := held.endsAfter(start); d < 500*time.Millisecond {
		t.Errorf("closed after %v", d)
	}
}

func TestKeepaliveMinTimeoutBeyondTheTimeout(t *testing.T) {
	start := time.Now()
	_, _, held := idleWorld(t, "keepalive_min_timeout 60s; keepalive_timeout 200ms;")
	if d := held.endsAfter(start); d < 200*time.Millisecond || d > 20*time.Second {
		t.Errorf("closed after %v", d)
	}
}
