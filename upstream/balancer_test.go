package upstream

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"seawall/engine"
)

const second = int64(time.Second)

// peersOf makes servers a, b, c ... of these weights, with nginx's defaults.
func peersOf(weights ...int) []PeerConfig {
	var all []PeerConfig
	for i, w := range weights {
		name := string(rune('a' + i))
		all = append(all, PeerConfig{Name: name, Addr: engine.UnixAddr("/" + name), Weight: w, MaxFails: 1, FailTimeout: 10 * time.Second})
	}
	return all
}

// choose makes one choice for a new request.
func choose(lo *local, now int64) (*selection, *Peer) {
	s := &selection{left: lo.group.attempts}
	p, _ := lo.pick(s, now)
	return s, p
}

// sequence chooses n times, each attempt ending well.
func sequence(lo *local, now int64, n int) string {
	var b strings.Builder
	for range n {
		s, p := choose(lo, now)
		if p == nil {
			b.WriteByte('-')
			continue
		}
		b.WriteString(p.Name())
		lo.release(s, p, outcomeGood, now)
	}
	return b.String()
}

// TestSmoothWeights holds the order against nginx's: these were seen in its
// $upstream_addr with the same weights.
func TestSmoothWeights(t *testing.T) {
	for _, c := range []struct {
		weights []int
		want    string
	}{
		{[]int{5, 1, 1}, "aabacaa" + "aabacaa"},
		{[]int{1, 1, 1}, "abcabc"},
		{[]int{3, 1}, "aabaaaba"},
		{[]int{4, 2, 1}, "abacaba" + "abacaba"},
		{[]int{1, 2}, "babbab"},
		{[]int{1}, "aaa"},
	} {
		g := NewGroup(GroupConfig{Peers: peersOf(c.weights...)}, 1, nil)
		if got := sequence(g.locals[0], second, len(c.want)); got != c.want {
			t.Errorf("%v: %s, want %s", c.weights, got, c.want)
		}
	}
}

func TestManyPeersAreAllTried(t *testing.T) {
	weights := make([]int, 150)
	for i := range weights {
		weights[i] = 1
	}
	g := NewGroup(GroupConfig{Peers: peersOf(weights...)}, 1, nil)
	s := &selection{left: g.attempts}
	seen := map[*Peer]bool{}
	for range weights {
		p, _ := g.locals[0].pick(s, second)
		if p == nil || seen[p] {
			t.Fatalf("after %d peers: %v", len(seen), p)
		}
		seen[p] = true
		g.locals[0].release(s, p, outcomeGood, second)
	}
	if p, busy := g.locals[0].pick(s, second); p != nil || busy || s.left != 0 {
		t.Error("a peer twice")
	}
}

func TestDownIsNeverChosen(t *testing.T) {
	peers := peersOf(1, 5, 1)
	peers[1].Down = true
	g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
	if got := sequence(g.locals[0], second, 4); got != "acac" || g.attempts != 2 {
		t.Error(got, g.attempts)
	}
	alone := peersOf(1)
	alone[0].Down = true
	g = NewGroup(GroupConfig{Peers: alone}, 1, nil)
	if got := sequence(g.locals[0], second, 1); got != "-" {
		t.Error(got)
	}
}

// TestFailTimeout goes through a peer's life: out after max_fails, probed by one
// request when fail_timeout is over, out again or back.
func TestFailTimeout(t *testing.T) {
	peers := peersOf(1, 1)
	peers[0].MaxFails = 2
	g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
	lo := g.locals[0]
	now := 100 * second

	bad := func(want string, disabled bool) {
		t.Helper()
		s, p := choose(lo, now)
		for p.Name() != want {
			lo.release(s, p, outcomeGood, now)
			s, p = choose(lo, now)
		}
		if got := lo.release(s, p, outcomeBad, now); got != disabled {
			t.Errorf("disabled %v", got)
		}
	}
	bad("a", false)
	now += second
	bad("a", true)
	if got := sequence(lo, now, 4); got != "bbbb" {
		t.Errorf("out: %s", got)
	}
	now += 10 * second // not over yet: nginx asks for more than fail_timeout
	if got := sequence(lo, now, 2); got != "bb" {
		t.Errorf("out: %s", got)
	}
	now++
	var probing []*selection
	var probed []*Peer
	for range 4 {
		s, p := choose(lo, now)
		probing, probed = append(probing, s), append(probed, p)
	}
	count := 0
	for i, p := range probed {
		how := outcomeGood
		if p.Name() == "a" {
			count++
			how = outcomeBad
		}
		lo.release(probing[i], p, how, now)
	}
	if count != 1 {
		t.Errorf("probed by %d requests", count)
	}
	if got := sequence(lo, now+9*second, 3); got != "bbb" {
		t.Errorf("out again: %s", got)
	}
	now += 11 * second
	if got := sequence(lo, now, 4); strings.Count(got, "a") == 0 {
		t.Errorf("not back: %s", got)
	}
	if s := g.Stats(now)[0]; s.Fails != 0 || s.Failures != 3 || s.Unavailable {
		t.Errorf("%+v", s)
	}
}

