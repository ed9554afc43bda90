//go:build linux

package matrix

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"seawall/bench/internal/result"
)

// Text prints a run's tables, medians of all rounds, and what is to be known of them.
func Text(w io.Writer, run *result.Run) {
	for i := range run.Scenarios {
		printScenario(w, &run.Scenarios[i])
	}
	fmt.Fprintf(w, "\n%s: medians of %d rounds, %d ms each where a window is measured; servers on cores %v, load on %v.\n%s, %s, %s\n",
		run.Mode, run.Rounds, run.WindowMS, run.Machine.ServerCores, run.Machine.LoadCores, run.Machine.CPU, run.Machine.Kernel, run.Machine.Go)
	for _, text := range run.Warnings {
		fmt.Fprintln(w, "warning:", text)
	}
	for _, s := range run.Scenarios {
		for _, v := range s.Targets {
			if !v.Met {
				fmt.Fprintf(w, "missed: %s: %s: %s\n", s.Name, v.Text, number(v.Value))
			}
		}
	}
}

func printScenario(w io.Writer, s *result.Scenario) {
	fmt.Fprintf(w, "\n%s: %s\n", s.Name, s.About)
	shown := slices.DeleteFunc(slices.Clone(s.Metrics), func(key string) bool {
		return !slices.ContainsFunc(s.Measured, func(m result.Measured) bool { return len(m.Series(key)) > 0 })
	})
	if len(shown) > 0 {
		printTable(w, s, shown)
	}
	for _, m := range s.Measured {
		switch {
		case m.Error != "":
			fmt.Fprintf(w, "  %s FAILED: %s\n", m.Server, m.Error)
		case m.Cannot != "":
			fmt.Fprintf(w, "  %s %s\n", m.Server, m.Cannot)
		}
	}
	for _, v := range s.Targets {
		word := "met"
		if !v.Met {
			word = "MISSED"
		}
		fmt.Fprintf(w, "  %s: %s, %s\n", v.Text, number(v.Value), word)
	}
}

func printTable(w io.Writer, s *result.Scenario, metrics []string) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	var heads []string
	for i, key := range metrics {
		m, _ := result.MetricOf(key)
		heads = append(heads, strings.TrimSpace(m.Label+" "+m.Unit))
		if i == 0 {
			heads = append(heads, "spread")
		}
	}
	fmt.Fprintf(table, "\t%s\t\n", strings.Join(heads, "\t"))
	for _, m := range s.Measured {
		if len(m.Rounds) == 0 {
			continue
		}
		fmt.Fprintf(table, "%s\t", m.Server)
		for i, key := range metrics {
			series := m.Series(key)
			sum := result.Summarize(series)
			if len(series) == 0 {
				fmt.Fprint(table, "-\t")
			} else {
				fmt.Fprintf(table, "%s\t", number(sum.Median))
			}
			if i == 0 {
				fmt.Fprintf(table, "%s..%s\t", number(sum.Low), number(sum.High))
			}
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

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
