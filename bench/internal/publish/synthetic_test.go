package publish

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"seawall/bench/internal/result"
)

// costOf is about what the servers need for 1 KB from their cache, in microseconds.
var costOf = map[string]float64{
	"floor": 5.5, "forwarder": 5.7, "nginx": 10.1, ours: 6.1, "haproxy": 7.3, "varnish": 13.2, "h2o": 8.4, "caddy": 41,
}

// synthetic is a run with all kinds of scenarios, servers that cannot or that failed, and curves, as a real one may
// have it.
func synthetic(rounds int) *result.Run {
	dice := rand.New(rand.NewPCG(1, 2))
	run := &result.Run{
		Format: result.Format, Started: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
		Ended: time.Date(2026, 11, 22, 9, 48, 30, 0, time.UTC), Commit: "0123456789abcdef",
		Command: []string{"bench", "run"}, Mode: "full", Rounds: rounds, WindowMS: 2000,
		Machine: result.Machine{CPU: "Some Processor 9000", Cores: 2, ServerCores: []int{0}, LoadCores: []int{1},
			MemoryMB: 8192, Kernel: "6.18.0", System: "Debian GNU/Linux 12", Congestion: "bbr", Go: "go1.26.8"},
		Warnings: []string{"the load average was 1.3 | before the run"},
	}
	for _, name := range []string{"floor", "forwarder", "nginx", ours, "haproxy", "varnish", "h2o", "caddy"} {
		run.Servers = append(run.Servers, result.Server{Name: name, Floor: name == "floor" || name == "forwarder",
			Version: name + " 1.2.3", Command: []string{name, "-c", "DIR/" + name + ".conf"}, Note: "logs to a buffered file"})
	}
	cost := []string{result.CPU, result.UserCPU, result.SystemCPU, result.Busy, result.Rate, result.P50, result.P99, result.P999,
		result.MaxLatency, result.Errors, result.Anonymous, result.Resident, result.Calls, result.CallsRead, result.CallsWrite,
		result.HitShare}
	for _, s := range []struct {
		name, group string
		scale       float64
		target      bool
	}{
		{"cached-1k", "cached", 1, true}, {"cached-10k", "cached", 1.2, false}, {"cached-100k", "cached", 3.8, true},
		{"cached-2m", "cached", 70, false}, {"pipelined", "cached", 0.5, false}, {"mixed", "cached", 1.3, false},
		{"slow-clients", "cached", 1.4, false},
		{"proxied-1k", "proxied", 1.8, true}, {"proxied-100k", "proxied", 6.5, true}, {"proxied-post", "proxied", 2.2, false},
		{"static-1k", "static", 1.1, false}, {"static-1m", "static", 32, false}, {"return", "static", 0.8, false},
		{"crowd", "connections", 1.2, true}, {"new-connection", "connections", 4.5, true},
	} {
		floor := "floor"
		if s.group == "proxied" {
			floor = "forwarder"
		}
		sc := result.Scenario{Name: s.name, Group: s.group, About: "What " + s.name + " does.", Why: "It tells something.",
			Metrics: cost, Facts: map[string]float64{"constant rate": 12345, "connections": 64}, Seconds: 61}
		for _, server := range run.Servers {
			m := result.Measured{Server: server.Name}
			switch {
			case server.Floor && server.Name != floor:
				continue
			case s.group == "static" && (server.Name == ours || server.Name == "haproxy"):
				m.Cannot = "it does not serve files"
			case s.name == "proxied-post" && server.Name == "h2o":
				m.Error = "round 2: an answer had 12 bytes\ninstead of 1024 | wrong"
			default:
				m.Rounds = costRounds(dice, rounds, costOf[server.Name]*s.scale)
			}
			sc.Measured = append(sc.Measured, m)
		}
		if s.target {
			value := result.Summarize(sc.Server(ours).Series(result.CPU)).Median / result.Summarize(sc.Server("nginx").Series(result.CPU)).Median
			for _, bound := range []float64{0.45, 0.93} {
				sc.Targets = append(sc.Targets, result.Verdict{Text: "CPU per request at most x nginx", Metric: result.CPU,
					Against: "nginx", Value: value, Max: bound, Met: value <= bound})
			}
		}
		run.Scenarios = append(run.Scenarios, sc)
	}
	run.Scenarios = append(run.Scenarios, lives(dice, run, rounds)...)
	return run
}

