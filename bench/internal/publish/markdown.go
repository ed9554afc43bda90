package publish

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"seawall/bench/internal/result"
)

// table is a Markdown table in the making: the first row is its head.
type table [][]string

func (t table) String() string {
	var out strings.Builder
	for i, row := range t {
		out.WriteString("|")
		for _, c := range row {
			out.WriteString(" " + cell(c) + " |")
		}
		out.WriteString("\n")
		if i == 0 {
			out.WriteString("|---" + strings.Repeat("|--:", len(row)-1) + "|\n")
		}
	}
	return out.String()
}

// textTable has words in its columns, which are aligned at the left.
func (t table) textTable() string {
	return strings.Replace(t.String(), "|--:", "|---", len(t[0])-1)
}

// cell is a text on one line that does not end the cell.
func cell(text string) string {
	return strings.ReplaceAll(oneLine(text), "|", `\|`)
}

// sentence makes a text that comes from elsewhere one line that begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	text = ended(text)
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// ended makes a text one line that ends as a sentence does.
func ended(text string) string {
	text = oneLine(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:") {
		return text
	}
	return text + "."
}

// code is a text in backquotes, with as many as it needs.
func code(text string) string {
	text = oneLine(text)
	if strings.Contains(text, "`") {
		return "`` " + text + " ``"
	}
	return "`" + text + "`"
}

// showName sets Seawall apart from the others.
func showName(name string) string {
	if name == ours {
		return "**" + name + "**"
	}
	return name
}

func headOf(key string) string {
	m := metricOf(key)
	head := m.Label
	if unit := unitOf(m); unit != "" {
		head += ", " + unit
	}
	if total(key) {
		head += ", all rounds"
	}
	return head
}

// rivals are the servers with a column of ratios in the summary, where the run has them.
var rivals = []string{"nginx", "haproxy"}

// costSummary has a row for each scenario that measured the cost of a request.
func costSummary(run *result.Run) string {
	var servers []string
	for _, s := range serversOf(run) {
		has := slices.ContainsFunc(run.Scenarios, func(sc result.Scenario) bool {
			_, ok := figure(sc.Server(s), result.CPU)
			return ok
		})
		if has && !isFloor(run, s) {
			servers = append(servers, s)
		}
	}
	head := []string{"CPU per request, µs", "floor"}
	for _, s := range servers {
		head = append(head, showName(s))
	}
	against := slices.DeleteFunc(slices.Clone(rivals), func(r string) bool { return !slices.Contains(servers, r) })
	for _, r := range against {
		head = append(head, ours+" / "+r)
	}
	t := table{append(head, ours+" / floor")}
	for i := range run.Scenarios {
		sc := &run.Scenarios[i]
		if mainMetric(sc) == result.CPU && hasFigures(sc, result.CPU) {
			t = append(t, summaryRow(run, sc, result.CPU, servers, against))
		}
	}
	if len(t) == 1 {
		return ""
	}
	return t.String()
}

func summaryRow(run *result.Run, sc *result.Scenario, key string, servers, against []string) []string {
	row := []string{scenarioLink(sc.Name), none}
	floor, hasFloor := figure(floorOf(run, sc), key)
	if hasFloor {
		row[1] = number(floor.Median)
	}
	for _, s := range servers {
		row = append(row, valueOf(sc.Server(s), key))
	}
	us, ok := figure(sc.Server(ours), key)
	for _, r := range against {
		other, has := figure(sc.Server(r), key)
		row = append(row, ratioOf(us, ok, other, has))
	}
	return append(row, ratioOf(us, ok, floor, hasFloor))
}

// valueOf is a server's figure, or a word for why there is none.
func valueOf(m *result.Measured, key string) string {
	s, ok := figure(m, key)
	switch {
	case ok && m.Server == ours:
		return "**" + number(s.Median) + "**"
	case ok:
		return number(s.Median)
	case m != nil && m.Cannot != "":
		return "cannot"
	case m != nil && m.Error != "":
		return "failed"
	}
	return none
}

