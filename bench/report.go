//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the whole run's outcome, as -json prints it.
type report struct {
	Started  time.Time         `json:"started"`
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"`
	Rounds   int               `json:"rounds"`
	WindowMS int64             `json:"window_ms"`
	Rows     []result          `json:"rows"`
	Warnings []string          `json:"warnings,omitempty"`
}

// result is one row's.
type result struct {
	Name    string         `json:"name"`
	About   string         `json:"about"`
	Columns []string       `json:"columns"`
	Figures []serverResult `json:"figures"`
	Targets []verdict      `json:"targets,omitempty"`
	Error   string         `json:"error,omitempty"`
}

// serverResult has one server's figures of a row.
type serverResult struct {
	Server  string             `json:"server"`
	Samples []float64          `json:"samples"` // of the first column
	Median  map[string]float64 `json:"median"`  // by column
	ToNginx float64            `json:"to_nginx,omitempty"`
}

// verdict says whether a target was met.
type verdict struct {
	Text  string  `json:"text"`
	Value float64 `json:"value"`
	Max   float64 `json:"max"`
	Met   bool    `json:"met"`
}

func (b *bench) newReport() *report {
	return &report{
		Started: time.Now(), Machine: machineText(), Rounds: b.rounds, WindowMS: b.window.Milliseconds(),
		Versions: map[string]string{"go": runtime.Version(), nginxKind: versionOf(b.nginx), seawallKind: versionOf(b.seawall)},
	}
}

func versionOf(binary string) string {
	out, err := exec.Command(binary, "-v").CombinedOutput()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// measureRow measures a row; what goes wrong is part of the result.
func (b *bench) measureRow(r row) result {
	b.progress("%s: %s", r.name, r.about)
	f := figures{}
	err := r.measure(b, f)
	res := newResult(r, f)
	if err != nil {
		res.Error = err.Error()
		b.progress("%s: %v", r.name, err)
	}
	return res
}

func newResult(r row, f figures) result {
	res := result{Name: r.name, About: r.about, Columns: r.columns}
	main := r.columns[0]
	for _, server := range serverOrder(f) {
		s := serverResult{Server: server, Samples: f[server][main], Median: map[string]float64{}}
		for _, column := range r.columns {
			if values := f[server][column]; len(values) > 0 {
				s.Median[column] = median(values)
			}
		}
		if base := f[nginxKind][main]; len(base) > 0 && len(s.Samples) > 0 && median(base) > 0 {
			s.ToNginx = median(s.Samples) / median(base)
		}
		res.Figures = append(res.Figures, s)
	}
	for _, t := range r.targets {
		if v, ok := t.judge(f); ok {
			res.Targets = append(res.Targets, v)
		}
	}
	return res
}

// serverOrder is that of the tables: the floor, then the peers, then ours.
func serverOrder(f figures) []string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	order := []string{"floor", netHTTPName, fastHTTPName, nginxKind, seawallKind, seawall1PKind, seawall2PKind}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return names
}

// judge returns false when one of the two figures is missing.
func (t target) judge(f figures) (verdict, bool) {
	ours := f[seawallKind][t.metric]
	if len(ours) == 0 {
		return verdict{}, false
	}
	v := verdict{Value: median(ours), Max: t.max, Text: fmt.Sprintf("%s of seawall at most %.4g", t.metric, t.max)}
	if t.against != "" {
		other := f[t.against][t.metric]
		if len(other) == 0 || median(other) == 0 {
			return verdict{}, false
		}
		v.Value /= median(other)
		v.Text = fmt.Sprintf("%s of seawall at most %.2f x %s", t.metric, t.max, t.against)
	}
	v.Met = v.Value <= t.max
	return v, true
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// print writes a row as a table.
func (r result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s\n", r.Name, r.About)
	if len(r.Figures) > 0 {
		r.printTable(w)
	}
	for _, t := range r.Targets {
		fmt.Fprintf(w, "  %s\n", t)
	}
	if r.Error != "" {
		fmt.Fprintf(w, "  FAILED: %s\n", r.Error)
	}
}

func (r result) printTable(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	heads := append([]string{r.Columns[0], "spread"}, r.Columns[1:]...)
	withRatio := slices.ContainsFunc(r.Figures, func(s serverResult) bool { return s.ToNginx > 0 })
	if withRatio {
		heads = slices.Insert(heads, 2, "x nginx")
	}
	fmt.Fprintf(table, "\t%s\t\n", strings.Join(heads, "\t"))
	for _, s := range r.Figures {
		fmt.Fprintf(table, "%s\t", s.Server)
		for i, column := range r.Columns {
			value, ok := s.Median[column]
			if !ok {
				fmt.Fprint(table, "-\t")
			} else {
				fmt.Fprintf(table, "%s\t", number(value))
			}
			if i == 0 {
				fmt.Fprintf(table, "%s\t", spread(s.Samples))
				if withRatio {
					fmt.Fprintf(table, "%s\t", ratio(s.ToNginx))
				}
			}
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

func (v verdict) String() string {
	word := "met"
	if !v.Met {
		word = "MISSED"
	}
	return fmt.Sprintf("%s: %.3g, %s", v.Text, v.Value, word)
}

func spread(samples []float64) string {
	if len(samples) < 2 {
		return "-"
	}
	return number(slices.Min(samples)) + ".." + number(slices.Max(samples))
}

func ratio(r float64) string {
	if r == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", r)
}

// number prints three or four significant digits.
func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 100:
		return fmt.Sprintf("%.1f", v)
	case v >= 10:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func (r *report) writeJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// printSummary ends the tables with what the run was and what its worth is.
func (r *report) printSummary(w io.Writer) {
	fmt.Fprintf(w, "\nMedians of %d, %v each, one core for the server and one for the load.\n%s; %s; %s\n",
		r.Rounds, time.Duration(r.WindowMS)*time.Millisecond, r.Machine, r.Versions["go"], r.Versions[nginxKind])
	for _, text := range r.Warnings {
		fmt.Fprintln(w, "warning:", text)
	}
	for _, row := range r.Rows {
		for _, t := range row.Targets {
			if !t.Met {
				fmt.Fprintf(w, "missed: %s: %s: %.3g\n", row.Name, t.Text, t.Value)
			}
		}
	}
}

// good tells whether every row was measured and, when asked for, every target met.
func (r *report) good(withTargets bool) bool {
	for _, row := range r.Rows {
		if row.Error != "" {
			return false
		}
		for _, t := range row.Targets {
			if withTargets && !t.Met {
				return false
			}
		}
	}
	return true
}
