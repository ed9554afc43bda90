package upstream

import "sync/atomic"

// health is what the loops know together of a peer. The fields are nginx's of
// ngx_http_upstream_rr_peer_t; times are loop times in ns.
//
// Any loop may read and write them at any time. They are advisory: two loops
// that act on the same old value cost one attempt at a bad peer, no more. conns
// alone is exact, as max_conns is a promise.
type health struct {
	fails    atomic.Int32 // failed attempts in the current fail_timeout
	accessed atomic.Int64 // when the last one failed
	checked  atomic.Int64 // when fail_timeout last began: a failure, or a try after it
	_        [64]byte     // conns changes with each request where it is used
	conns    atomic.Int32 // attempts in progress; counted with max_conns only
}

// peerCounters are one loop's counts of a peer: written by that loop, read by
// any. A cache line of their own, so that loops do not slow each other down.
type peerCounters struct {
	active   atomic.Int64  // attempts in progress
	requests atomic.Uint64 // attempts begun
	failures atomic.Uint64 // attempts that counted against the peer
	sent     atomic.Uint64 // bytes
	received atomic.Uint64 // bytes
	_        [88]byte
}

// outcome is what an attempt says about its peer.
type outcome uint8

const (
	// outcomeGood: the peer answered; also with 403 and 404 that are passed on.
	outcomeGood outcome = iota
	// outcomeBad: a failed attempt by proxy_next_upstream's reckoning.
	outcomeBad
	// outcomeUnknown: given up before the peer showed anything.
	outcomeUnknown
)

// out reports whether the peer is to be left alone at now.
func (p *Peer) out(now int64) bool {
	return p.cfg.MaxFails > 0 &&
		int(p.health.fails.Load()) >= p.cfg.MaxFails &&
		now-p.health.checked.Load() <= int64(p.cfg.FailTimeout)
}

// full reports whether the peer is at max_conns.
func (p *Peer) full() bool {
	return p.cfg.MaxConns > 0 && int(p.health.conns.Load()) >= p.cfg.MaxConns
}

// acquire counts an attempt; false when max_conns was reached meanwhile.
func (p *Peer) acquire() bool {
	if p.cfg.MaxConns == 0 {
		return true
	}
	if int(p.health.conns.Add(1)) > p.cfg.MaxConns {
		p.health.conns.Add(-1)
		return false
	}
	return true
}

// probe notes that the peer is tried at now. Of several loops that come when
// fail_timeout is over, one may try a peer that was out: the others get false.
func (p *Peer) probe(now int64) bool {
	checked := p.health.checked.Load()
	if now-checked <= int64(p.cfg.FailTimeout) {
		return true
	}
	return p.health.checked.CompareAndSwap(checked, now) ||
		p.cfg.MaxFails == 0 || int(p.health.fails.Load()) < p.cfg.MaxFails
}

// failed counts a failure at now and reports whether the peer is out by it.
func (p *Peer) failed(now int64) (disabled bool) {
	fails := p.health.fails.Add(1)
	p.health.accessed.Store(now)
	p.health.checked.Store(now)
	return p.cfg.MaxFails > 0 && int(fails) >= p.cfg.MaxFails
}

// succeeded forgets the failures if the attempt was one after fail_timeout.
func (p *Peer) succeeded() {
	if p.health.accessed.Load() < p.health.checked.Load() && p.health.fails.Load() != 0 {
		p.health.fails.Store(0)
	}
}
