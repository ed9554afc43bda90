package http1_test

import (
	"strings"
	"testing"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

var upgrade = upstream.RequestBytes{
	Head:       []byte("GET /chat HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"),
	Idempotent: true, WantsUpgrade: true,
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"

func echo(c *rig.Client) {
	c.Head()
	c.Say(switching + "hello ")
	b := make([]byte, 4096)
	for {
		n, err := c.Conn.Read(b)
		if err != nil {
			c.Say(" bye")
			return
		}
		c.Say(string(b[:n]))
	}
}

// TestTunnel goes both ways and ends by our half-close, answered to the end.
func TestTunnel(t *testing.T) {
	r := rig.New(t, 1)
	g := group(r, rig.NewOrigin(t, echo))
	j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: upgrade}
	j.OnHead = func(j *rig.Job) { j.TunnelWrite([]byte("one ")) }
	j.OnBody = func(j *rig.Job, p []byte) {
		switch {
		case strings.HasSuffix(j.Body.String(), "one "):
			j.TunnelWrite([]byte("two"))
		case strings.HasSuffix(j.Body.String(), "two"):
			j.TunnelCloseWrite()
			j.TunnelWrite([]byte("too late"))
		}
	}
	j.Go().Wait()
	if j.Status != 101 || !j.Done || !j.EOF || j.Body.String() != "hello one two bye" {
		t.Errorf("status %d, done %v, %q, %q", j.Status, j.Done, j.Body.String(), j.Failure())
	}
	r.On(0, func() {
		if r.Engine.Stats().Backends != 0 {
			t.Error("the tunnel's connection is left")
		}
	})
}

// TestTunnelPeerEndsFirst: after the peer's end we may still send.
func TestTunnelPeerEndsFirst(t *testing.T) {
	r := rig.New(t, 1)
	got := make(chan string, 1)
	g := group(r, rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		c.Say(switching + "that is all")
		c.CloseWrite()
		got <- c.Rest()
	}))
	j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: upgrade}
	j.OnBody = func(j *rig.Job, p []byte) {
		if len(p) == 0 {
			j.TunnelWrite([]byte("understood"))
			j.TunnelCloseWrite()
			if !j.Active() {
				t.Error("ended inside TunnelCloseWrite")
			}
		}
	}
	j.Go().Wait()
	if !j.Done || j.Body.String() != "that is all" {
		t.Errorf("%q %q", j.Body.String(), j.Failure())
	}
	if s := <-got; s != "understood" {
		t.Errorf("the peer got %q", s)
	}
}

// TestTunnelBackpressure: what the peer does not read is pending, and Writable
// tells when it drained.
func TestTunnelBackpressure(t *testing.T) {
	r := rig.New(t, 1)
	let, got := make(chan struct{}), make(chan int, 1)
	g := group(r, rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		c.Say(switching)
		<-let
		got <- len(c.Rest())
	}))
	const size = 16 << 20
	j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: upgrade}
	j.OnHead = func(j *rig.Job) {
		j.TunnelWrite(make([]byte, size))
		if j.TunnelPending() == 0 {
			t.Error("nothing is pending")
		}
		close(let)
	}
	j.OnWritable = func(j *rig.Job) {
		if j.TunnelPending() != 0 {
			t.Error("writable with output pending")
		}
		j.TunnelCloseWrite()
	}
	j.Go().Wait()
	if n := <-got; !j.Done || n != size {
		t.Errorf("the peer got %d bytes, %q", n, j.Failure())
	}
}

func TestTunnelFailures(t *testing.T) {
	r := rig.New(t, 1)
	for name, c := range map[string]struct {
		script func(*rig.Client)
		want   string
	}{
		"idle too long": {func(c *rig.Client) { c.Head(); c.Say(switching); c.Rest() },
			"upstream timed out (110: Connection timed out) while proxying upgraded connection"},
		"reset": {func(c *rig.Client) { c.Head(); c.Say(switching); c.Take(1); c.Abort() },
			"recv() failed (104: Connection reset by peer) while proxying upgraded connection"},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy()
			p.ReadTimeout = short
			j := &rig.Job{Rig: r, Group: group(r, rig.NewOrigin(t, c.script)), Policy: p, Req: upgrade}
			j.OnHead = func(j *rig.Job) { j.TunnelWrite([]byte("x")) }
			if j.Go().Wait(); j.Failure() != c.want {
				t.Errorf("%q", j.Failure())
			}
		})
	}
}

// TestUpgradeRefused: an ordinary answer to an upgrade is an ordinary answer.
func TestUpgradeRefused(t *testing.T) {
	r := rig.New(t, 1)
	j := r.Do(group(r, rig.NewOrigin(t, answer(ok2))), policy(), upgrade)
	if !j.Done || j.Status != 200 || j.Body.String() != "ok" {
		t.Error(j.Failure())
	}
}
