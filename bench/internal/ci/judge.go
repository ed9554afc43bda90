//go:build linux

package ci

import (
	"fmt"
	"math"
	"slices"

	"seawall/bench/internal/compare"
	"seawall/bench/internal/result"
)

// Names of the two builds in a run.
const (
	baseName = "base"
	headName = "head"
)

// Shares of a limit by which the control may seem to change. Tried out on made-up runs of ten figures with 3 % of noise in each
// measurement (see the tests): with three quarters, 98 of 100 equal builds are good at a limit of 5 %, and a build that is
// 10 % slower never is; with one half, only 15 of 100 are good; with the whole limit, slower builds begin to slip through.
const (
	bearableDrift  = 0.5
	bearableSpread = 0.75
)

// Limits say what a regression is.
type Limits struct {
	CPU   float64 // of server CPU per request, relative: 0.05 is five per cent more; 0: not judged
	P99   float64 // of the 99th percentile at the constant rate; 0: not judged
	Alpha float64 // probability of one false alarm or more in a run of equal builds
}

// limit is what is judged of every scenario that measures it.
type limit struct {
	metric  result.Metric
	allowed float64
}

func (l Limits) all() []limit {
	var all []limit
	for _, entry := range []struct {
		key     string
		allowed float64
	}{{result.CPU, l.CPU}, {result.P99, l.P99}} {
		if metric, ok := result.MetricOf(entry.key); ok && entry.allowed > 0 {
			all = append(all, limit{metric, entry.allowed})
		}
	}
	return all
}

// Wanted is a scenario that has to be judged, with the keys of the metrics that it measures.
type Wanted struct {
	Scenario string
	Metrics  []string
}

// Judge decides over two builds, called "base" and "head", that took turns in a run. It looks at the ratio of head to base in
// each round: what slows the machine down for longer than a round slows down both and so is not in it. From these ratios it takes
// the median and its interval, without an assumption on their distribution. With n figures to judge, each may err with Alpha/n
// (Bonferroni), so that all together keep Alpha.
//
// A figure is slower when the median is beyond the limit and the whole interval above 1. It is a regression only when a
// second measurement, with servers that were started anew, says the same: the layout of one process's memory alone can make a
// difference that stays for all of its rounds. again has the scenarios for which that second measurement must be made,
// and they are looked up in it when it is there; nil: it was not made yet.
//
// A round that was disturbed by others is left out and made up for, as long as there are no more of them than rounds were asked for.
//
// A figure that is not slower is good only if the measurement could have shown it. Else it is noisy:
//   - the control, which is the floor server or, in scenarios without one, the base build, is the same program in all
//     rounds. Of its change from one round to the next, the median (drift) may be half the limit at most, and half the
//     width of that median's 95 % interval (spread) three quarters of it;
//   - half the width of the 95 % interval of head to base may be the limit at most.
//
// What is noisy is measured again, too, for longer, and the second measurement stands for itself.
func Judge(first, again *result.Run, wanted []Wanted, l Limits) *Judgement {
	j := &Judgement{Limits: l}
	for _, w := range wanted {
		for _, limit := range l.all() {
			if slices.Contains(w.Metrics, limit.metric.Key) {
				j.Figures = append(j.Figures, Figure{Scenario: w.Scenario, Metric: limit.metric, Limit: limit.allowed})
			}
		}
	}
	sure := confidence(l.Alpha, len(j.Figures))
	for i := range j.Figures {
		f := &j.Figures[i]
		f.First = read(first, f, sure)
		if again != nil && f.First.State.wantsAgain() && again.Scenario(f.Scenario) != nil {
			second := read(again, f, sure)
			f.Again = &second
		}
		f.decide()
	}
	return j
}

// confidence is that of each of n intervals which together err with probability alpha at most.
func confidence(alpha float64, n int) float64 { return 1 - alpha/float64(max(1, n)) }

// Judgement is the outcome.
type Judgement struct {
	Limits  Limits
	Figures []Figure
}

