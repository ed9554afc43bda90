//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go supports

// processStat is what of /proc/PID/stat (proc(5)) is used here.
type processStat struct {
	parent                   int
	user, system             time.Duration // of the process, its ended threads included
	waitedUser, waitedSystem time.Duration // of its children that have ended and been waited for, and of theirs
	started                  uint64        // in ticks since boot: tells two processes with the same number apart
}

func parseStat(line string) (processStat, error) {
	var s processStat
	// The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 20 {
		return s, fmt.Errorf("unexpected stat line %q", line)
	}
	var n [20]int64 // numbered as in proc(5) less 3
	for _, i := range []int{1, 11, 12, 13, 14, 19} {
		var err error
		if n[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return s, fmt.Errorf("unexpected stat line %q", line)
		}
	}
	s.parent = int(n[1])
	s.user, s.system = time.Duration(n[11])*tick, time.Duration(n[12])*tick
	s.waitedUser, s.waitedSystem = time.Duration(n[13])*tick, time.Duration(n[14])*tick
	s.started = uint64(n[19])
	return s, nil
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
		s, err := parseStat(string(text))
		child, err2 := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || err2 != nil {
			continue
		}
		children[s.parent] = append(children[s.parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// field returns a field of a text such as /proc/PID/status or /proc/meminfo, "" when there is none.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kilobytes reads a field such as "123 kB", in bytes.
func kilobytes(text, name string) (int64, error) {
	kb, err := strconv.ParseInt(strings.TrimSuffix(field(text, name), " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("field %s: %w", name, err)
	}
	return kb << 10, nil
}
