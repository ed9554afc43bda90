//go:build linux && load

package ci

import (
	"bytes"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// The load test's own test, with real builds on a real machine. It takes about twenty minutes and wants a machine with nothing
// else to do, so it is no part of `make test`:
//
//	go test -tags load -run Real -count 1 -timeout 2h -v ./bench/internal/ci
//
// It measures what was committed last.

const equalTries = 10

func TestRealPlantedSlowdownIsFound(t *testing.T) {
	if status, summary := try(t, "-tags-head", "slowdown", "-fail-p99", "0"); status != exitRegression {
		t.Errorf("exit status %d, not %d\n%s", status, exitRegression, summary)
	}
}

func TestRealEqualBuildsRaiseNoAlarm(t *testing.T) {
	counts := map[int]int{}
	for i := range equalTries {
		status, summary := try(t)
		counts[status]++
		t.Logf("try %d of %d: exit status %d", i+1, equalTries, status)
		if status == exitRegression {
			t.Errorf("a false alarm:\n%s", summary)
		}
	}
	t.Logf("of %d tries with equal builds: %d good, %d not measurable, %d false alarms",
		equalTries, counts[exitGood], counts[exitUnmeasured], counts[exitRegression])
	if counts[exitGood] == 0 {
		t.Error("nothing could be measured: is the machine quiet?")
	}
}

// try runs the program on two builds of the same commit.
func try(t *testing.T, args ...string) (status int, summary string) {
	t.Helper()
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var out bytes.Buffer
	status = Main(ctx, append([]string{"--base", "HEAD", "-head", "HEAD", "-only", "cached-1k"}, args...), &out, os.Stderr)
	if ctx.Err() != nil {
		t.Fatal("interrupted")
	}
	t.Log(out.String())
	return status, out.String()
}
