//go:build linux

package matrix

import (
	"slices"

	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// judge compares our figures with the scenario's targets.
func judge(s *result.Scenario, targets []scenario.Target, ours string) {
	for _, t := range targets {
		v := result.Verdict{Text: t.Text(), Metric: t.Metric, Against: t.Against, Max: t.Max}
		value, ok := figure(s, ours, t.Metric)
		if ok && t.Against != "" {
			var other float64
			if other, ok = figure(s, t.Against, t.Metric); other == 0 {
				ok = false
			}
			value /= other
		}
		if ok {
			v.Value, v.Met = value, value <= t.Max
		} else {
			v.Missing = true
		}
		s.Targets = append(s.Targets, v)
	}
}

func figure(s *result.Scenario, server, metric string) (float64, bool) {
	series := s.Server(server).Series(metric)
	if len(series) == 0 {
		return 0, false
	}
	if result.EveryRound(metric) {
		return slices.Max(series), true
	}
	return result.Summarize(series).Median, true
}
