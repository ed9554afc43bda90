//go:build linux

package scenario

import (
	"fmt"
	"time"

	"seawall/bench/internal/load"
	"seawall/bench/internal/result"
)

// crowd keeps thousands of connections busy: each sends its next request when it has its answer.
type crowd struct{}

func (m crowd) Phases() []Phase {
	return []Phase{{Name: "all active", Takes: m.takes, Measure: m.measure}}
}

// crowdWarmUp lets every connection have a turn before the window, with servers that do 10,000 a second, too.
func crowdWarmUp(o Options) time.Duration { return max(o.Window/2, time.Second) }

func (m crowd) takes(o Options) time.Duration { return crowdWarmUp(o) + o.Window + 4*setUp }

func (m crowd) measure(t *Turn) error {
	j := t.job(t.Options.Connections)
	j.Warm = crowdWarmUp(t.Options)
	totals, used, err := t.own(j, t.memory)
	if err != nil {
		return err
	}
	if err := t.errors(totals); err != nil {
		return err
	}
	if err := t.cost(totals, used); err != nil {
		return err
	}
	t.latency(totals.Latency)
	return t.probe()
}

// rateCurve measures the highest rate with ever more connections.
type rateCurve struct{ connections []int }

func (m rateCurve) Phases() []Phase {
	return []Phase{{Name: "1 to many connections", Rounds: 3, Takes: m.takes, Measure: m.measure}}
}

func (m rateCurve) takes(o Options) time.Duration {
	return time.Duration(len(m.connections)) * (crowdWarmUp(o)/2 + m.window(o) + 2*setUp)
}

// window leaves slow servers the time for an answer to thousands.
func (m rateCurve) window(o Options) time.Duration { return max(o.Window/2, 400*time.Millisecond) }

func (m rateCurve) measure(t *Turn) error {
	var curve []result.Point
	for _, n := range m.connections {
		j := t.job(n)
		j.Window = m.window(t.Options)
		j.Warm = min(crowdWarmUp(t.Options), time.Duration(n)*time.Millisecond/4+warmUp(j.Window))
		totals, used, err := t.own(j, nil)
		if err != nil {
			return fmt.Errorf("with %d connections: %w", n, err)
		}
		if err := t.errors(totals); err != nil {
			return fmt.Errorf("with %d connections: %w", n, err)
		}
		if err := t.cost(totals, used); err != nil { // the last one's stays: that of the most connections
			return err
		}
		curve = append(curve, result.Point{X: float64(n), Y: t.Round.Values[result.Rate]})
	}
	t.curve(result.RateCurve, curve)
	return t.probe()
}

// memoryCurve measures memory with ever more connections that were used once and are idle since. Memory that was once in
// use is seldom given back, so each round has a server of its own.
type memoryCurve struct{ steps []int } // numbers of connections, rising

func (m memoryCurve) Phases() []Phase {
	return []Phase{{Name: "idle connections", Fresh: true, Rounds: 3, Takes: m.takes, Measure: m.measure}}
}

func (m memoryCurve) takes(Options) time.Duration {
	return time.Duration(len(m.steps)+1) * 1200 * time.Millisecond
}

func (m memoryCurve) measure(t *Turn) error {
	for range 5 { // what is set up at the first requests belongs to the server, not to the connections
		if err := t.probe(); err != nil {
			return err
		}
	}
	empty, _, err := t.Lab.SettledMemory(t.Server.Process)
	if err != nil {
		return err
	}
	most := m.steps[len(m.steps)-1]
	o, err := load.Start(t.Lab, load.Job{Target: t.Server.Address, Pages: t.Scenario.Pages, Connections: most, Steps: m.steps})
	if err != nil {
		return err
	}
	defer o.End()
	curve := []result.Point{{X: 0, Y: float64(empty) / megabyte}}
	full, resident := empty, int64(0)
	for _, n := range m.steps {
		if err := o.NextStep(); err != nil {
			return fmt.Errorf("with %d connections: %w", n, err)
		}
		if full, resident, err = t.Lab.SettledMemory(t.Server.Process); err != nil {
			return err
		}
		curve = append(curve, result.Point{X: float64(n), Y: float64(full) / megabyte})
	}
	closed, err := o.Release()
	if err != nil {
		return err
	}
	if closed > 0 {
		return fmt.Errorf("closed %d of %d idle connections", closed, most)
	}
	v := t.Round.Values
	v[result.PerConnection] = float64(full-empty) / float64(most)
	v[result.Anonymous], v[result.Resident] = float64(full)/megabyte, float64(resident)/megabyte
	t.curve(result.MemoryCurve, curve)
	t.Say("%.0f B a connection", v[result.PerConnection])
	return nil
}
