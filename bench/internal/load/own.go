//go:build linux

package load

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"seawall/bench/floor"
	"seawall/bench/internal/lab"
)

// Own is our own generator (bench/floor/load.c) at work. Its life, by kind of job:
//
//	window:   Start, Go, WaitStart, WaitEnd, Report, End
//	requests: Start, Go, Report, with Hold also Release, End
//	steps:    Start, NextStep for each of them, Release, End
//
// End may be called at any time and twice. The calls belong to one goroutine.
type Own struct {
	process *lab.Process
	out     *bufio.Scanner
}

// Start opens the connections of a job; they are open when it returns, but for those of NewConnections and Steps.
func Start(l *lab.Lab, j Job) (*Own, error) {
	args, err := ownArguments(j)
	if err != nil {
		return nil, err
	}
	binary, err := l.Compile("load", floor.Source("load.c"))
	if err != nil {
		return nil, err
	}
	p, err := l.Start(lab.Spawn{Cores: l.LoadCores, Argv: append([]string{binary}, args...), Pipes: true})
	if err != nil {
		return nil, err
	}
	o := &Own{process: p, out: bufio.NewScanner(p.Out)}
	if err := o.expect("connected"); err != nil {
		o.End()
		return nil, err
	}
	return o, nil
}

// ownArguments is the command line of load.c.
func ownArguments(j Job) ([]string, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	if !j.Target.Addr().Is4() || !j.Target.Addr().IsLoopback() {
		return nil, fmt.Errorf("load: the generator connects to 127.0.0.1 only, not to %v", j.Target)
	}
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	args := []string{"-p", strconv.Itoa(int(j.Target.Port())), "-c", strconv.Itoa(j.Connections)}
	for _, p := range j.Pages {
		args = append(args, pageArguments("-u", p)...)
	}
	add := func(when bool, more ...string) {
		if when {
			args = append(args, more...)
		}
	}
	add(j.Rate > 0, "-R", strconv.FormatFloat(j.Rate, 'f', -1, 64))
	add(j.Pipeline > 1, "-P", strconv.Itoa(j.Pipeline))
	add(j.NewConnections, "-N")
	add(j.Reopen, "-a")
	add(j.Hold, "-k")
	add(j.Window > 0, "-w", milliseconds(j.Warm), "-d", milliseconds(j.Window))
	add(j.Requests > 0, "-r", strconv.Itoa(j.Requests))
	add(j.Limit > 0, "-t", milliseconds(j.Limit))
	if j.SlowReaders > 0 {
		add(true, "-K", strconv.Itoa(j.SlowReaders), "-V", strconv.Itoa(j.SlowRate))
		args = append(args, pageArguments("-x", j.SlowPage)...)
	}
	if len(j.Steps) > 0 {
		var steps []string
		for _, n := range j.Steps {
			steps = append(steps, strconv.Itoa(n))
		}
		add(true, "-S", strings.Join(steps, ","))
	}
	return args, nil
}

func pageArguments(option string, p Page) []string {
	unique := 0
	if p.Unique {
		unique = 1
	}
	args := []string{option, fmt.Sprintf("%d:%d:%d:%d:%d:%s", p.status(), p.size(), p.Post, unique, p.weight(), p.Path)}
	if p.Body != "" {
		args = append(args, "-B", p.Body)
	}
	return args
}

// Go makes it send its requests.
func (o *Own) Go() error {
	_, err := io.WriteString(o.process.In, "go\n")
	return err
}

// WaitStart waits until the warm-up is over.
func (o *Own) WaitStart() error { return o.expect("start") }

// WaitEnd waits until the window is over. Answers that are still due then are waited for by Report.
func (o *Own) WaitEnd() error { return o.expect("end") }

// Report waits for the totals. When not every answer was right they come with an error that is a *WrongAnswers.
func (o *Own) Report() (Totals, error) {
	line, err := o.line()
	if err != nil {
		return Totals{}, err
	}
	t, err := parseOwn(line)
	if err != nil {
		return t, err
	}
	return t, t.check()
}

