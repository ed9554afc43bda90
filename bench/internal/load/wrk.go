//go:build linux

package load

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"seawall/bench/internal/lab"
)

//go:embed wrk.lua
var wrkDone string

//go:embed wrk_pages.lua
var wrkPages string

// wrkSlack is how long wrk may take beyond its window: it waits for nothing that it began.
const wrkSlack = 20 * time.Second

// Wrk finds the highest rate: each connection asks again when it has its answer. wrk itself looks at no more than whether
// a status is below 400, so it is checked besides that there are as many such ones as the pages have, and that the bytes
// received are those of so many answers of answerBytes (on the wire, see Probe; with several pages the weighted mean; 0:
// not checked). When not every answer was right the totals come with an error that is a *WrongAnswers.
//
// A warm-up is a run of its own, which must be right too.
func Wrk(ctx context.Context, l *lab.Lab, j Job, answerBytes int) (Totals, error) {
	if err := checkWrkJob(j); err != nil {
		return Totals{}, err
	}
	if j.Warm > 0 {
		if t, err := runWrk(ctx, l, j, j.Warm, answerBytes); err != nil {
			return t, fmt.Errorf("warm-up: %w", err)
		}
	}
	if j.Begin != nil {
		if err := j.Begin(); err != nil {
			return Totals{}, err
		}
	}
	return runWrk(ctx, l, j, j.Window, answerBytes)
}

func checkWrkJob(j Job) error {
	if err := j.check(); err != nil {
		return err
	}
	if j.Rate > 0 || j.Pipeline > 1 || j.Reopen || j.SlowReaders > 0 || len(j.Steps) > 0 || j.Requests > 0 || j.Hold {
		return errors.New("wrk: it has closed loops and a window only; the rest is our own generator's and h2load's")
	}
	if j.Window <= 0 || j.Connections <= 0 {
		return errors.New("wrk: a window and connections are needed")
	}
	return nil
}

func runWrk(ctx context.Context, l *lab.Lab, j Job, d time.Duration, answerBytes int) (Totals, error) {
	script, err := os.CreateTemp(l.Dir, "wrk-*.lua")
	if err != nil {
		return Totals{}, err
	}
	defer os.Remove(script.Name())
	_, err = script.WriteString(wrkScript(j, strconv.FormatInt(time.Now().UnixNano(), 36)))
	if err := errors.Join(err, script.Close()); err != nil {
		return Totals{}, err
	}
	threads := wrkThreads(len(l.LoadCores), j.Connections)
	// wrk's -d takes whole seconds only; a shorter run is ended by SIGINT, on which it reports as usual.
	seconds := int((d + time.Second - 1) / time.Second)
	ctx, cancel := context.WithTimeout(ctx, d+wrkSlack)
	defer cancel()
	p, err := l.Start(lab.Spawn{Cores: l.LoadCores, Pipes: true, Argv: []string{"wrk",
		"-t" + strconv.Itoa(threads), "-c" + strconv.Itoa(j.Connections), "-d" + strconv.Itoa(seconds) + "s",
		"-s", filepath.Clean(script.Name()), "http://" + j.Target.String() + j.Pages[0].Path}})
	if err != nil {
		return Totals{}, err
	}
	defer p.Stop()
	defer context.AfterFunc(ctx, p.Stop)()
	interrupt := time.AfterFunc(d, func() { _ = p.Signal(syscall.SIGINT) })
	out, err := io.ReadAll(p.Out)
	interrupt.Stop()
	if err == nil {
		err = p.Wait()
	}
	if err != nil {
		return Totals{}, fmt.Errorf("wrk: %w\n%s%s", errors.Join(context.Cause(ctx), err), out, p.LogTail())
	}
	report, err := parseWrk(string(out))
	if err != nil {
		return Totals{}, err
	}
	return report.judge(j, threads, answerBytes)
}

// wrkThreads leaves one of several load cores to the origin.
func wrkThreads(loadCores, connections int) int { return min(max(1, loadCores-1), connections) }

// wrkScript is what wrk runs. A request function costs wrk much, so a single page without a query has none.
func wrkScript(j Job, run string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "wrk.headers[\"Host\"] = \"example.com\"\nwrk.headers[\"Accept\"] = \"*/*\"\n")
	if j.NewConnections {
		s.WriteString("wrk.headers[\"Connection\"] = \"close\"\n")
	}
	method := func(p Page) string {
		if p.Post > 0 {
			return `"POST"`
		}
		return `"GET"`
	}
	if p := j.Pages[0]; len(j.Pages) == 1 && !p.Unique {
		if p.Post > 0 {
			fmt.Fprintf(&s, "wrk.method = \"POST\"\nwrk.body = %q\n", letters(p.Post))
		}
		return s.String() + wrkDone
	}
	fmt.Fprintf(&s, "run = %q\npages = {\n", run)
	for _, p := range sequence(j.Pages) {
		body, separator := "nil", "nil"
		if p.Post > 0 {
			body = strconv.Quote(letters(p.Post))
		}
		if p.Unique {
			separator = strconv.Quote(string(querySeparator(p.Path)))
		}
		fmt.Fprintf(&s, "   {%s, %q, %s, %s},\n", method(p), p.Path, body, separator)
	}
	return s.String() + "}\n" + wrkPages + wrkDone
}
