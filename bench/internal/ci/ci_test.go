//go:build linux

package ci

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"seawall/bench/internal/compare"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

func TestEachBuildHasEachPlaceAlike(t *testing.T) {
	kinds := []peer.Kind{{Name: "floor"}, {Name: baseName}, {Name: headName}}
	var order []string
	for round := range 4 {
		for _, k := range turns(round, kinds) {
			order = append(order, k.Name)
		}
	}
	if got := strings.Join(order, " "); got != "base head floor floor head base head base floor floor base head" {
		t.Errorf("the order is %s", got)
	}
	if got := turns(1, kinds[1:]); len(got) != 2 || got[0].Name != headName {
		t.Errorf("without a floor it is %v", got)
	}
}

func TestArguments(t *testing.T) {
	r, err := parseArgs([]string{"--base", "main", "-fail-cpu", "7.5%", "-fail-p99", "0"}, new(bytes.Buffer))
	if err != nil || r.base != "main" || r.limits.CPU != 0.075 || r.limits.P99 != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, args := range [][]string{
		{}, {"--base", "main", "-fail-cpu", "5"}, {"--base", "main", "-fail-cpu", "-5%"}, {"--base", "main", "-fail-cpu", "0", "-fail-p99", "0"},
		{"--base", "main", "-alpha", "0"}, {"--base", "main", "-duration", "1ms"}, {"--base", "main", "more"}, {"--what"},
	} {
		if r, err := parseArgs(args, new(bytes.Buffer)); err == nil {
			t.Errorf("%q: got %+v", args, r)
		}
	}
}

func TestPlansWithoutAVerdictAreRefused(t *testing.T) {
	valid := request{only: defaultOnly, rounds: defaultRounds, window: defaultWindow, limits: testLimits}
	p, wanted, err := valid.plan()
	if err != nil || len(p.scenarios) != 5 || len(wanted) != 5 {
		t.Fatalf("got %d scenarios, %v", len(p.scenarios), err)
	}
	for _, s := range p.scenarios {
		for _, phase := range s.Method.Phases() {
			if phase.Rounds == 1 {
				t.Errorf("%s: %q is measured once", s.Name, phase.Name)
			}
		}
	}
	second := p.again([]string{wanted[1].Scenario})
	if len(second.scenarios) != 1 || second.scenarios[0].Name != wanted[1].Scenario || second.options.Rounds != 2*defaultRounds || len(p.scenarios) != 5 {
		t.Errorf("the second plan is %+v", second)
	}
	for what, change := range map[string]func(*request){
		"too few rounds":    func(r *request) { r.rounds = 8 },
		"an unknown name":   func(r *request) { r.only = "nothing-such" },
		"nothing to judge":  func(r *request) { r.only = "stampede" },
		"not what is meant": func(r *request) { r.only, r.limits.CPU, r.limits.P99 = "pipelined-16", 0, 0.1 },
	} {
		r := valid
		change(&r)
		if _, _, err := r.plan(); err == nil {
			t.Errorf("%s: planned", what)
		}
	}
}

func TestWithoutLatencyNothingRunsAtAConstantRate(t *testing.T) {
	r := request{only: "cached-1k", rounds: defaultRounds, window: defaultWindow, limits: Limits{CPU: 0.05, Alpha: 0.05}}
	p, _, err := r.plan()
	if err != nil || len(p.scenarios[0].Method.Phases()) != 1 {
		t.Errorf("got %v, %v", p.scenarios, err)
	}
	if all, _ := scenario.Select("cached-1k"); len(all[0].Method.Phases()) < 2 {
		t.Error("the scenario itself was changed")
	}
}

func TestSidesCanBeCompared(t *testing.T) {
	run := newMachine(1, 0.01).measure(defaultRounds, 1.2, 1)
	for i := range run.Scenarios {
		run.Scenarios[i].Metrics = []string{result.CPU}
	}
	base, head := side(run, baseName, "aaaa"), side(run, headName, "bbbb")
	if run.ServerNamed(baseName) == nil || run.Scenarios[0].Server(headName) == nil {
		t.Fatal("the run itself was changed")
	}
	c, err := compare.Runs(base, head, compare.Options{})
	if err != nil || len(c.Rows) != len(testScenarios) || len(c.Warnings) > 0 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if c.Old.Commit != "aaaa" || c.New.Commit != "bbbb" || c.Rows[0].Verdict != compare.Worse || c.Rows[0].Floor == nil || c.Rows[0].Floor.Change != 0 {
		t.Errorf("got %+v", c.Rows[0])
	}
}

// repository makes one with a program that can be built, and enters it.
func repository(t *testing.T) (git func(args ...string) string) {
	dir := t.TempDir()
	t.Chdir(dir)
	git = func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, text)
		}
		return strings.TrimSpace(string(text))
	}
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("go.mod", "module example.org/m\n\ngo 1.26\n")
	write("cmd/seawall/main.go", "package main\n\nfunc main() { print(\"one\") }\n")
	git("add", ".")
	git("commit", "-qm", "one")
	write("cmd/seawall/main.go", "package main\n\nfunc main() { print(\"two\") }\n")
	return git
}