// TestFailuresInFailTimeoutOnly: a failure now and then does not take a peer out.
func TestFailuresInFailTimeoutOnly(t *testing.T) {
	peers := peersOf(1, 1)
	peers[0].MaxFails, peers[1].Down = 3, true
	g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
	lo := g.locals[0]
	now := second
	for range 10 {
		s, p := choose(lo, now)
		if p == nil {
			t.Fatal("out")
		}
		lo.release(s, p, outcomeBad, now)
		now += 11 * second
		if got := sequence(lo, now, 1); got != "a" {
			t.Fatal(got)
		}
	}
}

// TestEffectiveWeight: a failure costs weight/max_fails, each choice brings one back.
func TestEffectiveWeight(t *testing.T) {
	peers := peersOf(4, 4)
	peers[0].MaxFails = 2
	g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
	lo := g.locals[0]
	a := &lo.primary.(*roundRobin).peers[0]
	s, p := choose(lo, second)
	if p.Name() != "a" {
		t.Fatal(p.Name())
	}
	lo.release(s, p, outcomeBad, second)
	if a.effective != 2 {
		t.Fatalf("effective %d", a.effective)
	}
	sequence(lo, second, 1)
	if a.effective != 3 {
		t.Fatalf("effective %d", a.effective)
	}
	sequence(lo, second, 5)
	if a.effective != 4 {
		t.Fatalf("effective %d", a.effective)
	}
	for range 9 {
		lo.release(&selection{left: 2}, a.peer, outcomeBad, second)
		a.peer.counters[0].active.Add(1)
	}
	if a.effective != 0 {
		t.Fatalf("effective %d", a.effective)
	}
}

// TestFailingPeerOrder holds the order against nginx's with the first of two
// peers of weight 4 answering 500, max_fails=5 and proxy_next_upstream http_500.
func TestFailingPeerOrder(t *testing.T) {
	peers := peersOf(4, 4)
	peers[0].MaxFails, peers[0].FailTimeout = 5, 100*time.Second
	g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
	lo := g.locals[0]
	var got strings.Builder
	for range 12 {
		s, p := choose(lo, second)
		for ; p.Name() == "a"; p, _ = lo.pick(s, second) {
			got.WriteString("a")
			lo.release(s, p, outcomeBad, second)
		}
		got.WriteString("b ")
		lo.release(s, p, outcomeGood, second)
	}
	if want := "ab b ab b ab b ab b ab b b b "; got.String() != want {
		t.Errorf("%s, want %s", got.String(), want)
	}
}

func TestNeverTakenOut(t *testing.T) {
	for name, peers := range map[string][]PeerConfig{"a single peer": peersOf(1), "max_fails=0": peersOf(1, 1)} {
		for i := range peers {
			if len(peers) > 1 {
				peers[i].MaxFails = 0
			}
		}
		g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
		lo := g.locals[0]
		for range 20 {
			s, p := choose(lo, second)
			if p == nil {
				t.Fatalf("%s is out", name)
			}
			if lo.release(s, p, outcomeBad, second) {
				t.Errorf("%s is disabled", name)
			}
		}
	}
}

