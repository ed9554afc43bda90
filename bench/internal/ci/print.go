//go:build linux

package ci

import (
	"fmt"
	"io"
	"strings"

	"seawall/bench/internal/compare"
	"seawall/bench/internal/result"
)

// report is all that there is to tell.
type report struct {
	request    *request
	base, head string // commits
	first      *result.Run
	again      *result.Run // nil when nothing was measured again
	judgement  *Judgement
	err        error // why there is nothing else
}

// failure is the report of a run that came to nothing.
func failure(r *request, err error) *report { return &report{request: r, err: err} }

func (r *report) status() int {
	if r.err != nil {
		return exitUnmeasured
	}
	switch r.judgement.Verdict() {
	case Good:
		return exitGood
	case Regression:
		return exitRegression
	}
	return exitUnmeasured
}

// print writes the summary as Markdown, the verdict first.
func (r *report) print(w io.Writer) {
	switch r.status() {
	case exitGood:
		fmt.Fprintf(w, "**Load test: no regression.**\n\n")
	case exitRegression:
		fmt.Fprintf(w, "**Load test: REGRESSION.**\n\n")
	default:
		fmt.Fprintf(w, "**Load test: could not measure.** This says nothing about the change, good or bad.\n\n")
	}
	if r.err != nil {
		fmt.Fprintf(w, "```\n%s\n```\n", strings.TrimSpace(r.err.Error()))
		return
	}
	r.printTable(w)
	r.printReasons(w)
	if r.status() == exitUnmeasured {
		r.printAdvice(w)
	}
	r.printMethod(w)
}

func (r *report) printTable(w io.Writer) {
	fmt.Fprintf(w, "| scenario | figure | base | head | change | interval | control | limit | |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, f := range r.judgement.Figures {
		shown, times := f.First, ""
		if f.Again != nil {
			shown, times = *f.Again, " (2nd)"
		}
		cells := []string{"-", "-", "-", "-", "-"}
		if shown.Ratio.N > 0 {
			cells = []string{compare.Number(shown.Base), compare.Number(shown.Head), compare.Percent(shown.Ratio.Median-1) + times, "-", "-"}
			if shown.Ratio.HasInterval {
				cells[3] = compare.Percent(shown.Ratio.Low-1) + " to " + compare.Percent(shown.Ratio.High-1)
			}
			if shown.Control.HasInterval {
				cells[4] = fmt.Sprintf("± %.1f %%", 100*spread(shown.Control))
			}
		}
		fmt.Fprintf(w, "| %s | %s %s | %s | %s | %s |\n", f.Scenario, f.Metric.Label, f.Metric.Unit, strings.Join(cells, " | "), compare.Percent(f.Limit), f.word())
	}
	fmt.Fprintln(w)
}

// word is the last column's.
func (f Figure) word() string {
	last := f.First.State
	if f.Again != nil {
		last = f.Again.State
	}
	switch {
	case f.Verdict == Regression:
		return "**slower**"
	case f.Verdict == Unmeasured:
		return "not measured"
	case last == Faster:
		return "faster"
	}
	return "ok"
}

func (r *report) printReasons(w io.Writer) {
	any := false
	for _, f := range r.judgement.Figures {
		if f.Why != "" {
			fmt.Fprintf(w, "- %s, %s: %s\n", f.Scenario, f.Metric.Label, strings.ReplaceAll(strings.TrimSpace(f.Why), "\n", "\n  "))
			any = true
		}
	}
	if any {
		fmt.Fprintln(w)
	}
}

// printAdvice says what to do when there is no verdict.
func (r *report) printAdvice(w io.Writer) {
	failed := false
	for _, f := range r.judgement.Figures {
		failed = failed || f.Verdict == Unmeasured && f.First.State == Failed
	}
	fmt.Fprintln(w, "What to do:")
	if failed {
		fmt.Fprintln(w, "- A server failed, or its answers are not the right ones: see above, and run the scenario by itself with `go run ./bench run -only NAME`.")
	} else {
		fmt.Fprintln(w, "- Run it again, on a machine with nothing else to do; more rounds or longer ones (`-rounds`, `-duration`) average out noise.")
		fmt.Fprintln(w, "- Where the machine stays so noisy, a wider limit (`-fail-cpu`, `-fail-p99`) is an honest one.")
	}
	fmt.Fprintln(w)
}

func (r *report) printMethod(w io.Writer) {
	m := r.first.Machine
	fmt.Fprintf(w, "Base `%s`, head `%s`. %d rounds of %v, twice as many for what was measured again; base, head and the control took turns. "+
		"Change: median of head/base by rounds with its 95 %% interval. Control: how a program that did not change seems to change. "+
		"A regression is beyond its limit in two measurements and significant in the second, at level %g for all figures together.\n\n",
		compare.Short(r.base), compare.Short(r.head), r.first.Rounds, r.request.window, r.request.limits.Alpha)
	fmt.Fprintf(w, "%s, %d cores, %s, %s.\n", m.CPU, m.Cores, m.Kernel, m.Go)
	for _, run := range []*result.Run{r.first, r.again} {
		if run != nil {
			for _, text := range run.Warnings {
				fmt.Fprintf(w, "- warning: %s\n", text)
			}
		}
	}
}
