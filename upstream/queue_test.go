package upstream_test

import (
	"sync/atomic"
	"testing"
	"time"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// limited is an origin of one request at a time, which answers when let.
func limited(t *testing.T, cfg *upstream.GroupConfig, let chan struct{}, most *atomic.Int32) *rig.Origin {
	var now atomic.Int32
	o := rig.NewOrigin(t, func(c *rig.Client) {
		for c.Head() != "" {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-let
			now.Add(-1)
			c.Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	p := o.Peer()
	p.MaxConns = 1
	cfg.Keepalive, cfg.Peers = 1, append(cfg.Peers, p)
	return o
}

func TestQueueIsFirstComeFirstServed(t *testing.T) {
	r := rig.New(t, 1)
	let := make(chan struct{}, 10)
	var most atomic.Int32
	cfg := upstream.GroupConfig{QueueSize: 3, QueueTimeout: time.Minute}
	limited(t, &cfg, let, &most)
	g := r.Group(cfg)
	var order []int
	jobs := make([]*rig.Job, 5)
	for i := range jobs {
		jobs[i] = &rig.Job{Rig: r, Group: g, Policy: policy(upstream.NextDefault), Req: rig.Get}
		jobs[i].OnOver = func(*rig.Job) { order = append(order, i) }
		jobs[i].Go()
	}
	jobs[4].Wait() // one runs, three wait, the last has no room
	if e := jobs[4].Err; e == nil || e.Kind != upstream.KindQueueFull || e.Status != 502 || jobs[4].List(upstream.TryAddr) != "app" {
		t.Errorf("%q", jobs[4].Failure())
	}
	r.On(0, jobs[2].Cancel)
	if g.Waiting() != 2 {
		t.Errorf("%d wait", g.Waiting())
	}
	for range 3 {
		let <- struct{}{}
	}
	for _, i := range []int{0, 1, 3} {
		if jobs[i].Wait(); !jobs[i].Done {
			t.Errorf("%d: %q", i, jobs[i].Failure())
		}
	}
	if len(order) != 4 || order[0] != 4 || order[1] != 0 || order[2] != 1 || order[3] != 3 || most.Load() != 1 || g.Waiting() != 0 {
		t.Errorf("order %v, %d at a time, %d wait", order, most.Load(), g.Waiting())
	}
}

func TestQueueTimeout(t *testing.T) {
	r := rig.New(t, 1)
	let := make(chan struct{}, 10)
	var most atomic.Int32
	cfg := upstream.GroupConfig{QueueSize: 3, QueueTimeout: 50 * time.Millisecond}
	limited(t, &cfg, let, &most)
	g := r.Group(cfg)
	first := (&rig.Job{Rig: r, Group: g, Policy: policy(upstream.NextDefault), Req: rig.Get}).Go()
	j := r.Do(g, policy(upstream.NextDefault), rig.Get)
	if j.Err == nil || j.Err.Kind != upstream.KindQueueTimeout || j.Err.Status != 502 || g.Waiting() != 0 {
		t.Errorf("%q", j.Failure())
	}
	let <- struct{}{}
	if first.Wait(); !first.Done {
		t.Error(first.Failure())
	}
}

// TestQueueWakesOtherLoops: a place that becomes free on one loop serves a call
// that waits on another.
func TestQueueWakesOtherLoops(t *testing.T) {
	r := rig.New(t, 3)
	let := make(chan struct{})
	close(let)
	var most atomic.Int32
	cfg := upstream.GroupConfig{QueueSize: 1000, QueueTimeout: time.Minute}
	limited(t, &cfg, let, &most)
	limited(t, &cfg, let, &most)
	g := r.Group(cfg)
	var jobs []*rig.Job
	for i := range 600 {
		jobs = append(jobs, (&rig.Job{Rig: r, Loop: i % 3, Group: g, Policy: policy(upstream.NextDefault), Req: rig.Get}).Go())
	}
	for i, j := range jobs {
		if j.Wait(); !j.Done {
			t.Fatalf("%d: %q", i, j.Failure())
		}
	}
	if most.Load() != 1 || g.Waiting() != 0 {
		t.Errorf("%d at a time, %d wait", most.Load(), g.Waiting())
	}
}

// TestQueueMovesToTheNewGroup at a reload, with calls of the old one still running.
func TestQueueMovesToTheNewGroup(t *testing.T) {
	r := rig.New(t, 1)
	let := make(chan struct{}, 10)
	var most atomic.Int32
	cfg := upstream.GroupConfig{Name: "app", QueueSize: 2}
	limited(t, &cfg, let, &most)
	old := upstream.NewGroup(cfg, 1, nil)
	jobs := make([]*rig.Job, 3)
	for i := range jobs {
		jobs[i] = (&rig.Job{Rig: r, Group: old, Policy: policy(upstream.NextDefault), Req: rig.Get}).Go()
	}
	cfg.QueueSize = 1
	g := upstream.NewGroup(cfg, 1, old)
	r.Adopt(g)
	r.Adopt(old)
	r.On(0, func() { g.TakeOver(r.Loop(0), old) })
	if jobs[2].Wait(); jobs[2].Err == nil || jobs[2].Err.Kind != upstream.KindQueueFull {
		t.Errorf("%q", jobs[2].Failure())
	}
	if old.Waiting() != 0 || g.Waiting() != 1 {
		t.Errorf("%d and %d wait", old.Waiting(), g.Waiting())
	}
	let <- struct{}{}
	let <- struct{}{}
	jobs[0].Wait()
	fresh := (&rig.Job{Rig: r, Group: g, Policy: policy(upstream.NextDefault), Req: rig.Get}).Go()
	let <- struct{}{}
	if fresh.Wait(); !fresh.Done {
		t.Error(fresh.Failure())
	}
	if jobs[1].Wait(); !jobs[1].Done || most.Load() != 1 {
		t.Errorf("%q, %d at a time", jobs[1].Failure(), most.Load())
	}
}

// TestMaxConnsWithoutQueue: the peer is passed over, as in nginx.
func TestMaxConnsWithoutQueue(t *testing.T) {
	r := rig.New(t, 1)
	let := make(chan struct{}, 10)
	var most atomic.Int32
	var cfg upstream.GroupConfig
	a := limited(t, &cfg, let, &most)
	b := limited(t, &cfg, let, &most)
	g := r.Group(cfg)
	first := (&rig.Job{Rig: r, Group: g, Policy: policy(upstream.NextDefault), Req: rig.Get}).Go()
	second := (&rig.Job{Rig: r, Group: g, Policy: policy(upstream.NextDefault), Req: rig.Get}).Go()
	third := r.Do(g, policy(upstream.NextDefault), rig.Get)
	if third.Failure() != "no live upstreams while connecting to upstream" {
		t.Errorf("%q", third.Failure())
	}
	let <- struct{}{}
	let <- struct{}{}
	first.Wait()
	second.Wait()
	if first.List(upstream.TryAddr) != a.Name() || second.List(upstream.TryAddr) != b.Name() {
		t.Error(first.List(upstream.TryAddr), second.List(upstream.TryAddr))
	}
}
