package upstream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"seawall/upstream"
	"seawall/upstream/http1"
	"seawall/upstream/internal/rig"
)

func policy(next upstream.NextUpstream) *upstream.Policy {
	return &upstream.Policy{
		Protocol: http1.Protocol{}, Next: next,
		ConnectTimeout: 5 * time.Second, SendTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
	}
}

func says(status string) func(*rig.Client) {
	return func(c *rig.Client) {
		for c.Head() != "" {
			c.Take(0)
			if !c.Say("HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nok") {
				return
			}
		}
	}
}

func hangsUp(c *rig.Client) { c.Head() }

func groupOf(r *rig.Rig, origins ...*rig.Origin) *upstream.Group {
	cfg := upstream.GroupConfig{Keepalive: 4}
	for _, o := range origins {
		cfg.Peers = append(cfg.Peers, o.Peer())
	}
	return r.Group(cfg)
}

// TestNextUpstream: which failure of the first peer leads to the second one.
func TestNextUpstream(t *testing.T) {
	r := rig.New(t, 1)
	const def = upstream.NextDefault
	for name, c := range map[string]struct {
		first   func(*rig.Client) // nil: refuses
		next    upstream.NextUpstream
		req     upstream.RequestBytes
		again   bool
		status  int // of the first try
		counted uint64
	}{
		"refused":                        {nil, def, rig.Get, true, 502, 1},
		"refused, off":                   {nil, upstream.NextOff, rig.Get, false, 502, 1},
		"refused, timeout only":          {nil, upstream.NextTimeout, rig.Get, false, 502, 1},
		"refused POST":                   {nil, def, rig.Post("hello"), true, 502, 1},
		"closed early":                   {hangsUp, def, rig.Get, true, 502, 1},
		"closed early, POST":             {hangsUp, def, rig.Post("hello"), false, 502, 1},
		"closed early, POST allowed":     {hangsUp, def | upstream.NextNonIdempotent, rig.Post("hello"), true, 502, 1},
		"stalls":                         {func(c *rig.Client) { c.Rest() }, def, rig.Get, true, 504, 1},
		"stalls, error only":             {func(c *rig.Client) { c.Rest() }, upstream.NextError, rig.Get, false, 504, 1},
		"garbage":                        {func(c *rig.Client) { c.Head(); c.Say("garbage") }, def, rig.Get, false, 502, 1},
		"garbage, invalid_header":        {func(c *rig.Client) { c.Head(); c.Say("garbage") }, upstream.NextInvalidHeader, rig.Get, true, 502, 1},
		"too big head, invalid_header":   {func(c *rig.Client) { c.Head(); c.Say("HTTP/1.1 200 " + strings.Repeat("x", 9000)) }, upstream.NextInvalidHeader, rig.Get, true, 502, 1},
		"500":                            {says("500 Oops"), def, rig.Get, false, 500, 0},
		"500, http_500":                  {says("500 Oops"), upstream.NextHTTP500, rig.Get, true, 500, 1},
		"502, http_502":                  {says("502 Bad"), upstream.NextHTTP502, rig.Get, true, 502, 1},
		"503, http_503":                  {says("503 Busy"), upstream.NextHTTP503, rig.Get, true, 503, 1},
		"503, http_500":                  {says("503 Busy"), upstream.NextHTTP500, rig.Get, false, 503, 0},
		"504, http_504":                  {says("504 Late"), upstream.NextHTTP504, rig.Get, true, 504, 1},
		"403, http_403":                  {says("403 No"), upstream.NextHTTP403, rig.Get, true, 403, 0},
		"404, http_404":                  {says("404 No"), upstream.NextHTTP404, rig.Get, true, 404, 0},
		"429, http_429":                  {says("429 Many"), upstream.NextHTTP429, rig.Get, true, 429, 1},
		"503 to POST, http_503":          {says("503 Busy"), upstream.NextHTTP503, rig.Post("hello"), false, 503, 0},
		"503 to POST, non_idempotent":    {says("503 Busy"), upstream.NextHTTP503 | upstream.NextNonIdempotent, rig.Post("hello"), true, 503, 1},
		"half a body is not tried again": {func(c *rig.Client) { c.Head(); c.Say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") }, def, rig.Get, false, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			script := c.first
			if script == nil {
				script = hangsUp
			}
			bad, good := rig.NewOrigin(t, script), rig.NewOrigin(t, says("200 OK"))
			if c.first == nil {
				bad.Close()
			}
			if b, ok := c.req.Body.(*rig.Body); ok {
				c.req.Body = rig.NewBody(b.Pieces...)
			}
			p := policy(c.next)
			p.ReadTimeout = 100 * time.Millisecond
			g := groupOf(r, bad, good)
			j := r.Do(g, p, c.req)
			tries := j.Tries()
			if len(tries) != 1+len(j.Retried) || tries[0].Status != c.status {
				t.Fatalf("tries %s, retried %v, %q", j.List(upstream.TryStatus), j.Retried, j.Failure())
			}
			if again := len(tries) == 2; again != c.again {
				t.Errorf("tried again: %v, %v", again, j.Retried)
			}
			if c.again {
				want := fmt.Sprintf("%s, %s|%d, 200", bad.Name(), good.Name(), c.status)
				if got := j.List(upstream.TryAddr) + "|" + j.List(upstream.TryStatus); got != want || !j.Done || j.Body.String() != "ok" {
					t.Errorf("%s, want %s; %q", got, want, j.Failure())
				}
			}
			s := g.Stats(r.Now())[0]
			if s.Failures != c.counted || s.Active != 0 || tries[0].Disabled != (c.counted > 0) {
				t.Errorf("counted %+v, disabled %v", s, tries[0].Disabled)
			}
		})
	}
}

