package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"seawall/bench/internal/result"
)

// run is one with a series for each server and metric of one scenario.
func run(series map[string]map[string][]float64) *result.Run {
	r := &result.Run{Format: result.Format, Commit: "0123456789abcdef", Machine: result.Machine{CPU: "a CPU", Cores: 2}, WindowMS: 1000}
	s := result.Scenario{Name: "cached-1k", Metrics: []string{result.CPU, result.Rate, result.Busy, result.Errors}}
	for _, server := range []string{"floor", "seawall"} {
		r.Servers = append(r.Servers, result.Server{Name: server, Floor: server == "floor", Version: "1"})
		m := result.Measured{Server: server}
		for key, values := range series[server] {
			for i, v := range values {
				if i == len(m.Rounds) {
					m.Rounds = append(m.Rounds, result.Round{Values: map[string]float64{}})
				}
				m.Rounds[i].Values[key] = v
			}
		}
		s.Measured = append(s.Measured, m)
	}
	r.Scenarios = []result.Scenario{s}
	return r
}

func noisy(seed uint64, n int, median float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	series := make([]float64, n)
	for i := range series {
		series[i] = median * math.Exp(0.02*random.NormFloat64())
	}
	return series
}

func one(cpu, rate []float64) map[string]map[string][]float64 {
	return map[string]map[string][]float64{
		"seawall": {result.CPU: cpu, result.Rate: rate, result.Busy: cpu, result.Errors: make([]float64, len(cpu))},
		"floor":   {result.CPU: noisy(9, len(cpu), 4)},
	}
}

func TestChangesAreJudgedByTheirDirection(t *testing.T) {
	old, new := run(one(noisy(1, 10, 6), noisy(2, 10, 1000))), run(one(noisy(3, 10, 7.2), noisy(4, 10, 1200)))
	c, err := Runs(old, new, Options{})
	if err != nil || len(c.Rows) != 3 {
		t.Fatalf("got %+v, %v", c, err)
	}
	cpu, rate, errors := c.Rows[0], c.Rows[1], c.Rows[2]
	if cpu.Verdict != Worse || rate.Verdict != Better || errors.Verdict != Same {
		t.Errorf("got %s, %s, %s", cpu.Verdict, rate.Verdict, errors.Verdict)
	}
	if cpu.Change == nil || !cpu.Change.HasInterval || cpu.Change.Low > 0.2 || cpu.Change.High < 0.2 || cpu.Change.Low < 0.1 {
		t.Errorf("the change is %+v", cpu.Change)
	}
	if cpu.Floor == nil || cpu.Floor.Significant || cpu.Floor.Change != 0 {
		t.Errorf("the floor's is %+v", cpu.Floor)
	}
	if errors.Change != nil || errors.P != 1 {
		t.Errorf("nothing became %+v, p %v", errors.Change, errors.P)
	}
}

func TestEqualRunsDifferAsOftenAsAlphaSays(t *testing.T) {
	const tries = 400
	found, covered := 0, 0
	for seed := range uint64(tries) {
		c, err := Runs(run(one(noisy(2*seed, 12, 6), nil)), run(one(noisy(2*seed+1, 12, 6), nil)), Options{Metrics: []string{result.CPU}})
		if err != nil {
			t.Fatal(err)
		}
		if c.Rows[0].Significant {
			found++
		}
		if x := c.Rows[0].Change; x.Low <= 0 && x.High >= 0 {
			covered++
		}
	}
	if found > tries*DefaultAlpha*2 {
		t.Errorf("%d of %d equal pairs differ", found, tries)
	}
	if covered < tries*95/100 {
		t.Errorf("the interval held the truth in %d of %d cases", covered, tries)
	}
}

func TestFewRoundsHaveNoInterval(t *testing.T) {
	c, _ := Runs(run(one([]float64{5, 6, 7}, nil)), run(one([]float64{8, 9, 10}, nil)), Options{Metrics: []string{result.CPU}})
	if r := c.Rows[0]; r.Verdict != Same || r.Change.HasInterval || r.Old.HasInterval || r.Old.String() != "6 [5..7]" {
		t.Errorf("got %+v", r)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	old, new := run(one(noisy(1, 6, 6), nil)), run(one(noisy(2, 6, 6), nil))
	new.Scenarios[0].Measured[1] = result.Measured{Server: "seawall", Error: "it ended | early\nlog"}
	new.Scenarios = append(new.Scenarios, result.Scenario{Name: "later"})
	old.Scenarios = append(old.Scenarios, result.Scenario{Name: "earlier"})
	new.Machine.CPU, new.WindowMS, new.Servers[0].Version = "another CPU", 2000, "2"
	new.Scenarios[0].Measured[0].Rounds[0].Steal = 0.5
	c, err := Runs(old, new, Options{Metrics: []string{result.CPU}})
	if err != nil {
		t.Fatal(err)
	}
	var text, markdown bytes.Buffer
	if c.Text(&text) != nil || c.Markdown(&markdown) != nil {
		t.Error("not printed")
	}
	for _, want := range []string{"not compared: new: it ended", "only in the old run: earlier", "only in the new run: later",
		"CPU: a CPU, then another CPU", "window in ms: 1000, then 2000", "version of floor: 1, then 2", "new run: 1 of 6 measurements were disturbed"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(markdown.String(), want) {
			t.Errorf("%q is not in\n%s\n%s", want, &text, &markdown)
		}
	}
	if strings.Contains(text.String()+markdown.String(), "MISSING") {
		t.Errorf("a verb without its value:\n%s\n%s", &text, &markdown)
	}
	if !strings.Contains(markdown.String(), `\| early |`) {
		t.Error("a bar breaks the table")
	}
}

func TestUnknownNamesAreErrors(t *testing.T) {
	r := run(one(noisy(1, 6, 6), nil))
	for _, o := range []Options{{Scenarios: []string{"none"}}, {Metrics: []string{"none"}}, {Server: "none"}, {Alpha: 2}} {
		if _, err := Runs(r, r, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	old, new := filepath.Join(dir, "old.json"), filepath.Join(dir, "new.json")
	if run(one(noisy(1, 10, 6), nil)).Write(old) != nil || run(one(noisy(2, 10, 9), nil)).Write(new) != nil {
		t.Fatal("not written")
	}
	var out, errOut bytes.Buffer
	if status := Main([]string{"-metrics", "cpu_us", old, new, "-format", "json"}, &out, &errOut); status != 0 {
		t.Fatalf("%d: %s", status, &errOut)
	}
	var c Comparison
	if err := json.Unmarshal(out.Bytes(), &c); err != nil || len(c.Rows) != 1 || c.Rows[0].Verdict != Worse {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, args := range [][]string{{old}, {old, dir}, {old, "none"}, {old, new, "-format", "xml"}, {old, new, "-only", "none"}, {"-x"}} {
		errOut.Reset()
		if status := Main(args, &out, &errOut); status != 2 || errOut.Len() == 0 {
			t.Errorf("%q: %d, %q", args, status, &errOut)
		}
	}
}
