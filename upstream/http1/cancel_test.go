package http1_test

import (
	"strings"
	"testing"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// TestCancel ends a call in each of its states: nothing is heard of it again and
// no connection stays open but an idle one.
func TestCancel(t *testing.T) {
	r := rig.New(t, 1)
	long := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 500000)
	silent := func(c *rig.Client) { c.Rest() }
	told := func(t *testing.T) func(*rig.Job) {
		return func(*rig.Job) { t.Error("told after Cancel") }
	}
	expectNone := func() {
		t.Helper()
		r.Eventually(0, "the connection's end", func() bool { return r.Engine.Stats().Backends == 0 })
	}

	t.Run("at once", func(t *testing.T) {
		g := group(r, rig.NewOrigin(t, silent))
		j := &rig.Job{Rig: r, OnOver: told(t), OnHead: told(t)}
		r.On(0, func() {
			j.Start(r.Loop(0), g, policy(), rig.Get, j)
			j.Cancel()
			j.Cancel()
			if j.Active() {
				t.Error("still active")
			}
		})
		expectNone()
	})
	t.Run("with a failure on its way", func(t *testing.T) {
		g := r.Group(upstream.GroupConfig{Peers: []upstream.PeerConfig{{Name: "x", Down: true}}})
		j := &rig.Job{Rig: r, OnOver: told(t)}
		r.On(0, func() {
			j.Start(r.Loop(0), g, policy(), rig.Get, j)
			j.Cancel()
		})
	})
	t.Run("while the head is awaited", func(t *testing.T) {
		got := make(chan struct{})
		g := group(r, rig.NewOrigin(t, func(c *rig.Client) {
			c.Head()
			close(got)
			c.Rest()
		}))
		j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get, OnOver: told(t)}
		j.Go()
		r.Wait(got, "the request")
		r.On(0, j.Cancel)
		expectNone()
	})
	t.Run("while sending", func(t *testing.T) {
		got := make(chan struct{})
		g := group(r, rig.NewOrigin(t, func(c *rig.Client) {
			c.Head()
			close(got)
			c.Rest()
		}))
		body := &rig.Body{Pieces: []string{strings.Repeat("x", 1<<20)}, Open: true}
		j := &rig.Job{Rig: r, Group: g, Policy: policy(), OnOver: told(t)}
		j.Req = upstream.RequestBytes{Head: rig.Get.Head, Body: body}
		j.Go()
		r.Wait(got, "the request")
		r.On(0, j.Cancel)
		expectNone()
	})
	for name, stream := range map[string]string{"whole": ok2, "long": long, "chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\n"} {
		t.Run("in the head of a response that is "+name, func(t *testing.T) {
			g := group(r, rig.NewOrigin(t, answer(stream)))
			over := make(chan struct{})
			j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get, OnOver: told(t)}
			j.OnHead = func(j *rig.Job) {
				j.Cancel()
				close(over)
			}
			j.Go()
			r.Wait(over, "the head")
			expectNone()
			if j.Pieces != 0 {
				t.Error("body after Cancel")
			}
		})
		t.Run("in the body of a response that is "+name, func(t *testing.T) {
			g := group(r, rig.NewOrigin(t, answer(stream)))
			over := make(chan struct{})
			j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get, OnOver: told(t)}
			j.OnBody = func(j *rig.Job, _ []byte) {
				j.Cancel()
				close(over)
			}
			j.Go()
			r.Wait(over, "the body")
			expectNone()
			if j.Pieces != 1 {
				t.Error("body after Cancel")
			}
		})
	}
	t.Run("paused", func(t *testing.T) {
		g := group(r, rig.NewOrigin(t, answer(long)))
		over := make(chan struct{})
		j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get, OnOver: told(t)}
		j.OnHead = func(j *rig.Job) {
			j.Pause()
			close(over)
		}
		j.Go()
		r.Wait(over, "the head")
		r.On(0, func() {
			j.Resume()
			j.Cancel()
		})
		expectNone()
		if j.Pieces != 0 {
			t.Error("body after Cancel")
		}
	})
	t.Run("between two tries", func(t *testing.T) {
		bad, good := rig.NewOrigin(t, func(*rig.Client) {}), rig.NewOrigin(t, answer(ok2))
		over := make(chan struct{})
		j := &rig.Job{Rig: r, Group: group(r, bad, good), Policy: policy(), Req: rig.Get, OnOver: told(t)}
		j.OnTry = func(j *rig.Job) {
			j.Cancel()
			close(over)
		}
		j.Go()
		r.Wait(over, "the first try's end")
		expectNone()
		if good.Served.Load() != 0 {
			t.Error("tried again after Cancel")
		}
	})
	t.Run("and the connection that is idle stays", func(t *testing.T) {
		o := rig.NewOrigin(t, answer(ok2, ok2))
		g := group(r, o)
		j := r.Do(g, policy(), rig.Get)
		r.On(0, j.Cancel)
		if j := r.Do(g, policy(), rig.Get); !j.Done || o.Served.Load() != 1 {
			t.Error("the idle connection was closed")
		}
	})
}

// TestStartAgainFromTheEnd uses a call again from inside its last callback.
func TestStartAgainFromTheEnd(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewOrigin(t, answer(ok2, ok2, ok2))
	g := group(r, o)
	over := make(chan struct{})
	rounds := 0
	j := &again{left: 2, start: nil}
	j.start = func() {
		rounds++
		j.Start(r.Loop(0), g, policy(), rig.Get, j)
	}
	j.over = func() { close(over) }
	r.Loop(0).Post(j.start)
	r.Wait(over, "three rounds")
	if rounds != 3 || o.Served.Load() != 1 {
		t.Errorf("%d rounds over %d connections", rounds, o.Served.Load())
	}
}