func TestBothRevisionsAreBuiltAndNothingIsLeft(t *testing.T) {
	git := repository(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	before := git("status", "--porcelain")
	var complaints bytes.Buffer
	b, err := buildBoth(t.Context(), &request{base: "HEAD"}, &complaints)
	if err != nil {
		t.Fatal(err)
	}
	for binary, want := range map[string]string{b.base.binary: "one", b.head.binary: "two"} {
		if text, err := exec.Command(binary).CombinedOutput(); err != nil || string(text) != want {
			t.Errorf("%s prints %q, %v", binary, text, err)
		}
	}
	if b.head.commit != b.base.commit+"+changes" {
		t.Errorf("the commits are %s and %s", b.base.commit, b.head.commit)
	}
	complaints.Reset()
	b.remove(&complaints)
	nothingLeft(t, git, before, temp)
	if complaints.Len() > 0 {
		t.Error(complaints.String())
	}
}

func nothingLeft(t *testing.T, git func(...string) string, before, temp string) {
	t.Helper()
	if trees := git("worktree", "list"); strings.Contains(trees, "\n") {
		t.Errorf("the worktrees are %s", trees)
	}
	if after := git("status", "--porcelain"); after != before {
		t.Errorf("the tree has changed: %s", after)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "seawall-ci-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhatCannotBeBuiltIsNotMeasured(t *testing.T) {
	git := repository(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	before := git("status", "--porcelain")
	for _, r := range []*request{{base: "nothing-such"}, {base: "-x"}, {base: "HEAD", head: "HEAD", tagsHead: "ignore -bad"}} {
		if b, err := buildBoth(t.Context(), r, new(bytes.Buffer)); err == nil {
			b.remove(os.Stderr)
			t.Errorf("%+v was built", r)
		}
	}
	if err := os.WriteFile("cmd/seawall/main.go", []byte("package main\n\nfunc main() { fail }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := buildBoth(t.Context(), &request{base: "HEAD"}, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("got %v", err)
	}
	nothingLeft(t, git, before, temp)
}

func TestAnInterruptLeavesNothing(t *testing.T) {
	git := repository(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	before := git("status", "--porcelain")
	b, err := buildBoth(t.Context(), &request{base: "HEAD", head: "HEAD"}, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	b.remove(os.Stderr)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := buildBoth(ctx, &request{base: "HEAD"}, new(bytes.Buffer)); err == nil {
		t.Error("built after the end")
	}
	nothingLeft(t, git, before, temp)
}

func TestSummaryHasTheVerdictFirst(t *testing.T) {
	r := &request{window: defaultWindow, limits: testLimits}
	noisy := newMachine(1, 0.15)
	for want, runs := range map[string][2]*result.Run{
		"**Load test: no regression.**":     {newMachine(1, 0.005).measure(defaultRounds, 1, 1), nil},
		"**Load test: REGRESSION.**":        {newMachine(1, 0.01).measure(defaultRounds, 1.2, 1), newMachine(2, 0.01).measure(2*defaultRounds, 1.2, 1)},
		"**Load test: could not measure.**": {noisy.measure(defaultRounds, 1, 1), noisy.measure(2*defaultRounds, 1, 1)},
	} {
		report := &report{request: r, base: "aaaa", head: "bbbb", first: runs[0], again: runs[1], judgement: Judge(runs[0], runs[1], testWanted(), testLimits)}
		var out bytes.Buffer
		report.print(&out)
		if first, _, _ := strings.Cut(out.String(), "\n"); !strings.HasPrefix(first, want) {
			t.Errorf("got %q, not %q", first, want)
		}
		if advised := strings.Contains(out.String(), "What to do:"); advised != strings.Contains(want, "could not") {
			t.Errorf("%s: advised: %v", want, advised)
		}
		for _, s := range testScenarios {
			if !strings.Contains(out.String(), "| "+s.name+" | CPU us |") {
				t.Errorf("%s is not in the table", s.name)
			}
		}
	}
}

func TestNoVerdictIsStatus2(t *testing.T) {
	repository(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, args := range [][]string{{}, {"--base", "nothing-such", "-markdown", filepath.Join(dir, "summary.md")}, {"--base", "HEAD", "-rounds", "3"}} {
		var out, errOut bytes.Buffer
		if status := Main(t.Context(), args, &out, &errOut); status != exitUnmeasured || errOut.Len() == 0 {
			t.Errorf("%q: %d, %s", args, status, &errOut)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "summary.md")); err != nil || !strings.HasPrefix(string(text), "**Load test: could not measure.**") {
		t.Errorf("got %q, %v", text, err)
	}
}
