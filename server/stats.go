package server

import (
	"math/bits"
	"sync/atomic"
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

// loopStats are a loop's counters: written by the loop alone, read by anyone.
type loopStats struct {
	requests, coalesced, backendRequests counter
	active                               atomic.Int64
	byCache                              [numCacheStatuses]counter
	byStatus                             [6]counter
	latency                              [histogramSize]counter
}

// counter has one writer, so that adding needs no locked instruction.
type counter struct{ n atomic.Uint64 }

func (c *counter) Add(k uint64) { c.n.Store(c.n.Load() + k) }

// count adds a request that is over.
func (s *loopStats) count(r *Request) {
	s.requests.Add(1)
	s.byCache[r.cacheStatus].Add(1)
	if class := r.resp.status / 100; class < len(s.byStatus) {
		s.byStatus[class].Add(1)
	}
	s.latency[histogramBucket(r.now()-r.started)].Add(1)
}

// Stats reads the counters; they are not read at one instant.
func (s *Server) Stats() Stats {
	out := Stats{ByCache: map[string]uint64{}, Latency: Histogram{Counts: make([]uint64, histogramSize)}}
	if s.eng == nil {
		return out
	}
	out.Engine = s.eng.Stats()
	for _, l := range s.loops {
		st := &l.stats
		out.Requests += st.requests.n.Load()
		out.Active += st.active.Load()
		out.Coalesced += st.coalesced.n.Load()
		out.BackendRequests += st.backendRequests.n.Load()
		for i := 1; i < int(numCacheStatuses); i++ {
			out.ByCache[cacheStatusNames[i]] += st.byCache[i].n.Load()
		}
		for i := range out.ByStatus {
			out.ByStatus[i] += st.byStatus[i].n.Load()
		}
		for i := range out.Latency.Counts {
			out.Latency.Counts[i] += st.latency[i].n.Load()
		}
	}
	return out
}
