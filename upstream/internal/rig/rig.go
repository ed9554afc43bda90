// Package rig is what the tests of package upstream and of its protocols stand
// on: an engine, scripted origins, and a receiver that writes down what it is told.
package rig

import (
	"runtime"
	"testing"
	"time"

	"seawall/engine"
	"seawall/upstream"
)

// Rig is a running engine. At the end of the test no connection to a backend may
// be left, and no callback may have panicked.
type Rig struct {
	T      testing.TB
	Engine *engine.Engine
	Panics uint64 // callbacks that the test makes panic
	groups []*upstream.Group
	ended  bool
}

// New starts an engine with loops event loops.
func New(t testing.TB, loops int) *Rig {
	t.Helper()
	return NewSmall(t, loops, 1024)
}

// NewSmall is New with room for so many connections per loop.
func NewSmall(t testing.TB, loops, conns int) *Rig {
	t.Helper()
	e, err := engine.New(engine.Options{
		Loops: loops, MaxConns: conns, Workers: 1,
		Log: func(_ engine.Severity, _ uint64, text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	r := &Rig{T: t, Engine: e}
	t.Cleanup(r.end)
	return r
}

// Stop ends the engine with whatever runs there; nothing may be left then either.
func (r *Rig) Stop() {
	r.ended = true
	r.Engine.Stop()
}

func (r *Rig) end() {
	if !r.ended {
		r.closeIdle()
	}
	s := r.Engine.Stats()
	if s.Backends != 0 {
		r.T.Errorf("%d connections to backends are left", s.Backends)
	}
	if s.Panics != r.Panics {
		r.T.Errorf("%d callbacks panicked", s.Panics)
	}
	r.Engine.Stop()
}

func (r *Rig) closeIdle() {
	for i, l := range r.Engine.Loops() {
		r.On(i, func() {
			for _, g := range r.groups {
				g.CloseIdle(l)
			}
		})
	}
}

// Loop is a loop by index.
func (r *Rig) Loop(i int) *engine.Loop { return r.Engine.Loops()[i] }

// On runs fn on a loop and waits for it, and for what it deferred.
func (r *Rig) On(loop int, fn func()) {
	done := make(chan struct{})
	r.Loop(loop).Post(fn)
	r.Loop(loop).Post(func() { close(done) })
	r.Wait(done, "the loop")
}

// Wait waits for ch, not for ever.
func (r *Rig) Wait(ch <-chan struct{}, what string) {
	r.T.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		buf := make([]byte, 64<<10)
		r.T.Fatalf("timed out waiting for %s\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

// Group makes a group of the rig's, closed at its end.
func (r *Rig) Group(cfg upstream.GroupConfig) *upstream.Group {
	if cfg.Name == "" {
		cfg.Name = "app"
	}
	g := upstream.NewGroup(cfg, len(r.Engine.Loops()), nil)
	r.groups = append(r.groups, g)
	return g
}

// Adopt has a group that the test made closed at the rig's end.
func (r *Rig) Adopt(g *upstream.Group) { r.groups = append(r.groups, g) }

// Eventually waits until cond, asked on the loop, holds.
func (r *Rig) Eventually(loop int, what string, cond func() bool) {
	r.T.Helper()
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		var ok bool
		r.On(loop, func() { ok = cond() })
		if ok {
			return
		}
		if time.Now().After(end) {
			r.T.Fatalf("waited in vain for %s", what)
		}
	}
}

// Now is loop 0's time, ns.
func (r *Rig) Now() (now int64) {
	r.On(0, func() { now = r.Loop(0).Now() })
	return now
}