// TestAllOut: nginx (since 1.11.5) waits for fail_timeout when every peer is out.
func TestAllOut(t *testing.T) {
	g := NewGroup(GroupConfig{Peers: peersOf(1, 1)}, 1, nil)
	lo := g.locals[0]
	for range 2 {
		s, p := choose(lo, second)
		lo.release(s, p, outcomeBad, second)
	}
	if got := sequence(lo, 11*second, 3); got != "---" {
		t.Error(got)
	}
	if got := sequence(lo, 11*second+1, 4); strings.Contains(got, "-") || !strings.Contains(got, "a") || !strings.Contains(got, "b") {
		t.Error(got)
	}
}

func TestBackup(t *testing.T) {
	peers := peersOf(1, 1, 1)
	peers[1].Backup, peers[2].Backup = true, true
	g := NewGroup(GroupConfig{Peers: peers}, 1, nil)
	lo := g.locals[0]
	if got := sequence(lo, second, 3); got != "aaa" {
		t.Error(got)
	}
	s, p := choose(lo, second)
	order := ""
	for p != nil {
		order += p.Name()
		lo.release(s, p, outcomeBad, second)
		p, _ = lo.pick(s, second)
	}
	if order != "abc" || s.left != 0 {
		t.Errorf("%s, %d left", order, s.left)
	}
	if got := sequence(lo, 12*second, 1); got != "a" {
		t.Errorf("after fail_timeout: %s", got)
	}
}

func TestMaxConnsIsSharedAndExact(t *testing.T) {
	peers := peersOf(1, 1)
	peers[0].MaxConns, peers[1].MaxConns = 7, 3
	peers[0].MaxFails, peers[1].MaxFails = 0, 0
	const loops = 4
	g := NewGroup(GroupConfig{Peers: peers}, loops, nil)
	var wg sync.WaitGroup
	for i := range loops {
		wg.Go(func() {
			lo := g.locals[i]
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			type held struct {
				s *selection
				p *Peer
			}
			var all []held
			for range 20000 {
				if s, p := choose(lo, second); p != nil {
					all = append(all, held{s, p})
					if n := int(p.health.conns.Load()); n > p.cfg.MaxConns+loops {
						t.Errorf("%d at %s", n, p.Name())
					}
				}
				for len(all) > 0 && rnd.IntN(3) > 0 {
					last := all[len(all)-1]
					all = all[:len(all)-1]
					lo.release(last.s, last.p, outcome(rnd.IntN(3)), second)
				}
			}
			for _, h := range all {
				lo.release(h.s, h.p, outcomeGood, second)
			}
		})
	}
	wg.Wait()
	for _, s := range g.Stats(second) {
		if s.Active != 0 {
			t.Errorf("%+v", s)
		}
	}
	for _, p := range g.peers {
		if p.health.conns.Load() != 0 {
			t.Errorf("%s: %d", p.Name(), p.health.conns.Load())
		}
	}
	// One loop alone gets exactly as many as allowed.
	n := 0
	for ; ; n++ {
		if _, p := choose(g.locals[0], 100*second); p == nil {
			break
		}
	}
	if n != 10 {
		t.Errorf("%d at a time, want 10", n)
	}
}

// TestHealthSurvivesReload: by name and address.
func TestHealthSurvivesReload(t *testing.T) {
	cfg := GroupConfig{Peers: peersOf(1, 1, 1)}
	old := NewGroup(cfg, 1, nil)
	for range 3 {
		s, p := choose(old.locals[0], second)
		how := outcomeGood
		if p.Name() == "b" {
			how = outcomeBad
		}
		old.locals[0].release(s, p, how, second)
	}
	cfg.Peers[0], cfg.Peers[1] = cfg.Peers[1], cfg.Peers[0]
	cfg.Peers[2].Addr = engine.UnixAddr("/elsewhere")
	g := NewGroup(cfg, 3, old)
	if s := g.Stats(second); !s[0].Unavailable || s[0].Requests != 1 || s[1].Unavailable || s[1].Requests != 1 || s[2].Requests != 0 {
		t.Errorf("%+v", s)
	}
	if got := sequence(g.locals[2], second, 4); got != "acac" {
		t.Error(got)
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	g := NewGroup(GroupConfig{Peers: peersOf(5, 1, 1)}, 1, nil)
	lo := g.locals[0]
	var s selection
	if n := testing.AllocsPerRun(1000, func() {
		s.forget()
		s.left = 3
		p, _ := lo.pick(&s, second)
		lo.release(&s, p, outcomeGood, second)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
