package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// legend explains the columns, below every table.
const legend = "Medians with 95 % intervals (a range in brackets where rounds are too few for one); p by the Mann-Whitney U test, " +
	"~ where it is not significant; the interval of the change is built from those of both medians and so is a wide one; " +
	"floor: what the floor server, which is no part of the change, did meanwhile."

var heads = []string{"old", "new", "change", "interval", "p", "n", "", "floor"}

// Text prints a table for a terminal.
func (c *Comparison) Text(w io.Writer) error {
	p := &printer{to: w}
	p.line("%s: %s (%s), then %s (%s)\n", c.Server, Short(c.Old.Commit), c.Old.Started, Short(c.New.Commit), c.New.Started)
	table := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "scenario\tmetric\t"+strings.Join(heads, "\t"))
	last := ""
	for _, r := range c.Rows {
		scenario := r.Scenario
		if scenario == last {
			scenario = "" // named once
		}
		last = r.Scenario
		cells := make([]string, len(heads))
		if r.Missing == "" {
			cells = r.cells()
		} else {
			cells[len(cells)-1] = "not compared: " + firstLine(r.Missing) // the last column may be as wide as it likes
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", scenario, r.title(), strings.Join(cells, "\t"))
	}
	table.Flush()
	p.line("")
	c.notes(p, "")
	p.line("%s", legend)
	return p.err
}

// Markdown prints a table for a pull request.
func (c *Comparison) Markdown(w io.Writer) error {
	p := &printer{to: w}
	p.line("%s: `%s` (%s), then `%s` (%s)\n", c.Server, Short(c.Old.Commit), c.Old.Started, Short(c.New.Commit), c.New.Started)
	p.line("| scenario | metric | %s |", strings.Join(heads, " | "))
	p.line("|---|---|%s", strings.Repeat("---|", len(heads)))
	for _, r := range c.Rows {
		cells := make([]string, len(heads))
		if r.Missing != "" {
			cells[0] = "not compared: " + cell(r.Missing)
		} else {
			cells = r.cells()
		}
		p.line("| %s | %s | %s |", r.Scenario, r.title(), strings.Join(cells, " | "))
	}
	p.line("")
	c.notes(p, "- ")
	p.line("\n%s", legend)
	return p.err
}

// JSON writes the comparison as it is.
func (c *Comparison) JSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(c)
}

// notes says what is not in the table.
func (c *Comparison) notes(p *printer, bullet string) {
	for _, text := range c.Warnings {
		p.line("%swarning: %s", bullet, text)
	}
	if len(c.OnlyOld) > 0 {
		p.line("%sonly in the old run: %s", bullet, strings.Join(c.OnlyOld, ", "))
	}
	if len(c.OnlyNew) > 0 {
		p.line("%sonly in the new run: %s", bullet, strings.Join(c.OnlyNew, ", "))
	}
}

func (r Row) title() string {
	if r.Unit == "" {
		return r.Label
	}
	return r.Label + " " + r.Unit
}

func (r Row) cells() []string {
	change, interval, floor := "-", "-", "-"
	if r.Change != nil {
		change = Percent(r.Change.Relative)
		if r.Change.HasInterval {
			interval = Percent(r.Change.Low) + " to " + Percent(r.Change.High)
		}
	}
	if r.Verdict == Same {
		change = "~ (" + change + ")"
	}
	if f := r.Floor; f != nil {
		floor = Percent(f.Change)
		if !f.Significant {
			floor = "~ (" + floor + ")"
		}
	}
	n := fmt.Sprint(r.Old.N)
	if r.New.N != r.Old.N {
		n += "+" + fmt.Sprint(r.New.N)
	}
	verdict := string(r.Verdict)
	if r.Verdict == Same {
		verdict = ""
	}
	return []string{r.Old.String(), r.New.String(), change, interval, probability(r.P), n, verdict, floor}
}

func probability(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// String is "6.31 ± 2 %" or, with too few rounds, "6.31 [6.2..6.4]".
func (f Figure) String() string {
	switch {
	case !f.HasInterval && f.N > 1 && f.Low != f.High:
		return fmt.Sprintf("%s [%s..%s]", Number(f.Median), Number(f.Low), Number(f.High))
	case f.HasInterval && f.Median != 0:
		return fmt.Sprintf("%s ± %.0f %%", Number(f.Median), 100*max(f.High-f.Median, f.Median-f.Low)/math.Abs(f.Median))
	}
	return Number(f.Median)
}

// Number prints three significant digits, or all of those before the point.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case a == math.Trunc(a) && a < 1e6, a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// Percent prints a relative change.
func Percent(relative float64) string { return fmt.Sprintf("%+.1f %%", 100*relative) }

// Short is a commit as short as a table needs it.
func Short(commit string) string {
	hash, changes, changed := strings.Cut(commit, "+")
	if hash == "" {
		return "unknown"
	}
	hash = hash[:min(len(hash), 12)]
	if changed {
		return hash + "+" + changes
	}
	return hash
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// cell makes a text fit for a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(firstLine(text), "|", "\\|") }

// printer remembers the first error, so that a table is printed in one go.
type printer struct {
	to  io.Writer
	err error
}

func (p *printer) Write(b []byte) (int, error) {
	if p.err == nil {
		_, p.err = p.to.Write(b)
	}
	return len(b), p.err
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }
