//go:build linux

package matrix

import (
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// judge compares our figures with the scenario's targets. A target whose figures are missing has no verdict.
func judge(s *result.Scenario, targets []scenario.Target, ours string) {
	for _, t := range targets {
		value, ok := median(s, ours, t.Metric)
		if !ok {
			continue
		}
		if t.Against != "" {
			other, ok := median(s, t.Against, t.Metric)
			if !ok || other == 0 {
				continue
			}
			value /= other
		}
		s.Targets = append(s.Targets, result.Verdict{
			Text: t.Text(), Metric: t.Metric, Against: t.Against, Value: value, Max: t.Max, Met: value <= t.Max,
		})
	}
}

func median(s *result.Scenario, server, metric string) (float64, bool) {
	series := s.Server(server).Series(metric)
	if len(series) == 0 {
		return 0, false
	}
	return result.Summarize(series).Median, true
}
