//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"testing"
	"time"
)

func TestParseStatWithSpacesInTheName(t *testing.T) {
	line := "9068 (nginx: (worker) 1) S 9060 9007 2152 0 -1 4194304 261 0 0 0 17 224 3 4 20 0 1 0 130373 0\n"
	s, err := parseStat(line)
	want := processStat{parent: 9060, user: 170 * time.Millisecond, system: 2240 * time.Millisecond,
		waitedUser: 30 * time.Millisecond, waitedSystem: 40 * time.Millisecond, started: 130373}
	if err != nil || s != want {
		t.Errorf("got %+v, %v", s, err)
	}
	for _, bad := range []string{"", "1 (x) S 2", "1 (x) S a 9007 2152 0 -1 4194304 261 0 0 0 17 224 3 4 20 0 1 0 130373"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestParseCoreTimesLeavesIdleAndStealOut(t *testing.T) {
	text := "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 1000 50 4 5 7 0 0\ncpu1 100 0 0 0 0 0 0 0 0 0\ncpu10 1 0 0 0 0 0 0 1 0 0\nintr 1\n"
	busy, steal, err := parseCoreTimes(text, []int{0})
	if err != nil || busy != 150*time.Millisecond || steal != 70*time.Millisecond {
		t.Errorf("got %v, %v, %v", busy, steal, err)
	}
	if busy, steal, err = parseCoreTimes(text, []int{0, 10}); err != nil || busy != 160*time.Millisecond || steal != 80*time.Millisecond {
		t.Errorf("got %v, %v, %v", busy, steal, err)
	}
	if _, _, err := parseCoreTimes(text, []int{0, 2}); err == nil {
		t.Error("a core that is not there was found")
	}
}

const ms = time.Millisecond

func TestConsumptionShares(t *testing.T) {
	at := time.Now()
	from := Usage{at: at, cores: 1, processes: map[int]processTimes{5: {started: 1, cpu: 50 * ms, split: splitTime{40 * ms, 0}}}}
	to := Usage{at: at.Add(time.Second), cores: 1, coreBusy: 700 * ms, coreSteal: 20 * ms,
		processes: map[int]processTimes{5: {started: 1, cpu: 650 * ms, split: splitTime{190 * ms, 450 * ms}}}}
	c := from.Until(to)
	if c.Wall != time.Second || c.CPU != 600*ms || c.User != 150*ms || c.System != 450*ms {
		t.Errorf("got %+v", c)
	}
	for name, pair := range map[string][2]float64{"busy": {c.Busy, 0.6}, "foreign": {c.Foreign, 0.1}, "steal": {c.Steal, 0.02}} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s is %v, not %v", name, pair[0], pair[1])
		}
	}
	from.cores, to.cores = 2, 2
	if c := from.Until(to); math.Abs(c.Busy-0.3) > 1e-9 || math.Abs(c.Foreign-0.05) > 1e-9 {
		t.Errorf("of two cores: %+v", c)
	}
}

func TestConsumptionWithChildrenThatComeAndGo(t *testing.T) {
	master := func(cpu time.Duration) processTimes {
		return processTimes{started: 1, cpu: cpu, split: splitTime{cpu, 0}}
	}
	worker := processTimes{started: 2, cpu: 5000 * ms, split: splitTime{3000 * ms, 2000 * ms}}
	for _, c := range []struct {
		name     string
		from, to Usage
		want     Consumption
	}{
		{"a new worker counts whole",
			Usage{processes: map[int]processTimes{1: master(10 * ms)}},
			Usage{processes: map[int]processTimes{1: master(10 * ms), 2: worker}},
			Consumption{CPU: 5000 * ms, User: 3000 * ms, System: 2000 * ms}},
		{"an ended worker counts with what it used since",
			Usage{processes: map[int]processTimes{1: master(10 * ms), 2: worker}},
			Usage{processes: map[int]processTimes{1: master(10 * ms)}, waited: splitTime{3100 * ms, 2300 * ms}},
			Consumption{CPU: 400 * ms, User: 100 * ms, System: 300 * ms}},
		{"an ended worker that nobody waited for takes nothing away",
			Usage{processes: map[int]processTimes{1: master(10 * ms), 2: worker}},
			Usage{processes: map[int]processTimes{1: master(30 * ms)}},
			Consumption{CPU: 20 * ms, User: 20 * ms}},
		{"another process with the number of an ended one",
			Usage{processes: map[int]processTimes{1: master(10 * ms), 2: worker}},
			Usage{processes: map[int]processTimes{1: master(10 * ms), 2: {started: 3, cpu: 7 * ms}}, waited: splitTime{3000 * ms, 2000 * ms}},
			Consumption{CPU: 7 * ms, User: 7 * ms}},
	} {
		if got := c.from.Until(c.to); got != c.want {
			t.Errorf("%s: %+v, not %+v", c.name, got, c.want)
		}
	}
}

