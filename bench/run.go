//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/matrix"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/publish"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// The two modes, unless flags say otherwise.
const (
	fullRounds, fullWindow   = 7, 900 * time.Millisecond // fewer rounds give no 95 % interval of a change (bench compare)
	quickRounds, quickWindow = 3, 500 * time.Millisecond
)

// runFlags are the command line's.
type runFlags struct {
	quick, list, publish, noPublish, keep, install, check bool
	only, servers, cores, seawall, out                    string
	rounds, serverCores, connections                      int
	window                                                time.Duration
}

func (f *runFlags) parse(args []string) (status int, ok bool) {
	set := flags("run", "[flags]", "Measures, writes the run to a file and, when it is a full one, BENCHMARKS.md from it.")
	set.BoolVar(&f.quick, "quick", false, "a quick look, within five minutes: fewer scenarios, shorter and fewer rounds")
	set.BoolVar(&f.list, "list", false, "list the scenarios and the servers and exit")
	set.StringVar(&f.only, "only", "", "only these scenarios: names, their beginnings, or groups, separated by commas")
	set.StringVar(&f.servers, "servers", "", "only these servers, separated by commas; the floors stay")
	set.IntVar(&f.rounds, "rounds", 0, fmt.Sprintf("measurements of each figure (default %d, quick %d)", fullRounds, quickRounds))
	set.DurationVar(&f.window, "duration", 0, fmt.Sprintf("length of one measurement under load (default %v, quick %v)", fullWindow, quickWindow))
	set.IntVar(&f.connections, "connections", 9000, "connections of the crowd")
	set.IntVar(&f.serverCores, "server-cores", 1, "cores of the servers; the load has the others")
	set.StringVar(&f.cores, "cores", "", "SERVER:LOAD, the cores to use, such as 0:1-3")
	set.StringVar(&f.seawall, "seawall", "", "measure this binary; else the tree's Seawall is built")
	set.StringVar(&f.out, "out", "bench/results", "directory of the run's file")
	set.BoolVar(&f.publish, "publish", false, "write BENCHMARKS.md even from a quick run or one of a part")
	set.BoolVar(&f.noPublish, "no-publish", false, "do not write BENCHMARKS.md")
	set.BoolVar(&f.install, "install", true, "install missing servers and tools where apt can")
	set.BoolVar(&f.keep, "keep", false, "keep the temporary directory with the servers' files and logs")
	set.BoolVar(&f.check, "check", false, "exit with status 1 when a target is missed")
	if status, ok := parse(set, args, 0); !ok {
		return status, false
	}
	if f.rounds == 0 {
		f.rounds = fullRounds
		if f.quick {
			f.rounds = quickRounds
		}
	}
	if f.window == 0 {
		f.window = fullWindow
		if f.quick {
			f.window = quickWindow
		}
	}
	if f.rounds < 1 || f.connections < 1 || f.serverCores < 1 || f.window < 100*time.Millisecond {
		return complain(errors.New("-rounds, -connections and -server-cores are at least 1, -duration at least 100ms")), false
	}
	return good, true
}

// mode names the run, for its file.
func (f *runFlags) mode() string {
	if f.quick {
		return "quick"
	}
	return "full"
}

// publishes tells whether BENCHMARKS.md is written: a part of the matrix would wipe out the rest.
func (f *runFlags) publishes() bool {
	return f.publish || !f.noPublish && !f.quick && f.only == "" && f.servers == ""
}

func runCommand(ctx context.Context, args []string) int {
	var f runFlags
	if status, ok := f.parse(args); !ok {
		return status
	}
	if f.list {
		list()
		return good
	}
	if f.seawall != "" { // relative to where the user is
		path, err := filepath.Abs(f.seawall)
		if err != nil {
			return complain(err)
		}
		f.seawall = path
	}
	if err := goToTree(); err != nil {
		return complain(err)
	}
	p, err := plan(&f)
	if err != nil {
		return complain(err)
	}
	p.Command = append([]string{"bench", "run"}, args...)
	status, err := f.measure(ctx, p)
	if err != nil {
		return complain(err)
	}
	return status
}

