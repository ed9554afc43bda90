//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"seawall/bench/internal/matrix"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// programs are the bench and Seawall, built once.
var programs struct{ dir, bench, seawall string }

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "seawall-bench-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs.dir, programs.bench, programs.seawall = dir, filepath.Join(dir, "bench"), filepath.Join(dir, "seawall")
	out, err := exec.Command("go", "build", "-pgo=off", "-o", dir+"/", "seawall/bench", "seawall/cmd/seawall").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "building the programs: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// marker is in the environment of a bench and of all that comes from it.
const marker = "SEAWALL_BENCH_TEST"

func benchRun(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{"run", "-seawall", programs.seawall, "-install=false", "-no-publish"}, args...)
	cmd := exec.CommandContext(t.Context(), programs.bench, args...)
	cmd.Env = append(os.Environ(), marker+"="+t.Name())
	return cmd
}

// left are the processes that a test's bench has left behind.
func left(t *testing.T) []string {
	t.Helper()
	var found []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		found = nil
		paths, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range paths {
			environment, err := os.ReadFile(path)
			if err == nil && slices.Contains(strings.Split(string(environment), "\x00"), marker+"="+t.Name()) {
				name, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
				found = append(found, strings.ReplaceAll(string(name), "\x00", " "))
			}
		}
		if found == nil {
			return nil
		}
	}
	return found
}

// written reads the only file in a directory of results.
func written(t *testing.T, dir string) *result.Run {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) != 1 {
		t.Fatalf("%d files were written", len(files))
	}
	run, err := result.Read(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// No assertion on time: the machine that tests run on is nobody's alone.
func TestQuickRun(t *testing.T) {
	dir := t.TempDir()
	out, err := benchRun(t, "-only", "cached-1k,proxied-1k", "-servers", "nginx,seawall", "-rounds", "1", "-duration", "300ms", "-out", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := written(t, dir)
	if len(run.Scenarios) != 2 || len(run.Servers) != 4 || run.Machine.CPU == "" || run.Mode != "full" || run.Command[0] != "bench" {
		t.Errorf("the run has %d scenarios of %d servers; machine %+v, mode %s, command %q",
			len(run.Scenarios), len(run.Servers), run.Machine, run.Mode, run.Command)
	}
	for _, s := range run.Scenarios {
		if len(s.Measured) != 3 || s.Facts[scenario.ConstantRate] <= 0 {
			t.Errorf("%s: %d servers, facts %v", s.Name, len(s.Measured), s.Facts)
		}
		for _, m := range s.Measured {
			for _, key := range []string{result.CPU, result.Rate, result.P99, result.Resident} {
				if len(m.Series(key)) != 1 || m.Series(key)[0] <= 0 {
					t.Errorf("%s: %s: %s is %v", s.Name, m.Server, key, m.Series(key))
				}
			}
		}
	}
	if hits := run.Scenario("cached-1k").Server("seawall").Series(result.HitShare); len(hits) != 1 || hits[0] < 90 {
		t.Errorf("%v %% of the requests for a cached page were hits", hits)
	}
	if hits := run.Scenario("proxied-1k").Server("seawall").Series(result.HitShare); len(hits) != 1 || hits[0] > 10 {
		t.Errorf("%v %% of the requests for a page that is not cached were hits", hits)
	}
	for _, want := range []string{"cached-1k:", "forwarder", "CPU us", "written: "} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	if processes := left(t); processes != nil {
		t.Errorf("left behind: %q", processes)
	}
}

func TestAnInterruptLeavesNoProcessAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	cmd := benchRun(t, "-only", "cached-1k", "-servers", "nginx,seawall", "-rounds", "1000", "-duration", "100ms", "-out", dir)
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "round 2:") { // every server has a value
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() != interrupted {
		t.Errorf("ended with %v\n%s", err, strings.Join(said, "\n"))
	}
	if processes := left(t); processes != nil {
		t.Errorf("left behind: %q", processes)
	}
	run := written(t, dir)
	if m := run.Scenario("cached-1k").Server("nginx"); m.Error != "" || len(m.Series(result.CPU)) == 0 {
		t.Errorf("nginx's part is %+v", m)
	}
	if !slices.ContainsFunc(run.Warnings, func(w string) bool { return strings.Contains(w, "ended early") }) {
		t.Errorf("the file does not say that the run was ended early: %q", run.Warnings)
	}
}

func TestBothModesEndInTime(t *testing.T) {
	for _, c := range []struct {
		args []string
		most time.Duration
	}{{[]string{"-quick"}, 270 * time.Second}, {nil, 50 * time.Minute}} {
		var f runFlags
		if _, ok := f.parse(c.args); !ok {
			t.Fatal(c.args)
		}
		p, err := plan(&f)
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range p.Kinds { // whatever is installed here
			if !k.Floor {
				p.Kinds[i].Program = os.Args[0]
			}
		}
		if takes := p.Takes(); takes > c.most || takes < c.most/10 {
			t.Errorf("%v: %d servers take %v, %v is the most", c.args, len(p.Kinds), takes, c.most)
		}
		for _, s := range p.Scenarios {
			t.Logf("%-20s %v", s.Name, matrix.Plan{Scenarios: []scenario.Scenario{s}, Kinds: p.Kinds, Options: p.Options}.Takes())
		}
	}
}

func TestWhatIsAskedForIsPlanned(t *testing.T) {
	planned := func(args ...string) matrix.Plan {
		var f runFlags
		if _, ok := f.parse(args); !ok {
			t.Fatal(args)
		}
		p, err := plan(&f)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := planned("-quick", "-only", "soak", "-servers", "seawall")
	if len(p.Scenarios) != 1 || p.Scenarios[0].Name != "soak" || p.Mode != "quick" {
		t.Errorf("a scenario that is asked for by name is not run: %+v", p)
	}
	if !slices.ContainsFunc(p.Kinds, func(k peer.Kind) bool { return k.Floor }) || len(p.Kinds) != 3 {
		t.Errorf("%d servers; the floors stay", len(p.Kinds))
	}
	var f runFlags
	if f.parse([]string{"-servers", "apache"}); f.publishes() {
		t.Error("a part of the servers would be published as the whole")
	}
	if _, err := plan(&f); err == nil || !strings.Contains(err.Error(), `"apache"`) {
		t.Errorf("an unknown server gave %v", err)
	}
	if status := dispatch(t.Context(), []string{"nonsense"}); status != unusable {
		t.Errorf("an unknown command ended with %d", status)
	}
	if status, ok := f.parse([]string{"-rounds", "-1"}); ok || status != unusable {
		t.Error("-1 rounds were taken")
	}
}
