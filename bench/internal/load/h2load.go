//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"seawall/bench/internal/lab"
)

// H2load asks with several requests under way on each HTTP/1.1 connection (Job.Pipeline), for a window or so many requests.
// It reports the largest latency and no percentile. Each body's length is checked by their sum, as h2load looks at the
// status only. A warm-up is a run of its own. When not every answer was right the totals come with an error that is a
// *WrongAnswers.
func H2load(ctx context.Context, l *lab.Lab, j Job) (Totals, error) {
	if err := checkH2loadJob(j); err != nil {
		return Totals{}, err
	}
	if j.Warm > 0 {
		warm := j
		warm.Window, warm.Requests = j.Warm, 0
		if t, err := runH2load(ctx, l, warm); err != nil {
			return t, fmt.Errorf("warm-up: %w", err)
		}
	}
	if j.Begin != nil {
		if err := j.Begin(); err != nil {
			return Totals{}, err
		}
	}
	return runH2load(ctx, l, j)
}

func checkH2loadJob(j Job) error {
	if err := j.check(); err != nil {
		return err
	}
	if j.Rate > 0 || j.NewConnections || j.Reopen || j.SlowReaders > 0 || len(j.Steps) > 0 || j.Hold {
		return errors.New("h2load: it is used for pipelined requests on kept-alive connections only")
	}
	for _, p := range j.Pages {
		if p.Post > 0 || p.Unique || p.status() != 200 || p.Size != j.Pages[0].Size || p.Body != j.Pages[0].Body {
			return errors.New("h2load: it is used for plain pages of one size with status 200 only")
		}
	}
	if (j.Window > 0) == (j.Requests > 0) || j.Connections <= 0 {
		return errors.New("h2load: either a window or a number of requests is needed, and connections")
	}
	return nil
}

func runH2load(ctx context.Context, l *lab.Lab, j Job) (Totals, error) {
	const slack = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, max(j.Window, j.Limit)+slack)
	defer cancel()
	out, err := l.Run(ctx, lab.Spawn{Cores: l.LoadCores, Argv: h2loadArguments(j, len(l.LoadCores))})
	if err != nil {
		return Totals{}, fmt.Errorf("h2load: %w\n%s", err, out)
	}
	r, err := parseH2load(out)
	if err != nil {
		return Totals{}, err
	}
	return r.judge(j)
}

func h2loadArguments(j Job, loadCores int) []string {
	argv := []string{"h2load", "--h1", "-t", strconv.Itoa(wrkThreads(loadCores, j.Connections)),
		"-c", strconv.Itoa(j.Connections), "-m", strconv.Itoa(max(1, j.Pipeline)), "-H", ":authority: example.com"} // "Host: ..." would be a second one
	if j.Requests > 0 {
		argv = append(argv, "-n", strconv.Itoa(j.Requests))
	} else {
		argv = append(argv, "-D", strconv.FormatInt(j.Window.Milliseconds(), 10)+"ms")
	}
	for _, p := range sequence(j.Pages) {
		argv = append(argv, "http://"+j.Target.String()+p.Path)
	}
	return argv
}
