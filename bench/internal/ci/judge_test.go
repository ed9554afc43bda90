//go:build linux

package ci

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"seawall/bench/internal/result"
)

// machine makes rounds as a real one does: lognormal noise of each measurement, now and then one that is far too slow, and a
// drift that all servers share.
type machine struct {
	noise    float64 // standard deviation of the logarithm
	outliers float64 // share of measurements that take 10 to 50 % more
	drift    float64 // from the first to the last round, in common
	random   *rand.Rand
}

func newMachine(seed uint64, noise float64) machine {
	return machine{noise: noise, outliers: 0.03, drift: 0.10, random: rand.New(rand.NewPCG(seed, 7))}
}

func (m machine) value(of float64, round, rounds int) float64 {
	v := of * math.Exp(m.noise*m.random.NormFloat64()) * (1 + m.drift*float64(round)/float64(rounds))
	if m.random.Float64() < m.outliers {
		v *= 1.1 + 0.4*m.random.Float64()
	}
	return v
}

// scenarios that a run of the tests has, with what they cost on the floor and on Seawall.
var testScenarios = []struct {
	name             string
	floorCPU, cpu    float64
	floorP99, p99    float64
	withoutTheirOwns bool // no floor takes part
}{
	{name: "cached-1k", floorCPU: 5.9, cpu: 6.6, floorP99: 0.4, p99: 0.5},
	{name: "cached-100k", floorCPU: 25, cpu: 23, floorP99: 1.1, p99: 1.3},
	{name: "proxied-1k", floorCPU: 10, cpu: 13, floorP99: 0.8, p99: 0.9},
	{name: "return", cpu: 5.9, p99: 0.5, withoutTheirOwns: true},
	{name: "new-connection", floorCPU: 30, cpu: 40, floorP99: 2, p99: 2.5},
}

func testWanted() []Wanted {
	var all []Wanted
	for _, s := range testScenarios {
		all = append(all, Wanted{s.name, []string{result.CPU, result.Rate, result.P99}})
	}
	return all
}

// measure makes a run. The head's figures of the scenario "cached-1k" are multiplied by slowdown, its p99 by wait.
func (m machine) measure(rounds int, slowdown, wait float64) *result.Run {
	run := &result.Run{Format: result.Format, Servers: []result.Server{{Name: "floor", Floor: true}, {Name: baseName}, {Name: headName}}}
	for _, s := range testScenarios {
		factor, waits := 1.0, 1.0
		if s.name == "cached-1k" {
			factor, waits = slowdown, wait
		}
		floor, base, head := result.Measured{Server: "floor"}, result.Measured{Server: baseName}, result.Measured{Server: headName}
		for i := range rounds {
			round := func(cpu, p99 float64) result.Round {
				// Latency is much noisier than CPU.
				late := machine{noise: 2 * m.noise, outliers: 2 * m.outliers, drift: m.drift, random: m.random}
				return result.Round{Values: map[string]float64{result.CPU: m.value(cpu, i, rounds), result.P99: late.value(p99, i, rounds)}}
			}
			base.Rounds = append(base.Rounds, round(s.cpu, s.p99))
			head.Rounds = append(head.Rounds, round(s.cpu*factor, s.p99*waits))
			floor.Rounds = append(floor.Rounds, round(s.floorCPU, s.floorP99))
		}
		measured := []result.Measured{floor, base, head}
		if s.withoutTheirOwns {
			measured = measured[1:]
		}
		run.Scenarios = append(run.Scenarios, result.Scenario{Name: s.name, Measured: measured})
	}
	return run
}

var testLimits = Limits{CPU: 0.05, P99: 0.15, Alpha: defaultAlpha}

// decide is what the program does: measure, judge, measure again what has to be, judge.
func decide(m machine, slowdown, wait float64) *Judgement {
	first := m.measure(defaultRounds, slowdown, wait)
	j := Judge(first, nil, testWanted(), testLimits)
	if len(j.Again()) == 0 {
		return j
	}
	return Judge(first, m.measure(againFactor*defaultRounds, slowdown, wait), testWanted(), testLimits)
}

const seeds = 300

