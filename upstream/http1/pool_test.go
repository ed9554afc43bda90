package http1_test

import (
	"sync/atomic"
	"testing"
	"time"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// together runs n calls at the same time, so that each has a connection of its own.
func together(t *testing.T, r *rig.Rig, g *upstream.Group, n int, let chan struct{}) {
	t.Helper()
	jobs := make([]*rig.Job, n)
	for i := range jobs {
		jobs[i] = (&rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get}).Go()
	}
	for range n { // each is held by a connection of its own until all are there
		let <- struct{}{}
	}
	for _, j := range jobs {
		if j.Wait(); !j.Done {
			t.Fatal(j.Failure())
		}
	}
}

// gated answers each request when the test lets it, saying which connection it is.
func gated(let chan struct{}, last *atomic.Int32) func(*rig.Client) {
	return func(c *rig.Client) {
		for c.Head() != "" {
			if let != nil {
				<-let
			}
			last.Store(int32(c.N))
			c.Say(ok2)
		}
	}
}

func TestPoolIsLastInFirstOut(t *testing.T) {
	r := rig.New(t, 1)
	var last atomic.Int32
	o := rig.NewOrigin(t, gated(nil, &last))
	g := group(r, o)
	// Two calls at once: two connections.
	first := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get}
	heads := make(chan struct{})
	first.OnHead = func(j *rig.Job) { j.Pause(); close(heads) }
	first.Go()
	r.Wait(heads, "the first head")
	if j := r.Do(g, policy(), rig.Get); !j.Done || last.Load() != 2 {
		t.Fatal("no second connection")
	}
	r.On(0, first.Resume)
	first.Wait()
	for range 3 { // the first connection came back last
		if j := r.Do(g, policy(), rig.Get); !j.Done || last.Load() != 1 {
			t.Errorf("connection %d was used", last.Load())
		}
	}
	if o.Served.Load() != 2 {
		t.Errorf("%d connections", o.Served.Load())
	}
}

func TestPoolKeepsNoMoreThanItsSize(t *testing.T) {
	r := rig.New(t, 1)
	var last atomic.Int32
	let := make(chan struct{})
	o := rig.NewOrigin(t, gated(let, &last))
	g := r.Group(upstream.GroupConfig{Keepalive: 2, Peers: []upstream.PeerConfig{o.Peer()}})
	together(t, r, g, 5, let)
	r.Eventually(0, "closed connections", func() bool { return r.Engine.Stats().Backends == 2 && r.Engine.Stats().Idle == 2 })
}

func TestPoolOfNone(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewOrigin(t, answer(ok2, ok2))
	g := r.Group(upstream.GroupConfig{Peers: []upstream.PeerConfig{o.Peer()}})
	for range 3 {
		r.Do(g, policy(), rig.Get)
	}
	if o.Served.Load() != 3 {
		t.Errorf("%d connections", o.Served.Load())
	}
}

func TestPoolLimits(t *testing.T) {
	r := rig.New(t, 1)
	for name, c := range map[string]struct {
		cfg  upstream.GroupConfig
		want int32 // connections for four requests
	}{
		"no limit":                 {upstream.GroupConfig{}, 1},
		"requests":                 {upstream.GroupConfig{KeepaliveRequests: 2}, 2},
		"one request":              {upstream.GroupConfig{KeepaliveRequests: 1}, 4},
		"age":                      {upstream.GroupConfig{KeepaliveTime: 1}, 4},
		"an age not reached":       {upstream.GroupConfig{KeepaliveTime: time.Hour}, 1},
		"an idle time long enough": {upstream.GroupConfig{KeepaliveTimeout: time.Hour}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := rig.NewOrigin(t, answer(ok2, ok2, ok2, ok2))
			cfg := c.cfg
			cfg.Keepalive, cfg.Peers = 4, []upstream.PeerConfig{o.Peer()}
			g := r.Group(cfg)
			for range 4 {
				if j := r.Do(g, policy(), rig.Get); !j.Done {
					t.Fatal(j.Failure())
				}
			}
			if n := o.Served.Load(); n != c.want {
				t.Errorf("%d connections, want %d", n, c.want)
			}
		})
	}
}