// NextStep opens the connections of the next step, makes one request on each of them and waits for the answers.
func (o *Own) NextStep() error {
	if err := o.Go(); err != nil {
		return err
	}
	line, err := o.line()
	if err != nil {
		return err
	}
	var step struct {
		Connections int
		Errors      int
		FirstError  string `json:"first_error"`
	}
	if err := json.Unmarshal(line, &step); err != nil {
		return fmt.Errorf("the load generator said %q after a step: %w", line, err)
	}
	if step.Errors > 0 {
		return &WrongAnswers{Errors: step.Errors, Requests: step.Connections - step.Errors, First: step.FirstError}
	}
	return nil
}

// Release closes the held connections and returns how many of them the server had closed before.
func (o *Own) Release() (closed int, err error) {
	if err := o.process.In.Close(); err != nil {
		return 0, err
	}
	line, err := o.line()
	if err != nil {
		return 0, err
	}
	var held struct{ Closed *int }
	if err := json.Unmarshal(line, &held); err != nil || held.Closed == nil {
		return 0, fmt.Errorf("the load generator said %q where the number of closed connections was due", line)
	}
	return *held.Closed, nil
}

// End ends it and closes its connections.
func (o *Own) End() {
	o.process.In.Close()
	o.process.Stop()
}

func (o *Own) expect(want string) error {
	line, err := o.line()
	if err == nil && string(line) != want {
		err = fmt.Errorf("the load generator said %q where %q was expected", line, want)
	}
	return err
}

// line holds until the next call.
func (o *Own) line() ([]byte, error) {
	if o.out.Scan() {
		return o.out.Bytes(), nil
	}
	err := o.process.Wait()
	if err == nil {
		err = errors.New("it ended before it was done")
	}
	return nil, fmt.Errorf("the load generator: %w\n%s", err, o.process.LogTail())
}

// ownReport is the line that load.c prints; wrk.lua prints a part of it.
type ownReport struct {
	Requests    *int         `json:"requests"`
	Errors      *int         `json:"errors"`
	FirstError  string       `json:"first_error"`
	Bytes       int          `json:"bytes"`
	Seconds     float64      `json:"seconds"`
	P50         float64      `json:"p50_ms"`
	P90         float64      `json:"p90_ms"`
	P99         float64      `json:"p99_ms"`
	P999        float64      `json:"p999_ms"`
	Max         float64      `json:"max_ms"`
	Curve       [][2]float64 `json:"curve"` // per cent, ms
	Reopened    int          `json:"reopened"`
	SlowAnswers int          `json:"slow_answers"`
	SlowBytes   int          `json:"slow_bytes"`
}

func parseOwn(line []byte) (Totals, error) {
	var r ownReport
	if err := json.Unmarshal(line, &r); err != nil {
		return Totals{}, fmt.Errorf("unexpected report %q: %w", line, err)
	}
	if r.Requests == nil || r.Errors == nil || r.Seconds <= 0 {
		return Totals{}, fmt.Errorf("the report %q lacks requests, errors or seconds", line)
	}
	return r.totals(), nil
}

func (r ownReport) totals() Totals {
	t := Totals{
		Requests: *r.Requests, Errors: *r.Errors, FirstError: r.FirstError, Bytes: r.Bytes,
		Window:   time.Duration(r.Seconds * float64(time.Second)),
		Latency:  Latency{P50: r.P50, P90: r.P90, P99: r.P99, P999: r.P999, Max: r.Max},
		Reopened: r.Reopened, SlowAnswers: r.SlowAnswers, SlowBytes: r.SlowBytes,
	}
	for _, point := range r.Curve {
		t.Latency.Curve = append(t.Latency.Curve, Percentile{Percent: point[0], Ms: point[1]})
	}
	return t
}