// Figure is one metric of one scenario.
type Figure struct {
	Scenario string
	Metric   result.Metric
	Limit    float64
	First    Reading
	Again    *Reading // nil when it was not measured again
	Verdict  Verdict
	Why      string // of a verdict that is not Good
}

// Reading is what one measurement says about a figure.
type Reading struct {
	State     State
	Why       string         // of a state that is not Equal or Faster
	Base      float64        // medians
	Head      float64        //
	Ratio     result.Summary // of head to base by rounds, at 95 %
	Sure      result.Summary // the same at the corrected level
	Control   result.Summary // of the control's change from one round to the next, at 95 %
	Disturbed int            // rounds that were left out
}

// State is what a reading shows.
type State int

const (
	Failed  State = iota // a server failed, an answer was wrong, the figure is missing: measuring again would not help
	Scarce               // too few rounds that were not disturbed
	Noisy                // it may be slower or not: the measurement could not have shown it
	Unclear              // slower by its median, but that may be chance
	Slower
	Equal
	Faster
)

// wantsAgain tells which states a second measurement has to confirm, or may get out of.
func (s State) wantsAgain() bool { return s == Scarce || s == Noisy || s == Unclear || s == Slower }

// Verdict is the outcome for a figure.
type Verdict int

const (
	Unmeasured Verdict = iota // never taken for good
	Regression
	Good
)

// Again names the scenarios that must be measured a second time.
func (j *Judgement) Again() []string {
	var names []string
	for _, f := range j.Figures {
		if f.First.State.wantsAgain() && f.Again == nil && !slices.Contains(names, f.Scenario) {
			names = append(names, f.Scenario)
		}
	}
	return names
}

// Verdict is that of all figures together: a regression is told even when another figure could not be measured.
func (j *Judgement) Verdict() Verdict {
	all := Good
	for _, f := range j.Figures {
		switch f.Verdict {
		case Regression:
			return Regression
		case Unmeasured:
			all = Unmeasured
		}
	}
	if len(j.Figures) == 0 {
		return Unmeasured
	}
	return all
}

// decide puts the readings together.
func (f *Figure) decide() {
	first, again := f.First.State, f.Again
	switch {
	case first == Equal || first == Faster:
		f.Verdict = Good
	case first == Failed:
		f.Why = f.First.Why
	case again == nil:
		f.Why = f.First.Why + "; not measured again"
	case again.State == Equal || again.State == Faster:
		f.Verdict = Good
		f.Why = "at first: " + f.First.Why + "; not so when measured again"
	case again.State == Slower && (first == Slower || first == Unclear):
		// The second measurement alone keeps the level of significance; the first one had only to point there.
		f.Verdict, f.Why = Regression, again.Why
	case again.State == Slower:
		f.Why = "slower when measured again, but the first measurement was of no use: " + f.First.Why
	default:
		f.Why = again.Why + ", also when measured again"
	}
}

// read looks at one figure of one run.
func read(run *result.Run, f *Figure, confidence float64) Reading {
	s := run.Scenario(f.Scenario)
	if s == nil {
		return Reading{Why: "the scenario was not measured"}
	}
	for _, name := range []string{baseName, headName} {
		if why := unusable(s.Server(name), f.Metric.Key); why != "" {
			return Reading{Why: name + ": " + why}
		}
	}
	control := baseName
	for i := range s.Measured {
		if server := run.ServerNamed(s.Measured[i].Server); server != nil && server.Floor && server.Name != baseName && server.Name != headName {
			control = server.Name
			if why := unusable(&s.Measured[i], f.Metric.Key); why != "" {
				return Reading{Why: "the control " + control + ": " + why}
			}
		}
	}
	r := pair(s.Server(baseName), s.Server(headName), s.Server(control), f.Metric.Key, confidence)
	r.judge(f, control)
	return r
}

