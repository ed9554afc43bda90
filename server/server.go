package server

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"seawall/conf"
	"seawall/engine"
	"seawall/logs"
)

const productName = "seawall"

// Version is Seawall's version, as the Server field and -v show it.
const Version = "0.1.0"

// Options are what the process gives a server.
type Options struct {
	Log *logs.ErrorLog // the main error log; access logs are opened with its registry
}

// Server serves one configuration at a time. Its methods may be called from
// any goroutine.
type Server struct {
	log   *logs.ErrorLog
	eng   *engine.Engine
	loops []*loopState

	current    atomic.Pointer[site]
	tempNumber atomic.Uint32 // of the last temporary file with a name

	mu      sync.Mutex // guards what follows; held while a configuration is built or put in place
	keys    map[string]*listenKey
	sinks   map[string]*logSink
	slots   int // given to sinks so far
	serial  uint64
	stopped bool

	drained chan struct{} // closed by Stop: ends a Shutdown under way
	running chan struct{} // closed when the loops have started
	ended   chan struct{} // closed when they have ended
}

// listenKey stands for an address over reloads: it is the listener's token.
type listenKey struct {
	current atomic.Pointer[listenAddr] // that of the last configuration which had the address
	gone    atomic.Bool                // the configuration in place has not: its connections end with their next request
}

// New builds what cfg describes and opens its log files; nothing listens before Start.
func New(cfg *conf.Config, opt Options) (*Server, error) {
	s := &Server{log: opt.Log, keys: map[string]*listenKey{}, sinks: map[string]*logSink{},
		drained: make(chan struct{}),
		running: make(chan struct{}), ended: make(chan struct{})}
	n := cfg.Main.WorkerProcesses
	if n == 0 {
		n = runtime.NumCPU()
	}
	eng, err := engine.New(engine.Options{Loops: n, MaxConns: cfg.Events.WorkerConnections, Log: s.logEngine})
	if err != nil {
		return nil, err
	}
	s.eng = eng
	for _, l := range eng.Loops() {
		s.loops = append(s.loops, newLoopState(s, l))
	}
	st, err := s.build(cfg)
	if err != nil {
		return nil, err
	}
	s.current.Store(st)
	return s, nil
}

// Loops is the number of event loops.
func (s *Server) Loops() int { return len(s.loops) }

// logEngine writes what the engine has to say.
func (s *Server) logEngine(sev engine.Severity, conn uint64, text string) {
	s.log.Log(logs.Level(sev), conn, text)
}

// Start opens the listening sockets and serves.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.eng.Start(); err != nil {
		return err
	}
	close(s.running)
	st := s.current.Load()
	specs := s.listenSpecs(st)
	if err := s.eng.SetListeners(specs); err != nil {
		return err
	}
	s.putInPlace(st)
	return nil
}

// Reload replaces the configuration. Requests under way keep the one that
// they began with. On error nothing changes.
func (s *Server) Reload(cfg *conf.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("the server is stopping")
	}
	st, err := s.build(cfg)
	if err != nil {
		return err
	}
	if err := s.eng.SetListeners(s.listenSpecs(st)); err != nil {
		s.discard(st)
		return err
	}
	s.putInPlace(st)
	return nil
}

// putInPlace makes st what new requests are served by.
func (s *Server) putInPlace(st *site) {
	for _, k := range s.keys {
		k.gone.Store(true)
	}
	for _, la := range st.listeners {
		k := s.key(la)
		k.current.Store(la)
		k.gone.Store(false)
	}
	if old := s.current.Swap(st); old != st {
		s.retire(old, st)
	}
	for _, zone := range st.zones {
		zone.DropHot()
	}
}

// key gives the token of an address.
func (s *Server) key(la *listenAddr) *listenKey {
	name := la.spec.Network + " " + la.spec.Addr
	k := s.keys[name]
	if k == nil {
		k = &listenKey{}
		k.gone.Store(true)
		s.keys[name] = k
	}
	return k
}

// listenSpecs describes the sockets of a configuration. New addresses are
// known to their keys from now on, before a connection can come by them; those
// that stay change over with putInPlace.
func (s *Server) listenSpecs(st *site) []engine.ListenSpec {
	specs := make([]engine.ListenSpec, 0, len(st.listeners))
	for _, la := range st.listeners {
		k := s.key(la)
		if k.gone.Load() {
			k.current.Store(la)
		}
		ln := la.spec
		spec := engine.ListenSpec{
			Network: ln.Network, Addr: ln.Addr, Backlog: ln.Backlog, ReusePort: ln.ReusePort, IPv6Only: ln.IPv6Only,
			DeferAccept: ln.Deferred, RcvBuf: ln.RcvBuf, SndBuf: ln.SndBuf, FastOpen: ln.FastOpen,
			Acceptor: acceptor{s}, Token: k,
		}
		if ka := ln.KeepAlive; ka.Set {
			spec.KeepAlive = engine.KeepAlive{Mode: engine.KeepAliveOff, Idle: ka.Idle, Interval: ka.Interval, Count: ka.Count}
			if ka.On {
				spec.KeepAlive.Mode = engine.KeepAliveOn
			}
		}
		specs = append(specs, spec)
	}
	return specs
}

// acceptor takes new connections over. It implements engine.Acceptor.
type acceptor struct{ s *Server }

func (a acceptor) Accepted(c *engine.Conn, ln *engine.Listener) {
	loop := c.Loop().Data().(*loopState)
	loop.accepted(c, loop.addrOf(c, ln.Token().(*listenKey)))
}

// addrOf finds, in the configuration of the moment, the address that a
// connection came to.
func (s *loopState) addrOf(c *engine.Conn, k *listenKey) *listenAddr {
	la := k.current.Load()
	if la.specifics != nil {
		if own := la.specifics[c.LocalAddr()]; own != nil {
			return own
		}
	}
	return la
}

// currentAddr is addrOf for the next request of a connection. When its address
// is not listened on any more, that request is the last.
func (s *loopState) currentAddr(h *h1Conn) *listenAddr {
	if h.addr.site == s.srv.current.Load() {
		return h.addr
	}
	k := h.c.Listener().Token().(*listenKey)
	h.last = k.gone.Load()
	return s.addrOf(h.c, k)
}

// ReopenLogs opens all log files anew, for log rotation.
func (s *Server) ReopenLogs() error { return s.log.Registry().Reopen() }

// Shutdown ends gracefully: no new connections, idle ones are closed, requests
// under way are answered. It returns when all is done, when
// worker_shutdown_timeout is over, or when Stop is called.
func (s *Server) Shutdown() {
	s.mu.Lock()
	s.stopped = true
	s.eng.StopAccepting()
	s.mu.Unlock()
	for _, l := range s.loops {
		l.l.Post(l.drain)
	}
	var timeout <-chan time.Time
	if d := s.current.Load().cfg.Main.WorkerShutdownTimeout; d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timeout = t.C
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.eng.Stats().Active > 0 {
		select {
		case <-tick.C:
		case <-timeout:
			s.Stop()
			return
		case <-s.drained:
			return
		}
	}
	s.Stop()
}

// Stop ends at once: every connection is closed. Idempotent.
func (s *Server) Stop() {
	s.mu.Lock()
	if s.stopped {
		select {
		case <-s.drained:
			s.mu.Unlock()
			return
		default:
		}
	}
	s.stopped = true
	close(s.drained)
	s.mu.Unlock()
	s.eng.Stop()
	close(s.ended)
	s.mu.Lock() // releaseLogs may be at it
	defer s.mu.Unlock()
	for _, l := range s.loops {
		l.releaseAppenders()
	}
}
