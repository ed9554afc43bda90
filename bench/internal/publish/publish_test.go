package publish

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"seawall/bench/internal/result"
)

// published writes a run below a new directory, as in the repository, and returns the document and all of its files.
func published(t *testing.T, run *result.Run) (text string, files map[string]string) {
	t.Helper()
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("bench/analysis.md", "# Where the time goes\n\nIn [the loop](floor/answer.c), see [here](#where-the-time-goes) and [there](https://example.com/a).\n\n## More\n")
	write("bench/floor/answer.c", "")
	write("bench/results/"+result.FileName(run), "{}")
	write("bench/plots/by-hand.svg", "<svg/>")
	write("bench/plots/latency-gone.svg", "<svg><!-- "+madeBy+" --></svg>")
	if err := Write(run, filepath.Join(root, "BENCHMARKS.md"), filepath.Join(root, "bench/plots")); err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files["BENCHMARKS.md"], files
}

func TestDocumentHasEveryScenarioAndServer(t *testing.T) {
	run := synthetic(8)
	text, _ := published(t, run)
	for _, sc := range run.Scenarios {
		if !strings.Contains(text, "\n### Scenario "+sc.Name+"\n") {
			t.Errorf("scenario %s has no section", sc.Name)
		}
		if !strings.Contains(text, "| ["+sc.Name+"](#scenario-") && !strings.Contains(text, "\n["+sc.Name+"](#scenario-") {
			t.Errorf("scenario %s is not in the summary", sc.Name)
		}
		for _, v := range sc.Targets {
			if !strings.Contains(text, v.Text) {
				t.Errorf("the target %q is not told", v.Text)
			}
		}
	}
	for _, s := range run.Servers {
		for _, want := range []string{s.Version, strings.Join(s.Command, " ")} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not told", s.Name, want)
			}
		}
	}
	for _, want := range []string{
		"2026-11-22-0123456789ab.json", "`0123456789ab`", "Some Processor 9000", "6.18.0", "bbr", "go1.26.8",
		"7 of 15 are reached", "constant rate of 12,345 requests/s", "coordinated omission",
		"- **seawall** cannot: it does not serve files.", "- h2o **failed**: `round 2: an answer had 12 bytes instead of 1024 | wrong`",
		"**missed by 2**", "**not measured**", `the load average was 1.3 | before the run`, "bench compare", "bench ci", "bench conf",
		"connections 64", "fasthttp 2,050",
	} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("the document has no %q", want)
		}
	}
}

