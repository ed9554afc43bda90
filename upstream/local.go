package upstream

import "seawall/engine"

// local is a group's state on one loop, and that loop's alone but for what
// queue.go says.
type local struct {
	group   *Group
	index   int
	primary balancer
	backup  balancer // nil without backup peers
	pools   []kept
	queue   queue
}

// kept is the pool of one protocol. A group is nearly always spoken to in one.
type kept struct {
	protocol Protocol
	pool     Pool
}

func newLocal(g *Group, index int, primary, backup []*Peer) *local {
	lo := &local{group: g, index: index}
	if g.single {
		lo.primary = single{g.peers[0]}
		return lo
	}
	lo.primary = newRoundRobin(primary)
	if len(backup) > 0 {
		lo.backup = newRoundRobin(backup)
	}
	return lo
}

// pool finds or makes the keeper of connections in one protocol.
func (lo *local) pool(l *engine.Loop, proto Protocol) Pool {
	for i := range lo.pools {
		if lo.pools[i].protocol == proto {
			return lo.pools[i].pool
		}
	}
	cfg := &lo.group.cfg
	p := proto.NewPool(l, PoolLimits{
		Idle: cfg.Keepalive, Requests: cfg.KeepaliveRequests, Age: cfg.KeepaliveTime,
		Timeout: cfg.KeepaliveTimeout, Peers: len(cfg.Peers),
	})
	lo.pools = append(lo.pools, kept{proto, p})
	return p
}

// pick chooses the peer of the next attempt: primary ones first, when those are
// used up backup ones. nil: none; busy says that one would do but for max_conns.
func (lo *local) pick(s *selection, now int64) (p *Peer, busy bool) {
	if !s.backup {
		if p, busy = lo.primary.pick(s, now); p != nil || lo.backup == nil {
			return lo.begun(p), busy
		}
	}
	if lo.backup == nil {
		return nil, busy
	}
	if s.backup {
		p, busy = lo.backup.pick(s, now)
		return lo.begun(p), busy
	}
	fresh := selection{}
	p, full := lo.backup.pick(&fresh, now)
	if p != nil {
		// Only now: a call that waits in the queue comes back to the primary ones.
		s.backup, s.tried, s.more = true, fresh.tried, fresh.more
	}
	return lo.begun(p), busy || full
}

func (lo *local) begun(p *Peer) *Peer {
	if p != nil {
		c := p.counters[lo.index]
		c.active.Add(1)
		c.requests.Add(1)
	}
	return p
}

// release ends an attempt at p (ngx_http_upstream_free_round_robin_peer) and
// reports whether p was taken out by it.
func (lo *local) release(s *selection, p *Peer, how outcome, now int64) (disabled bool) {
	p.counters[lo.index].active.Add(-1)
	switch {
	case how == outcomeBad:
		p.counters[lo.index].failures.Add(1)
		if lo.group.single {
			break
		}
		disabled = p.failed(now)
		if s.backup {
			lo.backup.failed(p)
		} else {
			lo.primary.failed(p)
		}
	case how == outcomeGood:
		p.succeeded()
	}
	if s.left > 0 {
		s.left--
	}
	if lo.group.single {
		s.left = 0
	}
	if p.cfg.MaxConns > 0 {
		p.giveBack()
		lo.group.wake(lo)
	}
	return disabled
}
