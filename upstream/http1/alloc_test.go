package http1_test

import (
	"net"
	"runtime"
	"strings"
	"testing"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// steady serves n requests, one after another, over one kept connection, and
// returns the allocations meanwhile. The origin allocates nothing.
func steady(t testing.TB, r *rig.Rig, g *upstream.Group, p *upstream.Policy, req upstream.RequestBytes, n int) uint64 {
	over := make(chan struct{}, 1)
	j := &again{}
	j.start = func() { j.Start(r.Loop(0), g, p, req, j) }
	j.over = func() { over <- struct{}{} }
	run := func(n int) {
		j.left = n - 1
		r.Loop(0).Post(j.start)
		<-over
		if j.failure != nil {
			t.Fatal(j.failure)
		}
	}
	run(100)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run(n)
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// ready answers whatever comes with a fixed response, without allocating.
func ready(response string) func(*rig.Client) {
	out := []byte(response)
	return func(c *rig.Client) {
		in := make([]byte, 4096)
		for {
			n, err := c.Conn.(*net.TCPConn).Read(in)
			if n == 0 || err != nil {
				return
			}
			if _, err := c.Conn.(*net.TCPConn).Write(out); err != nil {
				return
			}
		}
	}
}

// browserLike are the fields that a response has as a rule.
const browserLike = "Server: app\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
	"Cache-Control: max-age=1\r\nX-Request-Id: 0123456789\r\nVary: Accept-Encoding\r\n"

func TestNoAllocation(t *testing.T) {
	r := rig.New(t, 1)
	for name, c := range map[string]struct {
		response string
		limit    int // max_conns
	}{
		"1 KB":           {"HTTP/1.1 200 OK\r\n" + browserLike + "Content-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024), 0},
		"with max_conns": {"HTTP/1.1 200 OK\r\n" + browserLike + "Content-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024), 5},
		"chunked":        {"HTTP/1.1 200 OK\r\n" + browserLike + "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 0},
		"100 KB":         {"HTTP/1.1 200 OK\r\n" + browserLike + "Content-Length: 102400\r\n\r\n" + strings.Repeat("x", 102400), 0},
	} {
		t.Run(name, func(t *testing.T) {
			o1, o2 := rig.NewOrigin(t, ready(c.response)), rig.NewOrigin(t, ready(c.response))
			a, b := o1.Peer(), o2.Peer()
			a.MaxConns, b.MaxConns = c.limit, c.limit
			g := r.Group(upstream.GroupConfig{Keepalive: 4, QueueSize: c.limit, Peers: []upstream.PeerConfig{a, b}})
			const n = 2000
			if allocs := steady(t, r, g, policy(), rig.Get, n); allocs > n/20 {
				t.Errorf("%d allocations in %d requests", allocs, n)
			}
		})
	}
}

func BenchmarkCall(b *testing.B) {
	r := rig.New(b, 1)
	o := rig.NewOrigin(b, ready("HTTP/1.1 200 OK\r\n"+browserLike+"Content-Length: 1024\r\n\r\n"+strings.Repeat("x", 1024)))
	g := r.Group(upstream.GroupConfig{Keepalive: 4, Peers: []upstream.PeerConfig{o.Peer()}})
	b.ReportAllocs()
	steady(b, r, g, policy(), rig.Get, max(b.N, 1))
}
