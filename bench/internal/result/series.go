package result

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// Confidence is the level of every interval that is not said to have another one.
const Confidence = 0.95

// roundsForInterval is how many values a median's interval needs at that level: with fewer, even the range from the smallest
// to the largest does not hold the median in 95 of 100 cases.
const roundsForInterval = 6

// Scenario returns the scenario of that name, nil when the run has none. It is the run's own.
func (r *Run) Scenario(name string) *Scenario {
	for i := range r.Scenarios {
		if r.Scenarios[i].Name == name {
			return &r.Scenarios[i]
		}
	}
	return nil
}

// Server returns a server's part of the scenario, nil when there is none. It is the run's own.
func (s *Scenario) Server(name string) *Measured {
	for i := range s.Measured {
		if s.Measured[i].Server == name {
			return &s.Measured[i]
		}
	}
	return nil
}

// ServerNamed returns the description of a server, nil when the run had none of that name. It is the run's own.
func (r *Run) ServerNamed(name string) *Server {
	for i := range r.Servers {
		if r.Servers[i].Name == name {
			return &r.Servers[i]
		}
	}
	return nil
}

// Series returns one value for each round that has the metric, in the order of the rounds. It is the caller's own.
func (m *Measured) Series(key string) []float64 {
	if m == nil {
		return nil
	}
	var series []float64
	for _, r := range m.Rounds {
		if v, ok := r.Values[key]; ok {
			series = append(series, v)
		}
	}
	return series
}

// Summary is the median of a series and where the true median is with 95 % confidence, whatever the distribution. Without
// an interval (too few rounds) Low and High are the smallest and the largest value.
type Summary struct {
	Median, Low, High float64
	N                 int
	HasInterval       bool
}

// Summarize sums up a series; of an empty one everything is zero.
func Summarize(series []float64) Summary { return SummarizeAt(series, Confidence) }

// SummarizeAt does so at another level of confidence.
func SummarizeAt(series []float64, confidence float64) Summary {
	if len(series) == 0 {
		return Summary{}
	}
	// benchmath sorts what it gets.
	sample := benchmath.NewSample(slices.Clone(series), &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sample, confidence)
	summary := Summary{Median: s.Center, Low: s.Lo, High: s.Hi, N: len(series), HasInterval: len(series) >= roundsForInterval}
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) || s.Confidence < confidence {
		summary.HasInterval = false
	}
	if !summary.HasInterval {
		summary.Low, summary.High = sample.Values[0], sample.Values[len(sample.Values)-1]
	}
	return summary
}
