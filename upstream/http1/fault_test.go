package http1_test

import (
	"net/netip"
	"strings"
	"testing"

	"seawall/engine"
	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// TestWriteToAConnectionThatWasReset: the failure is that of sending, found out
// by writing and confirmed by reading.
func TestWriteToAConnectionThatWasReset(t *testing.T) {
	r := rig.New(t, 1)
	for name, tunnel := range map[string]bool{"request": false, "tunnel": true} {
		t.Run(name, func(t *testing.T) {
			ready, abort, aborted := make(chan struct{}), make(chan struct{}), make(chan struct{})
			o := rig.NewOrigin(t, func(c *rig.Client) {
				c.Head()
				if tunnel {
					c.Say(switching)
				} else {
					c.Take(3)
					close(ready)
				}
				<-abort
				c.Abort()
				close(aborted)
			})
			body := &rig.Body{Pieces: []string{"abc"}, Open: true}
			j := &rig.Job{Rig: r, Group: group(r, o), Policy: policy()}
			j.Req = upstream.RequestBytes{Head: rig.Get.Head, Body: body}
			if tunnel {
				j.Req = upgrade
				j.OnHead = func(*rig.Job) { close(ready) }
			}
			j.Go()
			r.Wait(ready, "the backend")
			r.On(0, func() { // the loop learns of the reset by its write
				close(abort)
				<-aborted
				if tunnel {
					j.TunnelWrite([]byte("x"))
					j.TunnelWrite([]byte("y"))
				} else {
					body.Pieces = append(body.Pieces, "def")
					j.BodyReady()
				}
			})
			j.Wait()
			want := "writev() failed (104: Connection reset by peer) while sending request to upstream"
			if tunnel {
				want = "recv() failed (104: Connection reset by peer) while proxying upgraded connection"
			}
			if j.Failure() != want || j.Err.Kind != upstream.KindReset {
				t.Errorf("%q", j.Failure())
			}
		})
	}
}

// TestEarlyResponseFoundByAFailedWrite: what the peer said before it closed is read.
func TestEarlyResponseFoundByAFailedWrite(t *testing.T) {
	r := rig.New(t, 1)
	ready, abort, aborted := make(chan struct{}), make(chan struct{}), make(chan struct{})
	o := rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		c.Take(3)
		close(ready)
		<-abort
		c.Say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		c.Conn.Close()
		close(aborted)
	})
	body := &rig.Body{Pieces: []string{"abc"}, Open: true}
	j := &rig.Job{Rig: r, Group: group(r, o), Policy: policy()}
	j.Req = upstream.RequestBytes{Head: rig.Get.Head, Body: body}
	j.Go()
	r.Wait(ready, "the backend")
	r.On(0, func() {
		close(abort)
		<-aborted
		body.Pieces = append(body.Pieces, "def", strings.Repeat("x", 1<<20))
		j.BodyReady()
		j.BodyReady()
	})
	if j.Wait(); !j.Done || j.Status != 413 || j.Body.String() != "no" {
		t.Errorf("status %d, %q", j.Status, j.Failure())
	}
}

// TestHeadAndChunksInPieces of awkward sizes, through the buffer's moves.
func TestHeadAndChunksInPieces(t *testing.T) {
	r := rig.New(t, 1)
	var chunks, body strings.Builder
	for i := range 60 {
		piece := strings.Repeat(string(rune('a'+i%26)), 1+i*37)
		body.WriteString(piece)
		chunks.WriteString(strings.ToUpper(hex(len(piece))) + ";ext=" + strings.Repeat("e", i) + "\r\n" + piece + "\r\n")
	}
	stream := "HTTP/1.1 100 Continue\r\nX: " + strings.Repeat("y", 9000) + "\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 20000) + "\r\nTransfer-Encoding: chunked\r\n\r\n" +
		chunks.String() + "0\r\nTrailer: v\r\n\r\n"
	for _, size := range []int{1, 7, 1000, 3001, 65536} {
		o := rig.NewOrigin(t, func(c *rig.Client) {
			c.Head()
			for at := 0; at < len(stream); at += size {
				c.Say(stream[at:min(at+size, len(stream))])
			}
			c.Rest()
		})
		p := policy()
		p.BufferSize = 32 << 10
		if j := r.Do(group(r, o), p, rig.Get); !j.Done || j.Body.String() != body.String() || len(j.Head) < 20000 {
			t.Errorf("pieces of %d: %d bytes, %q", size, j.Body.Len(), j.Failure())
		}
	}
}

