package demo

import (
	"context"
	"fmt"
	"io"
	"time"
)

// headEvery lines the columns' names are printed again.
const headEvery = 20

// view is what the display looks at.
type view struct {
	server Server
	app    *application
	load   *load // nil: no clients of our own
}

// reading is everything the display compares with the reading a second before.
type reading struct {
	at          time.Time
	client      Counters
	appRequests uint64
	appLatency  Histogram
}

// read takes a reading. Clients of our own know best how long they waited, and about their time without Seawall; of others
// Seawall tells.
func (v *view) read() reading {
	r := reading{time.Now(), v.server.Counters(), v.app.answered.Load(), v.app.latency.histogram()}
	if v.load != nil {
		r.client.Requests += v.load.direct.Load()
		r.client.Latency = v.load.latency.histogram()
	}
	return r
}

// report prints a line a second until ctx ends.
func (v *view) report(ctx context.Context, w io.Writer) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	prev := v.read()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n%headEvery == 0 {
			fmt.Fprintln(w, "  clients   application   hit ratio   open     clients wait      application")
			fmt.Fprintln(w, "    req/s         req/s           %  conns     p50       p99     p50       p99")
		}
		now := v.read()
		fmt.Fprintln(w, line(prev, now))
		prev = now
	}
}

// line is what happened between two readings.
func line(prev, now reading) string {
	seconds := now.at.Sub(prev.at).Seconds()
	asked := now.client.Cacheable - prev.client.Cacheable
	ratio := "-"
	if asked > 0 {
		ratio = fmt.Sprintf("%.1f", 100*float64(now.client.Hits-prev.client.Hits)/float64(asked))
	}
	wait := func(h, before Histogram, q float64) string { return shortTime(h.Percentile(before, q)) }
	return fmt.Sprintf("%9.0f %13.0f %11s %6d %9s %9s %7s %9s",
		float64(now.client.Requests-prev.client.Requests)/seconds,
		float64(now.appRequests-prev.appRequests)/seconds,
		ratio, now.client.Connections,
		wait(now.client.Latency, prev.client.Latency, 0.50), wait(now.client.Latency, prev.client.Latency, 0.99),
		wait(now.appLatency, prev.appLatency, 0.50), wait(now.appLatency, prev.appLatency, 0.99))
}

// shortTime is d in a handful of characters; "-" for none.
func shortTime(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < 100*time.Microsecond:
		return "<0.1 ms" // the server's clock is read once per event
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}
