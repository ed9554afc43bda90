//go:build linux

package matrix

import (
	"fmt"
	"strings"

	"seawall/bench/internal/result"
)

// summary is what is shown of a scenario when it is over: its first figure for every server.
func summary(s *result.Scenario) []string {
	if len(s.Metrics) == 0 {
		return nil
	}
	m, _ := result.MetricOf(s.Metrics[0])
	var parts []string
	for _, e := range s.Measured {
		if series := e.Series(m.Key); len(series) > 0 {
			parts = append(parts, e.Server+" "+number(result.Summarize(series).Median))
		}
	}
	if parts == nil {
		return nil
	}
	return []string{strings.TrimSpace(fmt.Sprintf("%s: %s %s", s.Name, m.Label, m.Unit)) + ": " + strings.Join(parts, ", ")}
}

// number prints three or four significant digits.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 1000 || v <= -1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.1f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
