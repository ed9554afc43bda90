package server

import (
	cryptorand "crypto/rand"
	"math/rand/v2"

	"seawall/cache"
	"seawall/engine"
	"seawall/httpparse"
)

// loopState is what the server keeps per event loop. Nothing in it is shared.
type loopState struct {
	srv       *Server
	l         *engine.Loop
	index     int // of l in the engine
	text      clockText
	scratch   []byte // for what lives within one call
	logLine   []byte // an access log line being made
	keyText   []byte // a cache key being made
	ranges    []httpparse.ByteRange
	boundary  uint64 // the last multipart boundary
	random    *rand.ChaCha8
	free      []*Request  // pool
	exchanges []*exchange // pool
	hot       *cache.HotTable
	paged     pagedBodies
	appenders appenderSet
	stats     loopStats
	draining  bool // graceful shutdown: connections close after their request
}

// How many structs a loop keeps for reuse.
const maxPooled = 1024

// What a loop's hot table may hold.
const (
	hotEntries = 4096
	hotBytes   = 64 << 20
)

func newLoopState(srv *Server, l *engine.Loop) *loopState {
	s := &loopState{srv: srv, l: l, index: l.Index(), hot: cache.NewHotTable(hotEntries, hotBytes)}
	s.random = rand.NewChaCha8(randomSeed())
	l.SetData(s)
	return s
}

// clock gives the texts of the current second.
func (s *loopState) clock() *clockText { return s.text.at(s.l.Wall()) }

// newRequest takes a request from the pool.
func (s *loopState) newRequest(c client) *Request {
	var r *Request
	if n := len(s.free); n > 0 {
		r = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		r = &Request{loop: s}
		r.source.r = r
		r.pumpClientLater = r.pumpClient
		r.flushLater = r.flushNow
		r.wakeFromFill = r.pumpFill
		r.head.Reset()
	}
	r.client = c
	r.started = s.l.Now()
	s.stats.active++
	return r
}

// recycle puts a finished request back.
func (s *loopState) recycle(r *Request) {
	s.stats.active--
	r.site.active[s.index]--
	r.releaseParts()
	r.reset()
	if len(s.free) < maxPooled {
		s.free = append(s.free, r)
	}
}

// randomSeed seeds a loop's generator of request ids.
func randomSeed() (seed [32]byte) {
	cryptorand.Read(seed[:]) // never fails
	return seed
}

// drain begins a graceful end: idle connections close, those within
// keepalive_min_timeout at its end, the others after their request.
func (s *loopState) drain() {
	s.draining = true
	s.l.CloseIdle()
}
