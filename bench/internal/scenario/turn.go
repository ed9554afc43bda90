//go:build linux

package scenario

import (
	"errors"
	"fmt"
	"math"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/load"
	"seawall/bench/internal/result"
)

const megabyte = 1 << 20

// tolerated is the share of wrong or missing answers up to which a server's figures still count; they are shown beside
// them. Above it the server has failed.
const tolerated = 0.01

// consumed is what a server used up while it was under load.
type consumed struct {
	lab.Consumption
	asked    int // requests that reached the origin
	accepted int // connections that the origin accepted
}

// usage is the reading at the beginning of it.
type usage struct {
	lab             lab.Usage
	asked, accepted int
}

// readUsage reads the server's accounting first: asking the origin takes time.
func (t *Turn) readUsage() (u usage, err error) {
	if u.lab, err = t.Lab.Use(t.Server.Process); err != nil {
		return u, err
	}
	if u.asked, u.accepted, err = t.Origin.Counts(); err != nil {
		return u, fmt.Errorf("asking the origin for its counts: %w", err)
	}
	return u, nil
}

// since reads again and takes the difference.
func (t *Turn) since(from usage) (consumed, error) {
	now, err := t.Lab.Use(t.Server.Process)
	if err != nil {
		return consumed{}, err
	}
	c := consumed{Consumption: from.lab.Until(now)}
	asked, accepted, err := t.Origin.Counts()
	if err != nil {
		return c, fmt.Errorf("asking the origin for its counts: %w", err)
	}
	c.asked, c.accepted = asked-from.asked, accepted-from.accepted
	return c, nil
}

// heldUp is by how much the time that was accounted may differ from the generator's window, which the bench hears of when it
// is given the processor. What it accounts is scaled to the window, which is right as long as the load is steady.
const (
	heldUp      = 0.25
	heldUpTries = 3
)

// own runs a job of a window with our own generator and measures the window. during is called when the window has ended and
// the connections are still open; nil: nothing.
func (t *Turn) own(j load.Job, during func() error) (totals load.Totals, used consumed, err error) {
	for range heldUpTries {
		if totals, used, err = t.ownOnce(j, during); err != nil {
			return totals, used, err
		}
		scale := totals.Window.Seconds() / used.Wall.Seconds()
		if math.Abs(scale-1) > heldUp {
			t.Say("the bench was held up by others: %v of a window of %v were accounted; once more", used.Wall, totals.Window)
			continue
		}
		for _, d := range []*time.Duration{&used.CPU, &used.User, &used.System} {
			*d = time.Duration(float64(*d) * scale)
		}
		return totals, used, nil
	}
	return totals, used, fmt.Errorf("others used this machine so much that the bench was held up %d times", heldUpTries)
}

func (t *Turn) ownOnce(j load.Job, during func() error) (totals load.Totals, used consumed, err error) {
	o, err := load.Start(t.Lab, j)
	if err != nil {
		return totals, used, err
	}
	defer o.End()
	if err := o.Go(); err != nil {
		return totals, used, err
	}
	if err := o.WaitStart(); err != nil {
		return totals, used, err
	}
	from, err := t.readUsage()
	if err != nil {
		return totals, used, err
	}
	if err := o.WaitEnd(); err != nil {
		return totals, used, err
	}
	if used, err = t.since(from); err != nil {
		return totals, used, err
	}
	if during != nil {
		if err := during(); err != nil {
			return totals, used, err
		}
	}
	totals, err = report(o)
	return totals, used, err
}

// report waits for the totals. That answers were wrong is left to Turn.errors.
func report(o *load.Own) (load.Totals, error) {
	totals, err := o.Report()
	return totals, exceptWrong(err)
}

func exceptWrong(err error) error {
	var wrong *load.WrongAnswers
	if errors.As(err, &wrong) {
		return nil
	}
	return err
}

// job is what all generators of the turn have in common.
func (t *Turn) job(connections int) load.Job {
	return load.Job{Target: t.Server.Address, Pages: t.Scenario.Pages, Connections: connections, Window: t.Options.Window}
}

// errors adds up wrong and missing answers and fails when they are too many.
func (t *Turn) errors(totals load.Totals) error {
	t.Round.Values[result.Errors] += float64(totals.Errors)
	if totals.Requests == 0 {
		return fmt.Errorf("no request was answered: %s", totals.FirstError)
	}
	if share := float64(totals.Errors) / float64(totals.Requests+totals.Errors); share > tolerated {
		return fmt.Errorf("%d of %d answers were wrong or missing: %s", totals.Errors, totals.Requests+totals.Errors, totals.FirstError)
	}
	if totals.Errors > 0 {
		t.Warn("%s: %s: %d of %d answers were wrong or missing: %s",
			t.Scenario.Name, t.Subject, totals.Errors, totals.Requests+totals.Errors, totals.FirstError)
	}
	return nil
}

// cost stores what a request cost.
func (t *Turn) cost(totals load.Totals, used consumed) error {
	if used.CPU <= 0 {
		return errors.New("no CPU time was counted: does this kernel have /proc/PID/schedstat?")
	}
	each := func(d time.Duration) float64 {
		return float64(d) / float64(time.Microsecond) / float64(totals.Requests)
	}
	v := t.Round.Values
	v[result.CPU] = each(used.CPU)
	v[result.UserCPU], v[result.SystemCPU] = each(used.User), each(used.System)
	v[result.Busy] = 100 * used.Busy
	v[result.Rate] = totals.Rate()
	v[result.HitShare] = 100 * (1 - float64(used.asked)/float64(totals.Requests))
	v[result.Dials] = 1000 * float64(used.accepted) / float64(totals.Requests)
	t.noise(used.Consumption)
	t.Say("%.2f us/request, %.0f requests/s", v[result.CPU], v[result.Rate])
	return nil
}

// noise keeps the worst disturbance of the round.
func (t *Turn) noise(c lab.Consumption) {
	t.Round.Foreign = max(t.Round.Foreign, c.Foreign)
	t.Round.Steal = max(t.Round.Steal, c.Steal)
}

// latency stores the percentiles and their curve.
func (t *Turn) latency(l load.Latency) {
	v := t.Round.Values
	v[result.P50], v[result.P99], v[result.P999], v[result.MaxLatency] = l.P50, l.P99, l.P999, l.Max
	var curve []result.Point
	for _, p := range l.Curve {
		curve = append(curve, result.Point{X: p.Percent, Y: p.Ms})
	}
	if curve != nil {
		t.curve(result.LatencyCurve, curve)
	}
}

func (t *Turn) curve(key string, points []result.Point) {
	if t.Round.Curves == nil {
		t.Round.Curves = map[string][]result.Point{}
	}
	t.Round.Curves[key] = points
}

// memory stores what the server's processes have now.
func (t *Turn) memory() error {
	anonymous, resident, err := lab.Memory(t.Server.Process.Pids())
	if err != nil {
		return err
	}
	t.Round.Values[result.Anonymous] = float64(anonymous) / megabyte
	t.Round.Values[result.Resident] = float64(resident) / megabyte
	return nil
}

// probe asks for every page once more: a server that has come to answer wrongly has no figures.
func (t *Turn) probe() error {
	for _, p := range t.Scenario.Pages {
		if _, err := load.Probe(t.Server.Address, p); err != nil {
			return err
		}
	}
	return nil
}
