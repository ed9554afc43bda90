package http1_test

import (
	"strings"
	"testing"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// TestRequestLeavesInOneWrite: the first read of the backend has head and body.
func TestRequestLeavesInOneWrite(t *testing.T) {
	r := rig.New(t, 1)
	for _, chunked := range []bool{false, true} {
		got := make(chan string, 1)
		o := rig.NewOrigin(t, func(c *rig.Client) {
			b := make([]byte, 1<<16)
			n, _ := c.Conn.Read(b)
			got <- string(b[:n])
			c.Say(ok2)
			c.Rest()
		})
		req := rig.Post("hello")
		req.Chunked = chunked
		want := string(req.Head) + "hello"
		if chunked {
			want = string(req.Head) + "5\r\nhello\r\n0\r\n\r\n"
		}
		if j := r.Do(group(r, o), policy(), req); !j.Done {
			t.Error(j.Failure())
		}
		if s := <-got; s != want {
			t.Errorf("%q", s)
		}
	}
}

// TestLargeRequestBodies sends bodies that the kernel takes piece by piece.
func TestLargeRequestBodies(t *testing.T) {
	r := rig.New(t, 1)
	body := strings.Repeat("0123456789abcdef", 1<<18) // 4 MB
	for _, chunked := range []bool{false, true} {
		got := make(chan string, 1)
		o := rig.NewOrigin(t, func(c *rig.Client) {
			c.Head()
			if !chunked {
				got <- c.Take(len(body))
			} else {
				var b strings.Builder
				for size := -1; size != 0; {
					line := c.Line()
					size = 0
					for _, d := range strings.TrimSpace(line) {
						size = size<<4 | strings.IndexRune("0123456789abcdef", d)
					}
					b.WriteString(c.Take(size))
					c.Take(2)
				}
				got <- b.String()
			}
			c.Say(ok2)
			c.Rest()
		})
		g := group(r, o)
		req := upstream.RequestBytes{Head: rig.Get.Head, Body: rig.NewBody(body), Chunked: chunked}
		if j := r.Do(g, policy(), req); !j.Done || j.Tries()[0].BytesSent < int64(len(body)) {
			t.Error(j.Failure(), j.Tries())
		}
		if s := <-got; s != body {
			t.Errorf("the backend got %d bytes, not the body", len(s))
		}
	}
}

// TestStreamedRequestBody waits for a source that has nothing now.
func TestStreamedRequestBody(t *testing.T) {
	r := rig.New(t, 1)
	first, got := make(chan struct{}), make(chan string, 1)
	o := rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		head := c.Take(3)
		close(first)
		got <- head + c.Take(4)
		c.Say(ok2)
		c.Rest()
	})
	body := &rig.Body{Pieces: []string{"abc"}, Open: true}
	p := policy()
	p.ReadTimeout, p.SendTimeout = short, short // neither runs while we wait for the client
	j := &rig.Job{Rig: r, Group: group(r, o), Policy: p, Req: upstream.RequestBytes{Head: rig.Get.Head, Body: body}}
	j.Go()
	r.Wait(first, "the first piece at the backend")
	r.On(0, func() {
		body.Pieces = append(body.Pieces, "de")
		j.BodyReady()
		body.Pieces = append(body.Pieces, "fg")
		body.Open = false
		j.BodyReady()
		j.BodyReady() // once too often
	})
	if j.Wait(); !j.Done || <-got != "abcdefg" {
		t.Error(j.Failure())
	}
}

// TestEarlyResponse: an answer to a request that is not all sent is passed on,
// and the connection is not used again.
func TestEarlyResponse(t *testing.T) {
	r := rig.New(t, 1)
	large := strings.Repeat("x", 16<<20)
	answered := make(chan struct{})
	for name, script := range map[string]func(*rig.Client){
		"reads on": func(c *rig.Client) {
			c.Head()
			c.Take(2)
			c.Say(ok2)
			<-answered // else the body may be all sent before the answer is read
			c.Rest()
		},
		"closes": func(c *rig.Client) { // unread input makes this a reset
			c.Head()
			c.Take(2)
			c.Say(ok2)
		},
		"reads nothing": func(c *rig.Client) {
			c.Say(ok2)
			c.Conn.Read(make([]byte, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, body := range []*rig.Body{{Pieces: []string{large}}, {Pieces: []string{"abc"}, Open: true}} {
				o := rig.NewOrigin(t, script)
				req := upstream.RequestBytes{Head: rig.Get.Head, Body: body}
				if j := r.Do(group(r, o), policy(), req); !j.Done || j.Status != 200 || j.Body.String() != "ok" {
					t.Error(j.Failure())
				}
				if name == "reads on" {
					answered <- struct{}{}
				}
				r.Eventually(0, "the connection's end", func() bool { return r.Engine.Stats().Backends == 0 })
			}
		})
	}
}

// TestPeerGoneWhileSending without an answer.
func TestPeerGoneWhileSending(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		c.Abort()
	})
	req := upstream.RequestBytes{Head: rig.Get.Head, Body: rig.NewBody(strings.Repeat("x", 16<<20))}
	j := r.Do(group(r, o), policy(), req)
	if j.Err == nil || j.Err.Kind != upstream.KindReset || j.Err.Status != 502 {
		t.Errorf("%q", j.Failure())
	}
}
