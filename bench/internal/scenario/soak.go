//go:build linux

package scenario

import (
	"fmt"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/load"
	"seawall/bench/internal/result"
)

// soak keeps all servers at the same time under a mild load for long and watches their memory.
type soak struct {
	connections int
	rate        float64 // requests per second for each server
	warm, lasts time.Duration
	every       time.Duration // between two looks at the memory
}

func (m soak) Phases() []Phase {
	return []Phase{{Name: "soak", Rounds: 1, Together: true, Takes: m.takes, Measure: m.measure}}
}

func (m soak) takes(Options) time.Duration { return m.warm + m.lasts + 2*setUp }

func (m soak) measure(t *Turn) error {
	j := t.job(m.connections)
	j.Rate, j.Warm, j.Window = m.rate, m.warm, m.lasts
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
	curve, err := m.watch(t)
	if err != nil {
		return err
	}
	if err := o.WaitEnd(); err != nil {
		return err
	}
	totals, err := report(o)
	if err != nil {
		return err
	}
	if err := t.errors(totals); err != nil {
		return err
	}
	first, last := curve[0].Y, curve[len(curve)-1].Y
	t.Round.Values[result.Resident] = last
	t.Round.Values[result.Growth] = last - first
	t.curve(result.SoakCurve, curve)
	t.latency(totals.Latency)
	t.Say("%.1f MB at the start, %.1f MB at the end", first, last)
	return t.probe()
}

// watch samples resident memory until the window is over.
func (m soak) watch(t *Turn) ([]result.Point, error) {
	var curve []result.Point
	ticks := time.NewTicker(m.every)
	defer ticks.Stop()
	for elapsed := time.Duration(0); ; elapsed += m.every {
		_, resident, err := lab.Memory(t.Server.Process.Pids())
		if err != nil {
			return nil, err
		}
		curve = append(curve, result.Point{X: elapsed.Seconds(), Y: float64(resident) / megabyte})
		if elapsed+m.every >= m.lasts {
			return curve, nil
		}
		select {
		case <-ticks.C:
		case <-t.Server.Process.Done():
			return nil, fmt.Errorf("ended after %v", elapsed)
		case <-t.Context.Done():
			return nil, t.Context.Err()
		}
	}
}
