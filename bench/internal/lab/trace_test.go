//go:build linux

package lab

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"seawall/bench/internal/result"
)

func TestParseStraceWithAndWithoutErrors(t *testing.T) {
	const text = `strace: Process 8331 attached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           3     20000           read
 30.00    0.300000           3     20000       100 write
 10.00    0.100000           3       200           epoll_pwait
  0.00    0.000000           3        20        10 futex
------ ----------- ----------- --------- --------- ----------------
100.00    1.000000           3     40220       110 total
`
	calls, err := parseStrace(text)
	if err != nil || len(calls) != 4 || calls["write"] != 20000 || calls["futex"] != 20 {
		t.Fatalf("got %v, %v", calls, err)
	}
	per := calls.Per(20000)
	for key, want := range map[string]float64{result.Calls: 2.011, result.CallsRead: 1, result.CallsWrite: 1,
		result.CallsPoll: 0.01, result.CallsOther: 0.001, result.CallsClock: 0} {
		if got, ok := per[key]; !ok || fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", want) {
			t.Errorf("%s is %v, not %v", key, got, want)
		}
	}
	if got := calls.Describe(20000); got != "read 1.000, write 1.000, epoll_pwait 0.010, futex 0.001" {
		t.Errorf("described as %q", got)
	}
	for _, bad := range []string{"", "strace: nothing\n", " 60.00    0.600000           3     x           read\n"} {
		if _, err := parseStrace(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestTraceCountsCallsOfTheWholeTree(t *testing.T) {
	l := open(t)
	binary, err := l.Compile("chdirs", `#include <signal.h>
#include <unistd.h>
static void again(int s) {
	for (int i = 0; i < 500; i++)
		if (chdir("/") != 0)
			_exit(1);
	(void)!write(1, "\n", 1);
}
int main(void) {
	signal(SIGUSR1, again);
	(void)!write(1, "\n", 1);
	for (;;)
		pause();
}
`)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, l, Spawn{Pipes: true, Argv: []string{"sh", "-c", fmt.Sprintf(`trap 'kill -USR1 $!' HUP; %s & while :; do wait; done`, binary)}})
	line := make([]byte, 1)
	if _, err := p.Out.Read(line); err != nil {
		t.Fatal(err)
	}
	calls, err := l.Trace(p, func() error {
		if err := p.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		_, err := p.Out.Read(line)
		return err
	})
	// Where tracing is forbidden, that has to be said as such.
	if !errors.Is(err, ErrNoTrace) && (err != nil || calls["chdir"] != 500 || calls["kill"] != 1) {
		t.Errorf("counted %v, %v", calls, err)
	}
	if failure := errors.New("failed"); err == nil {
		if _, err := l.Trace(p, func() error { return failure }); !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
	}
	if len(p.Pids()) != 2 {
		t.Errorf("after tracing there is %v", p.Pids())
	}
}

func TestDescribeMachine(t *testing.T) {
	l := open(t)
	m := DescribeMachine(l)
	if m.CPU == "" || m.Cores < 2 || m.MemoryMB < 100 || !strings.HasPrefix(m.Kernel, "Linux ") || !strings.HasPrefix(m.Go, "go") ||
		len(m.ServerCores) != 1 || len(m.LoadCores) == 0 {
		t.Errorf("got %+v", m)
	}
	if got := processorName("processor\t: 0\nmodel\t\t: 85\nmodel name\t: Fast: (R) 1\n"); got != "Fast: (R) 1" {
		t.Errorf("processor %q", got)
	}
	if got := processorName("processor\t: 0\nBogoMIPS\t: 50.00\n"); !strings.HasPrefix(got, "unknown") {
		t.Errorf("processor %q", got)
	}
	if got := prettyName("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"); got != "Debian GNU/Linux 12 (bookworm)" {
		t.Errorf("system %q", got)
	}
}
