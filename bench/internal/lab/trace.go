//go:build linux

package lab

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"seawall/bench/internal/result"
)

// ErrNoTrace is returned where processes may not be traced.
var ErrNoTrace = errors.New("system calls cannot be counted here")

// traceLimit is how long strace may take to attach to all threads, and to detach.
const traceLimit = 10 * time.Second

// Calls are counts of system calls by name.
type Calls map[string]int

// Trace counts the system calls that a process and all that came from it make while run runs. Tracing slows a server down
// and so changes how many events each epoll_wait finds: nothing else should be measured meanwhile.
func (l *Lab) Trace(p *Process, run func() error) (Calls, error) {
	if _, ok := Find("strace"); !ok {
		return nil, fmt.Errorf("%w: there is no strace", ErrNoTrace)
	}
	out := l.logPath("strace")
	argv := []string{"strace", "-c", "-f", "-o", out}
	for _, pid := range p.Pids() {
		argv = append(argv, "-p", strconv.Itoa(pid))
	}
	tracer, err := l.Start(Spawn{Argv: argv})
	if err != nil {
		return nil, err
	}
	defer tracer.Stop()
	if err := l.waitUntilTraced(p, tracer); err != nil {
		return nil, err
	}
	if err := run(); err != nil {
		return nil, err
	}
	if err := tracer.Signal(syscall.SIGINT); err != nil { // detaches and writes the summary
		return nil, err
	}
	select {
	case <-tracer.Done():
	case <-time.After(traceLimit):
		return nil, errors.New("strace does not end")
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return parseStrace(string(text))
}

// waitUntilTraced waits until every thread has a tracer.
func (l *Lab) waitUntilTraced(p, tracer *Process) error {
	for deadline := time.Now().Add(traceLimit); time.Now().Before(deadline); {
		if !hasUntraced(p.Pids()) {
			return nil
		}
		select {
		case <-tracer.Done():
			text := tracer.LogTail()
			if strings.Contains(text, "not permitted") || strings.Contains(text, "ermission denied") {
				return fmt.Errorf("%w: run as root, or see kernel.yama.ptrace_scope:\n%s", ErrNoTrace, text)
			}
			return fmt.Errorf("strace cannot attach to %s:\n%s", p.name, text)
		case <-l.ctx.Done():
			return l.ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("strace did not attach to all of %s within %v:\n%s", p.name, traceLimit, tracer.LogTail())
}

func hasUntraced(pids []int) bool {
	for _, pid := range pids {
		paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, path := range paths {
			if text, err := os.ReadFile(path); err == nil && field(string(text), "TracerPid") == "0" {
				return true
			}
		}
	}
	return false
}

// parseStrace reads the table of strace -c: "% time seconds usecs/call calls errors syscall", errors often empty.
func parseStrace(text string) (Calls, error) {
	counts := Calls{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if _, err := strconv.ParseFloat(fields[0], 64); err != nil {
			continue // heading, rule
		}
		name := fields[len(fields)-1]
		if name == "total" {
			continue
		}
		n, err := strconv.Atoi(fields[3])
		if err != nil {
			return nil, fmt.Errorf("strace: unexpected line %q", line)
		}
		counts[name] += n
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("strace counted nothing:\n%s", text)
	}
	return counts, nil
}

// callGroups says which figure a system call is counted in; what is not here is one of the others.
var callGroups = map[string]string{
	"read": result.CallsRead, "readv": result.CallsRead, "recvfrom": result.CallsRead, "recvmsg": result.CallsRead,
	"pread64": result.CallsRead,
	"write":   result.CallsWrite, "writev": result.CallsWrite, "sendto": result.CallsWrite, "sendmsg": result.CallsWrite,
	"sendfile": result.CallsWrite, "splice": result.CallsWrite,
	"epoll_wait": result.CallsPoll, "epoll_pwait": result.CallsPoll, "epoll_pwait2": result.CallsPoll, "poll": result.CallsPoll,
	// Go's scheduler watches and preempts by the clock: the slower the traced requests, the more of these for each.
	"nanosleep": result.CallsClock, "tgkill": result.CallsClock, "getpid": result.CallsClock, "rt_sigreturn": result.CallsClock,
	"restart_syscall": result.CallsClock, "clock_nanosleep": result.CallsClock,
}

// Per divides by a number of requests: the keys are result.Calls for all of them and the keys of the groups.
func (c Calls) Per(requests int) map[string]float64 {
	sums := map[string]float64{result.Calls: 0, result.CallsRead: 0, result.CallsWrite: 0, result.CallsPoll: 0,
		result.CallsClock: 0, result.CallsOther: 0}
	for call, n := range c {
		share := float64(n) / float64(requests)
		sums[cmp.Or(callGroups[call], result.CallsOther)] += share
		sums[result.Calls] += share
	}
	return sums
}

// Describe lists the calls per request, the most frequent first.
func (c Calls) Describe(requests int) string {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(c[b], c[a]), cmp.Compare(a, b)) })
	var text []string
	for _, name := range names {
		text = append(text, fmt.Sprintf("%s %.3f", name, float64(c[name])/float64(requests)))
	}
	return strings.Join(text, ", ")
}
