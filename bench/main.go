//go:build linux

// Command bench measures Seawall beside nginx, HAProxy, Varnish, H2O, Caddy and, as the least that is possible, bare event
// loops in C, on one machine and in one run. `bench help` says what it can do, BENCHMARKS.md what came of it and how to read
// that.
//
// It starts every server itself, on free loopback ports below a temporary directory, and ends them when it ends. Linux only:
// it reads /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"seawall/bench/internal/ci"
	"seawall/bench/internal/compare"
	"seawall/bench/internal/userconf"
)

// Exit statuses.
const (
	good        = 0
	failed      = 1   // a server failed, answered wrongly, or (with -check) missed a target
	unusable    = 2   // usage, or something is missing on this machine
	interrupted = 130 // as a shell has it
)

type command struct {
	name, usage, about string
	run                func(ctx context.Context, args []string) int
}

func commands() []command {
	return []command{
		{"run", "[flags]", "measure, write bench/results/DATE-COMMIT.json and, from it, BENCHMARKS.md", runCommand},
		{"list", "", "list the scenarios and the servers", listCommand},
		{"report", "FILE", "write BENCHMARKS.md and its plots from a run's file again", reportCommand},
		{"compare", "OLD NEW", "compare two runs: change, interval, significance", external(compareMain)},
		{"ci", "--base REV", "measure two revisions against each other and judge", external(ci.Main)},
		{"conf", "FILE", "run a configuration of yours on nginx and on Seawall, and compare", external(userconf.Main)},
	}
}

func compareMain(_ context.Context, args []string, out, errOut io.Writer) int {
	return compare.Main(args, out, errOut)
}

func external(run func(context.Context, []string, io.Writer, io.Writer) int) func(context.Context, []string) int {
	return func(ctx context.Context, args []string) int { return run(ctx, args, os.Stdout, os.Stderr) }
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the bench at once; what it started ends with it all the same
	status := dispatch(ctx, os.Args[1:])
	if ctx.Err() != nil && status != good {
		status = interrupted
	}
	os.Exit(status)
}

func dispatch(ctx context.Context, args []string) int {
	if len(args) == 0 {
		help(os.Stderr)
		return unusable
	}
	name := args[0]
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		help(os.Stdout)
		return good
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args[1:])
		}
	}
	fmt.Fprintf(os.Stderr, "bench: there is no %q\n\n", name)
	help(os.Stderr)
	return unusable
}

func help(w io.Writer) {
	fmt.Fprint(w, "usage: go run ./bench COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-20s %s\n", strings.TrimSpace(c.name+" "+c.usage), c.about)
	}
	fmt.Fprint(w, "\n`go run ./bench COMMAND -h` has the flags.\n")
}

// flags is an empty set of flags whose usage names the command.
func flags(name, arguments, about string) *flag.FlagSet {
	set := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	set.Usage = func() {
		fmt.Fprintf(set.Output(), "usage: bench %s\n\n%s\n\n", strings.TrimSpace(name+" "+arguments), about)
		set.PrintDefaults()
	}
	return set
}

// parse parses the flags and takes so many arguments. The status counts when ok is false.
func parse(set *flag.FlagSet, args []string, arguments int) (status int, ok bool) {
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return good, false
	case err != nil:
		return unusable, false // it has been said
	case set.NArg() != arguments:
		fmt.Fprintf(os.Stderr, "bench: %d arguments are needed, %d are given\n\n", arguments, set.NArg())
		set.Usage()
		return unusable, false
	}
	return good, true
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "bench:", err)
	return unusable
}
