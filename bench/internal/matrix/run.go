//go:build linux

package matrix

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// Run runs a plan. What goes wrong with a server is part of the result, and the others go on; the error is for when nothing
// could be done. When ctx ends, what was measured until then is the result.
func Run(ctx context.Context, l *lab.Lab, p Plan, out Progress) (*result.Run, error) {
	if len(p.Scenarios) == 0 {
		return nil, errors.New("no scenario was chosen")
	}
	if out == nil {
		out = Silent()
	}
	r := &runner{ctx: ctx, lab: l, plan: p, out: out, run: &result.Run{
		Format: result.Format, Started: time.Now().UTC(), Commit: p.Commit, Command: p.Command, Mode: p.Mode,
		Rounds: p.Options.Rounds, WindowMS: p.Options.Window.Milliseconds(), Machine: lab.DescribeMachine(l),
		Warnings: slices.Clone(l.Warnings),
	}}
	r.files = filepath.Join(l.Dir, "static")
	if err := peer.WriteFiles(r.files); err != nil {
		return nil, err
	}
	out.Begin(p.Takes())
	defer out.End()
	for i := range p.Scenarios {
		if ctx.Err() != nil {
			break
		}
		s := &p.Scenarios[i]
		r.left = p.scenarioTakes(s)
		r.run.Scenarios = append(r.run.Scenarios, r.scenario(s))
		r.spent(r.left) // of those that failed
	}
	if ctx.Err() != nil {
		r.warn("the run was ended early: %v", context.Cause(ctx))
	}
	r.warnIfNoisy()
	r.sortServers()
	r.run.Ended = time.Now().UTC()
	return r.run, nil
}

// runner is a run under way.
type runner struct {
	ctx   context.Context
	lab   *lab.Lab
	plan  Plan
	out   Progress
	run   *result.Run
	files string // directory of the static files

	mu   sync.Mutex    // holds for what turns at the same time share: run.Warnings, run.Servers and left
	left time.Duration // expected time of the scenario that is not over yet
}

func (r *runner) spent(d time.Duration) {
	r.mu.Lock()
	d = min(d, r.left)
	r.left -= d
	r.mu.Unlock()
	r.out.Done(d)
}

func (r *runner) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	r.run.Warnings = append(r.run.Warnings, text)
	r.mu.Unlock()
	r.out.Note("warning: " + text)
}

// describe notes what a server is when it is first seen.
func (r *runner) describe(server *peer.Running) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run.ServerNamed(server.Name) == nil {
		r.run.Servers = append(r.run.Servers, server.Describe())
	}
}

// sortServers brings them into the order of the tables.
func (r *runner) sortServers() {
	place := func(s result.Server) int {
		return slices.IndexFunc(r.plan.Kinds, func(k peer.Kind) bool { return k.Name == s.Name })
	}
	slices.SortFunc(r.run.Servers, func(a, b result.Server) int { return place(a) - place(b) })
}

// entrant is one server, or one subject, in a scenario.
type entrant struct {
	name   string
	kind   peer.Kind
	server *peer.Running // the one that stays for the scenario; nil when none does
	out    *result.Measured
}

func (e *entrant) fit() bool { return e.out.Error == "" && e.out.Cannot == "" }

// contest is a scenario under way.
type contest struct {
	*runner
	scenario *scenario.Scenario
	result   *result.Scenario
	entrants []*entrant
	origin   *peer.Origin
}

func (r *runner) scenario(s *scenario.Scenario) result.Scenario {
	began := time.Now()
	res := result.Scenario{Name: s.Name, Group: s.Group, About: s.About, Why: s.Why, Metrics: s.Metrics}
	c := &contest{runner: r, scenario: s, result: &res}
	c.enter()
	if err := c.measure(); err != nil && r.ctx.Err() == nil {
		for _, e := range c.entrants {
			if e.fit() {
				c.fail(e, err)
			}
		}
	}
	for i := range res.Measured {
		m := &res.Measured[i]
		m.Rounds = slices.DeleteFunc(m.Rounds, func(round result.Round) bool { return len(round.Values) == 0 })
		if m.Error != "" {
			m.Rounds = nil // half of the story would be taken for the whole
		}
	}
	judge(&res, s.Targets, r.plan.ours())
	res.Seconds = time.Since(began).Seconds()
	for _, line := range summary(&res) {
		r.out.Note(line)
	}
	return res
}