func TestEqualBuildsRaiseNoAlarm(t *testing.T) {
	for _, noise := range []float64{0.005, 0.01, 0.02, 0.03, 0.04} {
		counts, again := map[Verdict]int{}, 0
		for seed := range uint64(seeds) {
			m := newMachine(seed, noise)
			j := decide(m, 1, 1)
			counts[j.Verdict()]++
			for _, f := range j.Figures {
				if f.Again != nil {
					again++
					break
				}
			}
		}
		t.Logf("noise %.1f %%: of %d runs %d good, %d not measurable, %d alarms; %d measured something again",
			100*noise, seeds, counts[Good], counts[Unmeasured], counts[Regression], again)
		if counts[Regression] > 0 {
			t.Errorf("noise %.1f %%: %d alarms", 100*noise, counts[Regression])
		}
		if noise <= 0.03 && counts[Good] < seeds*97/100 {
			t.Errorf("noise %.1f %%: only %d of %d are good", 100*noise, counts[Good], seeds)
		}
	}
}

func TestPlantedSlowdownIsAlwaysFound(t *testing.T) {
	for _, noise := range []float64{0.01, 0.02, 0.03, 0.04} {
		for seed := range uint64(seeds) {
			j := decide(newMachine(seed, noise), 1.2, 1)
			if j.Verdict() != Regression {
				t.Errorf("noise %.0f %%, seed %d: 20 %% more CPU are %v: %+v", 100*noise, seed, j.Verdict(), j.Figures[0])
			}
			for _, f := range j.Figures {
				if f.Verdict == Regression && (f.Scenario != "cached-1k" || f.Metric.Key != result.CPU) {
					t.Errorf("noise %.0f %%, seed %d: %s %s is blamed", 100*noise, seed, f.Scenario, f.Metric.Key)
				}
			}
		}
	}
}

func TestPlantedWaitIsFound(t *testing.T) {
	found := 0
	for seed := range uint64(seeds) {
		if decide(newMachine(seed, 0.03), 1, 1.5).Verdict() == Regression {
			found++
		}
	}
	if found < seeds*99/100 {
		t.Errorf("a p99 half as long again was found in %d of %d runs", found, seeds)
	}
}

func TestAChangeBelowTheLimitIsGood(t *testing.T) {
	for seed := range uint64(seeds) {
		if v := decide(newMachine(seed, 0.01), 1.02, 1).Verdict(); v != Good {
			t.Errorf("seed %d: 2 %% are %v", seed, v)
		}
	}
}

func TestTwiceTheLimitIsNeverGood(t *testing.T) {
	for _, noise := range []float64{0.01, 0.02, 0.03, 0.04} {
		found := 0
		for seed := range uint64(seeds) {
			switch decide(newMachine(seed, noise), 1.1, 1).Verdict() {
			case Regression:
				found++
			case Good:
				t.Errorf("noise %.0f %%, seed %d: 10 %% more CPU are good", 100*noise, seed)
			}
		}
		t.Logf("noise %.0f %%: 10 %% more CPU were found in %d of %d runs", 100*noise, found, seeds)
	}
}

func TestNoiseIsNotTakenForGood(t *testing.T) {
	for seed := range uint64(seeds) {
		m := newMachine(seed, 0.15)
		if v := decide(m, 1, 1).Verdict(); v == Good {
			t.Errorf("seed %d: good with 15 %% of noise", seed)
		}
	}
}

func TestOneMeasurementIsNoRegression(t *testing.T) {
	first, again := newMachine(1, 0.01).measure(defaultRounds, 1.2, 1), newMachine(2, 0.01).measure(againFactor*defaultRounds, 1, 1)
	j := Judge(first, nil, testWanted(), testLimits)
	if got := j.Again(); len(got) != 1 || got[0] != "cached-1k" || j.Verdict() != Unmeasured {
		t.Errorf("again %v, verdict %v", got, j.Verdict())
	}
	j = Judge(first, again, testWanted(), testLimits)
	if j.Verdict() != Good || !strings.Contains(j.Figures[0].Why, "not so when measured again") || len(j.Again()) != 0 {
		t.Errorf("got %v, %q", j.Verdict(), j.Figures[0].Why)
	}
}

