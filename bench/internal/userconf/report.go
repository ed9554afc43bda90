//go:build linux

package userconf

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/result"
)

// printIntroduction says what is compared and what of the configuration was changed.
func (b *bout) printIntroduction() {
	b.say("%s: %s, %s; %s against %s", b.conf, count(len(b.src.order), "file"), count(len(b.servers), "server"),
		b.seawall.version, b.nginx.version)
	b.say("Changed for both: addresses, pid, logs, caches and temporary files are the bench's; daemon off; worker_processes %d,\n"+
		"the number of cores that the servers get.", b.nginx.layout.workers)
	if b.origin {
		b.say("Every backend is replaced by one that answers 1 KB (-origin).")
	} else {
		b.say("The backends are your own.")
	}
	for _, n := range b.requests.lost {
		b.say("Left out of %s: %s", b.urls, n)
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

func (b *bout) printLacking() {
	if len(b.lacking) == 0 {
		b.say("\nSeawall has every directive of the configuration.")
		return
	}
	b.say("\nWhat Seawall lacks:")
	for _, line := range lines(b.lacking, b.src) {
		b.say("  %s", line)
	}
	if b.misses() {
		who := "Seawall runs without it below: where it applies, IT DOES LESS THAN NGINX."
		if b.skipBoth {
			who = "BOTH SERVERS run without it below: this is no longer your configuration."
		}
		b.say("%s", who)
	}
}

// askAll compares the servers' answers to every request.
func (b *bout) askAll() ([]verdict, error) {
	nginxOpen, seawallOpen := b.nginx.listensOn(b.servers), b.seawall.listensOn(b.servers)
	var all []verdict
	for i, a := range b.requests.asks {
		v := verdict{ask: a}
		if a.failed == "" && !nginxOpen[a.to] {
			a.failed = "what listens there was left out"
		}
		switch {
		case a.failed != "":
		case !seawallOpen[a.to]:
			v.differences = []difference{{"address", "listens", "does not, see what it lacks"}}
		default:
			if len(b.requests.asks) > 20 && i%20 == 0 {
				b.progress("comparing answers: %d of %d", i, len(b.requests.asks))
			}
			b.askTwice(&v)
			if len(v.differences) > 0 {
				second := verdict{ask: a}
				b.askTwice(&second)
				v.differences = intersect(v.differences, second.differences)
			}
		}
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (b *bout) askTwice(v *verdict) {
	ports := movedPorts(b.nginx, b.seawall)
	for i := range v.nginx {
		for _, c := range []*contender{b.nginx, b.seawall} {
			r := get(b.ctx, c.layout.addresses[v.ask.to], v.ask, b.headers)
			r.generalize(ports, v.ask.method)
			if c == b.nginx {
				v.nginx[i] = r
			} else {
				v.seawall[i] = r
			}
		}
	}
	v.differences, v.varies = compare(v.nginx, v.seawall)
}

// printAgreement lists what differs and returns for how many requests something does.
func (b *bout) printAgreement(all []verdict) (different int) {
	asked, varying := 0, 0
	statuses := map[int]int{}
	for _, v := range all {
		if v.ask.failed == "" {
			asked++
		}
		if len(v.differences) > 0 {
			different++
		}
		if len(v.varies) > 0 {
			varying++
		}
		if v.nginx[1] != nil {
			statuses[v.nginx[1].status]++
		}
	}
	b.say("\nAnswers: %s asked, %d differ.", count(asked, "request"), different)
	shown := 0
	for i := range all {
		if shown < mostShown && b.printVerdict(&all[i]) {
			shown++
		}
	}
	if shown == mostShown {
		b.say("  ... and maybe more: only the first %d are shown.", mostShown)
	}
	if varying > 0 {
		b.say("  %s changed from one time to the next on nginx itself: what changed was not compared.", count(varying, "answer"))
	}
	if n := statuses[http.StatusBadGateway] + statuses[http.StatusGatewayTimeout]; n > 0 {
		b.say("  %d of them are 502 or 504: the backend of these requests does not answer. Start it, or let -origin stand in for it;\n"+
			"  as it is, you compare error pages.", n)
	}
	return different
}

const mostShown = 30 // requests of which something is said

// printVerdict tells whether there was anything to say.
func (b *bout) printVerdict(v *verdict) bool {
	switch {
	case v.ask.failed != "":
		b.say("  %s: not asked: %s", v.ask, v.ask.failed)
	case len(v.differences) > 0:
		b.say("  %s", v.ask)
		for _, d := range v.differences {
			b.say("    %s", d)
		}
	case v.nginx[0].err != nil:
		b.say("  %s: no answer from either, not measured: %v", v.ask, v.nginx[0].err)
	default:
		return false
	}
	return true
}

// groups are what is measured together.
func (b *bout) groups(all []verdict) []*group {
	var groups []*group
	heads := 0
	for _, v := range all {
		switch {
		case v.ask.failed != "" || v.nginx[1] == nil || v.nginx[1].err != nil || v.seawall[1].err != nil:
			continue
		case v.ask.method != "GET":
			heads++ // wrk cannot read an answer to HEAD
			continue
		}
		name := v.ask.to.String()
		if b.each {
			name = v.ask.String()
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.name == name })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{name: name, to: v.ask.to})
		}
		groups[i].pages = append(groups[i].pages, v)
	}
	if heads > 0 {
		b.say("\nHEAD requests were compared but are not measured: %d.", heads)
	}
	for _, g := range groups {
		requests := 0
		for _, p := range g.pages {
			requests += p.ask.weight
		}
		g.about = count(len(g.pages), "different request")
		if requests != len(g.pages) {
			g.about += fmt.Sprintf(" standing for %d", requests)
		}
	}
	return groups
}

// measure times all groups and prints a table for each.
func (b *bout) measure(all []verdict) error {
	groups := b.groups(all)
	if len(groups) == 0 {
		return fmt.Errorf("no request is left that can be measured")
	}
	p := plan{rounds: b.rounds, window: b.window, connections: b.fittingConnections(), headers: b.headers}
	run := &result.Run{
		Format: result.Format, Started: time.Now().UTC(), Command: b.command, Mode: "conf", Rounds: p.rounds,
		WindowMS: p.window.Milliseconds(), Machine: lab.DescribeMachine(b.lab), Warnings: b.lab.Warnings,
	}
	contenders := []*contender{b.nginx, b.seawall}
	for _, c := range contenders {
		run.Servers = append(run.Servers, result.Server{Name: c.name, Version: c.version,
			Command: []string{c.program, "-p", prefixFlag(b.src), "-c", b.conf}})
	}
	run.Warnings = append(run.Warnings, lines(b.lacking, b.src)...)
	for _, g := range groups {
		s, err := measure(b.ctx, b.lab, g, p, contenders, func(format string, args ...any) {
			b.progress(g.name+": "+format, args...)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		b.printTable(&s, p)
		run.Scenarios = append(run.Scenarios, s)
	}
	b.printCautions(run)
	run.Ended = time.Now().UTC()
	if b.json == "" {
		return nil
	}
	return run.Write(b.json)
}

// fittingConnections is -connections, or what the configuration lets a worker have: each client may take one to a backend
// as well.
func (b *bout) fittingConnections() int {
	allowed := 512
	b.src.each(func(p place) bool {
		if p.name() == "worker_connections" && p.in() == "events" {
			if n, err := strconv.Atoi(p.arg(0)); err == nil {
				allowed = n
			}
		}
		return !isMap(p.name())
	})
	if most := max(1, allowed*b.nginx.layout.workers/2-16); b.connections > most {
		b.say("\nOnly %d connections are opened: worker_connections is %d, and a client may take another one to a backend.", most, allowed)
		return most
	}
	return b.connections
}

// printTable prints one group's medians and their ratio.
func (b *bout) printTable(s *result.Scenario, p plan) {
	b.say("\n%s: %s, %s, %s of %v\n", s.Name, s.About, count(p.connections, "connection"), count(p.rounds, "round"), p.window)
	t := tabwriter.NewWriter(b.out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tnginx\tseawall\tseawall/nginx\t\n")
	for _, key := range columns {
		m, _ := result.MetricOf(key)
		label := m.Label
		switch key {
		case result.CPU:
			label = "CPU per request"
		case result.UserCPU, result.SystemCPU:
			label = "of it " + m.Label
		case result.Anonymous, result.Resident:
			label += " memory"
		}
		n, w := result.Summarize(s.Server("nginx").Series(key)), result.Summarize(s.Server("seawall").Series(key))
		ratio := "-"
		if n.Median > 0 && key != result.Busy {
			ratio = fmt.Sprintf("%.2f", w.Median/n.Median)
		}
		fmt.Fprintf(t, "%s, %s\t%s\t%s\t%s\t\n", label, m.Unit, figure(n), figure(w), ratio)
	}
	t.Flush()
	if busy := result.Summarize(s.Server("seawall").Series(result.Busy)).Median; busy < 90 {
		b.say("Seawall was busy for %.0f %% of the time: the load or your backend was the limit of its rate, not Seawall.", busy)
	}
}

// printCautions says what all of the tables are worth.
func (b *bout) printCautions(run *result.Run) {
	noisy := 0.0
	for _, s := range run.Scenarios {
		for _, m := range s.Measured {
			for _, r := range m.Rounds {
				noisy = max(noisy, r.Foreign, r.Steal)
			}
		}
	}
	if noisy > 0.05 {
		b.say("\nOthers used up to %.0f %% of the servers' cores meanwhile: measure again on a quiet machine.", noisy*100)
	}
	if b.misses() {
		b.say("\nMEASURED WITHOUT what Seawall lacks (%s, listed above).", b.whose())
	}
}

func (b *bout) whose() string {
	if b.skipBoth {
		return "left out of both"
	}
	return "nginx ran with it"
}

// figure is a median with its interval.
func figure(s result.Summary) string {
	text := number(s.Median)
	if s.HasInterval {
		text += " [" + number(s.Low) + ", " + number(s.High) + "]"
	}
	return text
}

func number(v float64) string {
	switch {
	case v >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strings.TrimSpace(strconv.FormatFloat(v, 'f', 2, 64))
}
