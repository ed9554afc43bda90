//go:build linux

package scenario

import (
	"fmt"
	"sync/atomic"
	"time"

	"seawall/bench/internal/load"
	"seawall/bench/internal/result"
)

// BackendTime is the fact that says how long the origin takes for the page of a stampede, in milliseconds.
const BackendTime = "backend ms"

const backendTime = 300 * time.Millisecond

// stampede has many clients ask at the same time for one page that the origin is slow to make and that no cache can answer.
type stampede struct {
	clients int
	expired bool // the page was cached until just before; else it never was
	pages   *atomic.Int64
}

func (m stampede) Phases() []Phase {
	return []Phase{{Name: "all at once", Takes: m.takes, Measure: m.measure}}
}

func (m stampede) takes(Options) time.Duration {
	d := 2*backendTime + 2*setUp
	if m.expired {
		d += backendTime + expiry
	}
	return d
}

// expiry is how long a page of the path that is cached for a second needs until it has surely expired: caches count in whole
// seconds.
const expiry = 2100 * time.Millisecond

// page makes up a page that nobody has asked for.
func (m stampede) page(like load.Page) load.Page {
	like.Path += fmt.Sprintf("?page=%d-%d", time.Now().UnixNano(), m.pages.Add(1))
	return like
}

func (m stampede) measure(t *Turn) error {
	p := m.page(t.Scenario.Pages[0])
	if m.expired {
		if err := m.expire(t, p); err != nil {
			return err
		}
	}
	setFact(t.SoFar, BackendTime, float64(backendTime)/float64(time.Millisecond))
	j := load.Job{Target: t.Server.Address, Pages: []load.Page{p}, Connections: m.clients, Requests: m.clients}
	o, err := load.Start(t.Lab, j)
	if err != nil {
		return err
	}
	defer o.End()
	before, _, err := t.Origin.Counts()
	if err != nil {
		return err
	}
	if err := o.Go(); err != nil {
		return err
	}
	totals, err := report(o)
	if err != nil {
		return err
	}
	after, _, err := t.Origin.Counts()
	if err != nil {
		return err
	}
	if err := t.errors(totals); err != nil {
		return err
	}
	v := t.Round.Values
	v[result.BackendAsked] = float64(after - before)
	v[result.P50], v[result.Slowest] = totals.Latency.P50, totals.Latency.Max
	t.Say("%d requests reached the origin, the slowest client waited %.0f ms", after-before, totals.Latency.Max)
	return nil
}

// expire has the page cached and waits until it may not be used any more.
func (m stampede) expire(t *Turn, p load.Page) error {
	if _, err := load.Probe(t.Server.Address, p); err != nil {
		return err
	}
	select {
	case <-time.After(expiry):
		return nil
	case <-t.Context.Done():
		return t.Context.Err()
	}
}

func setFact(s *result.Scenario, name string, value float64) {
	if s.Facts == nil {
		s.Facts = map[string]float64{}
	}
	s.Facts[name] = value
}
