//go:build linux

package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a process tree and the cores that it is pinned to have consumed so far. Only the difference of two says
// something.
type Usage struct {
	at        time.Time
	processes map[int]processTimes // running now
	waited    splitTime            // of those that have ended, as far as their parents waited for them
	cores     int
	coreBusy  time.Duration // of the cores, by anybody
	coreSteal time.Duration // taken from the cores by the hypervisor
}

type processTimes struct {
	started uint64
	cpu     time.Duration // precise
	split   splitTime
}

// splitTime is counted in ticks, and split by what each tick found: good for shares, not for sums.
type splitTime struct{ user, system time.Duration }

func (s splitTime) less(t splitTime) splitTime {
	return splitTime{s.user - t.user, s.system - t.system}
}
func (s splitTime) plus(t splitTime) splitTime {
	return splitTime{s.user + t.user, s.system + t.system}
}
func (s splitTime) sum() time.Duration { return s.user + s.system }

// Use reads what a process and all that came from it have consumed so far.
func (l *Lab) Use(p *Process) (Usage, error) {
	u := Usage{at: time.Now(), processes: map[int]processTimes{}, cores: len(p.cores)}
	for _, pid := range descendants(p.keeper.Process.Pid) {
		times, waited, err := readTimes(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
			continue // it has just ended
		}
		if err != nil {
			return u, err
		}
		u.waited = u.waited.plus(waited)
		if pid != p.keeper.Process.Pid { // which does nothing but wait
			u.processes[pid] = times
		}
	}
	if len(u.processes) == 0 {
		return u, fmt.Errorf("%s has ended:\n%s", p.name, p.LogTail())
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	u.coreBusy, u.coreSteal, err = parseCoreTimes(string(text), p.cores)
	return u, err
}

// readTimes reads the accounting of one process: of itself, and of its children that have ended.
func readTimes(pid int) (times processTimes, waited splitTime, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return times, waited, err
	}
	s, err := parseStat(string(text))
	if err != nil {
		return times, waited, err
	}
	cpu, err := processClock(pid)
	return processTimes{s.started, cpu, splitTime{s.user, s.system}}, splitTime{s.waitedUser, s.waitedSystem}, err
}

// processClock reads the time that all threads of a process, the ended ones included, were on a core, in nanoseconds:
// the sum of what /proc/PID/task/*/schedstat says. It is the clock of clock_getcpuclockid(3).
func processClock(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// parseCoreTimes returns how long cores were busy and how long they were stolen, from the text of /proc/stat.
func parseCoreTimes(text string, cores []int) (busy, steal time.Duration, err error) {
	found := 0
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		core, err := strconv.Atoi(fields[0][len("cpu"):])
		if err != nil || !slices.Contains(cores, core) {
			continue // the sum of all, or another
		}
		// user nice system idle iowait irq softirq steal
		var n [8]int64
		for i := range n {
			if n[i], err = strconv.ParseInt(fields[i+1], 10, 64); err != nil {
				return 0, 0, fmt.Errorf("/proc/stat: %w", err)
			}
		}
		busy += time.Duration(n[0]+n[1]+n[2]+n[5]+n[6]) * tick
		steal += time.Duration(n[7]) * tick
		found++
	}
	if found != len(cores) {
		return 0, 0, fmt.Errorf("/proc/stat has not all of the cores %v", cores)
	}
	return busy, steal, nil
}

// Consumption is the difference of two usages.
type Consumption struct {
	Wall         time.Duration
	CPU          time.Duration // of all cores together
	User, System time.Duration // their sum is CPU
	Busy         float64       // share of its cores' time that the process tree ran, 0 to 1
	Foreign      float64       // share that others ran on its cores
	Steal        float64       // share that the hypervisor took
}

// Until is what was consumed between two usages of one process. What a child used that began and ended between them
// counts as well, to 10 ms.
func (from Usage) Until(to Usage) Consumption {
	c := Consumption{Wall: to.at.Sub(from.at)}
	var split, gone splitTime
	for pid, now := range to.processes {
		before := from.processes[pid]
		if before.started != now.started {
			before = processTimes{} // a new process, maybe with the number of an ended one
		}
		c.CPU += now.cpu - before.cpu
		split = split.plus(now.split.less(before.split))
	}
	for pid, before := range from.processes {
		if to.processes[pid].started != before.started {
			gone = gone.plus(before.split)
		}
	}
	// What ended meanwhile is now in its parent's books, with all that it used before from. Whoever does not wait for its
	// children loses that: then there is less in the books than was there before.
	ended := to.waited.less(from.waited).less(gone)
	if ended.sum() > 0 {
		c.CPU += ended.sum()
		split = split.plus(ended)
	}
	if user, system := max(split.user, 0), max(split.system, 0); user+system > 0 {
		c.System = time.Duration(float64(c.CPU) * float64(system) / float64(user+system))
	}
	c.User = c.CPU - c.System
	if c.Wall <= 0 {
		return c
	}
	share := func(d time.Duration) float64 { return max(0, float64(d)/float64(c.Wall)/float64(from.cores)) }
	c.Busy = share(c.CPU)
	c.Foreign = share(to.coreBusy - from.coreBusy - c.CPU)
	c.Steal = share(to.coreSteal - from.coreSteal)
	return c
}