// TestRequestBodyIsSentAgain from its beginning, or not at all.
func TestRequestBodyIsSentAgain(t *testing.T) {
	r := rig.New(t, 1)
	for _, once := range []bool{false, true} {
		got := make(chan string, 1)
		bad := rig.NewOrigin(t, func(c *rig.Client) { c.Head(); c.Take(5); c.Say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") })
		good := rig.NewOrigin(t, func(c *rig.Client) {
			c.Head()
			got <- c.Take(5)
			c.Say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		body := &rig.Body{Pieces: []string{"he", "llo"}, Once: once}
		j := r.Do(groupOf(r, bad, good), policy(upstream.NextHTTP503), upstream.RequestBytes{
			Head: []byte("PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), Idempotent: true, Body: body,
		})
		if once {
			if j.Status != 503 || !j.Done {
				t.Errorf("status %d, %q", j.Status, j.Failure())
			}
			continue
		}
		if s := <-got; j.Status != 200 || s != "hello" || body.Rewinds != 1 {
			t.Errorf("status %d, the second peer got %q", j.Status, s)
		}
	}
}

func TestTriesAndTimeOfNextUpstream(t *testing.T) {
	r := rig.New(t, 1)
	slow := func(c *rig.Client) { c.Head(); time.Sleep(20 * time.Millisecond) }
	a, b, c := rig.NewOrigin(t, slow), rig.NewOrigin(t, slow), rig.NewOrigin(t, says("200 OK"))
	p := policy(upstream.NextDefault)
	p.NextTries = 2
	if j := r.Do(groupOf(r, a, b, c), p, rig.Get); j.List(upstream.TryStatus) != "502, 502" || j.Err == nil {
		t.Errorf("tries: %s", j.List(upstream.TryStatus))
	}
	p = policy(upstream.NextDefault)
	p.NextTimeout = time.Millisecond
	if j := r.Do(groupOf(r, a, b, c), p, rig.Get); j.List(upstream.TryStatus) != "502" || j.Err == nil {
		t.Errorf("time: %s", j.List(upstream.TryStatus))
	}
}

// TestNoLiveUpstreams: as nginx lists and words it.
func TestNoLiveUpstreams(t *testing.T) {
	r := rig.New(t, 1)
	a, b := rig.NewOrigin(t, hangsUp), rig.NewOrigin(t, hangsUp)
	g := groupOf(r, a, b)
	p := policy(upstream.NextDefault)
	first := r.Do(g, p, rig.Get)
	if got := first.List(upstream.TryAddr); got != a.Name()+", "+b.Name() || first.Err.Kind != upstream.KindClosedEarly {
		t.Errorf("%s %q", got, first.Failure())
	}
	j := r.Do(g, p, rig.Get)
	if j.Failure() != "no live upstreams while connecting to upstream" || j.Err.Status != 502 || j.Err.Kind != upstream.KindNoLive {
		t.Errorf("%q", j.Failure())
	}
	if got := j.List(upstream.TryAddr) + "|" + j.List(upstream.TryStatus) + "|" + j.List(upstream.TryHeaderTime); got != "app|502|-" {
		t.Error(got)
	}

	// One is out, the other fails: the list ends with the group, as nginx's.
	c, d := rig.NewOrigin(t, hangsUp), rig.NewOrigin(t, hangsUp)
	g = groupOf(r, c, d)
	once := policy(upstream.NextOff)
	r.Do(g, once, rig.Get)
	if j := r.Do(g, p, rig.Get); j.List(upstream.TryAddr) != d.Name()+", app" || j.List(upstream.TryStatus) != "502, 502" {
		t.Error(j.List(upstream.TryAddr), j.List(upstream.TryStatus))
	}
}

// TestStaleConnection: a kept connection that the peer closes instead of
// answering is replaced, without blame and without asking proxy_next_upstream.
func TestStaleConnection(t *testing.T) {
	r := rig.New(t, 1)
	for name, c := range map[string]struct {
		end   func(*rig.Client)
		req   upstream.RequestBytes
		next  upstream.NextUpstream
		again bool
	}{
		"closed":               {func(*rig.Client) {}, rig.Get, upstream.NextDefault, true},
		"reset":                {func(c *rig.Client) { c.Abort() }, rig.Get, upstream.NextDefault, true},
		"off":                  {func(*rig.Client) {}, rig.Get, upstream.NextOff, true},
		"POST":                 {func(*rig.Client) {}, rig.Post("hello"), upstream.NextDefault, false},
		"POST, when allowed":   {func(*rig.Client) {}, rig.Post("hello"), upstream.NextDefault | upstream.NextNonIdempotent, true},
		"half a head was sent": {func(c *rig.Client) { c.Say("HTTP/1.1 2") }, rig.Get, upstream.NextDefault, false},
	} {
		for _, peers := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d peers", name, peers), func(t *testing.T) {
				o := rig.NewOrigin(t, func(cl *rig.Client) {
					for served := 0; cl.Head() != ""; served++ {
						if cl.N == 1 && served == 1 {
							c.end(cl)
							return
						}
						cl.Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					}
				})
				cfg := upstream.GroupConfig{Keepalive: 4, Peers: []upstream.PeerConfig{o.Peer()}}
				if peers == 2 {
					idle := rig.PeerAt("127.0.0.1:1")
					idle.Backup = true
					cfg.Peers = append(cfg.Peers, idle)
				}
				g := r.Group(cfg)
				p := policy(c.next)
				if j := r.Do(g, p, rig.Get); !j.Done {
					t.Fatal(j.Failure())
				}
				if b, ok := c.req.Body.(*rig.Body); ok {
					c.req.Body = rig.NewBody(b.Pieces...)
				}
				j := r.Do(g, p, c.req)
				if j.Done != c.again && peers == 1 {
					t.Fatalf("done %v, %q, tries %s", j.Done, j.Failure(), j.List(upstream.TryAddr))
				}
				if c.again {
					if o.Served.Load() != 2 || j.List(upstream.TryAddr) != o.Name()+", "+o.Name() || !j.Tries()[0].Stale {
						t.Errorf("%d connections, tries %s", o.Served.Load(), j.List(upstream.TryAddr))
					}
					if s := g.Stats(r.Now())[0]; s.Fails != 0 || s.Failures != 0 || s.Active != 0 {
						t.Errorf("counted: %+v", s)
					}
				}
			})
		}
	}
}

// TestSeveralGroups: a further call for the same request continues the lists.
func TestSeveralGroups(t *testing.T) {
	r := rig.New(t, 1)
	a, b, c := rig.NewOrigin(t, says("503 Busy")), rig.NewOrigin(t, says("200 OK")), rig.NewOrigin(t, says("404 No"))
	first, second := groupOf(r, a, b), groupOf(r, c)
	j := r.Do(first, policy(upstream.NextHTTP503), rig.Get)
	j.Group, j.Req.Again = second, true
	j.Go().Wait()
	if got, want := j.List(upstream.TryAddr), a.Name()+", "+b.Name()+" : "+c.Name(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := j.List(upstream.TryStatus); got != "503, 200 : 404" {
		t.Error(got)
	}
	j.Group, j.Req.Again = second, false
	j.Go().Wait()
	if got := j.List(upstream.TryStatus); got != "404" {
		t.Error(got)
	}
}

func TestLists(t *testing.T) {
	tries := []upstream.Try{
		{Peer: "10.0.0.1:80", Status: 502, ConnectTime: -1, HeaderTime: -1, ResponseTime: 1_234_567_890, BytesSent: 0},
		{Peer: "unix:/run/app", Status: 200, ConnectTime: 0, HeaderTime: 4_999_999, ResponseTime: 61e9, BytesReceived: 70, BytesSent: 30, BodyBytes: 7},
		{Peer: "10.0.0.3:80", NewGroup: true, ConnectTime: 1e6, HeaderTime: -1, ResponseTime: -1},
	}
	for f, want := range map[upstream.TryField]string{
		upstream.TryAddr:           "10.0.0.1:80, unix:/run/app : 10.0.0.3:80",
		upstream.TryStatus:         "502, 200 : -",
		upstream.TryConnectTime:    "-, 0.000 : 0.001",
		upstream.TryHeaderTime:     "-, 0.004 : -",
		upstream.TryResponseTime:   "1.234, 61.000 : -",
		upstream.TryBytesReceived:  "0, 70 : 0",
		upstream.TryBytesSent:      "0, 30 : 0",
		upstream.TryResponseLength: "0, 7 : 0",
	} {
		if got := string(upstream.AppendTries(nil, tries, f)); got != want {
			t.Errorf("%d: %q, want %q", f, got, want)
		}
	}
}