func hex(n int) string {
	const digits = "0123456789abcdef"
	s := ""
	for ; n > 0; n >>= 4 {
		s = digits[n&15:n&15+1] + s
	}
	return s
}

// TestLocalFailures are ours: 500 as in nginx, no blame, no other peer.
func TestLocalFailures(t *testing.T) {
	t.Run("an address that is not ours", func(t *testing.T) {
		r := rig.New(t, 1)
		o := rig.NewOrigin(t, answer(ok2))
		p := policy()
		p.Bind = netip.MustParseAddrPort("192.0.2.1:0")
		g := group(r, o, o)
		j := r.Do(g, p, rig.Get)
		if want := "bind() failed (99: Cannot assign requested address) while connecting to upstream"; j.Failure() != want || j.Err.Status != 500 || len(j.Tries()) != 1 {
			t.Errorf("%q", j.Failure())
		}
		if s := g.Stats(r.Now())[0]; s.Failures != 0 || s.Active != 0 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("worker_connections", func(t *testing.T) {
		r := rig.NewSmall(t, 1, 1)
		o := rig.NewOrigin(t, answer(ok2))
		g := group(r, o)
		held := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get}
		heads := make(chan struct{})
		held.OnHead = func(j *rig.Job) { j.Pause(); close(heads) }
		held.Go()
		r.Wait(heads, "a head")
		j := r.Do(g, policy(), rig.Get)
		if want := "worker_connections are not enough while connecting to upstream"; j.Failure() != want || j.Err.Status != 500 || j.Err.Severity != engine.Alert {
			t.Errorf("%q", j.Failure())
		}
		r.On(0, held.Resume)
		held.Wait()
	})
	t.Run("an idle connection makes room", func(t *testing.T) {
		r := rig.NewSmall(t, 1, 1)
		a, b := rig.NewOrigin(t, answer(ok2, ok2)), rig.NewOrigin(t, answer(ok2, ok2))
		g := group(r, a, b)
		for range 4 { // the peers take turns, each closing the other's connection
			if j := r.Do(g, policy(), rig.Get); !j.Done {
				t.Error(j.Failure())
			}
		}
		if a.Served.Load() != 2 || b.Served.Load() != 2 {
			t.Error(a.Served.Load(), b.Served.Load())
		}
	})
	t.Run("a panic of the receiver", func(t *testing.T) {
		r := rig.New(t, 1)
		r.Panics = 1
		o := rig.NewOrigin(t, answer(ok2, ok2))
		g := group(r, o)
		j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: rig.Get}
		j.OnBody = func(*rig.Job, []byte) { panic("on purpose") }
		if j.Go().Wait(); j.Err == nil || j.Err.Kind != upstream.KindLocal {
			t.Errorf("%q", j.Failure())
		}
		if j := r.Do(g, policy(), rig.Get); !j.Done {
			t.Error(j.Failure())
		}
	})
}

// TestStopWithCallsRunning: the engine's end is every call's end.
func TestStopWithCallsRunning(t *testing.T) {
	r := rig.New(t, 1)
	got := make(chan struct{})
	o := rig.NewOrigin(t, func(c *rig.Client) { c.Head(); close(got); c.Rest() })
	j := &rig.Job{Rig: r, Group: upstream.NewGroup(upstream.GroupConfig{Peers: []upstream.PeerConfig{o.Peer()}}, 1, nil), Policy: policy(), Req: rig.Get}
	j.Go()
	r.Wait(got, "the request")
	r.Stop()
	if j.Wait(); j.Err == nil || j.Err.Kind != upstream.KindLocal {
		t.Errorf("%q", j.Failure())
	}
}
