//go:build linux

// Package matrix is one run of the benchmarks: it starts the servers of each scenario, sees to it that they do the same
// work, has them take turns round by round, and collects what was measured.
package matrix

import (
	"slices"
	"time"

	"seawall/bench/internal/peer"
	"seawall/bench/internal/scenario"
)

// Plan is what is to be run.
type Plan struct {
	Scenarios []scenario.Scenario
	Kinds     []peer.Kind // in the order of the tables, floors among them
	Options   scenario.Options
	Order     func(round int, kinds []peer.Kind) []peer.Kind // of the turns in a round; nil: each round begins with another server
	Mode      string                                         // "full", "quick"
	Commit    string                                         // that Seawall was built from
	Command   []string                                       // of the bench itself
	Ours      string                                         // the server that targets judge; "": scenario.Ours
	Spare     int                                            // rounds at most that are added to a phase, one for each that was disturbed
}

// What a run spends beside measuring.
const (
	startTakes = 500 * time.Millisecond // to start a server and to look at its answers
	stopTakes  = 100 * time.Millisecond
)

// Takes is about how long the run lasts, without building and installing.
func (p Plan) Takes() time.Duration {
	var sum time.Duration
	for i := range p.Scenarios {
		sum += p.scenarioTakes(&p.Scenarios[i])
	}
	return sum
}

func (p Plan) scenarioTakes(s *scenario.Scenario) time.Duration {
	n, servers := 0, true
	if parts, ok := s.Method.(scenario.Subjects); ok {
		n, servers = len(parts.Subjects()), false
	} else {
		for _, k := range p.Kinds {
			if takesPart(s, k) && cannot(s, k) == "" {
				n++
			}
		}
	}
	if n == 0 {
		return 0
	}
	var sum time.Duration
	if servers && needsShared(s) {
		sum += time.Duration(n) * (startTakes + stopTakes)
	}
	for _, ph := range s.Method.Phases() {
		turns := n
		if ph.Together {
			turns = 1
		}
		sum += time.Duration(turns) * (time.Duration(p.rounds(ph))*p.turnTakes(ph) + p.beforeTakes(ph))
	}
	return sum
}

func (p Plan) turnTakes(ph scenario.Phase) time.Duration {
	d := ph.Takes(p.Options)
	if ph.Fresh {
		d += startTakes + stopTakes
	}
	return d
}

func (p Plan) beforeTakes(ph scenario.Phase) time.Duration {
	if ph.Before == nil {
		return 0
	}
	return ph.Takes(p.Options) / 2
}

// rounds is how often a phase is measured. Those that have a number of their own, as they take long, never get more than
// asked for, and a quick run has them once.
func (p Plan) rounds(ph scenario.Phase) int {
	if ph.Rounds > 0 && p.Options.Quick {
		return 1
	}
	if ph.Rounds > 0 {
		return min(ph.Rounds, p.Options.Rounds)
	}
	return p.Options.Rounds
}

func (p Plan) ours() string {
	if p.Ours == "" {
		return scenario.Ours
	}
	return p.Ours
}

// takesPart leaves out the floors of other scenarios.
func takesPart(s *scenario.Scenario, k peer.Kind) bool { return !k.Floor || k.Name == s.Floor }

// cannot says why a server cannot take part; "" when it can.
func cannot(s *scenario.Scenario, k peer.Kind) string {
	switch {
	case !k.Floor && k.Can&s.Needs != s.Needs:
		return "has no such feature"
	case peer.Missing(k):
		return "is not installed"
	}
	return ""
}

// needsShared tells whether a phase uses servers that stay for the whole scenario.
func needsShared(s *scenario.Scenario) bool {
	return slices.ContainsFunc(s.Method.Phases(), func(ph scenario.Phase) bool { return !ph.Fresh })
}

// rotate is the usual order: each round begins with another one, so that what disturbs the machine by the clock hits all.
func rotate[T any](round int, all []T) []T {
	if len(all) == 0 {
		return nil
	}
	first := round % len(all)
	return append(slices.Clone(all[first:]), all[:first]...)
}
