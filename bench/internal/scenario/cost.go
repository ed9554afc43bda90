//go:build linux

package scenario

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/load"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
)

// ConstantRate is the fact that says at which rate latency was taken, in requests per second.
const ConstantRate = "constant rate"

// requestCost measures what a request costs at the highest rate, how long one takes at half of what the slowest server can
// do, and, when asked, which system calls one makes.
type requestCost struct {
	connections int
	own         bool // our own generator makes the highest rate, too: wrk knows one page and no slow readers
	fresh       bool // each request on a connection of its own
	pipeline    int  // requests under way on a connection, by h2load; there is no constant rate then
	slow        int  // connections that read slowPage slowly meanwhile
	slowPage    load.Page
	slowRate    int // bytes per second and connection
	traced      int // requests whose system calls are counted; 0: none
}

func (m requestCost) Phases() []Phase {
	phases := []Phase{{Name: "peak", Takes: m.peakTakes, Before: m.warm, Measure: m.peak}}
	if m.pipeline == 0 {
		phases = append(phases, Phase{Name: "constant rate", Takes: m.rateTakes, Measure: m.constantRate})
	}
	if m.traced > 0 {
		phases = append(phases, Phase{Name: "system calls", Rounds: 1, Takes: m.callsTake, Measure: m.calls})
	}
	return phases
}

// setUp is about what it takes to start a generator, to open its connections and to look at the answers.
const setUp = 250 * time.Millisecond

func warmUp(window time.Duration) time.Duration { return max(window/4, 200*time.Millisecond) }

func (m requestCost) peakTakes(o Options) time.Duration {
	if m.own {
		return warmUp(o.Window) + o.Window + setUp
	}
	return o.Window + setUp
}

func (m requestCost) rateTakes(o Options) time.Duration { return warmUp(o.Window) + o.Window + setUp }

func (m requestCost) callsTake(Options) time.Duration { return 2 * time.Second }

func (m requestCost) job(t *Turn) load.Job {
	j := t.job(m.connections)
	j.NewConnections, j.Pipeline = m.fresh, m.pipeline
	j.SlowReaders, j.SlowPage, j.SlowRate = m.slow, m.slowPage, m.slowRate
	return j
}

// warm loads the server once before the first round, so that caches are filled and memory is in place.
func (m requestCost) warm(t *Turn) error {
	t.Options.Window = max(warmUp(t.Options.Window), 300*time.Millisecond)
	return m.peak(t)
}

func (m requestCost) peak(t *Turn) error {
	var totals load.Totals
	var used consumed
	var err error
	j := m.job(t)
	if m.own {
		j.Warm = warmUp(t.Options.Window)
		totals, used, err = t.own(j, t.memory)
	} else if totals, used, err = m.others(t, j); err == nil {
		err = t.memory()
	}
	if err != nil {
		return err
	}
	if err := t.errors(totals); err != nil {
		return err
	}
	if err := t.cost(totals, used); err != nil {
		return err
	}
	return t.probe()
}

// others has wrk or h2load make the highest rate.
func (m requestCost) others(t *Turn, j load.Job) (totals load.Totals, used consumed, err error) {
	var answer load.Answer
	for range 2 { // the second one is the cached one, whose length counts
		if answer, err = load.Probe(t.Server.Address, t.Scenario.Pages[0]); err != nil {
			return totals, used, err
		}
	}
	var from usage
	j.Begin = func() (err error) {
		from, err = t.readUsage()
		return err
	}
	if m.pipeline > 0 {
		totals, err = pipelined(t, j)
	} else {
		totals, err = load.Wrk(t.Context, t.Lab, j, answer.Bytes)
	}
	if err := exceptWrong(err); err != nil {
		return totals, used, err
	}
	used, err = t.since(from)
	return totals, used, err
}

// pipelined has h2load make about as many requests as fit into the window: told to stop by the clock, it waits forever for
// answers to pipelined requests that it has forgotten.
func pipelined(t *Turn, j load.Job) (load.Totals, error) {
	pilot := j
	pilot.Window, pilot.Requests, pilot.Begin = 0, pilotRequests, nil
	totals, err := load.H2load(t.Context, t.Lab, pilot)
	if err != nil {
		return totals, err
	}
	j.Requests, j.Window = max(pilotRequests, int(totals.Rate()*j.Window.Seconds())), 0
	return load.H2load(t.Context, t.Lab, j)
}

const pilotRequests = 10_000

// constantRate takes latencies at half of the slowest server's highest rate: all answer the same requests at the same times.
func (m requestCost) constantRate(t *Turn) error {
	rate, err := halfOfTheSlowest(t.SoFar)
	if err != nil {
		return err
	}
	j := m.job(t)
	j.Rate, j.Warm = rate, warmUp(t.Options.Window)
	totals, _, err := t.own(j, nil)
	if err != nil {
		return err
	}
	if err := t.errors(totals); err != nil {
		return err
	}
	t.latency(totals.Latency)
	t.Say("p50 %.2f ms, p99 %.2f ms at %.0f requests/s", totals.Latency.P50, totals.Latency.P99, rate)
	return t.probe()
}

// halfOfTheSlowest finds the rate once, and keeps it with the scenario's facts.
func halfOfTheSlowest(s *result.Scenario) (float64, error) {
	if rate := s.Facts[ConstantRate]; rate > 0 {
		return rate, nil
	}
	slowest, floors := 0.0, 0.0
	for i := range s.Measured {
		m := &s.Measured[i]
		series := m.Series(result.Rate)
		if m.Error != "" || len(series) == 0 {
			continue
		}
		peak := result.Summarize(series).Median
		if k, known := peer.ByName(m.Server); known && k.Floor {
			floors = peak
		} else if slowest == 0 || peak < slowest {
			slowest = peak
		}
	}
	if slowest == 0 {
		slowest = floors // measured alone
	}
	if slowest == 0 {
		return 0, errors.New("no server has a highest rate to take half of")
	}
	rate := max(1, math.Floor(slowest/2))
	setFact(s, ConstantRate, rate)
	return rate, nil
}

// calls counts system calls while the server is traced: a run of its own, since tracing slows the server down and so
// changes how many events each wait finds.
func (m requestCost) calls(t *Turn) error {
	j := m.job(t)
	j.Window, j.Requests = 0, m.traced
	j.Hold = !m.fresh              // else it would close its connections while they are traced
	o, err := load.Start(t.Lab, j) // opens the connections before the trace begins
	if err != nil {
		return err
	}
	defer o.End()
	var totals load.Totals
	counts, err := t.Lab.Trace(t.Server.Process, func() error {
		if err := o.Go(); err != nil {
			return err
		}
		totals, err = report(o)
		return err
	})
	if errors.Is(err, lab.ErrNoTrace) {
		t.Warn("%s: %s: its system calls cannot be counted here: %v", t.Scenario.Name, t.Subject, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("counting system calls: %w", err)
	}
	if err := t.errors(totals); err != nil {
		return err
	}
	maps.Copy(t.Round.Values, counts.Per(totals.Requests))
	t.Say("system calls a request: %s", counts.Describe(totals.Requests))
	return t.probe()
}
