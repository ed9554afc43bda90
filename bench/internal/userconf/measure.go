//go:build linux

package userconf

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/result"
)

//go:embed wrk.lua
var wrkScript string

// group is what is measured together: requests to one address, for wrk asks only one.
type group struct {
	name  string
	to    endpoint
	about string
	pages []verdict
}

// plan says how it is measured.
type plan struct {
	rounds      int
	window      time.Duration
	connections int
	headers     []string
}

// columns are what is measured, in the order of the table.
var columns = []string{
	result.CPU, result.UserCPU, result.SystemCPU, result.Rate, result.FullP50, result.FullP99, result.Anonymous, result.Resident, result.Busy,
}

const sequenceLength = 4000 // entries of wrk's list at most: shares below 1 in 4,000 are rounded up

// sequence lists the pages' indices in the proportion of their weights, mixed alike in every run.
func sequence(pages []verdict) []int {
	total := 0
	for _, p := range pages {
		total += p.ask.weight
	}
	scale := 1.0
	if total > sequenceLength {
		scale = float64(sequenceLength) / float64(total)
	}
	var list []int
	for i, p := range pages {
		for range max(1, int(float64(p.ask.weight)*scale+0.5)) {
			list = append(list, i)
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// script writes wrk's script for a group.
func (g *group) script(headers []string, order []int) string {
	var b strings.Builder
	b.WriteString("requests = {\n")
	for _, p := range g.pages {
		b.WriteString("  " + luaString(p.ask.request(headers)) + ",\n")
	}
	b.WriteString("}\nsequence = {")
	for _, i := range order {
		b.WriteString(strconv.Itoa(i+1) + ",")
	}
	return b.String() + "}\n" + wrkScript
}

// luaString writes any bytes as a string of Lua.
func luaString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%03d", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

// totals is what wrk.lua prints.
type totals struct {
	Requests int
	Bytes    int
	Us       int64 // length of the run
	Refused  int   // answers of 400 and above
	Errors   int
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
}

// runWrk loads one server with a group's requests.
func runWrk(ctx context.Context, l *lab.Lab, at netip.AddrPort, script string, connections int, window time.Duration) (totals, error) {
	var t totals
	threads := min(max(1, len(l.LoadCores)-1), connections) // one of several load cores is left to the origin
	// wrk's -d takes whole seconds; a shorter run is ended by SIGINT, on which it reports as usual.
	seconds := int((window + time.Second - 1) / time.Second)
	p, err := l.Start(lab.Spawn{Pipes: true, Argv: []string{"wrk", "-t" + strconv.Itoa(threads), "-c" + strconv.Itoa(connections),
		"-d" + strconv.Itoa(seconds) + "s", "--timeout", "10s", "-s", script, "http://" + at.String() + "/"}})
	if err != nil {
		return t, err
	}
	defer p.Stop()
	defer context.AfterFunc(ctx, p.Stop)()
	if window%time.Second != 0 {
		defer time.AfterFunc(window, func() { _ = p.Signal(syscall.SIGINT) }).Stop()
	}
	out, err := io.ReadAll(p.Out)
	if err == nil {
		err = p.Wait()
	}
	if ctx.Err() != nil {
		return t, context.Cause(ctx)
	}
	if err != nil {
		return t, fmt.Errorf("wrk: %w\n%s%s", err, out, p.LogTail())
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "{") {
			return t, json.Unmarshal([]byte(line), &t)
		}
	}
	return t, fmt.Errorf("unexpected output of wrk:\n%s", out)
}

// measure runs the rounds of a group: the servers take turns.
func measure(ctx context.Context, l *lab.Lab, g *group, p plan, contenders []*contender, say func(string, ...any)) (result.Scenario, error) {
	began := time.Now()
	s := result.Scenario{Name: g.name, Group: "conf", About: g.about, Metrics: columns,
		Why: "the user's own configuration and requests, closed loop over kept-alive connections"}
	for _, c := range contenders {
		s.Measured = append(s.Measured, result.Measured{Server: c.name})
	}
	order := sequence(g.pages)
	script := filepath.Join(l.Dir, "requests.lua")
	if err := os.WriteFile(script, []byte(g.script(p.headers, order)), 0o644); err != nil {
		return s, err
	}
	for _, c := range contenders {
		warm := min(max(p.window/3, 100*time.Millisecond), time.Second)
		if _, err := runWrk(ctx, l, c.layout.addresses[g.to], script, p.connections, warm); err != nil {
			return s, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for round := range p.rounds {
		for turn := range contenders {
			i := (round + turn) % len(contenders)
			c := contenders[i]
			say("round %d of %d: %s", round+1, p.rounds, c.name)
			r, err := g.turn(ctx, l, c, p, script, order)
			if err != nil {
				return s, fmt.Errorf("%s: %w", c.name, err)
			}
			s.Measured[i].Rounds = append(s.Measured[i].Rounds, r)
		}
	}
	s.Seconds = time.Since(began).Seconds()
	return s, nil
}

// turn is one server's part of a round.
func (g *group) turn(ctx context.Context, l *lab.Lab, c *contender, p plan, script string, order []int) (result.Round, error) {
	var r result.Round
	before, err := l.Use(c.process)
	if err != nil {
		return r, err
	}
	t, err := runWrk(ctx, l, c.layout.addresses[g.to], script, p.connections, p.window)
	if err != nil {
		return r, err
	}
	after, err := l.Use(c.process)
	if err != nil {
		return r, err
	}
	if err := g.checkTotals(t, order, p.connections); err != nil {
		return r, err
	}
	anonymous, resident, err := lab.Memory(c.process.Pids())
	if err != nil {
		return r, err
	}
	used := before.Until(after)
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / float64(t.Requests) }
	return result.Round{Foreign: used.Foreign, Steal: used.Steal, Values: map[string]float64{
		result.CPU: us(used.CPU), result.UserCPU: us(used.User), result.SystemCPU: us(used.System),
		result.Rate: float64(t.Requests) / (float64(t.Us) / 1e6), result.FullP50: t.P50, result.FullP99: t.P99,
		result.Anonymous: float64(anonymous) / (1 << 20), result.Resident: float64(resident) / (1 << 20),
		result.Busy: used.Busy * 100,
	}}, nil
}

// checkTotals finds answers under load that are not those that were compared: wrk looks at none, but counts bytes and
// refusals.
func (g *group) checkTotals(t totals, order []int, connections int) error {
	if t.Requests == 0 {
		return fmt.Errorf("no request was answered under load")
	}
	if t.Errors > 0 {
		return fmt.Errorf("%d errors (connections refused or broken, answers later than 10s) in %d requests under load", t.Errors, t.Requests)
	}
	refused, bytes, varies := 0, 0, false
	for _, i := range order {
		v := &g.pages[i]
		n := v.nginx[1]
		if n.status >= 400 {
			refused++
		}
		bytes += n.wire
		varies = varies || len(v.varies) > 0
	}
	if varies || t.Requests < 10*(len(order)+connections) {
		return nil // too few for shares to come out even
	}
	if share, want := float64(t.Refused)/float64(t.Requests), float64(refused)/float64(len(order)); share > want+0.02 {
		return fmt.Errorf("%.0f %% of the answers under load have a status of 400 or above, %.0f %% were expected: is a limit "+
			"(limit_req, limit_conn, max_conns) or the backend in the way?", share*100, want*100)
	}
	each, want := float64(t.Bytes)/float64(t.Requests), float64(bytes)/float64(len(order))
	if each < want*0.9-32 || each > want*1.1+32 {
		return fmt.Errorf("answers under load have %.0f bytes on average, those that were compared %.0f", each, want)
	}
	return nil
}
