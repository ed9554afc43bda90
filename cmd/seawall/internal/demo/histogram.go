package demo

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Histogram counts answers by how long they took: totals since the start, in buckets of growing width. Counts[i] holds
// those of at most Upper(i).
type Histogram struct {
	Counts []uint64
	Upper  func(i int) time.Duration
}

// Percentile is the upper bound of the bucket in which the q-th part (0..1) of the answers since prev lies; 0 without
// any. prev is an earlier reading of the same histogram.
func (h Histogram) Percentile(prev Histogram, q float64) time.Duration {
	var total uint64
	since := make([]uint64, len(h.Counts))
	for i, n := range h.Counts {
		if i < len(prev.Counts) {
			n -= prev.Counts[i]
		}
		since[i] = n
		total += n
	}
	if total == 0 {
		return 0
	}
	rank := uint64(q*float64(total-1)) + 1
	for i, n := range since {
		if rank <= n {
			return h.Upper(i)
		}
		rank -= n
	}
	return h.Upper(len(since) - 1)
}

const (
	octaveBits = 4               // of a time's binary digits after the first, those that choose the bucket
	perOctave  = 1 << octaveBits // buckets per doubling: bounds are at most 1/16 too high
	octaves    = 24              // up to 2 minutes
)

// recorder is the application's own histogram; any goroutine may add.
type recorder struct {
	counts [octaves * perOctave]atomic.Uint64
}

func (r *recorder) add(d time.Duration) { r.counts[bucket(d)].Add(1) }

func (r *recorder) histogram() Histogram {
	h := Histogram{Counts: make([]uint64, len(r.counts)), Upper: upper}
	for i := range r.counts {
		h.Counts[i] = r.counts[i].Load()
	}
	return h
}

// bucket is the number of the bucket of d, by the leading digits of its microseconds.
func bucket(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < perOctave {
		return int(us)
	}
	shift := bits.Len64(us) - 1 - octaveBits
	return min((shift+1)*perOctave+int(us>>shift)-perOctave, octaves*perOctave-1)
}

// upper is the longest time, in whole microseconds, that bucket i holds, plus one.
func upper(i int) time.Duration {
	if i < perOctave {
		return time.Duration(i+1) * time.Microsecond
	}
	shift := i/perOctave - 1
	return time.Duration(uint64(i%perOctave+perOctave+1)<<shift) * time.Microsecond
}