// plan chooses scenarios and servers.
func plan(f *runFlags) (matrix.Plan, error) {
	p := matrix.Plan{Mode: f.mode(), Options: scenario.Options{Window: f.window, Rounds: f.rounds, Connections: f.connections, Quick: f.quick}}
	var err error
	if p.Scenarios, err = scenario.Select(f.only); err != nil {
		return p, err
	}
	if f.quick && f.only == "" {
		p.Scenarios = slices.DeleteFunc(p.Scenarios, func(s scenario.Scenario) bool { return !s.Quick })
	}
	wanted := words(f.servers)
	for _, name := range wanted {
		if _, known := peer.ByName(name); !known {
			return p, fmt.Errorf("no server is called %q; `bench list` lists them", name)
		}
	}
	for _, k := range peer.All() {
		if len(wanted) == 0 || k.Floor || slices.Contains(wanted, k.Name) {
			p.Kinds = append(p.Kinds, k)
		}
	}
	return p, nil
}

// measure prepares the machine, runs the plan and writes down what came of it.
func (f *runFlags) measure(ctx context.Context, p matrix.Plan) (status int, err error) {
	if f.install {
		if err := lab.Install(ctx, packages(p), os.Stderr); err != nil {
			return 0, err
		}
	}
	built, err := os.MkdirTemp("", "seawall-bench-build-") // before the bench is pinned to the load's cores
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(built)
	if err := f.provideSeawall(ctx, &p, built); err != nil {
		return 0, err
	}
	l, err := lab.Open(ctx, lab.Options{ServerCores: f.serverCores, Cores: f.cores, Keep: f.keep, Progress: os.Stderr})
	if err != nil {
		return 0, err
	}
	defer l.Close()
	run, err := matrix.Run(ctx, l, p, matrix.NewProgress(os.Stderr))
	if err != nil {
		return 0, err
	}
	l.Close() // nothing runs on while tables and plots are made
	return f.finish(ctx, run)
}

// provideSeawall puts the binary into the plan that is to be measured.
func (f *runFlags) provideSeawall(ctx context.Context, p *matrix.Plan, dir string) error {
	i := slices.IndexFunc(p.Kinds, func(k peer.Kind) bool { return k.Name == scenario.Ours })
	if i < 0 {
		return nil
	}
	binary := f.seawall
	if binary == "" {
		binary = filepath.Join(dir, "seawall")
		fmt.Fprintln(os.Stderr, "bench: building Seawall")
		if err := buildSeawall(ctx, binary); err != nil {
			return err
		}
		p.Commit = commit(ctx)
	} else if _, err := os.Stat(binary); err != nil {
		return err
	}
	p.Kinds[i] = peer.Seawall(scenario.Ours, binary)
	return nil
}

// packages are those of the plan's servers and of the tools that measure them. Without a server, the others can be compared.
func packages(p matrix.Plan) []lab.Package {
	list := []lab.Package{
		{Program: "cc", Debian: "gcc libc6-dev"}, {Program: "wrk", Debian: "wrk"},
		{Program: "h2load", Debian: "nghttp2-client", Optional: true}, {Program: "strace", Debian: "strace", Optional: true},
	}
	for _, k := range p.Kinds {
		if k.Package != "" {
			list = append(list, lab.Package{Program: k.Program, Debian: k.Package, Optional: true})
		}
	}
	return list
}

// finish writes the run's file, prints the tables and publishes.
func (f *runFlags) finish(ctx context.Context, run *result.Run) (status int, err error) {
	path := filepath.Join(f.out, result.FileName(run))
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return 0, err
	}
	if err := run.Write(path); err != nil {
		return 0, err
	}
	if err := publish.Text(run, os.Stdout); err != nil {
		return 0, err
	}
	fmt.Printf("\nwritten: %s\n", path)
	if ctx.Err() != nil {
		return interrupted, nil
	}
	if f.publishes() {
		if err := publish.Write(run, "BENCHMARKS.md", "bench/plots"); err != nil {
			return 0, err
		}
		fmt.Println("written: BENCHMARKS.md and bench/plots")
	}
	return f.judge(run), nil
}

// judge tells whether everything could be measured and, when asked for, every target was met.
func (f *runFlags) judge(run *result.Run) int {
	var bad []string
	for _, s := range run.Scenarios {
		for _, m := range s.Measured {
			if m.Error != "" {
				bad = append(bad, m.Server+" failed in "+s.Name)
			}
		}
		for _, v := range s.Targets {
			if f.check && !v.Met {
				bad = append(bad, s.Name+" missed a target: "+v.Text)
			}
		}
	}
	if bad == nil {
		return good
	}
	fmt.Fprintf(os.Stderr, "bench: %s\n", strings.Join(bad, "\nbench: "))
	return failed
}
