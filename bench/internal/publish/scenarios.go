package publish

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"seawall/bench/internal/result"
)

// constantRate is the fact that says at which rate latency was taken, in requests per second.
const constantRate = "constant rate"

// disturbance is the share of a core beyond which a reader is told that others used it.
const disturbance = 0.03

// families of metrics that have a table of their own in a scenario; all others are in its first table.
var (
	latencyMetrics = []string{result.P50, result.P99, result.P999, result.MaxLatency}
	resources      = []string{result.Anonymous, result.Resident, result.Calls, result.CallsRead, result.CallsWrite,
		result.CallsPoll, result.CallsOther, result.CallsClock}
)

// scenarioText is what the document says of one scenario, below its heading.
func scenarioText(run *result.Run, sc *result.Scenario, pictures string) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, strings.TrimRight(text, "\n"))
		}
	}
	add(sentence(sc.About))
	if sc.Why != "" {
		add("**Why:** " + ended(sc.Why))
	}
	add(facts(sc))
	main := mainMetric(sc)
	first, latency, rest := split(sc)
	add(mainTable(run, sc, main, first))
	if text := sideTable(run, sc, latency); text != "" {
		add(latencyHead(sc) + ":")
		add(text)
	}
	if text := sideTable(run, sc, rest); text != "" {
		add(resourceTitle(rest))
		add(text)
	}
	add(absent(run, sc))
	add(verdicts(sc))
	if share, server := disturbed(sc); share > disturbance {
		add(fmt.Sprintf("Others, or the hypervisor, took up to %.0f %% of the server's core in a round of %s.", 100*share, server))
	}
	add(pictures)
	return strings.Join(parts, "\n\n")
}

// split sorts a scenario's metrics into those of the first table (without the main one), those of latency and the rest.
func split(sc *result.Scenario) (first, latency, rest []string) {
	for i, key := range sc.Metrics {
		switch {
		case i == 0 || !hasFigures(sc, key):
		case slices.Contains(latencyMetrics, key):
			latency = append(latency, key)
		case slices.Contains(resources, key):
			rest = append(rest, key)
		default:
			first = append(first, key)
		}
	}
	return first, latency, rest
}

// mainTable has the figure that the scenario is about with its interval and its ratios, and what belongs to it.
func mainTable(run *result.Run, sc *result.Scenario, main string, others []string) string {
	if main == "" || !hasFigures(sc, main) {
		return ""
	}
	withInterval := slices.ContainsFunc(sc.Measured, func(m result.Measured) bool {
		s, _ := figure(&m, main)
		return interval(s) != none
	})
	bases, baseNames := basesOf(run, sc, main)
	head := []string{"", headOf(main)}
	if withInterval {
		head = append(head, "95 % interval")
	}
	head = append(head, baseNames...)
	for _, key := range others {
		head = append(head, headOf(key))
	}
	t := table{head}
	for _, m := range inOrder(run, sc) {
		s, ok := figure(m, main)
		if !ok {
			continue
		}
		row := []string{showName(m.Server), amount(main, s.Median)}
		if withInterval {
			row = append(row, interval(s))
		}
		for _, base := range bases {
			row = append(row, ratio(s.Median, base))
		}
		t = append(t, append(row, spreads(m, others)...))
	}
	return t.String()
}

// basesOf are the figures that others are set in relation to: nginx's and the floor's, where there are any but zero.
func basesOf(run *result.Run, sc *result.Scenario, key string) (values []float64, heads []string) {
	if nginx, ok := figure(sc.Server("nginx"), key); ok && nginx.Median > 0 {
		values, heads = append(values, nginx.Median), append(heads, "× nginx")
	}
	if floor, ok := figure(floorOf(run, sc), key); ok && floor.Median > 0 {
		values, heads = append(values, floor.Median), append(heads, "× floor")
	}
	return values, heads
}

// sideTable has medians with their spreads; empty when there are none.
func sideTable(run *result.Run, sc *result.Scenario, keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	head := []string{""}
	for _, key := range keys {
		head = append(head, headOf(key))
	}
	t := table{head}
	for _, m := range inOrder(run, sc) {
		has := slices.ContainsFunc(keys, func(key string) bool { _, ok := figure(m, key); return ok })
		if has {
			t = append(t, append([]string{showName(m.Server)}, spreads(m, keys)...))
		}
	}
	return t.String()
}

func spreads(m *result.Measured, keys []string) []string {
	var cells []string
	for _, key := range keys {
		s, ok := figure(m, key)
		if !ok {
			cells = append(cells, none)
			continue
		}
		cells = append(cells, amount(key, s.Median)+spread(s))
	}
	return cells
}

// latencyHead says at which rate a scenario's latencies were taken.
func latencyHead(sc *result.Scenario) string {
	if rate, ok := sc.Facts[constantRate]; ok && rate > 0 {
		return fmt.Sprintf("Latency at a constant rate of %s requests/s", number(rate))
	}
	return "Latency in a closed loop, at the highest rate"
}

func resourceTitle(keys []string) string {
	memory := slices.Contains(keys, result.Anonymous) || slices.Contains(keys, result.Resident)
	calls := slices.ContainsFunc(keys, func(k string) bool { return k != result.Anonymous && k != result.Resident })
	switch {
	case memory && calls:
		return "Memory, and system calls per request:"
	case memory:
		return "Memory:"
	}
	return "System calls per request:"
}

// facts are what holds for all servers of a scenario; the constant rate stands with the latencies.
func facts(sc *result.Scenario) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(sc.Facts)) {
		if name != constantRate && finite(sc.Facts[name]) {
			list = append(list, name+" "+number(sc.Facts[name]))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "Of this run: " + strings.Join(list, ", ") + "."
}

// absent says who has no figures and why. An error may come with figures, of the rounds before it.
func absent(run *result.Run, sc *result.Scenario) string {
	var lines []string
	for _, m := range inOrder(run, sc) {
		if m.Cannot != "" {
			lines = append(lines, "- "+showName(m.Server)+" cannot: "+ended(m.Cannot))
		}
		if m.Error != "" {
			lines = append(lines, "- "+showName(m.Server)+" **failed**: "+code(m.Error))
		}
	}
	return strings.Join(lines, "\n")
}

func verdicts(sc *result.Scenario) string {
	var lines []string
	for _, v := range sc.Targets {
		lines = append(lines, "- Target: "+v.Text+". Measured: "+measuredText(v)+", "+outcome(v)+".")
	}
	return strings.Join(lines, "\n")
}