func TestPoolTimeout(t *testing.T) {
	r := rig.New(t, 1)
	ended := make(chan struct{})
	o := rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		c.Say(ok2)
		c.Rest()
		close(ended)
	})
	g := r.Group(upstream.GroupConfig{Keepalive: 1, KeepaliveTimeout: short, Peers: []upstream.PeerConfig{o.Peer()}})
	r.Do(g, policy(), rig.Get)
	r.Wait(ended, "the idle connection's end")
}

// TestPoolDropsWhatEndsOrSpeaks: an idle connection that the peer closes, or
// says something over, is gone before anybody asks for it.
func TestPoolDropsWhatEndsOrSpeaks(t *testing.T) {
	r := rig.New(t, 1)
	for name, then := range map[string]func(*rig.Client){
		"end":   func(*rig.Client) {},
		"reset": func(c *rig.Client) { c.Abort() },
		"408":   func(c *rig.Client) { c.Say("HTTP/1.1 408 Request Timeout\r\n\r\n"); c.Rest() },
	} {
		t.Run(name, func(t *testing.T) {
			idle := make(chan struct{}, 2)
			o := rig.NewOrigin(t, func(c *rig.Client) {
				c.Head()
				c.Say(ok2)
				<-idle
				then(c)
			})
			g := group(r, o)
			for range 2 {
				if j := r.Do(g, policy(), rig.Get); !j.Done || len(j.Tries()) != 1 {
					t.Errorf("%q after %v", j.Failure(), j.Retried)
				}
				idle <- struct{}{}
				r.Eventually(0, "the connection's end", func() bool { return r.Engine.Stats().Backends == 0 })
			}
		})
	}
}

// TestPoolIsPerLocalAddress: a connection made from elsewhere is not used.
func TestPoolIsPerLocalAddress(t *testing.T) {
	r := rig.New(t, 1)
	var from atomic.Value
	o := rig.NewOrigin(t, func(c *rig.Client) {
		for c.Head() != "" {
			from.Store(c.RemoteAddr().String())
			c.Say(ok2)
		}
	})
	g := group(r, o)
	bound := policy()
	bound.Bind = loopback2
	r.Do(g, policy(), rig.Get)
	if j := r.Do(g, bound, rig.Get); !j.Done || from.Load().(string)[:9] != "127.0.0.2" {
		t.Error(from.Load(), j.Failure())
	}
	if j := r.Do(g, policy(), rig.Get); !j.Done || from.Load().(string)[:9] != "127.0.0.1" {
		t.Error(from.Load(), j.Failure())
	}
	if o.Served.Load() != 2 {
		t.Errorf("%d connections", o.Served.Load())
	}
}

// TestTakeOver moves idle connections to the group of a new configuration.
func TestTakeOver(t *testing.T) {
	r := rig.New(t, 2)
	stays, goes := rig.NewOrigin(t, answer(ok2, ok2, ok2)), rig.NewOrigin(t, answer(ok2, ok2, ok2))
	cfg := upstream.GroupConfig{Name: "app", Keepalive: 4, Peers: []upstream.PeerConfig{goes.Peer(), stays.Peer()}}
	old := upstream.NewGroup(cfg, 2, nil)
	for range 2 {
		r.Do(old, policy(), rig.Get)
	}
	// A call that runs across the change ends as it began.
	held := &rig.Job{Rig: r, Group: old, Policy: policy(), Req: rig.Get}
	heads := make(chan struct{})
	held.OnHead = func(j *rig.Job) { j.Pause(); close(heads) }
	held.Go()
	r.Wait(heads, "a head")

	cfg.Peers = []upstream.PeerConfig{stays.Peer()}
	g := upstream.NewGroup(cfg, 2, old)
	r.Adopt(g)
	for i, l := range r.Engine.Loops() {
		r.On(i, func() { g.TakeOver(l, old) })
	}
	if j := r.Do(g, policy(), rig.Get); !j.Done || !j.Tries()[0].Reused {
		t.Error("the idle connection was not taken over")
	}
	r.On(0, held.Resume)
	if held.Wait(); !held.Done || held.Body.String() != "ok" {
		t.Error(held.Failure())
	}
	r.Eventually(0, "one connection", func() bool { return r.Engine.Stats().Backends == 1 })
	if s := g.Stats(0)[0]; s.Requests != 2 || s.Active != 0 {
		t.Errorf("counters did not survive: %+v", s)
	}
}
