//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go supports

// usage is what processes and the core they are pinned to have consumed so far.
type usage struct {
	at           time.Time
	cpu          time.Duration // user and system time of all threads of the processes
	user, system time.Duration // the same split by kind, to 10 ms
	coreBusy     time.Duration // of the core, by anybody
	coreSteal    time.Duration // taken from the core by the hypervisor
}

// readUsage adds up the processes and reads their core's line of /proc/stat.
func readUsage(pids []int, core int) (usage, error) {
	u := usage{at: time.Now()}
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return u, err
		}
		for _, path := range threads {
			// What a thread or process that has ended used up is lost: the workers that count do not end.
			if text, err := os.ReadFile(path); err == nil {
				var ns int64
				if _, err := fmt.Sscan(string(text), &ns); err != nil {
					return u, fmt.Errorf("%s: %w", path, err)
				}
				u.cpu += time.Duration(ns)
			}
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		user, system, err := parseStatTimes(string(text))
		if err != nil {
			return u, err
		}
		u.user += user
		u.system += system
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	u.coreBusy, u.coreSteal, err = parseCoreTimes(string(text), core)
	return u, err
}

// parseStatTimes returns utime and stime (proc(5), fields 14 and 15) of a /proc/PID/stat line.
func parseStatTimes(line string) (user, system time.Duration, err error) {
	// The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("unexpected stat line %q", line)
	}
	u, err1 := strconv.ParseInt(fields[11], 10, 64)
	s, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("unexpected stat line %q", line)
	}
	return time.Duration(u) * tick, time.Duration(s) * tick, nil
}

// parseCoreTimes returns how long a core was busy and how long it was stolen, from the text of /proc/stat.
func parseCoreTimes(text string, core int) (busy, steal time.Duration, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 9 || fields[0] != "cpu"+strconv.Itoa(core) {
			continue
		}
		// user nice system idle iowait irq softirq steal
		var n [8]int64
		for i := range n {
			if n[i], err = strconv.ParseInt(fields[i+1], 10, 64); err != nil {
				return 0, 0, err
			}
		}
		return time.Duration(n[0]+n[1]+n[2]+n[5]+n[6]) * tick, time.Duration(n[7]) * tick, nil
	}
	return 0, 0, fmt.Errorf("/proc/stat has no line for core %d", core)
}

// consumption is the difference of two usages.
type consumption struct {
	wall, cpu   time.Duration
	systemShare float64 // of user and system
	busy        float64 // share of the time that the processes ran
	foreign     float64 // share of the time that others ran on the core
	steal       float64 // share of the time that the hypervisor took
}

func (from usage) until(to usage) consumption {
	c := consumption{wall: to.at.Sub(from.at), cpu: to.cpu - from.cpu}
	if user, system := to.user-from.user, to.system-from.system; user+system > 0 {
		c.systemShare = float64(system) / float64(user+system)
	}
	share := func(d time.Duration) float64 { return max(0, float64(d)/float64(c.wall)) }
	c.busy = share(c.cpu)
	c.foreign = share(to.coreBusy - from.coreBusy - c.cpu)
	c.steal = share(to.coreSteal - from.coreSteal)
	return c
}

// descendants returns a process, its children, theirs and so on.
func descendants(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		line := string(text)
		fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
		child, _ := strconv.Atoi(line[:max(0, strings.IndexByte(line, ' '))])
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// anonymousMemory adds up the anonymous memory of processes, in bytes: what they allocated, without the program files
// and shared libraries.
func anonymousMemory(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it has just ended
		}
		kb, err := strconv.ParseInt(strings.TrimSuffix(statusField(string(text), "Anonymous"), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("smaps_rollup of %d: %w", pid, err)
		}
		sum += kb << 10
	}
	return sum, nil
}

// settledMemory reads anonymousMemory once it has stood still for a second, or after five.
func settledMemory(s *server) (int64, error) {
	const pause, still, limit = 200 * time.Millisecond, 5, 25
	last, err := anonymousMemory(s.pids())
	for same, turns := 0, 0; err == nil && same < still && turns < limit; turns++ {
		time.Sleep(pause)
		var now int64
		if now, err = anonymousMemory(s.pids()); now == last {
			same++
		} else {
			same, last = 0, now
		}
	}
	return last, err
}
