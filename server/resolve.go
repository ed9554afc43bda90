package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"seawall/conf"
	"seawall/engine"
	"seawall/upstream"
)

// Names that only a request gives: the host of a proxy_pass with variables,
// looked up through the location's resolver
// (https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver).

const (
	maxResolved   = 1024             // names and addresses kept, per configuration
	maxLookups    = 16               // at a time: half of the pool for blocking work, which files need too
	resolvedFor   = 30 * time.Second // without valid=: Go's resolver does not tell the lifetime of an answer
	longestLookup = 30 * time.Second // without a resolver_timeout
)

// What keeps a name from being resolved, as nginx's log has it.
var (
	errHostNotFound  = errors.New("3: Host not found")
	errServerFailure = errors.New("2: Server failure")
	errLookupTimeout = errors.New("110: Operation timed out")
	errTooManyNames  = errors.New("too many names wait to be looked up")
)

// target is what a request wants to reach.
type target struct {
	resolver *conf.Resolver // nil for an address
	host     string         // a name, an address, or "unix:/path"
	port     uint16
}

// resolved are the backends that requests named, of one configuration. The
// entries of a target live: asked -> known -> expired -> asked again, or gone.
// Any goroutine.
type resolved struct {
	srv  *Server
	turn atomic.Uint32 // which name server is asked next

	mu      sync.Mutex // guards what follows, and all of every entry; no other lock is taken under it but a mailbox's
	entries map[target]*resolvedEntry
	running int       // lookups under way
	queue   []*lookup // those that wait for their turn
	retired bool      // a reload has replaced the configuration: connections are no longer kept
}

type resolvedEntry struct {
	group   *upstream.Group // nil before the first answer
	addrs   []netip.Addr    // of the group, sorted
	expires int64           // loop time, ns
	asked   *lookup         // nil when nobody asks
}

// lookup is one question, for all who want its answer meanwhile.
type lookup struct {
	to      target
	timeout time.Duration
	until   int64 // loop time, ns: in the queue longer than that, nobody waits any more
	waiters []*groupWaiter
}

func newResolved(srv *Server) *resolved {
	return &resolved{srv: srv, entries: map[target]*resolvedEntry{}}
}

// address gives the group of an address, which needs no lookup.
func (t *resolved) address(to target, addr engine.Addr, now int64) *upstream.Group {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[to]
	if e == nil {
		e = &resolvedEntry{group: t.newGroup(to, []engine.Addr{addr}, nil)}
		t.entries[to] = e
		t.evict(e, now)
	}
	e.expires = now + int64(resolvedFor)
	return e.group
}

// lookUp gives the group of a name if it is known. If not, it is looked up and
// w (may be nil) woken when that has ended.
func (t *resolved) lookUp(l *engine.Loop, to target, timeout time.Duration, w *groupWaiter) *upstream.Group {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[to]
	if e != nil && e.asked == nil && l.Now() < e.expires {
		return e.group
	}
	if e == nil || e.asked == nil {
		if len(t.queue) >= maxResolved {
			if w != nil {
				l.Post(func() { w.wake(nil, errTooManyNames) })
			}
			return nil
		}
		if e == nil {
			e = &resolvedEntry{}
			t.entries[to] = e
		}
		if timeout == 0 {
			timeout = longestLookup
		}
		e.asked = &lookup{to: to, timeout: timeout, until: l.Now() + int64(timeout)}
		if t.running < maxLookups {
			t.running++
			t.start(l, e.asked)
		} else {
			t.queue = append(t.queue, e.asked)
		}
	}
	if w != nil {
		e.asked.waiters = append(e.asked.waiters, w)
	}
	return nil
}

// start asks on the pool for blocking work. With t.mu held.
func (t *resolved) start(l *engine.Loop, q *lookup) {
	var addrs []netip.Addr
	err := errServerFailure // should the work panic
	l.Offload(func() { addrs, err = t.ask(q) }, func() { t.answered(l, q, addrs, err) })
}

