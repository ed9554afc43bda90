package upstream

import (
	"sync/atomic"
	"time"

	"seawall/engine"
)

// PeerConfig is one `server` of an upstream block, one address each.
// (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server)
type PeerConfig struct {
	Name        string // as nginx prints it in $upstream_addr
	Addr        engine.Addr
	Weight      int // 0 counts as 1
	MaxFails    int // 0: never taken out
	FailTimeout time.Duration
	MaxConns    int // requests at a time, all loops together; 0: no limit
	Backup      bool
	Down        bool
}

// GroupConfig is an upstream block, or what proxy_pass to an address implies.
type GroupConfig struct {
	Name              string
	Peers             []PeerConfig
	Keepalive         int           // idle connections per loop; 0: connections are not kept
	KeepaliveRequests int           // 0: no limit
	KeepaliveTimeout  time.Duration // 0: no limit
	KeepaliveTime     time.Duration // 0: no limit
	QueueSize         int           // requests that may wait, all loops together, for a peer at max_conns; 0: none
	QueueTimeout      time.Duration // 0: no limit
}

// Group is a set of peers in use. Its methods say where they may be called.
type Group struct {
	cfg      GroupConfig
	peers    []*Peer // immutable
	attempts int     // peers that are not down: what nginx allows a request
	single   bool    // one peer in all: it is never taken out
	locals   []*local
	waiting  atomic.Int32  // calls in all loops' queues
	turn     atomic.Uint32 // which loop's queue is looked at first
}

// Peer is one server of a group. What it points to is shared by loops and by
// the groups before and after a reload.
type Peer struct {
	cfg      PeerConfig
	index    int
	health   *health
	counters []*peerCounters // by loop
}

// Name is the peer as nginx prints it in $upstream_addr.
func (p *Peer) Name() string { return p.cfg.Name }

// Addr is where it listens.
func (p *Peer) Addr() engine.Addr { return p.cfg.Addr }

// Index is the peer's place in its group's configuration.
func (p *Peer) Index() int { return p.index }

// giveBack undoes acquire.
func (p *Peer) giveBack() {
	if p.cfg.MaxConns > 0 {
		p.health.conns.Add(-1)
	}
}

// NewGroup makes a group for loops event loops. Health and counters of the peers
// that prev (may be nil) has by the same name and address survive. Any goroutine.
func NewGroup(cfg GroupConfig, loops int, prev *Group) *Group {
	g := &Group{cfg: cfg}
	var primary, backup []*Peer
	for i, pc := range cfg.Peers {
		pc.Weight = max(pc.Weight, 1)
		p := &Peer{cfg: pc, index: i}
		if was := prev.peer(pc.Name, pc.Addr); was != nil {
			p.health = was.health
			p.counters = append(p.counters, was.counters...)
		} else {
			p.health = new(health)
		}
		for len(p.counters) < loops {
			p.counters = append(p.counters, new(peerCounters))
		}
		g.peers = append(g.peers, p)
		if pc.Backup {
			backup = append(backup, p)
		} else {
			primary = append(primary, p)
		}
		if !pc.Down {
			g.attempts++
		}
	}
	g.single = len(g.peers) == 1
	for i := range loops {
		g.locals = append(g.locals, newLocal(g, i, primary, backup))
	}
	return g
}

// peer finds a peer, nil if there is none, or no group.
func (g *Group) peer(name string, addr engine.Addr) *Peer {
	if g == nil {
		return nil
	}
	for _, p := range g.peers {
		if p.cfg.Name == name && p.cfg.Addr == addr {
			return p
		}
	}
	return nil
}

// Name is the upstream block's name.
func (g *Group) Name() string { return g.cfg.Name }

// TakeOver moves what waits in prev on this loop here: idle connections to the
// peers that both have (the others are closed) and calls in the queue. On the
// loop, at a reload. Calls that have a peer end as they began, but their
// connections are closed then.
func (g *Group) TakeOver(l *engine.Loop, prev *Group) {
	from, to := prev.locals[l.Index()], g.locals[l.Index()]
	for _, old := range from.pools {
		to.pool(l, old.protocol).TakeOver(old.pool, func(p *Peer) *Peer {
			return g.peer(p.cfg.Name, p.cfg.Addr)
		})
	}
	to.takeQueue(from)
}

// CloseIdle closes this loop's idle connections, and keeps no more of them: for a
// group that a reload drops, and for shutting down. On the loop.
func (g *Group) CloseIdle(l *engine.Loop) {
	for _, kept := range g.locals[l.Index()].pools {
		kept.pool.CloseIdle()
	}
}

// PeerStats is the state of a peer at one moment, all loops together. Counters
// are since the peer first appeared in the configuration.
type PeerStats struct {
	Name        string
	Weight      int
	Backup      bool
	Down        bool
	Unavailable bool   // taken out for failures just now
	Fails       int    // in the current fail_timeout
	Active      int64  // attempts in progress
	Requests    uint64 // attempts begun
	Failures    uint64 // attempts that counted against it
	Sent        uint64 // bytes
	Received    uint64 // bytes
}

// Stats reads the peers' state. now is the time on any loop's clock. Any goroutine.
func (g *Group) Stats(now int64) []PeerStats {
	all := make([]PeerStats, len(g.peers))
	for i, p := range g.peers {
		s := PeerStats{
			Name: p.cfg.Name, Weight: p.cfg.Weight, Backup: p.cfg.Backup, Down: p.cfg.Down,
			Fails: int(p.health.fails.Load()), Unavailable: !g.single && p.out(now),
		}
		for _, c := range p.counters {
			s.Active += c.active.Load()
			s.Requests += c.requests.Load()
			s.Failures += c.failures.Load()
			s.Sent += c.sent.Load()
			s.Received += c.received.Load()
		}
		all[i] = s
	}
	return all
}

// Waiting is the number of calls that wait for a peer at max_conns. Any goroutine.
func (g *Group) Waiting() int { return int(g.waiting.Load()) }
