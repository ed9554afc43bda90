//go:build linux

package scenario

import (
	"fmt"
	"time"

	"seawall/bench/internal/load"
	"seawall/bench/internal/result"
)

// reloads has a server take its configuration anew again and again while clients come and go. Each request is on a
// connection of its own: on a kept one a server may always hang up as the next request is on its way, and who is to
// repeat that is the client's business.
type reloads struct {
	times       int
	rate        float64
	connections int
}

func (m reloads) Phases() []Phase {
	return []Phase{{Name: "reload under load", Fresh: true, Rounds: 2, Takes: m.takes, Measure: m.measure}}
}

// each is the time for one reload; a server that needs longer is waited for.
const eachReload = 300 * time.Millisecond

func (m reloads) takes(Options) time.Duration { return time.Duration(m.times)*eachReload*2 + setUp }

func (m reloads) measure(t *Turn) error {
	j := t.job(m.connections)
	j.NewConnections, j.Rate = true, m.rate
	j.Warm, j.Window = 0, time.Duration(m.times)*eachReload*2
	o, err := load.Start(t.Lab, j)
	if err != nil {
		return err
	}
	defer o.End()
	if err := o.Go(); err != nil {
		return err
	}
	if err := o.WaitStart(); err != nil {
		return err
	}
	began := time.Now()
	done := 0
	for done < m.times && time.Since(began) < j.Window-eachReload {
		next := time.NewTimer(eachReload)
		if err := t.Server.Reload(); err != nil {
			next.Stop()
			return fmt.Errorf("reload %d: %w", done+1, err)
		}
		done++
		select {
		case <-next.C:
		case <-t.Context.Done():
			return t.Context.Err()
		}
	}
	if err := o.WaitEnd(); err != nil {
		return err
	}
	totals, err := report(o)
	if err != nil {
		return err
	}
	if totals.Requests == 0 {
		return fmt.Errorf("no request was answered: %s", totals.FirstError)
	}
	if done < m.times {
		t.Warn("%s: %s: only %d of %d reloads were done in %v", t.Scenario.Name, t.Subject, done, m.times, j.Window)
	}
	if totals.Errors > 0 {
		t.Warn("%s: %s: %d requests failed: %s", t.Scenario.Name, t.Subject, totals.Errors, totals.FirstError)
	}
	v := t.Round.Values
	v[result.Failed], v[result.Errors] = float64(totals.Errors), float64(totals.Errors)
	t.latency(totals.Latency)
	t.Say("%d reloads, %d of %d requests failed", done, totals.Errors, totals.Errors+totals.Requests)
	return t.probe()
}