// enter lists who takes part, in the order of the tables.
func (c *contest) enter() {
	if parts, ok := c.scenario.Method.(scenario.Subjects); ok {
		for _, name := range parts.Subjects() {
			c.entrants = append(c.entrants, &entrant{name: name})
			c.result.Measured = append(c.result.Measured, result.Measured{Server: name})
		}
	} else {
		for _, k := range c.plan.Kinds {
			if !takesPart(c.scenario, k) {
				continue
			}
			c.entrants = append(c.entrants, &entrant{name: k.Name, kind: k})
			c.result.Measured = append(c.result.Measured, result.Measured{Server: k.Name, Cannot: cannot(c.scenario, k)})
		}
	}
	for i, e := range c.entrants {
		e.out = &c.result.Measured[i]
	}
}

// measure fails when no server is to blame.
func (c *contest) measure() error {
	if _, ok := c.scenario.Method.(scenario.Subjects); !ok {
		origin, err := peer.StartOrigin(c.lab)
		if err != nil {
			return fmt.Errorf("starting the origin: %w", err)
		}
		defer origin.Stop()
		c.origin = origin
		if needsShared(c.scenario) {
			defer c.stopAll()
			c.startAll()
		}
	}
	for _, ph := range c.scenario.Method.Phases() {
		c.phase(ph)
		if err := c.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *contest) startAll() {
	for _, e := range c.entrants {
		if !e.fit() || c.ctx.Err() != nil {
			continue
		}
		c.out.Doing(c.scenario.Name + ": starting " + e.name)
		var err error
		if e.server, err = c.start(e); err != nil {
			c.fail(e, err)
		}
		c.spent(startTakes + stopTakes)
	}
}

// start starts a server and checks that it does the scenario's work.
func (c *contest) start(e *entrant) (*peer.Running, error) {
	server, err := peer.Start(c.lab, e.kind, c.origin.Address, c.files)
	if err != nil {
		return nil, err
	}
	c.describe(server)
	t := c.turn(e, server, &result.Round{Values: map[string]float64{}})
	if err := scenario.Check(t); err != nil {
		err = explain(fmt.Errorf("its answers are not right: %w", err), server)
		server.Stop()
		return nil, err
	}
	return server, nil
}

func (c *contest) stopAll() {
	for _, e := range c.entrants {
		if e.server != nil {
			e.server.Stop()
			e.server = nil
		}
	}
}

// phase has all entrants that are still fit measured.
func (c *contest) phase(ph scenario.Phase) {
	if ph.Before != nil {
		for _, e := range c.entrants {
			if e.fit() && c.ctx.Err() == nil {
				c.take(e, "warming up", 0, ph.Before, &result.Round{Values: map[string]float64{}}, ph.Fresh)
				c.spent(c.plan.beforeTakes(ph))
			}
		}
	}
	rounds := c.plan.rounds(ph)
	most := rounds
	if ph.Rounds == 0 {
		most += c.plan.Spare
	}
	for round := 0; round < rounds; round++ {
		if ph.Together {
			c.together(ph, round)
			c.spent(c.plan.turnTakes(ph))
			continue
		}
		for _, e := range c.order(round) {
			if e.fit() && c.ctx.Err() == nil {
				c.take(e, ph.Name, round, ph.Measure, e.round(round), ph.Fresh)
				c.spent(c.plan.turnTakes(ph))
			}
		}
		if rounds < most && c.disturbed(round) {
			rounds++
		}
	}
}

// disturbed tells whether others used the cores of any server in a round.
func (c *contest) disturbed(round int) bool {
	return slices.ContainsFunc(c.entrants, func(e *entrant) bool { return e.fit() && e.round(round).Disturbed() })
}

func (c *contest) together(ph scenario.Phase, round int) {
	var all sync.WaitGroup
	for _, e := range c.entrants {
		if e.fit() {
			into := e.round(round)
			all.Go(func() { c.take(e, ph.Name, round, ph.Measure, into, ph.Fresh) })
		}
	}
	all.Wait()
}

// order is that of the turns in a round.
func (c *contest) order(round int) []*entrant {
	if c.plan.Order == nil || c.origin == nil {
		return rotate(round, c.entrants)
	}
	var kinds []peer.Kind
	for _, e := range c.entrants {
		kinds = append(kinds, e.kind)
	}
	var ordered []*entrant
	for _, k := range c.plan.Order(round, kinds) {
		for _, e := range c.entrants {
			if e.name == k.Name {
				ordered = append(ordered, e)
			}
		}
	}
	return ordered
}

// round is where the values of a round go; phases share rounds.
func (e *entrant) round(n int) *result.Round {
	for len(e.out.Rounds) <= n {
		e.out.Rounds = append(e.out.Rounds, result.Round{Values: map[string]float64{}})
	}
	return &e.out.Rounds[n]
}

// take is one turn of one entrant.
func (c *contest) take(e *entrant, what string, round int, measure func(*scenario.Turn) error, into *result.Round, fresh bool) {
	c.out.Doing(fmt.Sprintf("%s: %s: %s, round %d", c.scenario.Name, what, e.name, round+1))
	server := e.server
	if fresh {
		var err error
		if server, err = c.start(e); err != nil {
			c.fail(e, err)
			return
		}
		defer server.Stop()
	}
	if err := measure(c.turn(e, server, into)); err != nil {
		c.fail(e, explain(fmt.Errorf("%s, round %d: %w", what, round+1, err), server))
	}
}

func (c *contest) turn(e *entrant, server *peer.Running, into *result.Round) *scenario.Turn {
	return &scenario.Turn{
		Context: c.ctx, Lab: c.lab, Options: c.plan.Options, Scenario: c.scenario, Server: server, Subject: e.name, Origin: c.origin,
		SoFar: c.result, Round: into,
		Say:  func(format string, args ...any) { c.out.Say(fmt.Sprintf(format, args...)) },
		Warn: c.warn,
	}
}

// fail takes an entrant out of the scenario. What an interrupt broke is nobody's failure.
func (c *contest) fail(e *entrant, err error) {
	if c.ctx.Err() != nil {
		return
	}
	if c.origin != nil {
		select {
		case <-c.origin.Process.Done():
			err = fmt.Errorf("%w\nthe origin has ended: %v", err, c.origin.Process.Wait())
		default:
		}
	}
	c.out.Note(fmt.Sprintf("%s: %s failed: %v", c.scenario.Name, e.name, err))
	e.out.Error = err.Error()
	if e.server != nil {
		e.server.Stop()
		e.server = nil
	}
}

// explain adds what the server logged to what the client saw.
func explain(err error, server *peer.Running) error {
	if server == nil {
		return err
	}
	if tail := strings.TrimRight(server.LogTail(), " \n"); tail != "" {
		return fmt.Errorf("%w\n%s", err, tail)
	}
	return err
}

// warnIfNoisy says how disturbed the measurements were.
func (r *runner) warnIfNoisy() {
	all, noisy := 0, 0
	foreign, steal := 0.0, 0.0
	for _, s := range r.run.Scenarios {
		for _, m := range s.Measured {
			for _, round := range m.Rounds {
				all++
				if round.Disturbed() {
					noisy++
				}
				foreign, steal = max(foreign, round.Foreign), max(steal, round.Steal)
			}
		}
	}
	if noisy > 0 {
		r.warn("%d of %d rounds were noisy: others had up to %.0f %% of the servers' cores, the hypervisor up to %.0f %%",
			noisy, all, 100*foreign, 100*steal)
	}
}
