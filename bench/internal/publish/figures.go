package publish

import (
	"math"
	"slices"

	"seawall/bench/internal/result"
)

// serversOf names all servers of a run: those of its table in their order, then what scenarios compare beside them.
func serversOf(run *result.Run) []string {
	var names []string
	for _, s := range run.Servers {
		names = append(names, s.Name)
	}
	for _, sc := range run.Scenarios {
		for _, m := range sc.Measured {
			if !slices.Contains(names, m.Server) {
				names = append(names, m.Server)
			}
		}
	}
	return names
}

// inOrder sorts a scenario's servers as the tables have them.
func inOrder(run *result.Run, sc *result.Scenario) []*result.Measured {
	names := serversOf(run)
	var list []*result.Measured
	for i := range sc.Measured {
		list = append(list, &sc.Measured[i])
	}
	slices.SortStableFunc(list, func(a, b *result.Measured) int {
		return slices.Index(names, a.Server) - slices.Index(names, b.Server)
	})
	return list
}

func isFloor(run *result.Run, name string) bool {
	return slices.ContainsFunc(run.Servers, func(s result.Server) bool { return s.Name == name && s.Floor })
}

// floorOf is the floor that a scenario was measured with, nil when it has none or that has no figures.
func floorOf(run *result.Run, sc *result.Scenario) *result.Measured {
	for i := range sc.Measured {
		if m := &sc.Measured[i]; isFloor(run, m.Server) && len(m.Rounds) > 0 {
			return m
		}
	}
	return nil
}

// metricOf never fails: an unknown key is its own label.
func metricOf(key string) result.Metric {
	if m, ok := result.MetricOf(key); ok {
		return m
	}
	return result.Metric{Key: key, Label: key}
}

// total says of a metric that it counts what must not happen: its sum over all rounds is shown, for a median would hide
// the one round in which it did.
func total(key string) bool { return key == result.Errors || key == result.Failed }

// figure sums up what a server showed; false when it has no value that is a number.
func figure(m *result.Measured, key string) (result.Summary, bool) {
	if m == nil {
		return result.Summary{}, false
	}
	series := slices.DeleteFunc(slices.Clone(m.Series(key)), func(v float64) bool { return !finite(v) })
	if len(series) == 0 {
		return result.Summary{}, false
	}
	if total(key) {
		sum := 0.0
		for _, v := range series {
			sum += v
		}
		return result.Summary{Median: sum, Low: sum, High: sum, N: len(series)}, true
	}
	return result.Summarize(series), true
}

func mainMetric(sc *result.Scenario) string {
	if len(sc.Metrics) == 0 {
		return ""
	}
	return sc.Metrics[0]
}

// hasFigures tells whether any server has a value of the metric.
func hasFigures(sc *result.Scenario, key string) bool {
	return slices.ContainsFunc(sc.Measured, func(m result.Measured) bool {
		_, ok := figure(&m, key)
		return ok
	})
}

// curve is the median of a curve's rounds, place by place, rising in X; places that fewer than half of the rounds have are
// left out, for there the median would jump from one set of rounds to another.
func curve(m *result.Measured, key string) []result.Point {
	at := map[float64][]float64{}
	rounds := 0
	for _, r := range m.Rounds {
		if len(r.Curves[key]) > 0 {
			rounds++
		}
		for _, p := range r.Curves[key] {
			if finite(p.X) && finite(p.Y) {
				at[p.X] = append(at[p.X], p.Y)
			}
		}
	}
	var points []result.Point
	for x, ys := range at {
		if 2*len(ys) >= rounds {
			points = append(points, result.Point{X: x, Y: median(ys)})
		}
	}
	slices.SortFunc(points, func(a, b result.Point) int {
		if a.X < b.X {
			return -1
		}
		return 1
	})
	return points
}

func median(values []float64) float64 {
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// disturbed is the largest share of a core that others or the hypervisor took in a scenario's rounds.
func disturbed(sc *result.Scenario) (share float64, server string) {
	for _, m := range sc.Measured {
		for _, r := range m.Rounds {
			if s := max(r.Foreign, 0) + max(r.Steal, 0); finite(s) && s > share {
				share, server = s, m.Server
			}
		}
	}
	return share, server
}

// groupsOf names the groups of a run's scenarios in the order of their first appearance.
func groupsOf(run *result.Run) []string {
	var groups []string
	for _, sc := range run.Scenarios {
		if !slices.Contains(groups, sc.Group) {
			groups = append(groups, sc.Group)
		}
	}
	return groups
}

// missedBy says how far a verdict's value lies from its bound: positive when it is beyond. With a bound of zero it is the
// value itself.
func missedBy(v result.Verdict) (share float64, ok bool) {
	if !finite(v.Value) || !finite(v.Max) {
		return 0, false
	}
	if v.Max == 0 {
		return math.Inf(1), false
	}
	return v.Value/v.Max - 1, true
}
