package result

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sample() *Run {
	return &Run{
		Format: Format, Started: time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC), Commit: "0123456789abcdef0123", Mode: "quick", Rounds: 2,
		Command: []string{"bench", "run"}, Servers: []Server{{Name: "seawall", Command: []string{"seawall"}}},
		Scenarios: []Scenario{{Name: "cached-1k", Metrics: []string{CPU}, Measured: []Measured{
			{Server: "seawall", Rounds: []Round{{Values: map[string]float64{Rate: 2, CPU: 7.5}}, {Values: map[string]float64{CPU: 8}}}},
			{Server: "caddy", Cannot: "no cache"},
		}}},
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.json")
	want := sample()
	var texts [2][]byte
	for i := range texts {
		if err := want.Write(path); err != nil {
			t.Fatal(err)
		}
		texts[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Error("the same run gave two texts")
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are there", len(left))
	}
	if err := want.Write(filepath.Join(dir, "none", "run.json")); err == nil {
		t.Error("written into a directory that is not there")
	}
}

func TestStrangeFilesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                                "not the result of a run",
		`{}`:                              `no "format"`,
		`{"format": 2}`:                   "newer",
		`{"format": 0}`:                   "no longer read",
		`{"format": 1, "speed": 3}`:       `unknown field "speed"`,
		`{"format": 1} {}`:                "after top-level value",
		`{"format": 1, "scenarios": [{}]`: "not the result of a run",
		`{"format": 1, "scenarios": [{"name": "a"}, {"name": "a"}]}`:                                       "twice",
		`{"format": 1, "scenarios": [{"name": "a", "measured": [{"server": "b"}, {"server": "b"}]}]}`:      "twice",
		`{"format": 1, "scenarios": [{"name": "a", "measured": [{"server": "b", "rounds": [{"x": 1}]}]}]}`: `"x"`,
	} {
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, not %q", text, err, want)
		}
	}
}

func TestFileNamesHaveDayAndCommit(t *testing.T) {
	run := sample()
	for commit, want := range map[string]string{
		"0123456789abcdef0123":         "2026-11-22-0123456789ab.json",
		"0123456789abcdef0123+changes": "2026-11-22-0123456789ab-changes.json",
		"":                             "2026-11-22-unknown.json",
	} {
		if run.Commit = commit; FileName(run) != want {
			t.Errorf("%q: got %s, not %s", commit, FileName(run), want)
		}
	}
}

func TestSeriesLeavesOutRoundsWithoutTheMetric(t *testing.T) {
	m := sample().Scenario("cached-1k").Server("seawall")
	if got := m.Series(Rate); !reflect.DeepEqual(got, []float64{2}) {
		t.Errorf("got %v", got)
	}
	if sample().Scenario("none") != nil || sample().Scenario("cached-1k").Server("none").Series(CPU) != nil || sample().ServerNamed("none") != nil {
		t.Error("found what is not there")
	}
}

func TestSummaries(t *testing.T) {
	series := []float64{6, 1, 2, 3, 4, 5}
	if got := Summarize(series); got != (Summary{Median: 3.5, Low: 1, High: 6, N: 6, HasInterval: true}) {
		t.Errorf("got %+v", got)
	}
	if series[0] != 6 {
		t.Error("the series was sorted")
	}
	if got := Summarize(series[:5]); got != (Summary{Median: 3, Low: 1, High: 6, N: 5}) {
		t.Errorf("got %+v", got)
	}
	if got := Summarize(nil); got != (Summary{}) {
		t.Errorf("got %+v", got)
	}
	// Of ten values, the second smallest and the second largest hold the median in 97.8 of 100 cases.
	if got := Summarize([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}); got.Low != 2 || got.High != 9 {
		t.Errorf("got %+v", got)
	}
	if got := SummarizeAt(series, 0.99); got.HasInterval {
		t.Errorf("six values have an interval at 99 %%: %+v", got)
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	// metric.go's first block of constants without a type are the keys.
	file, err := parser.ParseFile(token.NewFileSet(), "metric.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, spec := range decl.Specs {
			v := spec.(*ast.ValueSpec)
			if len(v.Values) != 1 {
				continue
			}
			text, ok := v.Values[0].(*ast.BasicLit)
			if !ok || strings.HasSuffix(v.Names[0].Name, "Curve") {
				continue
			}
			found++
			if m, ok := MetricOf(strings.Trim(text.Value, `"`)); !ok || m.Label == "" || m.About == "" {
				t.Errorf("%s is not described", v.Names[0].Name)
			}
		}
	}
	if found != len(Metrics()) {
		t.Errorf("%d keys, %d metrics", found, len(Metrics()))
	}
	if _, ok := MetricOf("none"); ok {
		t.Error("an unknown key is known")
	}
}

func TestCurvesTakeALineEach(t *testing.T) {
	run := &Run{Format: Format, Scenarios: []Scenario{{Name: "s", Measured: []Measured{{Server: "a", Rounds: []Round{{
		Values: map[string]float64{CPU: 1},
		Curves: map[string][]Point{MemoryCurve: {{0, 1.5}, {1e21, -2}, {3, 0}}},
	}}}}}}}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := run.Write(path); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if !strings.Contains(string(text), "[0,1.5],[1e+21,-2],[3,0]\n") {
		t.Errorf("%s", text)
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, run) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{`[1]`, `[1,2,3]`, `{"x":1,"y":2}`, `1`} {
		if err := new(Point).UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s is taken for a point", bad)
		}
	}
}