func TestWhatWasNotMeasuredIsNeverGood(t *testing.T) {
	for what, spoil := range map[string]func(*result.Run){
		"a failed server":  func(r *result.Run) { r.Scenarios[0].Measured[2] = result.Measured{Server: headName, Error: "it ended"} },
		"a failed base":    func(r *result.Run) { r.Scenarios[0].Measured[1] = result.Measured{Server: baseName, Error: "it ended"} },
		"a failed floor":   func(r *result.Run) { r.Scenarios[0].Measured[0] = result.Measured{Server: "floor", Error: "it ended"} },
		"another answer":   func(r *result.Run) { r.Scenarios[0].Measured[2].Error = "/1k: status 500, not 200" },
		"a missing server": func(r *result.Run) { r.Scenarios[0].Measured = r.Scenarios[0].Measured[:2] },
		"what one cannot do": func(r *result.Run) {
			r.Scenarios[0].Measured[1] = result.Measured{Server: baseName, Cannot: "no cache"}
		},
		"a missing scenario":    func(r *result.Run) { r.Scenarios = r.Scenarios[1:] },
		"no rounds":             func(r *result.Run) { r.Scenarios[0].Measured[2].Rounds = nil },
		"too few rounds":        func(r *result.Run) { r.Scenarios[0].Measured[2].Rounds = r.Scenarios[0].Measured[2].Rounds[:6] },
		"a metric less":         func(r *result.Run) { eachRound(r, func(round *result.Round) { delete(round.Values, result.P99) }) },
		"figures of nothing":    func(r *result.Run) { eachRound(r, func(round *result.Round) { round.Values[result.CPU] = 0 }) },
		"others on the machine": func(r *result.Run) { eachRound(r, func(round *result.Round) { round.Foreign = 0.3 }) },
		"the hypervisor":        func(r *result.Run) { eachRound(r, func(round *result.Round) { round.Steal = 0.1 }) },
	} {
		var runs [2]*result.Run
		for i := range runs {
			runs[i] = newMachine(uint64(i), 0.01).measure((1+i*(againFactor-1))*defaultRounds, 1, 1)
			spoil(runs[i])
		}
		if v := Judge(runs[0], nil, testWanted(), testLimits).Verdict(); v != Unmeasured {
			t.Errorf("%s: the verdict is %v", what, v)
		}
		j := Judge(runs[0], runs[1], testWanted(), testLimits)
		if what == "too few rounds" {
			continue // six rounds are too few twice, but not what this is about
		}
		if v := j.Verdict(); v != Unmeasured {
			t.Errorf("%s: the second verdict is %v", what, v)
		}
	}
	if v := Judge(newMachine(1, 0.01).measure(defaultRounds, 1, 1), nil, nil, testLimits).Verdict(); v != Unmeasured {
		t.Errorf("no scenario at all: %v", v)
	}
}

func eachRound(r *result.Run, change func(*result.Round)) {
	for s := range r.Scenarios {
		for m := range r.Scenarios[s].Measured {
			rounds := r.Scenarios[s].Measured[m].Rounds
			for i := range rounds {
				change(&rounds[i])
			}
		}
	}
}

func TestDisturbedRoundsAreLeftOutForAll(t *testing.T) {
	run := newMachine(3, 0.005).measure(defaultRounds, 1, 1)
	head := run.Scenarios[0].Server(headName)
	for i := range 3 {
		head.Rounds[i].Values[result.CPU] *= 3
		head.Rounds[i].Foreign = 0.5
	}
	j := Judge(run, nil, testWanted(), testLimits)
	if f := j.Figures[0]; f.First.Disturbed != 3 || f.First.Ratio.N != defaultRounds-3 || f.Verdict != Good {
		t.Errorf("got %+v", f)
	}
}

func TestARegressionIsToldThoughAnotherFigureFailed(t *testing.T) {
	first, again := newMachine(1, 0.01).measure(defaultRounds, 1.2, 1), newMachine(2, 0.01).measure(againFactor*defaultRounds, 1.2, 1)
	first.Scenarios[1].Measured[0].Error = "it ended"
	if v := Judge(first, again, testWanted(), testLimits).Verdict(); v != Regression {
		t.Errorf("got %v", v)
	}
}

func TestFiguresWithoutALimitAreNotJudged(t *testing.T) {
	run := newMachine(1, 0.01).measure(defaultRounds, 1, 3)
	if j := Judge(run, nil, testWanted(), Limits{CPU: 0.05, Alpha: 0.05}); j.Verdict() != Good || len(j.Figures) != len(testScenarios) {
		t.Errorf("got %v for %d figures", j.Verdict(), len(j.Figures))
	}
}
