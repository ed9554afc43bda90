//go:build linux

package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func open(t *testing.T) *Lab {
	t.Helper()
	l, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func shell(script string) Spawn { return Spawn{Argv: []string{"sh", "-c", script}, Pipes: true} }

func start(t *testing.T, l *Lab, s Spawn) *Process {
	t.Helper()
	p, err := l.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// numbers reads so many lines with a process number each.
func numbers(t *testing.T, lines *bufio.Scanner, n int) []int {
	t.Helper()
	var pids []int
	for range n {
		if !lines.Scan() {
			t.Fatalf("the output ended after %v", pids)
		}
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// runs says whether a process is there and not a zombie.
func runs(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.HasPrefix(field(string(text), "State"), "Z")
}

// family prints its own number, that of a child, and that of a child which made a session of its own and whose parent
// has ended; none of them minds SIGTERM.
const family = `trap '' TERM; echo $$; sleep 1000 & echo $!; (setsid sh -c 'echo $$; exec sleep 1000' &); while :; do sleep 1; done`

func TestStopEndsWhatMadeItsOwnSession(t *testing.T) {
	defer func(before time.Duration) { stopLimit = before }(stopLimit)
	stopLimit = 50 * time.Millisecond
	l := open(t)
	p := start(t, l, shell(family))
	pids := numbers(t, bufio.NewScanner(p.Out), 3)
	all := p.Pids()
	for _, pid := range pids {
		if !slices.Contains(all, pid) {
			t.Errorf("process %d is not among %v", pid, all)
		}
	}
	if p.Pid() != pids[0] {
		t.Errorf("Pid is %d, the shell says %d", p.Pid(), pids[0])
	}
	p.Stop()
	for _, pid := range all {
		if runs(pid) {
			t.Errorf("process %d outlived Stop", pid)
		}
	}
	if p.Pids() != nil {
		t.Errorf("there still is %v", p.Pids())
	}
	if err := p.Wait(); err == nil {
		t.Error("a killed program has no error")
	}
	if err := p.Signal(syscall.SIGHUP); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal to it: %v", err)
	}
}

func TestWhatAProgramLeavesBehindEndsWithIt(t *testing.T) {
	l := open(t)
	before := time.Now()
	p := start(t, l, shell(`setsid sleep 1000 & echo $!; exit 3`))
	if at := p.Started(); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("started at %v, not after %v", at, before)
	}
	pids := numbers(t, bufio.NewScanner(p.Out), 1)
	if err := p.Wait(); err == nil || !strings.Contains(err.Error(), "exit 3") {
		t.Errorf("ended with %v", err)
	}
	if runs(pids[0]) {
		t.Errorf("process %d is left", pids[0])
	}
}

// asKilledBench makes the test binary play a bench that starts processes and waits to be killed.
const asKilledBench = "SEAWALL_TEST_KILLED_BENCH"

func TestMain(m *testing.M) {
	if os.Getenv(asKilledBench) != "" {
		l, err := Open(context.Background(), Options{})
		if err == nil {
			_, err = l.Start(Spawn{Argv: []string{"sh", "-c", family}, Log: "/dev/stdout"})
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		select {}
	}
	os.Exit(m.Run())
}

func TestKilledBenchLeavesNothing(t *testing.T) {
	bench := exec.Command(os.Args[0])
	temp := t.TempDir()
	bench.Env = append(os.Environ(), asKilledBench+"=1", "TMPDIR="+temp)
	out, err := bench.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	pids := numbers(t, bufio.NewScanner(out), 3)
	if err := bench.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = bench.Wait() // it was killed
	left := func() bool {
		files, err := os.ReadDir(temp)
		return slices.ContainsFunc(pids, runs) || err != nil || len(files) > 0
	}
	for deadline := time.Now().Add(20 * time.Second); left(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of the processes %v or in %s something is left", pids, temp)
		}
	}
}

func TestEndOfTheContextEndsProcesses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := Open(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := start(t, l, shell("exec sleep 1000"))
	cancel()
	<-p.Done()
	if _, err := l.Start(shell(":")); !errors.Is(err, context.Canceled) {
		t.Errorf("Start after the end: %v", err)
	}
}

func TestCloseEndsProcessesAndRemovesTheDirectory(t *testing.T) {
	l := open(t)
	p := start(t, l, shell("exec sleep 1000"))
	l.Close()
	select {
	case <-p.Done():
	default:
		t.Error("a process outlived Close")
	}
	if _, err := os.Stat(l.Dir); !os.IsNotExist(err) {
		t.Errorf("the directory: %v", err)
	}
	l.Close()
	if _, err := l.Start(shell(":")); err == nil {
		t.Error("a closed lab starts processes")
	}
}

func TestStartPinsBeforeTheProgramRuns(t *testing.T) {
	l := open(t)
	for _, cores := range [][]int{l.ServerCores, l.LoadCores} {
		text, err := l.Run(t.Context(), Spawn{Cores: cores, Argv: []string{"grep", "Cpus_allowed_list", "/proc/self/status"}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseCoreList(field(text, "Cpus_allowed_list")); err != nil || !slices.Equal(got, cores) {
			t.Errorf("on %v, not %v (%v)", got, cores, err)
		}
	}
}

func TestStartSaysWhyNot(t *testing.T) {
	l := open(t)
	if _, err := l.Start(Spawn{Argv: []string{"no-such-program"}}); err == nil || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(l.Dir, "garbage")
	if err := os.WriteFile(path, []byte{0, 1, 2}, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Start(Spawn{Argv: []string{path}}); !errors.Is(err, syscall.ENOEXEC) {
		t.Errorf("got %v", err)
	}
}

func TestRunReturnsOutputAndExplainsFailure(t *testing.T) {
	l := open(t)
	text, err := l.Run(t.Context(), Spawn{Argv: []string{"sh", "-c", "cat; echo $A"}, Env: []string{"A=b"}})
	if err != nil || text != "b\n" {
		t.Errorf("got %q, %v", text, err)
	}
	text, err = l.Run(t.Context(), Spawn{Argv: []string{"sh", "-c", "echo out; echo why >&2; exit 1"}})
	if err == nil || text != "out\n" || !strings.Contains(err.Error(), "exit 1") || !strings.Contains(err.Error(), "why") {
		t.Errorf("got %q, %v", text, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err = l.Run(ctx, Spawn{Argv: []string{"sleep", "1000"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestSignalReachesTheProgram(t *testing.T) {
	l := open(t)
	p := start(t, l, shell(`trap 'echo hup; exit 0' HUP; echo ready; while :; do sleep 0.01; done`))
	lines := bufio.NewScanner(p.Out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("it said %q", lines.Text())
	}
	if err := p.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "hup" {
		t.Errorf("it said %q", lines.Text())
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func TestFreePortHandsOutNoneTwice(t *testing.T) {
	l := open(t)
	low, high := ephemeralPorts()
	seen := map[uint16]bool{}
	for range 200 {
		at, err := l.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[at.Port()] || low <= at.Port() && at.Port() <= high {
			t.Errorf("port %d", at.Port())
		}
		seen[at.Port()] = true
	}
}

func TestCompileOnceForAllWhoAsk(t *testing.T) {
	l := open(t)
	const source = `#include <stdio.h>
int main(void) { puts("compiled"); return 0; }`
	binaries := make(chan string)
	for range 4 {
		go func() {
			binary, err := l.Compile("hello", source)
			if err != nil {
				t.Error(err)
			}
			binaries <- binary
		}()
	}
	first := <-binaries
	for range 3 {
		if other := <-binaries; other != first {
			t.Errorf("%s and %s", first, other)
		}
	}
	if text, err := l.Run(t.Context(), Spawn{Argv: []string{first}}); err != nil || text != "compiled\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := l.Compile("hello", "no C"); err == nil || !strings.Contains(err.Error(), "hello.c") {
		t.Errorf("got %v", err)
	}
}