// ask resolves a name. It blocks, until q.timeout at the longest. Go's resolver
// asks each name server for five seconds; as long as all are silent it is
// called again.
func (t *resolved) ask(q *lookup) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), q.timeout)
	defer cancel()
	go func() {
		select {
		case <-t.srv.drained: // stopping does not wait for name servers
			cancel()
		case <-ctx.Done():
		}
	}()
	network := "ip"
	switch {
	case !q.to.resolver.IPv6:
		network = "ip4"
	case !q.to.resolver.IPv4:
		network = "ip6"
	}
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		servers := q.to.resolver.Addrs
		s := servers[int(t.turn.Add(1)-1)%len(servers)]
		var d net.Dialer // network is tcp for what did not fit into a datagram
		return d.DialContext(ctx, network, net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))))
	}}
	name := strings.TrimSuffix(q.to.host, ".") + "." // whole: no search list
	for {
		addrs, err := resolver.LookupNetIP(ctx, network, name)
		var dns *net.DNSError
		switch {
		case err == nil:
			return addrs, nil
		case ctx.Err() != nil:
			return nil, errLookupTimeout
		case errors.As(err, &dns) && dns.IsNotFound:
			return nil, errHostNotFound
		case !errors.As(err, &dns) || !dns.IsTimeout:
			return nil, errServerFailure
		}
	}
}

// answered takes the end of a lookup in. On the loop that began it.
func (t *resolved) answered(l *engine.Loop, q *lookup, addrs []netip.Addr, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish(q, addrs, err, l.Now())
	for len(t.queue) > 0 {
		next := t.queue[0]
		t.queue = t.queue[1:]
		if l.Now() < next.until {
			t.start(l, next)
			return
		}
		t.finish(next, nil, errLookupTimeout, l.Now())
	}
	t.running--
}

// finish tells all who wait. With t.mu held.
func (t *resolved) finish(q *lookup, addrs []netip.Addr, err error, now int64) {
	e := t.entries[q.to]
	e.asked = nil
	if err == nil {
		t.renew(q.to, e, addrs, now)
	} else {
		t.remove(q.to, e) // failures are not kept, as in nginx
	}
	group := e.group
	for _, w := range q.waiters {
		w.loop.l.Post(func() { w.wake(group, err) })
	}
}

// renew puts an answer into its entry. The group stays, with its connections,
// as long as the addresses do. With t.mu held.
func (t *resolved) renew(to target, e *resolvedEntry, addrs []netip.Addr, now int64) {
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	if e.group == nil || !slices.Equal(addrs, e.addrs) {
		peers := make([]engine.Addr, len(addrs))
		for i, a := range addrs {
			peers[i] = engine.TCPAddr(netip.AddrPortFrom(a, to.port))
		}
		old := e.group
		e.group, e.addrs = t.newGroup(to, peers, old), addrs
		t.closeIdle(old)
	}
	lifetime := to.resolver.Valid
	if lifetime == 0 {
		lifetime = resolvedFor
	}
	e.expires = now + int64(lifetime)
	t.evict(e, now)
}

// newGroup makes a group as an upstream block with these servers and nothing
// else would be. With t.mu held.
func (t *resolved) newGroup(to target, addrs []engine.Addr, prev *upstream.Group) *upstream.Group {
	cfg := upstream.GroupConfig{Name: to.host, Keepalive: 32, KeepaliveRequests: 1000,
		KeepaliveTimeout: 60 * time.Second, KeepaliveTime: time.Hour}
	if t.retired {
		cfg.Keepalive = 0
	}
	for _, a := range addrs {
		cfg.Peers = append(cfg.Peers, upstream.PeerConfig{Name: a.String(), Addr: a, Weight: 1, MaxFails: 1, FailTimeout: 10 * time.Second})
	}
	return upstream.NewGroup(cfg, len(t.srv.loops), prev)
}

// evict makes room when there are too many entries: what has expired goes,
// else what will first; never added, nor what is being asked. With t.mu held.
func (t *resolved) evict(added *resolvedEntry, now int64) {
	if len(t.entries) <= maxResolved {
		return
	}
	var first target
	var oldest *resolvedEntry
	for to, e := range t.entries {
		switch {
		case e == added || e.asked != nil:
		case e.expires <= now:
			t.remove(to, e)
		case oldest == nil || e.expires < oldest.expires:
			first, oldest = to, e
		}
	}
	if len(t.entries) > maxResolved && oldest != nil {
		t.remove(first, oldest)
	}
}

func (t *resolved) remove(to target, e *resolvedEntry) {
	delete(t.entries, to)
	t.closeIdle(e.group)
	e.group = nil
}

// closeIdle closes what a group that is given up keeps, on all loops.
func (t *resolved) closeIdle(g *upstream.Group) {
	if g == nil {
		return
	}
	for _, loop := range t.srv.loops {
		l := loop.l
		l.Post(func() { g.CloseIdle(l) })
	}
}

// retire gives all connections up: a reload has replaced the configuration.
func (t *resolved) retire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	for _, e := range t.entries {
		t.closeIdle(e.group)
	}
}