// burn uses so many milliseconds of a core and prints how many microseconds
// getrusage says that it used.
const burn = `#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static long used(void) {
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000L + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
	while (used() < atol(argv[argc - 1]) * 1000)
		for (volatile int i = 0; i < 1000; i++)
			;
	printf("%ld\n", used());
	return 0;
}
`

// near says whether a time is what it should be, but for what ticks and start-up leave open.
func near(got, want time.Duration) bool { return got > want-50*ms && got < want+100*ms }

func TestUseCountsWhatTheTreeBurns(t *testing.T) {
	l := open(t)
	binary, err := l.Compile("burn", burn)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, script string }{
		{"a child that runs", `read go; %[1]s 200 & wait; read end`},
		{"a child that is there before and ends", `exec 3<&0; (read go <&3; exec %[1]s 200) & wait; read end`},
		{"an orphan in its own session", `read go; (setsid %[1]s 200 &); read end`},
	} {
		p := start(t, l, Spawn{Cores: l.ServerCores, Pipes: true, Argv: []string{"sh", "-c", fmt.Sprintf(c.script, binary)}})
		lines := bufio.NewScanner(p.Out)
		before, err := l.Use(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(p.In, "go\n"); err != nil {
			t.Fatal(err)
		}
		var used time.Duration
		if lines.Scan() {
			_, err = fmt.Sscan(lines.Text(), &used)
			used *= time.Microsecond
		}
		if err != nil || used < 200*ms {
			t.Fatalf("%s: it said %q (%v): %s", c.name, lines.Text(), err, p.LogTail())
		}
		after, err := l.Use(p)
		if err != nil {
			t.Fatal(err)
		}
		got := before.Until(after)
		if !near(got.CPU, used) || got.User+got.System != got.CPU || got.Busy <= 0 || got.Busy > 1.1 {
			t.Errorf("%s: it used %v, accounted is %+v", c.name, used, got)
		}
		p.Stop()
		if _, err := l.Use(p); err == nil {
			t.Errorf("%s: an ended process has a usage", c.name)
		}
	}
}

func TestUseOfAWorkerThatEndsIsNotNegative(t *testing.T) {
	l := open(t)
	binary, err := l.Compile("burn", burn)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, l, Spawn{Cores: l.ServerCores, Pipes: true, Argv: []string{"sh", "-c",
		fmt.Sprintf(`exec 3<&0; (%[1]s 100; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo burnt; read go <&3) & wait; echo ended; read end`, binary)}})
	lines := bufio.NewScanner(p.Out)
	scan := func() string { lines.Scan(); return lines.Text() }
	if scan(); scan() != "burnt" {
		t.Fatalf("it said %q", lines.Text())
	}
	before, err := l.Use(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.In, "go\n"); err != nil {
		t.Fatal(err)
	}
	if scan() != "ended" {
		t.Fatalf("it said %q", lines.Text())
	}
	after, err := l.Use(p)
	if err != nil {
		t.Fatal(err)
	}
	if c := before.Until(after); c.CPU < 0 || c.User < 0 || c.System < 0 || c.CPU > 100*ms {
		t.Errorf("got %+v", c)
	}
}

func TestMemoryCountsWhatWasTouched(t *testing.T) {
	l := open(t)
	binary, err := l.Compile("fill", `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
	char *all = malloc(64 << 20);
	memset(all, 1, 32 << 20);
	puts("full");
	fflush(stdout);
	return getchar() + all[0];
}
`)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, l, Spawn{Pipes: true, Argv: []string{"sh", "-c", binary + "; :"}})
	if lines := bufio.NewScanner(p.Out); !lines.Scan() {
		t.Fatal(p.LogTail())
	}
	anonymous, resident, err := l.SettledMemory(p)
	if err != nil || anonymous < 32<<20 || anonymous > 40<<20 || resident <= anonymous || resident > 60<<20 {
		t.Errorf("anonymous %d, resident %d, %v", anonymous, resident, err)
	}
	p.Stop()
	if _, _, err := l.SettledMemory(p); err == nil {
		t.Error("an ended process has memory")
	}
}
