package server

import (
	"math/bits"
	"time"

	"seawall/engine"
)

// Stats is how the server is doing: totals since start, and what is now.
type Stats struct {
	Engine   engine.Stats
	Requests uint64 // client requests completed
	Active   int64  // requests being worked on
	// ByCache counts the requests for which the cache was asked by
	// $upstream_cache_status ("HIT", "MISS" ...).
	ByCache         map[string]uint64
	Coalesced       uint64 // requests that waited for another one's response
	BackendRequests uint64
	ByStatus        [6]uint64 // by the status's first digit; 0: none was sent
	Latency         Histogram // from a request's first byte to the last of its response
}

// Histogram counts durations in buckets of growing width: 16 for each
// doubling. Counts[i] holds those of at most Upper(i).
type Histogram struct {
	Counts []uint64
}

const (
	histogramBits = 4
	histogramSub  = 1 << histogramBits
	histogramSize = 24 * histogramSub // up to two minutes, in microseconds
)

// Upper is the longest duration, rounded up to a microsecond, in bucket i.
func (Histogram) Upper(i int) time.Duration {
	if i < histogramSub {
		return time.Duration(i+1) * time.Microsecond
	}
	shift := i/histogramSub - 1
	return time.Duration(uint64(i%histogramSub+histogramSub+1)<<shift) * time.Microsecond
}

func histogramBucket(ns int64) int {
	us := uint64(max(ns, 0)) / 1000
	if us < histogramSub {
		return int(us)
	}
	shift := bits.Len64(us) - 1 - histogramBits
	return min((shift+1)*histogramSub+int(us>>shift)-histogramSub, histogramSize-1)
}

// loopStats are a loop's counters. Owner: the loop; Server.Stats asks it for a copy.
type loopStats struct {
	requests, coalesced, backendRequests uint64
	active                               int64
	byCache                              [numCacheStatuses]uint64
	byStatus                             [6]uint64
	latency                              [histogramSize]uint64
}

// count adds a request that is over.
func (s *loopStats) count(r *Request) {
	s.requests++
	s.byCache[r.cacheStatus]++
	if class := r.resp.status / 100; class < len(s.byStatus) {
		s.byStatus[class]++
	}
	s.latency[histogramBucket(r.now()-r.started)]++
}

// Stats reads the counters; they are not read at one instant. Not to be
// called on a loop.
func (s *Server) Stats() Stats {
	out := Stats{ByCache: map[string]uint64{}, Latency: Histogram{Counts: make([]uint64, histogramSize)}}
	out.Engine = s.eng.Stats()
	for _, l := range s.loops {
		out.add(s.statsOf(l))
	}
	return out
}

// statsOf copies a loop's counters: on the loop while it runs.
func (s *Server) statsOf(l *loopState) *loopStats {
	select {
	case <-s.running:
	default:
		return &l.stats
	}
	answer := make(chan *loopStats, 1)
	l.l.Post(func() {
		c := l.stats
		answer <- &c
	})
	select {
	case c := <-answer:
		return c
	case <-s.ended:
		return &l.stats
	}
}

// add adds the counters of a loop.
func (out *Stats) add(st *loopStats) {
	out.Requests += st.requests
	out.Active += st.active
	out.Coalesced += st.coalesced
	out.BackendRequests += st.backendRequests
	for i := 1; i < int(numCacheStatuses); i++ {
		out.ByCache[cacheStatusNames[i]] += st.byCache[i]
	}
	for i, n := range st.byStatus {
		out.ByStatus[i] += n
	}
	for i, n := range st.latency {
		out.Latency.Counts[i] += n
	}
}
