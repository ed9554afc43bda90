//go:build linux

package matrix

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

func TestServersTakeTurnsRoundByRound(t *testing.T) {
	var before, first, second turns
	s := made("turns", phases{
		{Name: "first", Takes: shortly, Before: before.take, Measure: first.take},
		{Name: "second", Takes: shortly, Rounds: 1, Measure: func(turn *scenario.Turn) error {
			second.list = append(second.list, turn.Subject)
			turn.Round.Values[result.Rate] = 1
			return nil
		}},
	})
	p := Plan{Scenarios: []scenario.Scenario{s}, Options: scenario.Options{Rounds: 3}, Mode: "test", Commit: "abc",
		Kinds: []peer.Kind{fake(t, "a", right), fake(t, "b", right), fake(t, "c", right)}}
	got := run(t, t.Context(), p)
	if before.String() != "a b c" || first.String() != "a b c b c a c a b" || second.String() != "a b c" {
		t.Errorf("turns: before %v, first %v, second %v", &before, &first, &second)
	}
	m := got.Scenarios[0].Measured
	if len(m) != 3 || len(m[0].Rounds) != 3 || !slices.Equal(m[0].Series(result.CPU), []float64{1, 6, 8}) {
		t.Errorf("a's rounds are %+v", m[0].Rounds)
	}
	if !slices.Equal(m[0].Series(result.Rate), []float64{1}) || m[0].Rounds[0].Values[result.Rate] != 1 {
		t.Error("the phases' values are not in the same rounds")
	}
	if got.Commit != "abc" || got.Rounds != 3 || len(got.Servers) != 3 || got.Servers[2].Name != "c" || got.Ended.Before(got.Started) {
		t.Errorf("the run says of itself: %+v", got)
	}

	first.list = nil
	p.Order = func(round int, kinds []peer.Kind) []peer.Kind {
		kinds = slices.Clone(kinds)
		if round%2 == 1 {
			slices.Reverse(kinds)
		}
		return kinds
	}
	p.Kinds, p.Options.Rounds = p.Kinds[:2], 2
	run(t, t.Context(), p)
	if first.String() != "a b b a" {
		t.Errorf("an order of our own gave %v", &first)
	}
}

func TestADisturbedRoundIsMadeUpFor(t *testing.T) {
	var first turns
	s := made("disturbed", phases{
		{Name: "first", Takes: shortly, Measure: func(turn *scenario.Turn) error {
			if turn.Subject == "b" && len(first.list) < 4 { // in rounds 0 and 1
				turn.Round.Steal = 0.5
			}
			return first.take(turn)
		}},
		{Name: "once", Takes: shortly, Rounds: 1, Measure: func(turn *scenario.Turn) error {
			turn.Round.Values[result.Rate] = 1
			return nil
		}},
	})
	p := Plan{Scenarios: []scenario.Scenario{s}, Options: scenario.Options{Rounds: 2}, Kinds: []peer.Kind{fake(t, "a", right), fake(t, "b", right)}}
	for _, c := range []struct {
		spare int
		turns string
	}{{0, "a b b a"}, {1, "a b b a a b"}, {5, "a b b a a b b a"}} {
		first.list = nil
		p.Spare = c.spare
		got := run(t, t.Context(), p)
		if first.String() != c.turns {
			t.Errorf("%d to spare: %v", c.spare, &first)
		}
		if n := len(got.Scenarios[0].Measured[0].Series(result.Rate)); n != 1 {
			t.Errorf("%d to spare: a phase of one round had %d", c.spare, n)
		}
	}
}

func TestAServersFailureIsRecordedAndTheOthersGoOn(t *testing.T) {
	var all turns
	s := made("failures", phases{{Name: "measure", Takes: shortly, Measure: func(turn *scenario.Turn) error {
		if turn.Subject == "late" && len(all.list) > 2 {
			return errors.New("it broke")
		}
		return all.take(turn)
	}}})
	s.Targets = []scenario.Target{{Metric: result.CPU, Max: 100}, {Metric: result.CPU, Against: "wrong", Max: 1}}
	weak, absent := fake(t, "weak", right), fake(t, "absent", right)
	weak.Can, absent.Program = peer.Return, "/nonexistent/program"
	floor := fake(t, "otherfloor", right)
	floor.Floor = true
	got := run(t, t.Context(), Plan{Scenarios: []scenario.Scenario{s}, Options: scenario.Options{Rounds: 3}, Ours: "good", Kinds: []peer.Kind{
		fake(t, "good", right), fake(t, "wrong", wrong), fake(t, "dying", dying), fake(t, "late", right), weak, absent, floor}})
	res := &got.Scenarios[0]
	if n := len(res.Server("good").Rounds); n != 3 {
		t.Errorf("the good one has %d rounds", n)
	}
	for name, want := range map[string]string{"wrong": "/1k: wrong answer", "dying": "no heart for it", "late": "round 3: it broke"} {
		if m := res.Server(name); !strings.Contains(m.Error, want) || m.Rounds != nil {
			t.Errorf("%s: error %q, %d rounds", name, m.Error, len(m.Rounds))
		}
	}
	for name, want := range map[string]string{"weak": "has no such feature", "absent": "is not installed"} {
		if m := res.Server(name); m.Cannot != want || m.Error != "" {
			t.Errorf("%s: cannot %q, error %q", name, m.Cannot, m.Error)
		}
	}
	if res.Server("otherfloor") != nil {
		t.Error("another scenario's floor took part")
	}
	if len(res.Targets) != 2 || !res.Targets[0].Met || res.Targets[0].Missing || res.Targets[1].Met || !res.Targets[1].Missing {
		t.Errorf("judged %+v; a target without figures is missing and not met", res.Targets)
	}
	if m := res.Server("late"); !strings.Contains(m.Error, "measure, round 3: it broke") {
		t.Errorf("late: error %q", m.Error)
	}
}

func TestAnInterruptKeepsWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all turns
	s := made("interrupted", phases{{Name: "measure", Takes: shortly, Measure: func(turn *scenario.Turn) error {
		if len(all.list) == 3 {
			cancel()
			<-turn.Server.Process.Done() // the lab ends everything
			return errors.New("it is gone")
		}
		return all.take(turn)
	}}})
	got := run(t, ctx, Plan{Scenarios: []scenario.Scenario{s, made("never", s.Method)}, Options: scenario.Options{Rounds: 3},
		Kinds: []peer.Kind{fake(t, "a", right), fake(t, "b", right)}})
	if len(got.Scenarios) != 1 {
		t.Fatalf("%d scenarios were begun", len(got.Scenarios))
	}
	a, b := got.Scenarios[0].Server("a"), got.Scenarios[0].Server("b")
	if len(a.Rounds)+len(b.Rounds) != 3 || a.Error != "" || b.Error != "" {
		t.Errorf("a: %+v\nb: %+v", a, b)
	}
	if !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "ended early") }) {
		t.Errorf("warnings: %q", got.Warnings)
	}
}

func TestFreshPhasesHaveServersOfTheirOwnAndTogetherMeansTogether(t *testing.T) {
	pids := map[int]bool{}
	fresh := made("fresh", phases{{Name: "fresh", Fresh: true, Takes: shortly, Measure: func(turn *scenario.Turn) error {
		pids[turn.Server.Process.Pid()] = true
		turn.Round.Values[result.CPU] = 1
		return nil
	}}})
	var all sync.WaitGroup
	all.Add(2)
	together := made("together", phases{{Name: "together", Together: true, Rounds: 1, Takes: shortly, Measure: func(turn *scenario.Turn) error {
		all.Done()
		all.Wait() // hangs when they come one after the other
		turn.Round.Values[result.CPU] = 1
		return nil
	}}})
	got := run(t, t.Context(), Plan{Scenarios: []scenario.Scenario{fresh, together}, Options: scenario.Options{Rounds: 2},
		Kinds: []peer.Kind{fake(t, "a", right), fake(t, "b", right)}})
	if len(pids) != 4 {
		t.Errorf("%d servers were started for 4 turns", len(pids))
	}
	for _, s := range got.Scenarios {
		for _, m := range s.Measured {
			if m.Error != "" || len(m.Rounds) == 0 {
				t.Errorf("%s: %+v", s.Name, m)
			}
		}
	}
}

// subjects is a method that needs no server.
type subjects struct{ phases }

func (subjects) Subjects() []string { return []string{"x", "y"} }

func TestAMethodMayBringWhatItCompares(t *testing.T) {
	var all turns
	s := made("subjects", subjects{phases{{Name: "measure", Takes: shortly, Measure: all.take}}})
	p := Plan{Scenarios: []scenario.Scenario{s}, Options: scenario.Options{Rounds: 2}}
	got := run(t, t.Context(), p)
	if all.String() != "x y y x" || len(got.Scenarios[0].Measured) != 2 || got.Scenarios[0].Measured[1].Server != "y" {
		t.Errorf("turns %v, measured %+v", &all, got.Scenarios[0].Measured)
	}
	if want := 40 * time.Millisecond; p.Takes() != want {
		t.Errorf("takes %v, not %v", p.Takes(), want)
	}
}

func TestRunRefusesAnEmptyPlan(t *testing.T) {
	if _, err := Run(t.Context(), &lab.Lab{}, Plan{}, nil); err == nil {
		t.Error("it was run")
	}
}

func TestLinesSayHowFarItIs(t *testing.T) {
	var out bytes.Buffer
	p := Lines(&out)
	p.Begin(10 * time.Second)
	p.Doing("a scenario")
	p.Done(5 * time.Second)
	p.Say("a figure")
	p.Note("a note")
	p.End()
	if got, want := out.String(), "bench: this takes about 10s\nbench:  50 % a scenario: a figure\nbench: a note\n"; got != want {
		t.Errorf("got %q", got)
	}
}