func TestTablesAreWhole(t *testing.T) {
	text, _ := published(t, synthetic(8))
	columns := 0
	for i, row := range strings.Split(text, "\n") {
		if !strings.HasPrefix(row, "|") {
			if columns != 0 && row != "" {
				t.Errorf("line %d would be part of the table above it: %s", i+1, row)
			}
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(row, `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("line %d: %d columns in a table of %d: %s", i+1, n-1, columns-1, row)
		}
		columns = n
	}
	if found := regexp.MustCompile(`(?i)\b(nan|inf|%!|<no value>)`).FindString(text); found != "" {
		t.Errorf("the document has %q", found)
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	text, files := published(t, synthetic(8))
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		if headings[anchor(m[1])] {
			t.Errorf("the heading %q is there twice", m[1])
		}
		headings[anchor(m[1])] = true
	}
	pictures := map[string]bool{}
	for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
		file, heading, inside := strings.Cut(m[1], "#")
		switch {
		case strings.Contains(m[1], "://"):
		case file == "" && inside && !headings[heading]:
			t.Errorf("there is no heading for %s", m[1])
		case file != "" && files[file] == "" && file != "bench/floor" && file != "bench/floor/answer.c":
			t.Errorf("%s is no file", m[1])
		}
		pictures[file] = true
	}
	for name := range files {
		if strings.HasSuffix(name, ".svg") && !pictures[name] && filepath.Base(name) != "by-hand.svg" {
			t.Errorf("%s is shown nowhere", name)
		}
	}
	if files["bench/plots/latency-gone.svg"] != "" {
		t.Error("a plot of an earlier run is still there")
	}
	if files["bench/plots/by-hand.svg"] == "" {
		t.Error("a picture that is not ours was removed")
	}
}

func TestAnalysisKeepsItsLinks(t *testing.T) {
	text, _ := published(t, synthetic(8))
	for _, want := range []string{
		"\n## Where the time goes\n", "[the loop](bench/floor/answer.c)", "[here](#where-the-time-goes)",
		"[there](https://example.com/a)", "\n### More\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the analysis has no %q", want)
		}
	}
}

func TestSameRunGivesSameBytes(t *testing.T) {
	_, first := published(t, synthetic(8))
	_, again := published(t, synthetic(8))
	for name := range first {
		if first[name] != again[name] {
			t.Errorf("%s differs", name)
		}
	}
	if len(first) != len(again) {
		t.Errorf("%d files, then %d", len(first), len(again))
	}
}

func TestFewRoundsHaveNoInterval(t *testing.T) {
	text, _ := published(t, synthetic(3))
	if strings.Contains(text, " % |") && regexp.MustCompile(`\| [^|]*± `).MatchString(text) {
		t.Error("a table has an interval")
	}
	if !strings.Contains(text, "With fewer than six rounds there is no interval.") {
		t.Error("the reader is not told why there are no intervals")
	}
	if text, _ := published(t, synthetic(8)); !regexp.MustCompile(`\| \*\*seawall\*\* \| \S+ \| \S+ to \S+ \|`).MatchString(text) {
		t.Error("with eight rounds there is no interval")
	}
}

// TestPoorRuns holds that a run of which hardly anything came still makes a document.
func TestPoorRuns(t *testing.T) {
	broken := synthetic(2)
	for i := range broken.Scenarios {
		for j := range broken.Scenarios[i].Measured {
			m := &broken.Scenarios[i].Measured[j]
			for k := range m.Rounds {
				for key := range m.Rounds[k].Values {
					m.Rounds[k].Values[key] = []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0}[(i+j+k)%4]
				}
				for _, points := range m.Rounds[k].Curves {
					for p := range points {
						points[p].Y = []float64{math.NaN(), 0, -1, math.Inf(1), 1e-12, 1e12}[p%6]
					}
				}
			}
		}
	}
	for name, run := range map[string]*result.Run{
		"nothing": {}, "broken": broken,
		"no rounds":  {Scenarios: []result.Scenario{{Name: "a", Metrics: []string{result.CPU}, Measured: []result.Measured{{Server: "x", Error: "`"}}}}},
		"no metrics": {Scenarios: []result.Scenario{{Name: "a", Measured: []result.Measured{{Server: "x"}}}}},
		"one point": {Scenarios: []result.Scenario{{Name: "a", Metrics: []string{result.Rate}, Measured: []result.Measured{{Server: "x",
			Rounds: []result.Round{{Values: map[string]float64{result.Rate: 1}, Curves: map[string][]result.Point{result.RateCurve: {{X: 1, Y: 1}}}}}}}}}},
	} {
		text, _ := published(t, run)
		if found := regexp.MustCompile(`\b(NaN|Inf)`).FindString(text); found != "" {
			t.Errorf("%s: the document has %q", name, found)
		}
		if err := Text(run, new(bytes.Buffer)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	if err := Text(synthetic(8), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for _, want := range []string{
		"cached-1k: What cached-1k does.", "  latency at a constant rate of 12,345 requests/s", "  seawall cannot: it does not serve files",
		"  memory per idle connection at most 400 B: 335 B, reached, 16 % below", "7 of 15 targets reached",
		"  reload: no request fails: 2, missed by 2", "warning: the load average was 1.3 | before the run",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q", want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "1": 1, "400": 400, "6.64": 6.6421, "10.0": 9.999, "12.3": 12.34, "100": 99.97, "123": 123.4, "0.062": 0.0619,
		"41,235": 41234.6, "1,234,567": 1234567, "-1,234": -1234, "-": math.NaN(), "12": 12,
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
	if got := amount(result.HitShare, 99.987); got != "99.99" {
		t.Errorf("a share of 99.987 %% is %s", got)
	}
	for want, s := range map[string]result.Summary{
		" ± 5 %": {Median: 10, Low: 9.6, High: 10.5, HasInterval: true}, "": {Median: 10, Low: 9, High: 11},
	} {
		if got := spread(s); got != want {
			t.Errorf("spread(%+v) = %q, want %q", s, got, want)
		}
	}
}
