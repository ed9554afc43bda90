package upstream_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

// misbehaves answers well or badly, as chance has it.
func misbehaves(seed uint64) func(*rig.Client) {
	long := "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("x", 200000)
	return func(c *rig.Client) {
		rnd := rand.New(rand.NewPCG(seed, uint64(c.N)))
		for c.Head() != "" {
			switch rnd.IntN(12) {
			case 0:
				return
			case 1:
				c.Abort()
				return
			case 2:
				c.Say(long[:rnd.IntN(len(long))])
				return
			case 3:
				c.Say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
			case 4:
				c.Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nextra")
			case 5:
				c.Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
				c.Abort()
				return
			case 6:
				c.Say(long)
			default:
				c.Say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
			}
		}
	}
}

// TestChaos: bad peers, a full queue, pauses and clients that leave, on two loops
// at once. Every call ends once or was cancelled, and nothing is left behind.
func TestChaos(t *testing.T) {
	r := rig.New(t, 2)
	cfg := upstream.GroupConfig{Keepalive: 3, QueueSize: 16, QueueTimeout: 200 * time.Millisecond, KeepaliveRequests: 7}
	for i := range 4 {
		p := rig.NewOrigin(t, misbehaves(uint64(i))).Peer()
		p.MaxConns, p.MaxFails, p.FailTimeout, p.Backup = 4, 3, 5*time.Millisecond, i == 3
		cfg.Peers = append(cfg.Peers, p)
	}
	g := r.Group(cfg)
	pol := policy(upstream.NextDefault | upstream.NextInvalidHeader | upstream.NextHTTP503)
	rnd := rand.New(rand.NewPCG(7, 7))
	const atATime = 24
	outcomes := map[string]int{}
	results := make(chan string, atATime)
	await := func() {
		select {
		case how := <-results:
			outcomes[how]++
		case <-time.After(10 * time.Second):
			t.Fatalf("calls without end; so far %v", outcomes)
		}
	}
	// Calls that find no peer or the queue full end at once, as many as the
	// machine's speed has it: what counts is how many got through.
	const calls, wanted = 1500, 150
	begun := 0
	for end := time.Now().Add(30 * time.Second); begun < calls || outcomes["done"] < wanted; begun++ {
		if time.Now().After(end) {
			break
		}
		if begun >= atATime {
			await()
		}
		j := &rig.Job{Rig: r, Loop: begun % 2, Group: g, Policy: pol, Req: rig.Get}
		ends := 0
		end := func(how string) {
			if ends++; ends > 1 {
				t.Error("ended twice")
			}
			results <- how
		}
		j.OnOver = func(j *rig.Job) {
			if j.Done {
				end("done")
			} else {
				end(j.Err.Kind.String())
			}
		}
		leave := func(j *rig.Job) {
			j.Cancel()
			end("cancelled")
		}
		switch rnd.IntN(10) {
		case 0:
			j.OnHead = leave
		case 1:
			j.OnBody = func(j *rig.Job, _ []byte) { leave(j) }
		case 2:
			j.OnTry = leave
		case 3, 4:
			l := r.Loop(j.Loop)
			j.OnBody = func(j *rig.Job, _ []byte) {
				j.Pause()
				l.Post(func() { j.Resume() })
			}
		}
		j.Go()
	}
	for range min(begun, atATime) {
		await()
	}
	t.Log(outcomes)
	if outcomes["done"] < wanted || outcomes["cancelled"] == 0 {
		t.Errorf("outcomes %v", outcomes)
	}
	for _, s := range g.Stats(r.Now()) {
		if s.Active != 0 {
			t.Errorf("left: %+v", s)
		}
	}
	if g.Waiting() != 0 {
		t.Errorf("%d wait", g.Waiting())
	}
}
