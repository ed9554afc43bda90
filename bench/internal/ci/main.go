//go:build linux

// Package ci compares two builds of Seawall for a machine to decide: it builds both revisions, has them take turns on
// this machine with the floor server as a control, and says whether the newer one is slower.
//
// Its exit status is never 0 for want of data: 0 no regression, 1 a regression, 2 it could not be measured.
package ci

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/result"
)

// Exit statuses of Main.
const (
	exitGood       = 0
	exitRegression = 1
	exitUnmeasured = 2
)

// Defaults are chosen so that the run takes about ten minutes on two cores. Turns are short, so that whatever disturbs the
// machine is there for both of a pair: in the same minute, 48 turns of 150 ms gave half the interval of 16 of 500 ms.
const (
	defaultOnly   = "cached-1k,cached-100k,proxied-1k,proxied-100k,new-connection"
	defaultRounds = 48
	defaultWindow = 150 * time.Millisecond
	defaultAlpha  = 0.05
	againFactor   = 2    // as many times the rounds has a second measurement
	crowd         = 9000 // connections, for scenarios that have thousands
)

const usage = `usage: bench ci --base REV [flags]

Builds two revisions, measures them in turn and says whether the newer one is slower.
Exit status: 0 no regression, 1 a regression, 2 it could not be measured.
`

// request is the command line.
type request struct {
	base, head string // revisions; an empty head is the working tree
	only       string
	limits     Limits
	rounds     int
	window     time.Duration
	out        string // directory for the results; "": none are written
	markdown   string // file for the summary; "": standard output only
	tagsHead   string // build tags of the head: the self-test plants a slowdown with them
	command    []string
}

// Main is the subcommand. The summary goes to out, progress and complaints to errOut.
func Main(ctx context.Context, args []string, out, errOut io.Writer) int {
	r, err := parseArgs(args, errOut)
	if errors.Is(err, flag.ErrHelp) {
		return exitGood
	}
	if err != nil {
		fmt.Fprintln(errOut, "bench ci:", err)
		return exitUnmeasured
	}
	report, err := r.run(ctx, errOut)
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	if err != nil {
		fmt.Fprintln(errOut, "bench ci: could not measure:", err)
		report = failure(r, err)
	}
	if err := r.publish(report, out); err != nil {
		fmt.Fprintln(errOut, "bench ci:", err)
		return exitUnmeasured
	}
	return report.status()
}

func parseArgs(args []string, errOut io.Writer) (*request, error) {
	r := &request{limits: Limits{CPU: 0.05, P99: 0.15}, command: append([]string{"bench", "ci"}, args...)}
	flags := flag.NewFlagSet("bench ci", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() { fmt.Fprint(errOut, usage, "\n"); flags.PrintDefaults() }
	flags.StringVar(&r.base, "base", "", "`revision` to compare with")
	flags.StringVar(&r.head, "head", "", "`revision` that may be slower; empty: the working tree")
	flags.StringVar(&r.only, "only", defaultOnly, "`scenarios`, separated by commas")
	flags.Var((*percent)(&r.limits.CPU), "fail-cpu", "how much more server CPU per request is allowed; 0: not judged")
	flags.Var((*percent)(&r.limits.P99), "fail-p99", "how much longer the 99th percentile at a constant rate may be; 0: not judged")
	flags.Float64Var(&r.limits.Alpha, "alpha", defaultAlpha, "`probability` of a false alarm in a measurement of equal builds; a second one must confirm it")
	flags.IntVar(&r.rounds, "rounds", defaultRounds, "turns of each build in each scenario")
	flags.DurationVar(&r.window, "duration", defaultWindow, "of one turn under load")
	flags.StringVar(&r.out, "out", "", "`directory` for base.json and head.json (and -again, when something was measured twice)")
	flags.StringVar(&r.markdown, "markdown", "", "`file` for the summary, which also goes to standard output")
	flags.StringVar(&r.tagsHead, "tags-head", "", "build `tags` of the head, for the self-test")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected %q", flags.Arg(0))
	case r.base == "":
		return nil, errors.New("--base REV is missing: what is the build to be compared with?")
	case r.limits.CPU == 0 && r.limits.P99 == 0:
		return nil, errors.New("with -fail-cpu 0 and -fail-p99 0 there is nothing to judge")
	case r.limits.Alpha <= 0 || r.limits.Alpha >= 1:
		return nil, errors.New("-alpha is between 0 and 1")
	case r.window < 100*time.Millisecond:
		return nil, errors.New("-duration: less than 100ms measures nothing")
	}
	return r, nil
}

// percent is a flag such as 5%, kept as 0.05.
type percent float64

func (p *percent) String() string { return strconv.FormatFloat(100*float64(*p), 'g', -1, 64) + "%" }

func (p *percent) Set(text string) error {
	number, found := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || v < 0 || !found && v != 0 {
		return errors.New("not a percentage such as 5%")
	}
	*p = percent(v / 100)
	return nil
}

// run builds, measures and judges.
func (r *request) run(ctx context.Context, errOut io.Writer) (*report, error) {
	plan, wanted, err := r.plan()
	if err != nil {
		return nil, err
	}
	// What changes the machine comes first; the lab then pins this program to the load's cores.
	needed := []lab.Package{{Program: "cc", Debian: "gcc libc6-dev"}, {Program: "wrk", Debian: "wrk"}}
	if err := lab.Install(ctx, needed, errOut); err != nil {
		return nil, err
	}
	pair, err := buildBoth(ctx, r, errOut)
	if err != nil {
		return nil, err
	}
	defer pair.remove(errOut)

	l, err := lab.Open(ctx, lab.Options{Progress: errOut})
	if err != nil {
		return nil, err
	}
	defer l.Close()

	report := &report{request: r, base: pair.base.commit, head: pair.head.commit}
	if report.first, err = measure(ctx, l, plan, pair, errOut); err != nil {
		return nil, err
	}
	report.judgement = Judge(report.first, nil, wanted, r.limits)
	if again := report.judgement.Again(); len(again) > 0 && ctx.Err() == nil {
		fmt.Fprintf(errOut, "bench ci: measuring again, for longer: %s\n", strings.Join(again, ", "))
		if report.again, err = measure(ctx, l, plan.again(again), pair, errOut); err != nil {
			return nil, err
		}
		report.judgement = Judge(report.first, report.again, wanted, r.limits)
	}
	return report, nil
}

// publish prints the summary and writes the files.
func (r *request) publish(report *report, out io.Writer) error {
	var text strings.Builder
	report.print(&text)
	if _, err := io.WriteString(out, text.String()); err != nil {
		return err
	}
	if r.out != "" { // first of all: the summary may be meant to lie there, too
		if err := os.MkdirAll(r.out, 0o755); err != nil {
			return err
		}
	}
	if r.markdown != "" {
		if err := os.WriteFile(r.markdown, []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	if r.out == "" || report.first == nil {
		return nil
	}
	for _, part := range []struct {
		run    *result.Run
		suffix string
	}{{report.first, ""}, {report.again, "-again"}} {
		if part.run == nil {
			continue
		}
		for name, commit := range map[string]string{baseName: report.base, headName: report.head} {
			if err := side(part.run, name, commit).Write(filepath.Join(r.out, name+part.suffix+".json")); err != nil {
				return err
			}
		}
	}
	return nil
}
