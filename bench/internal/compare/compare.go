// Package compare sets two runs of the benchmarks beside each other: for each scenario and metric the old and the new
// median, the change and what it is worth.
//
// The statistics are benchmath's, without an assumption on the distribution: medians with the interval of their order
// statistics, the Mann-Whitney U test for significance. The interval of the change is put together from those of the two
// medians, each taken at a level so high that both hold at once with 95 %: (lowest new)/(highest old) to (highest
// new)/(lowest old). That is wider than it need be, never too narrow.
//
// Two runs were made at two times. What changed between them besides the server is not in the p-value: the floor's change,
// shown beside each figure, is a hint of it, and the differences between the machines are listed as warnings. For a verdict
// use package ci, which measures both builds in turn.
package compare

import (
	"fmt"
	"slices"

	"golang.org/x/perf/benchmath"

	"seawall/bench/internal/result"
)

// DefaultAlpha is the level of significance.
const DefaultAlpha = 0.05

// Seawall is the server that is compared unless another one is named.
const Seawall = "seawall"

// Options say what is compared.
type Options struct {
	Scenarios []string // names; none: all
	Metrics   []string // keys; none: all that have a better direction
	Alpha     float64  // 0: DefaultAlpha
	Server    string   // "": Seawall
}

// Comparison is the outcome.
type Comparison struct {
	Old      Side     `json:"old"`
	New      Side     `json:"new"`
	Server   string   `json:"server"`
	Alpha    float64  `json:"alpha"`
	Rows     []Row    `json:"rows"`
	OnlyOld  []string `json:"only_old,omitempty"` // scenarios
	OnlyNew  []string `json:"only_new,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Side is one of the two runs.
type Side struct {
	Commit  string `json:"commit"`
	Started string `json:"started"` // RFC 3339
	Version string `json:"version"` // of the server
}

// Row is one metric of one scenario.
type Row struct {
	Scenario    string  `json:"scenario"`
	Metric      string  `json:"metric"` // key
	Label       string  `json:"label"`
	Unit        string  `json:"unit"`
	Old         Figure  `json:"old"`
	New         Figure  `json:"new"`
	Change      *Change `json:"change,omitempty"` // nil where a ratio says nothing: the old figure is 0 or less
	P           float64 `json:"p"`
	Significant bool    `json:"significant"`
	Verdict     Verdict `json:"verdict"`
	Floor       *Floor  `json:"floor,omitempty"`
	Missing     string  `json:"missing,omitempty"` // why there is nothing to compare; then nothing else is set
}

// Figure is a median with its 95 % interval; without one (fewer than six rounds) Low and High are the range.
type Figure struct {
	Median      float64 `json:"median"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
	N           int     `json:"n"`
	HasInterval bool    `json:"has_interval"`
}

