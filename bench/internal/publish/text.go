package publish

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"seawall/bench/internal/result"
)

// Text writes a run as plain tables: one for each scenario with its targets, then what the run was, its warnings and the
// targets that were missed. It returns the writer's error.
func Text(run *result.Run, w io.Writer) error {
	var out strings.Builder
	for i := range run.Scenarios {
		scenarioPlain(&out, run, &run.Scenarios[i])
	}
	m := run.Machine
	fmt.Fprintf(&out, "\nMedians of %s; %s for the server and %s for the load.\n%s, %s, %s\n", count(run.Rounds, "round"),
		count(len(m.ServerCores), "core"), count(len(m.LoadCores), "core"), m.CPU, kernel(m), m.Go)
	for _, text := range run.Warnings {
		fmt.Fprintf(&out, "warning: %s\n", oneLine(text))
	}
	_, met, all := targets(run)
	if all > 0 {
		fmt.Fprintf(&out, "%d of %d targets reached\n", met, all)
	}
	for _, sc := range run.Scenarios {
		for _, v := range sc.Targets {
			if !v.Met {
				fmt.Fprintf(&out, "  %s: %s\n", sc.Name, verdictPlain(v))
			}
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func scenarioPlain(out *strings.Builder, run *result.Run, sc *result.Scenario) {
	fmt.Fprintf(out, "\n%s: %s\n", sc.Name, oneLine(sc.About))
	tablePlain(out, run, sc)
	if rate, ok := sc.Facts[constantRate]; ok && rate > 0 {
		fmt.Fprintf(out, "  latency at a constant rate of %s requests/s\n", number(rate))
	}
	for _, m := range inOrder(run, sc) {
		if m.Cannot != "" {
			fmt.Fprintf(out, "  %s cannot: %s\n", m.Server, oneLine(m.Cannot))
		}
		if m.Error != "" {
			fmt.Fprintf(out, "  %s FAILED: %s\n", m.Server, strings.TrimSpace(m.Error))
		}
	}
	for _, v := range sc.Targets {
		fmt.Fprintf(out, "  %s\n", verdictPlain(v))
	}
}

func tablePlain(out *strings.Builder, run *result.Run, sc *result.Scenario) {
	main := mainMetric(sc)
	if main == "" {
		return
	}
	keys := []string{main}
	for _, key := range sc.Metrics[1:] {
		if hasFigures(sc, key) {
			keys = append(keys, key)
		}
	}
	nginx, hasNginx := figure(sc.Server("nginx"), main)
	heads := []string{plainHead(main), "95 %"}
	if hasNginx {
		heads = append(heads, "x nginx")
	}
	for _, key := range keys[1:] {
		heads = append(heads, plainHead(key))
	}
	var rows [][]string
	for _, m := range inOrder(run, sc) {
		if len(m.Rounds) == 0 {
			continue
		}
		s, ok := figure(m, main)
		row := []string{m.Server, none, none}
		if ok {
			row = []string{m.Server, amount(main, s.Median), strings.ReplaceAll(interval(s), " to ", "..")}
		}
		if hasNginx {
			row = append(row, ratioOf(s, ok, nginx, hasNginx))
		}
		for _, key := range keys[1:] {
			value := none
			if v, has := figure(m, key); has {
				value = amount(key, v.Median)
			}
			row = append(row, value)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\t%s\t\n", strings.Join(heads, "\t"))
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t\n", strings.Join(row, "\t"))
	}
	table.Flush() // into memory: it cannot fail
}

// plainHead is a column's label with its unit, as short as it can be.
func plainHead(key string) string {
	m := metricOf(key)
	if m.Unit == "" {
		return m.Label
	}
	return m.Label + " " + m.Unit
}

func verdictPlain(v result.Verdict) string {
	outcome := strings.ReplaceAll(outcome(v), "**", "")
	return fmt.Sprintf("%s: %s, %s", oneLine(v.Text), measuredText(v), outcome)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
