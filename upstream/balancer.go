package upstream

// balancer chooses among the peers of one set (the primary or the backup ones)
// on one loop. Round robin is the only one yet; other methods of upstream
// blocks (least_conn, hash ...) stand beside it.
type balancer interface {
	// pick chooses a peer that s has not tried. nil: none; busy then says that
	// one would do but for max_conns. The choice is entered in s and acquired.
	pick(s *selection, now int64) (p *Peer, busy bool)
	// failed tells of an attempt that counted against p.
	failed(p *Peer)
}

// selection is one call's way through a group's peers.
type selection struct {
	backup bool     // the backup peers are being tried: there is no way back
	tried  uint64   // bit per peer of the set
	more   []uint64 // the same for sets of more than 64, from the 65th on
	left   int      // attempts still allowed, the one in progress included
}

func (s *selection) has(i int) bool {
	if i < 64 {
		return s.tried&(1<<i) != 0
	}
	return len(s.more) > i/64-1 && s.more[i/64-1]&(1<<(i%64)) != 0
}

func (s *selection) mark(i int) {
	if i < 64 {
		s.tried |= 1 << i
		return
	}
	for len(s.more) <= i/64-1 {
		s.more = append(s.more, 0)
	}
	s.more[i/64-1] |= 1 << (i % 64)
}

func (s *selection) forget() {
	s.tried = 0
	clear(s.more)
}

// roundRobin is nginx's smooth weighted round robin
// (ngx_http_upstream_get_peer): each choice adds every candidate's effective
// weight to its current one, takes the largest, and takes the total off it, so
// that weights 5, 1, 1 give a a b a c a a and not five times a in a row.
//
// A failure lowers the effective weight, every choice brings it back by one, so
// that a peer that comes back is not flooded at once. Owned by one loop.
type roundRobin struct {
	peers []weighted
}

type weighted struct {
	peer      *Peer
	current   int
	effective int
}

func newRoundRobin(peers []*Peer) *roundRobin {
	b := &roundRobin{peers: make([]weighted, len(peers))}
	for i, p := range peers {
		b.peers[i] = weighted{peer: p, effective: p.cfg.Weight}
	}
	return b
}

func (b *roundRobin) pick(s *selection, now int64) (*Peer, bool) {
	for {
		best, total, busy := -1, 0, false
		for i := range b.peers {
			w := &b.peers[i]
			if w.peer.cfg.Down || s.has(i) || w.peer.out(now) {
				continue
			}
			if w.peer.full() {
				busy = true
				continue
			}
			w.current += w.effective
			total += w.effective
			if w.effective < w.peer.cfg.Weight {
				w.effective++
			}
			if best < 0 || w.current > b.peers[best].current {
				best = i
			}
		}
		if best < 0 {
			return nil, busy
		}
		w := &b.peers[best]
		w.current -= total
		if !w.peer.acquire() {
			continue // another loop took the last place: full from now on
		}
		if !w.peer.probe(now) {
			w.peer.giveBack()
			continue // another loop tries it: out from now on
		}
		s.mark(best)
		return w.peer, false
	}
}

func (b *roundRobin) failed(p *Peer) {
	for i := range b.peers {
		if w := &b.peers[i]; w.peer == p {
			if p.cfg.MaxFails > 0 {
				w.effective = max(0, w.effective-p.cfg.Weight/p.cfg.MaxFails)
			}
			return
		}
	}
}

// single serves a group of one peer, which is never taken out: there is no other
// to turn to.
type single struct{ peer *Peer }

func (b single) pick(s *selection, _ int64) (*Peer, bool) {
	switch {
	case b.peer.cfg.Down || s.has(0):
		return nil, false
	case !b.peer.acquire():
		return nil, true
	}
	s.mark(0)
	return b.peer, false
}

func (single) failed(*Peer) {}
