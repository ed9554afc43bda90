//go:build linux

package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseStatTimesWithSpacesInTheName(t *testing.T) {
	line := "9068 (nginx: (worker) 1) S 9060 9007 2152 0 -1 4194304 261 0 0 0 17 224 0 0 20 0 1 0 130373"
	user, system, err := parseStatTimes(line)
	if err != nil || user != 170*time.Millisecond || system != 2240*time.Millisecond {
		t.Errorf("got %v, %v, %v", user, system, err)
	}
	if _, _, err := parseStatTimes("1 (x) S 2"); err == nil {
		t.Error("a short line was taken")
	}
}

func TestParseCoreTimesLeavesIdleAndStealOut(t *testing.T) {
	text := "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 1000 50 4 5 7 0 0\ncpu1 100 0 0 0 0 0 0 0 0 0\n"
	busy, steal, err := parseCoreTimes(text, 0)
	if err != nil || busy != 150*time.Millisecond || steal != 70*time.Millisecond {
		t.Errorf("got %v, %v, %v", busy, steal, err)
	}
	if _, _, err := parseCoreTimes(text, 2); err == nil {
		t.Error("a core that is not there was found")
	}
}

func TestParseCoreList(t *testing.T) {
	cores, err := parseCoreList("0-2,5")
	if err != nil || len(cores) != 4 || cores[2] != 2 || cores[3] != 5 {
		t.Errorf("got %v, %v", cores, err)
	}
	if _, err := parseCoreList("a"); err == nil {
		t.Error("a letter was taken for a core")
	}
}

func TestParseStraceWithAndWithoutErrors(t *testing.T) {
	const text = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           3     20000           read
 30.00    0.300000           3     20000       100 write
 10.00    0.100000           3       200           epoll_pwait
  0.00    0.000000           3        20        10 futex
------ ----------- ----------- --------- --------- ----------------
100.00    1.000000           3     40220       110 total
`
	counts, err := parseStrace(text)
	if err != nil || len(counts) != 4 || counts["write"] != 20000 || counts["futex"] != 20 {
		t.Fatalf("got %v, %v", counts, err)
	}
	f := figures{}
	f.addCalls("x", counts, 20000)
	if f["x"][readMetric][0] != 1 || f["x"][pollMetric][0] != 0.01 || f["x"][otherMetric][0] != 0.001 {
		t.Errorf("grouped as %v", f["x"])
	}
	if _, err := parseStrace("strace: nothing\n"); err == nil {
		t.Error("an empty table was taken")
	}
}

func TestParseWrkFindsTheLineOfTheScript(t *testing.T) {
	var got totals
	out := "Running 1s test\n  1 threads\n" + `{"requests": 5, "bytes": 10, "errors": 0, "p50_ms": 0.5, "p99_ms": 2.5}` + "\n"
	if err := parseWrk(out, &got); err != nil || got.Requests != 5 || got.P99ms != 2.5 {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := parseWrk("unable to connect\n", &got); err == nil {
		t.Error("an output without totals was taken")
	}
}

func TestParseGoBenchSortsByParser(t *testing.T) {
	out := `BenchmarkRequestSeawall-2    1000   500.0 ns/op   0 B/op
BenchmarkRequestFasthttp-2   1000   900 ns/op
BenchmarkRequestNetHTTP-2    1000   4000 ns/op
`
	f := figures{}
	if err := parseGoBench(out, f); err != nil {
		t.Fatal(err)
	}
	r := newResult(row{columns: []string{parserMetric}, targets: []target{{parserMetric, netHTTPName, 0.2}, {parserMetric, fastHTTPName, 0.5}}}, f)
	if len(r.Targets) != 2 || !r.Targets[0].Met || r.Targets[1].Met {
		t.Errorf("judged %v", r.Targets)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, not %v", c.values, got, c.want)
		}
	}
}

func TestConsumptionShares(t *testing.T) {
	at := time.Now()
	from := usage{at: at}
	to := usage{at: at.Add(time.Second), cpu: 600 * time.Millisecond, user: 150 * time.Millisecond, system: 450 * time.Millisecond,
		coreBusy: 700 * time.Millisecond, coreSteal: 20 * time.Millisecond}
	c := from.until(to)
	for name, pair := range map[string][2]float64{
		"system": {c.systemShare, 0.75}, "busy": {c.busy, 0.6}, "foreign": {c.foreign, 0.1}, "steal": {c.steal, 0.02},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s is %v, not %v", name, pair[0], pair[1])
		}
	}
}

func TestTargetsAreJudgedOnlyWhenBothFiguresAreThere(t *testing.T) {
	f := figures{}
	f.add(nginxKind, cpuMetric, 20)
	against := target{cpuMetric, nginxKind, 0.5}
	if _, ok := against.judge(f); ok {
		t.Error("judged without a figure of Seawall's")
	}
	f.add(seawallKind, cpuMetric, 9)
	if v, ok := against.judge(f); !ok || !v.Met || v.Value != 0.45 {
		t.Errorf("judged %+v", v)
	}
	if v, ok := (target{cpuMetric, "", 8}).judge(f); !ok || v.Met {
		t.Errorf("judged %+v", v)
	}
}

func TestSelectRowsTakesExactNamesBeforeBeginnings(t *testing.T) {
	names := func(list string) string {
		rows, err := selectRows(allRows(), list)
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, r := range rows {
			all = append(all, r.name)
		}
		return strings.Join(all, " ")
	}
	if got := names("return,cached-1k"); got != "cached-1k return" {
		t.Errorf("got %q", got)
	}
	if got := names("cached"); got != "cached-1k cached-1k-long cached-100k cached-100k-long" {
		t.Errorf("got %q", got)
	}
	if got := names("none"); !strings.Contains(got, `"none"`) {
		t.Errorf("got %q", got)
	}
}