func costRounds(dice *rand.Rand, rounds int, cpu float64) []result.Round {
	var list []result.Round
	for range rounds {
		c := cpu * (1 + 0.04*dice.NormFloat64())
		r := result.Round{Foreign: 0.01 * dice.Float64(), Values: map[string]float64{
			result.CPU: c, result.UserCPU: 0.3 * c, result.SystemCPU: 0.7 * c, result.Busy: 97, result.Rate: 1e6 / c,
			result.P50: 0.09, result.P99: 0.3, result.P999: 0.9, result.MaxLatency: 3.1, result.Errors: 0,
			result.Anonymous: 8.4, result.Resident: 15, result.Calls: 2.02, result.CallsRead: 1, result.CallsWrite: 1,
			result.HitShare: 99.99,
		}}
		var points []result.Point
		for _, p := range []float64{50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100} {
			nines := -math.Log10(1 - min(p, 99.999)/100)
			points = append(points, result.Point{X: p, Y: 0.02 * math.Sqrt(cpu) * math.Exp(0.7*nines) * (1 + 0.05*dice.Float64())})
		}
		r.Curves = map[string][]result.Point{result.LatencyCurve: points}
		list = append(list, r)
	}
	return list
}

// lives are the scenarios that are not about the cost of a request.
func lives(dice *rand.Rand, run *result.Run, rounds int) []result.Scenario {
	scenario := func(name, group string, metrics []string, round func(server string, base float64) result.Round) result.Scenario {
		sc := result.Scenario{Name: name, Group: group, About: "What " + name + " does.", Why: "It tells something.", Metrics: metrics}
		for _, s := range run.Servers {
			if s.Floor {
				continue
			}
			m := result.Measured{Server: s.Name}
			for range rounds {
				m.Rounds = append(m.Rounds, round(s.Name, costOf[s.Name]))
			}
			sc.Measured = append(sc.Measured, m)
		}
		return sc
	}
	values := func(key string, scale float64) func(string, float64) result.Round {
		return func(_ string, base float64) result.Round {
			return result.Round{Values: map[string]float64{key: scale * base * (1 + 0.1*dice.Float64())}}
		}
	}
	memory := scenario("memory", "connections", []string{result.PerConnection}, func(_ string, base float64) result.Round {
		r := result.Round{Values: map[string]float64{result.PerConnection: 55 * base}, Curves: map[string][]result.Point{}}
		for _, n := range []float64{0, 1000, 2500, 5000, 7500, 10000} {
			r.Curves[result.MemoryCurve] = append(r.Curves[result.MemoryCurve], result.Point{X: n, Y: 2 + base/4 + n*55*base/1e6})
		}
		return r
	})
	memory.Targets = []result.Verdict{{Text: "memory per idle connection at most 400 B", Metric: result.PerConnection, Value: 335, Max: 400, Met: true}}
	connections := scenario("connections", "connections", []string{result.Rate}, func(_ string, base float64) result.Round {
		r := result.Round{Values: map[string]float64{result.Rate: 1e6 / base}, Curves: map[string][]result.Point{}}
		for _, n := range []float64{1, 10, 64, 256, 1000, 4000, 10000} {
			r.Curves[result.RateCurve] = append(r.Curves[result.RateCurve], result.Point{X: n, Y: 1e6 / base * n / (n + 4) * (1 - n/40000)})
		}
		return r
	})
	reload := scenario("reload", "life", []string{result.Failed}, values(result.Failed, 0))
	reload.Targets = []result.Verdict{{Text: "no request fails", Metric: result.Failed, Value: 2, Max: 0, Met: false}}
	reload.Server("caddy").Rounds[0].Values[result.Failed] = 3
	stampede := scenario("stampede", "life", []string{result.BackendAsked, result.Slowest}, values(result.BackendAsked, 0.1))
	stampede.Server("h2o").Rounds[0].Values = map[string]float64{result.BackendAsked: math.NaN(), result.Slowest: math.Inf(1)}
	stampede.Targets = []result.Verdict{{Text: "nothing was measured", Metric: result.Slowest, Value: math.NaN(), Max: 1}}
	soak := scenario("soak", "life", []string{result.Growth}, func(_ string, base float64) result.Round {
		r := result.Round{Values: map[string]float64{result.Growth: 0.1}, Curves: map[string][]result.Point{}}
		for s := 0.0; s <= 600; s++ {
			r.Curves[result.SoakCurve] = append(r.Curves[result.SoakCurve], result.Point{X: s, Y: 10 + 3*base*(1-math.Exp(-s/20)) + dice.Float64()})
		}
		return r
	})
	for i := range soak.Measured {
		soak.Measured[i].Rounds = soak.Measured[i].Rounds[:1]
	}
	parser := result.Scenario{Name: "parser", Group: "life", About: "Parses a head.", Why: "It tells something.",
		Metrics: []string{"ns_per_op"}}
	for i, name := range strings.Fields("net/http fasthttp seawall") {
		parser.Measured = append(parser.Measured, result.Measured{Server: name,
			Rounds: slices.Repeat([]result.Round{{Values: map[string]float64{"ns_per_op": 4100 / float64(i*i+1)}}}, 3)})
	}
	return []result.Scenario{memory, connections, scenario("cold-start", "life", []string{result.FirstAnswer}, values(result.FirstAnswer, 2)),
		reload, stampede, soak, parser}
}
