package publish

import (
	"fmt"
	"strings"
	"time"

	"seawall/bench/internal/result"
)

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// kernel is the kernel's name and version; the file may have only the latter.
func kernel(m result.Machine) string {
	return "Linux " + strings.TrimPrefix(m.Kernel, "Linux ")
}

func coreList(cores []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(cores)), ", "), "[]")
}

func coresText(m result.Machine) string {
	return fmt.Sprintf("The server under test has %s (number %s), and all of its processes and threads are pinned there. "+
		"The load generator, the backend and the bench itself share %s (number %s).",
		count(len(m.ServerCores), "core"), coreList(m.ServerCores), count(len(m.LoadCores), "core"), coreList(m.LoadCores))
}

func machineTable(run *result.Run) string {
	m := run.Machine
	t := table{
		{"", ""},
		{"processor", m.CPU},
		{"cores", fmt.Sprintf("%d: server on %s, load on %s", m.Cores, coreList(m.ServerCores), coreList(m.LoadCores))},
		{"memory", number(float64(m.MemoryMB)) + " MB"},
		{"kernel", kernel(m)},
		{"system", m.System},
		{"congestion control", m.Congestion},
		{"Go", m.Go},
		{"command", code(strings.Join(run.Command, " "))},
		{"mode", run.Mode},
		{"began", run.Started.UTC().Format("2006-01-02 15:04 UTC")},
		{"took", run.Ended.Sub(run.Started).Round(time.Second).String()},
	}
	return t.textTable()
}

func serverTable(run *result.Run) string {
	t := table{{"server", "version", "note"}}
	for _, s := range run.Servers {
		note := sentence(s.Note)
		if s.Floor {
			note = strings.TrimSpace("A floor, not a peer. " + note)
		}
		t = append(t, []string{showName(s.Name), s.Version, note})
	}
	return t.textTable()
}

func commands(run *result.Run) string {
	var out strings.Builder
	for _, s := range run.Servers {
		if len(s.Command) > 0 {
			fmt.Fprintf(&out, "    %s\n", oneLine(strings.Join(s.Command, " ")))
		}
	}
	return strings.TrimRight(out.String(), "\n")
}

func warnings(run *result.Run) string {
	var lines []string
	for _, w := range run.Warnings {
		lines = append(lines, "- "+sentence(w))
	}
	return strings.Join(lines, "\n")
}