func ratioOf(a result.Summary, hasA bool, b result.Summary, hasB bool) string {
	if !hasA || !hasB {
		return none
	}
	return ratio(a.Median, b.Median)
}

// otherSummary has a row for each scenario that is about something else. What such a scenario compares beside the run's
// servers, parsers for instance, would leave columns nearly empty: it gets a line of its own.
func otherSummary(run *result.Run) string {
	var about []*result.Scenario
	for i := range run.Scenarios {
		sc := &run.Scenarios[i]
		if key := mainMetric(sc); key != "" && key != result.CPU {
			about = append(about, sc)
		}
	}
	var servers []string
	head := []string{"scenario", "figure"}
	for _, s := range run.Servers {
		if slices.ContainsFunc(about, func(sc *result.Scenario) bool { return sc.Server(s.Name) != nil }) {
			servers = append(servers, s.Name)
			head = append(head, showName(s.Name))
		}
	}
	t := table{head}
	var lines []string
	for _, sc := range about {
		key := mainMetric(sc)
		if hasStrangers(run, sc) {
			lines = append(lines, scenarioLink(sc.Name)+" ("+headOf(key)+"): "+inWords(run, sc)+".")
			continue
		}
		row := []string{scenarioLink(sc.Name), headOf(key)}
		for _, s := range servers {
			row = append(row, valueOf(sc.Server(s), key))
		}
		t = append(t, row)
	}
	var parts []string
	if len(t) > 1 {
		parts = append(parts, t.String())
	}
	return strings.Join(append(parts, lines...), "\n")
}

func hasStrangers(run *result.Run, sc *result.Scenario) bool {
	return slices.ContainsFunc(sc.Measured, func(m result.Measured) bool { return run.ServerNamed(m.Server) == nil })
}

// inWords lists a scenario's main figure of everyone in it.
func inWords(run *result.Run, sc *result.Scenario) string {
	var list []string
	for _, m := range inOrder(run, sc) {
		list = append(list, m.Server+" "+valueOf(m, mainMetric(sc)))
	}
	return strings.Join(list, ", ")
}

func scenarioLink(name string) string {
	return fmt.Sprintf("[%s](#%s)", name, anchor("Scenario "+name))
}

// anchor is what Markdown makes of a heading: letters, digits, hyphens, underscores, and hyphens for spaces.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
			return r
		}
		return -1
	}, strings.ToLower(heading))
}

// targets has a row for each target of the run, and how many of them are met.
func targets(run *result.Run) (text string, met, all int) {
	t := table{{"scenario", "target", "measured", "outcome"}}
	for _, sc := range run.Scenarios {
		for _, v := range sc.Targets {
			all++
			if v.Met {
				met++
			}
			t = append(t, []string{scenarioLink(sc.Name), v.Text, measuredText(v), outcome(v)})
		}
	}
	if all == 0 {
		return "", 0, 0
	}
	return t.textTable(), met, all
}

// measuredText is a verdict's value with what it counts: times another server's, or the metric's unit.
func measuredText(v result.Verdict) string {
	if v.Missing || !finite(v.Value) {
		return none
	}
	if v.Against != "" {
		return ratio(v.Value, 1) + " × " + v.Against
	}
	if unit := unitOf(metricOf(v.Metric)); unit != "" {
		return number(v.Value) + " " + unit
	}
	return number(v.Value)
}

// outcome says whether a target was reached, and how far it is away.
func outcome(v result.Verdict) string {
	if v.Missing || !finite(v.Value) {
		return "**not measured**"
	}
	distance, ok := missedBy(v)
	switch {
	case v.Met && ok && distance < -0.005:
		return fmt.Sprintf("reached, %.0f %% below", -100*distance)
	case v.Met:
		return "reached"
	case ok:
		return "**missed by " + percent(distance) + "**"
	}
	return "**missed by " + number(v.Value) + "**"
}

// percent never calls a distance nothing.
func percent(share float64) string {
	if share < 0.01 {
		return fmt.Sprintf("%.1g %%", 100*max(share, 0.0001))
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}
