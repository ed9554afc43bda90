//go:build linux

// Package scenario is the table of what is compared (scenarios.go) and the methods by which it is measured, one file
// each. A method is a list of phases; package matrix has the servers take turns in each of them and knows nothing of what
// they measure.
package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/load"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
)

// Scenario is one comparison: one entry of the table, one table of BENCHMARKS.md.
type Scenario struct {
	Name    string // a word for the command line
	Group   string // "cached", "proxied", "static", "connections", "life"
	About   string // what is done
	Why     string // what it tells
	Needs   peer.Ability
	Floor   string   // name of the kind that is the least for this work; "" when there is none
	Metrics []string // keys of result.Metrics, the first is what the scenario is about
	Targets []Target
	Quick   bool // part of the quick mode
	Method  Method
	Pages   []load.Page // what Check compares before anything is measured
	Cached  bool        // the second request for a page is answered without the origin; else it must reach it
}

// Method measures a scenario.
type Method interface {
	Phases() []Phase
}

// Phase is measured on each server in turn, round by round, before the next one begins.
type Phase struct {
	Name     string                      // for the progress bar
	Fresh    bool                        // each turn gets a server of its own, just started; else one serves all turns of the scenario
	Rounds   int                         // 0: as many as asked for
	Together bool                        // the servers' turns run at the same time
	Takes    func(Options) time.Duration // of one turn
	Before   func(*Turn) error           // once for each server, before the phase's first round; nil: nothing. Round is thrown away
	Measure  func(*Turn) error
}

// Turn is one server's measurement in one round. A phase that finds a value stores it in Round; rounds of several phases
// are merged by their number.
type Turn struct {
	Context  context.Context
	Lab      *lab.Lab
	Options  Options
	Scenario *Scenario
	Server   *peer.Running    // nil in scenarios whose method brings its own (Subjects)
	Subject  string           // the name that the figures go by: the server's, or the subject's
	Origin   *peer.Origin     // as Server
	SoFar    *result.Scenario // of the phases before, to be read only; Facts may be set by a phase's first turn
	Round    *result.Round
	Say      func(format string, args ...any) // a line of progress
	Warn     func(format string, args ...any) // goes into the result
}

// Subjects is what a method has besides when it measures no servers but parts of them: the names of what it compares.
type Subjects interface {
	Subjects() []string
}

// Options are what the command line says about all scenarios.
type Options struct {
	Window      time.Duration // of one measurement under load
	Rounds      int
	Connections int // of the crowd
	Quick       bool
}

// Target is a bound on Seawall's median, or on its ratio to another server's of the same run.
type Target struct {
	Metric  string
	Against string // a server's or a subject's name; "": the figure itself is bounded
	Max     float64
}

// Select picks scenarios by a list of names separated by commas, in the order of the table. A name that none has takes
// all that begin with it and all of the group that it names. An empty list takes all.
func Select(list string) ([]Scenario, error) {
	all := All()
	if list == "" {
		return all, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		exact := slices.ContainsFunc(all, func(s Scenario) bool { return s.Name == name })
		found := false
		for _, s := range all {
			if s.Name == name || !exact && name != "" && (s.Group == name || strings.HasPrefix(s.Name, name)) {
				wanted[s.Name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no scenario is called %q, begins so or is of such a group; `bench list` lists them", name)
		}
	}
	return slices.DeleteFunc(all, func(s Scenario) bool { return !wanted[s.Name] }), nil
}
