package compare

import (
	"fmt"

	"seawall/bench/internal/result"
)

// differences lists what differs between two runs besides the server that is compared: each may be the true cause of a
// change.
func differences(old, new *result.Run, server string) []string {
	var list []string
	differ := func(what string, before, after any) {
		if b, a := fmt.Sprint(before), fmt.Sprint(after); b != a {
			list = append(list, fmt.Sprintf("%s: %s, then %s", what, known(b), known(a)))
		}
	}
	was, is := old.Machine, new.Machine
	differ("CPU", was.CPU, is.CPU)
	differ("cores", was.Cores, is.Cores)
	differ("cores for the server", len(was.ServerCores), len(is.ServerCores))
	differ("cores for the load", len(was.LoadCores), len(is.LoadCores))
	differ("memory in MB", was.MemoryMB, is.MemoryMB)
	differ("kernel", was.Kernel, is.Kernel)
	differ("system", was.System, is.System)
	differ("congestion control", was.Congestion, is.Congestion)
	differ("Go", was.Go, is.Go)
	differ("mode", old.Mode, new.Mode)
	differ("window in ms", old.WindowMS, new.WindowMS)
	for _, s := range new.Servers {
		if before := old.ServerNamed(s.Name); before != nil && s.Name != server {
			differ("version of "+s.Name, before.Version, s.Version)
		}
	}
	for _, side := range []struct {
		name string
		run  *result.Run
	}{{"old", old}, {"new", new}} {
		if noisy, all := disturbed(side.run); noisy > 0 {
			list = append(list, fmt.Sprintf("%s run: %d of %d measurements were disturbed (others had over %.0f %% of the server's cores, or the hypervisor over %.0f %%)",
				side.name, noisy, all, 100*result.ForeignLimit, 100*result.StealLimit))
		}
	}
	return list
}

func known(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

func disturbed(run *result.Run) (noisy, all int) {
	for _, s := range run.Scenarios {
		for _, m := range s.Measured {
			for _, r := range m.Rounds {
				all++
				if r.Disturbed() {
					noisy++
				}
			}
		}
	}
	return noisy, all
}
