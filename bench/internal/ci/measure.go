//go:build linux

package ci

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"seawall/bench/internal/compare"
	"seawall/bench/internal/lab"
	"seawall/bench/internal/matrix"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// plan is what is measured, without the builds.
type plan struct {
	scenarios []scenario.Scenario
	options   scenario.Options
	command   []string
}

// plan chooses the scenarios and refuses what could never lead to a verdict.
func (r *request) plan() (plan, []Wanted, error) {
	p := plan{options: scenario.Options{Window: r.window, Rounds: r.rounds, Connections: crowd}, command: r.command}
	chosen, err := scenario.Select(r.only)
	if err != nil {
		return p, nil, err
	}
	var wanted []Wanted
	figures := 0
	for _, s := range chosen {
		judged := 0
		for _, limit := range r.limits.all() {
			if slices.Contains(s.Metrics, limit.metric.Key) {
				judged++
			}
		}
		if judged == 0 {
			return p, nil, fmt.Errorf("scenario %s has none of the figures that are judged", s.Name)
		}
		figures += judged
		wanted = append(wanted, Wanted{s.Name, s.Metrics})
		s.Targets = nil // they are about other servers
		s.Method = repeated{s.Method, r.limits.P99 > 0}
		p.scenarios = append(p.scenarios, s)
	}
	if least := leastRounds(r.limits.Alpha, figures); r.rounds < least {
		return p, nil, fmt.Errorf("-rounds %d: no change of %d figures could be significant at level %g; that takes %d rounds", r.rounds, figures, r.limits.Alpha, least)
	}
	return p, wanted, nil
}

// leastRounds is how many rounds have an interval at the corrected level, two of them disturbed.
func leastRounds(alpha float64, figures int) int {
	const disturbed, enough = 2, 100
	var series []float64
	for len(series) < enough {
		series = append(series, 1)
		if result.SummarizeAt(series, confidence(alpha, figures)).HasInterval {
			break
		}
	}
	return len(series) + disturbed
}

// repeated leaves out the phases of a method that ci has no use for: what is measured once has no significance, and
// the constant rate is there for the latency only.
type repeated struct {
	scenario.Method
	withLatency bool
}

func (r repeated) Phases() []scenario.Phase {
	return slices.DeleteFunc(slices.Clone(r.Method.Phases()), func(p scenario.Phase) bool {
		return p.Rounds == 1 || p.Name == scenario.ConstantRate && !r.withLatency
	})
}

// again is the same plan for a second, longer measurement of some scenarios.
func (p plan) again(names []string) plan {
	p.scenarios = slices.DeleteFunc(slices.Clone(p.scenarios), func(s scenario.Scenario) bool { return !slices.Contains(names, s.Name) })
	p.options.Rounds *= againFactor
	return p
}

// measure makes one run of both builds and the floors. Each scenario starts its servers anew.
func measure(ctx context.Context, l *lab.Lab, p plan, pair *builds, errOut io.Writer) (*result.Run, error) {
	var kinds []peer.Kind
	for _, k := range peer.All() {
		if k.Floor {
			kinds = append(kinds, k)
		}
	}
	kinds = append(kinds, peer.Seawall(baseName, pair.base.binary), peer.Seawall(headName, pair.head.binary))
	progress := matrix.Lines(errOut)
	if file, ok := errOut.(*os.File); ok {
		progress = matrix.NewProgress(file)
	}
	return matrix.Run(ctx, l, matrix.Plan{
		Scenarios: p.scenarios, Kinds: kinds, Options: p.options, Order: turns, Mode: "ci", Commit: pair.head.commit,
		Command: p.command, Ours: headName, Spare: p.options.Rounds,
	}, progress)
}

// turns is A B B A, B A A B with the floor between: each build comes first as often as second and as often before the floor
// as after it, so that no place in the order is an advantage, and a steady drift cancels itself out.
func turns(round int, kinds []peer.Kind) []peer.Kind {
	var base, head, floors []peer.Kind
	for _, k := range kinds {
		switch k.Name {
		case baseName:
			base = append(base, k)
		case headName:
			head = append(head, k)
		default:
			floors = append(floors, k)
		}
	}
	switch round % 4 {
	case 0:
		return slices.Concat(base, head, floors)
	case 1:
		return slices.Concat(floors, head, base)
	case 2:
		return slices.Concat(head, base, floors)
	}
	return slices.Concat(floors, base, head)
}

// side is the part of a run that one of the builds has, with the floors, as a run of its own: the build is called
// "seawall" in it, so that `bench compare base.json head.json` needs to be told nothing.
func side(run *result.Run, name, commit string) *result.Run {
	part := *run
	part.Commit, part.Servers, part.Scenarios = commit, nil, nil
	floor := map[string]bool{}
	for _, s := range run.Servers {
		switch {
		case s.Name == name:
			s.Name = compare.Seawall
			part.Servers = append(part.Servers, s)
		case s.Floor:
			floor[s.Name] = true
			part.Servers = append(part.Servers, s)
		}
	}
	for _, s := range run.Scenarios {
		all := s.Measured
		s.Measured = nil
		for _, m := range all {
			switch {
			case m.Server == name:
				m.Server = compare.Seawall
				s.Measured = append(s.Measured, m)
			case floor[m.Server]:
				s.Measured = append(s.Measured, m)
			}
		}
		part.Scenarios = append(part.Scenarios, s)
	}
	return &part
}
