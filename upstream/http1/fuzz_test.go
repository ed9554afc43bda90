package http1_test

import (
	"strings"
	"testing"
	"time"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// FuzzResponse lets a backend send anything, cut anywhere, and close. Whatever it
// is, the call ends once, nobody panics, no connection is left, and a response
// that passes for whole is as long as it said.
func FuzzResponse(f *testing.F) {
	for _, c := range responses {
		if len(c.stream) < 1000 {
			f.Add(c.stream, uint16(len(c.stream)/2), c.head)
		}
	}
	f.Add(switching+"x", uint16(3), false)
	r := rig.New(f, 1)
	parts := make(chan [2]string, 1)
	o := rig.NewOrigin(f, func(c *rig.Client) {
		if c.Head() == "" {
			return
		}
		p := <-parts
		c.Say(p[0])
		c.Say(p[1])
	})
	g := group(r, o)
	f.Fuzz(func(t *testing.T, s string, at uint16, head bool) {
		cut := min(int(at), len(s))
		parts <- [2]string{s[:cut], s[cut:]}
		req := upgrade
		req.HeadRequest = head
		j := &rig.Job{Rig: r, Group: g, Policy: policy(), Req: req}
		length := int64(-1)
		j.OnBody = func(j *rig.Job, p []byte) {
			if len(p) == 0 {
				if j.Status != 101 {
					t.Error("an empty piece of body")
				}
				j.TunnelCloseWrite()
			}
		}
		j.Go()
		select {
		case <-j.Over:
		case <-time.After(10 * time.Second):
			t.Fatalf("no end: %q", s)
		}
		for _, line := range strings.Split(strings.ToLower(j.Head), "\n") {
			if v, ok := strings.CutPrefix(line, "content-length:"); ok {
				length = 0
				for _, d := range strings.TrimSpace(v) {
					length = length*10 + int64(d-'0')
				}
			}
		}
		bodiless := j.Status != 101 && (head || j.Status == 204 || j.Status == 304)
		switch {
		case j.Done == (j.Err != nil):
			t.Errorf("done %v and failed %v", j.Done, j.Err)
		case j.Done && j.Status < 100:
			t.Error("whole without a head")
		case bodiless && j.Body.Len() > 0:
			t.Error("a body where there is none")
		case j.Done && !bodiless && j.Status != 101 && length >= 0 && int64(j.Body.Len()) != length:
			t.Errorf("whole with %d bytes of %d", j.Body.Len(), length)
		case j.Err != nil && j.Err.Kind == upstream.KindLocal:
			t.Error(j.Err)
		case r.Engine.Stats().Panics > 0:
			t.Fatal("panic")
		}
	})
}
