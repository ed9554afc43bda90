//go:build linux

package scenario

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/result"
)

// parsers compares the parser of requests with others', by the benchmarks of package httpparse, which have them parse the same
// browser's request. It starts no server.
type parsers struct{}

// The names that the figures go by, and what the benchmarks are called.
var parserBenchmarks = []struct{ subject, benchmark string }{
	{"seawall", "Seawall"}, {"fasthttp", "Fasthttp"}, {"net/http", "NetHTTP"},
}

func (parsers) Subjects() []string {
	var names []string
	for _, p := range parserBenchmarks {
		names = append(names, p.subject)
	}
	return names
}

func (m parsers) Phases() []Phase {
	takes := func(Options) time.Duration { return time.Second }
	return []Phase{{Name: "go test -bench", Takes: takes, Before: m.build, Measure: m.measure}}
}

func (m parsers) binary(t *Turn) string { return filepath.Join(t.Lab.Dir, "httpparse.test") }

// build makes the benchmarks' program, once.
func (m parsers) build(t *Turn) error {
	if _, err := os.Stat(m.binary(t)); err == nil {
		return nil
	}
	out, err := exec.CommandContext(t.Context, "go", "test", "-c", "-o", m.binary(t), "seawall/httpparse").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the benchmarks of package httpparse: %w\n%s", err, out)
	}
	return nil
}

func (m parsers) measure(t *Turn) error {
	i := slices.Index(m.Subjects(), t.Subject)
	text, err := t.Lab.Run(t.Context, lab.Spawn{Cores: t.Lab.ServerCores, Argv: []string{m.binary(t), "-test.run", "^$",
		"-test.bench", "^BenchmarkRequest" + parserBenchmarks[i].benchmark + "$", "-test.benchtime", "300ms"}})
	if err != nil {
		return err
	}
	t.Round.Values[result.ParseTime], err = parseGoBench(text)
	if err == nil {
		t.Say("%.0f ns", t.Round.Values[result.ParseTime])
	}
	return err
}

var goBenchLine = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+([0-9.]+) ns/op`)

// parseGoBench returns the time of the only benchmark in the output, in ns.
func parseGoBench(out string) (float64, error) {
	found := goBenchLine.FindStringSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("no benchmark in this output:\n%s", out)
	}
	return strconv.ParseFloat(found[1], 64)
}