// unusable tells why a server's rounds say nothing.
func unusable(m *result.Measured, key string) string {
	switch {
	case m == nil:
		return "not measured"
	case m.Error != "":
		return m.Error
	case m.Cannot != "":
		return m.Cannot
	case len(m.Series(key)) == 0:
		return "no figure"
	}
	return ""
}

// pair takes the rounds that all three have. A round in which one of them was disturbed is left out for all.
func pair(base, head, control *result.Measured, key string, confidence float64) Reading {
	var r Reading
	var bases, heads, ratios, steps []float64
	before := 0.0 // the control's figure of the round before; 0: that round is not there
	for i := range max(len(base.Rounds), len(head.Rounds)) {
		b, ok1 := roundValue(base, i, key)
		h, ok2 := roundValue(head, i, key)
		c, ok3 := roundValue(control, i, key)
		if !ok1 || !ok2 || !ok3 {
			before = 0
			continue
		}
		if base.Rounds[i].Disturbed() || head.Rounds[i].Disturbed() || control.Rounds[i].Disturbed() {
			r.Disturbed++
			before = 0
			continue
		}
		bases, heads, ratios = append(bases, b), append(heads, h), append(ratios, h/b)
		if before > 0 {
			steps = append(steps, c/before)
		}
		before = c
	}
	r.Base, r.Head = result.Summarize(bases).Median, result.Summarize(heads).Median
	r.Ratio, r.Sure = result.Summarize(ratios), result.SummarizeAt(ratios, confidence)
	r.Control = result.Summarize(steps)
	return r
}

// roundValue returns a round's figure; one that is not above 0 cannot have been measured.
func roundValue(m *result.Measured, round int, key string) (float64, bool) {
	if round >= len(m.Rounds) {
		return 0, false
	}
	v, ok := m.Rounds[round].Values[key]
	return v, ok && v > 0
}

// judge sets the state.
func (r *Reading) judge(f *Figure, control string) {
	if !r.Sure.HasInterval || !r.Control.HasInterval {
		r.State, r.Why = Scarce, fmt.Sprintf("%d rounds are too few for a verdict", r.Ratio.N)
		if r.Disturbed > 0 {
			r.Why += fmt.Sprintf(" (%d more were disturbed by other load)", r.Disturbed)
		}
		return
	}
	slower := r.Ratio.Median > 1+f.Limit
	switch {
	case slower && r.Sure.Low > 1:
		r.State = Slower
		r.Why = fmt.Sprintf("%s (at least %s), allowed are %s", compare.Percent(r.Ratio.Median-1), compare.Percent(r.Sure.Low-1), compare.Percent(f.Limit))
	case slower:
		r.State = Unclear
		r.Why = fmt.Sprintf("%s, but that may be chance", compare.Percent(r.Ratio.Median-1))
	case drift(r.Control) > f.Limit*bearableDrift:
		r.State = Noisy
		r.Why = fmt.Sprintf("noise: the control %s, the same program in all rounds, changes by %s with each round; ± %.1f %% are bearable",
			control, compare.Percent(r.Control.Median-1), 100*f.Limit*bearableDrift)
	case spread(r.Control) > f.Limit*bearableSpread:
		r.State = Noisy
		r.Why = fmt.Sprintf("noise: the control %s, the same program in all rounds, changes from one to the next by ± %.1f %%; ± %.1f %% are bearable",
			control, 100*spread(r.Control), 100*f.Limit*bearableSpread)
	case spread(r.Ratio) > f.Limit:
		r.State = Noisy
		r.Why = fmt.Sprintf("noise: the change is somewhere from %s to %s", compare.Percent(r.Ratio.Low-1), compare.Percent(r.Ratio.High-1))
	case r.Sure.High < 1:
		r.State = Faster
	default:
		r.State = Equal
	}
}

// drift is how far a ratio that should be 1 is from it.
func drift(s result.Summary) float64 { return math.Abs(s.Median - 1) }

// spread is half the width of the interval.
func spread(s result.Summary) float64 { return (s.High - s.Low) / 2 }