// Change is relative: 0.05 is five per cent more.
type Change struct {
	Relative    float64 `json:"relative"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
	HasInterval bool    `json:"has_interval"`
}

// Floor is what the floor server's figure did meanwhile: a control, as its program is not what was worked on.
type Floor struct {
	Name        string  `json:"name"`
	Change      float64 `json:"change"`
	Significant bool    `json:"significant"`
}

// Verdict is a row in one word.
type Verdict string

const (
	Same   Verdict = "~" // no significant difference: not a proof that there is none
	Better Verdict = "better"
	Worse  Verdict = "worse"
)

// Runs compares two runs. An unknown scenario or metric in the options is an error, as is a server that neither run has.
func Runs(old, new *result.Run, o Options) (*Comparison, error) {
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	if o.Alpha < 0 || o.Alpha >= 1 {
		return nil, fmt.Errorf("a level of significance is between 0 and 1, not %v", o.Alpha)
	}
	if o.Server == "" {
		o.Server = Seawall
	}
	if err := o.check(old, new); err != nil {
		return nil, err
	}
	c := &Comparison{Old: side(old, o.Server), New: side(new, o.Server), Server: o.Server, Alpha: o.Alpha, Warnings: differences(old, new, o.Server)}
	for i := range new.Scenarios {
		s := &new.Scenarios[i]
		if !o.wants(s.Name) {
			continue
		}
		before := old.Scenario(s.Name)
		if before == nil {
			c.OnlyNew = append(c.OnlyNew, s.Name)
			continue
		}
		c.Rows = append(c.Rows, o.rows(before, s, floorOf(old, new, before, s))...)
	}
	for _, s := range old.Scenarios {
		if o.wants(s.Name) && new.Scenario(s.Name) == nil {
			c.OnlyOld = append(c.OnlyOld, s.Name)
		}
	}
	return c, nil
}

func (o Options) wants(scenario string) bool {
	return len(o.Scenarios) == 0 || slices.Contains(o.Scenarios, scenario)
}

func (o Options) check(old, new *result.Run) error {
	for _, name := range o.Scenarios {
		if old.Scenario(name) == nil && new.Scenario(name) == nil {
			return fmt.Errorf("neither run has a scenario %q", name)
		}
	}
	for _, key := range o.Metrics {
		if _, ok := result.MetricOf(key); !ok {
			return fmt.Errorf("there is no metric %q", key)
		}
	}
	for _, run := range []*result.Run{old, new} {
		if run.ServerNamed(o.Server) == nil {
			return fmt.Errorf("the run of %s has no server %q", run.Started.Format("2006-01-02 15:04"), o.Server)
		}
	}
	return nil
}

func side(run *result.Run, server string) Side {
	return Side{Commit: run.Commit, Started: run.Started.Format("2006-01-02T15:04:05Z07:00"), Version: run.ServerNamed(server).Version}
}

// floorOf returns the floor that both runs measured in a scenario, "" when there is none.
func floorOf(old, new *result.Run, before, after *result.Scenario) string {
	for _, m := range after.Measured {
		server, earlier := new.ServerNamed(m.Server), old.ServerNamed(m.Server)
		if server != nil && earlier != nil && server.Floor && earlier.Floor && before.Server(m.Server) != nil {
			return m.Server
		}
	}
	return ""
}

// rows compares the metrics of one scenario.
func (o Options) rows(before, after *result.Scenario, floor string) []Row {
	keys := o.Metrics
	if len(keys) == 0 {
		keys = append(slices.Clone(after.Metrics), before.Metrics...)
	}
	var rows []Row
	done := map[string]bool{}
	for _, key := range keys {
		metric, ok := result.MetricOf(key)
		if !ok || done[key] || metric.Better == result.Neither && len(o.Metrics) == 0 {
			continue
		}
		done[key] = true
		if row, any := o.row(before, after, metric, floor); any {
			rows = append(rows, row)
		}
	}
	if rows == nil {
		if why := missing(before.Server(o.Server), after.Server(o.Server)); why != "" {
			rows = []Row{{Scenario: after.Name, Missing: why}}
		}
	}
	return rows
}

// missing tells why a scenario has no figures, as far as the runs know.
func missing(before, after *result.Measured) string {
	for _, side := range []struct {
		name string
		m    *result.Measured
	}{{"old", before}, {"new", after}} {
		switch {
		case side.m == nil:
			return side.name + ": not measured"
		case side.m.Error != "":
			return side.name + ": " + side.m.Error
		case side.m.Cannot != "":
			return side.name + ": " + side.m.Cannot
		}
	}
	return ""
}

// row compares one metric. It returns false when neither run has it.
func (o Options) row(before, after *result.Scenario, metric result.Metric, floor string) (Row, bool) {
	row := Row{Scenario: after.Name, Metric: metric.Key, Label: metric.Label, Unit: metric.Unit, Verdict: Same, P: 1}
	old, new := before.Server(o.Server).Series(metric.Key), after.Server(o.Server).Series(metric.Key)
	switch {
	case len(old) == 0 && len(new) == 0:
		return row, false
	case len(old) == 0 || len(new) == 0:
		row.Missing = missing(before.Server(o.Server), after.Server(o.Server))
		if row.Missing == "" {
			row.Missing = "only one of the runs has it"
		}
		return row, true
	}
	row.Old, row.New = figure(old), figure(new)
	row.Change = change(old, new)
	test := o.test(old, new)
	row.P, row.Significant = test.P, test.P <= test.Alpha
	if row.Significant && row.Old.Median != row.New.Median {
		row.Verdict = Worse
		if row.New.Median > row.Old.Median == (metric.Better == result.Higher) {
			row.Verdict = Better
		}
		if metric.Better == result.Neither {
			row.Verdict = Same
		}
	}
	if floor != "" {
		old, new := before.Server(floor).Series(metric.Key), after.Server(floor).Series(metric.Key)
		if c := change(old, new); c != nil {
			test := o.test(old, new)
			row.Floor = &Floor{Name: floor, Change: c.Relative, Significant: test.P <= test.Alpha}
		}
	}
	return row, true
}

// test is benchmath's; it sorts what it gets.
func (o Options) test(old, new []float64) benchmath.Comparison {
	limits := benchmath.Thresholds{CompareAlpha: o.Alpha}
	return benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(old), &limits), benchmath.NewSample(slices.Clone(new), &limits))
}

func figure(series []float64) Figure {
	s := result.Summarize(series)
	return Figure{Median: s.Median, Low: s.Low, High: s.High, N: s.N, HasInterval: s.HasInterval}
}

// change puts the interval of the ratio together from those of the medians: each may err in half of what both may.
func change(old, new []float64) *Change {
	each := 1 - (1-result.Confidence)/2
	from, to := result.SummarizeAt(old, each), result.SummarizeAt(new, each)
	if from.N == 0 || to.N == 0 || from.Median <= 0 {
		return nil
	}
	c := &Change{Relative: to.Median/from.Median - 1}
	if c.HasInterval = from.HasInterval && to.HasInterval && from.Low > 0; c.HasInterval {
		c.Low, c.High = to.Low/from.High-1, to.High/from.Low-1
		if to.Low < 0 { // a lower figure below zero is the lower, the less it is divided by
			c.Low = to.Low/from.Low - 1
		}
	}
	return c
}
