//go:build linux

package scenario

import (
	"fmt"
	"slices"
	"time"

	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
)

// coldStart measures the time from starting a program to its first answer. Programs and files are in the page cache, as
// they are at every restart but the first.
type coldStart struct{ starts int }

func (m coldStart) Phases() []Phase {
	return []Phase{{Name: "first answer", Rounds: 3, Takes: m.takes, Measure: m.measure}}
}

func (m coldStart) takes(Options) time.Duration {
	return time.Duration(m.starts) * 700 * time.Millisecond
}

func (m coldStart) measure(t *Turn) error {
	var times []float64
	for range m.starts {
		if err := t.Context.Err(); err != nil {
			return err
		}
		r, err := peer.Start(t.Lab, t.Server.Kind, t.Origin.Address, t.Server.Site.Files)
		if err != nil {
			return fmt.Errorf("starting another one: %w", err)
		}
		times = append(times, float64(r.First)/float64(time.Millisecond))
		r.Stop()
	}
	slices.Sort(times)
	t.Round.Values[result.FirstAnswer] = times[len(times)/2]
	t.Say("%.1f ms", t.Round.Values[result.FirstAnswer])
	return nil
}
