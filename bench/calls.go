//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// systemCalls counts a server's system calls per request while it is traced: a run of its own, since tracing slows
// the server down and so changes how many events each epoll_wait finds.
type systemCalls struct {
	page        page
	floor       string // kind of the floor; "" none
	connections int
}

func (m systemCalls) measure(b *bench, f figures) error {
	return b.withServers(withFloor(m.floor, b.kinds), func(servers []*server, _ *server) error {
		for _, s := range servers {
			if _, err := probe(s, m.page); err != nil {
				return err
			}
			counts, requests, err := b.trace(s, m.page, m.connections)
			if err != nil {
				return err
			}
			f.addCalls(s.name(), counts, requests)
			b.progress("  %s: %s", s.name(), describeCalls(counts, requests))
		}
		return nil
	})
}

// trace runs a fixed number of requests under strace -c. The connections are opened
// before, and closed after, strace's time.
func (b *bench) trace(s *server, p page, connections int) (counts map[string]int, requests int, err error) {
	l, err := b.startLoad(s, p, connections, "-r", strconv.Itoa(straceRequests), "-k")
	if err != nil {
		return nil, 0, s.explain(err)
	}
	defer l.end()

	out := filepath.Join(s.dir, "strace")
	argv := []string{"strace", "-c", "-f", "-o", out}
	for _, pid := range s.pids() {
		argv = append(argv, "-p", strconv.Itoa(pid))
	}
	tracer, err := b.start(b.loadCore, out+".log", nil, argv...)
	if err != nil {
		return nil, 0, err
	}
	defer b.stop(tracer)
	if err := waitUntilTraced(s, tracer); err != nil {
		return nil, 0, err
	}
	if err := l.run(); err != nil {
		return nil, 0, err
	}
	t, err := l.report()
	if err != nil {
		return nil, 0, s.explain(err)
	}
	if err := tracer.cmd.Process.Signal(syscall.SIGINT); err != nil { // detaches and writes the summary
		return nil, 0, err
	}
	select {
	case <-tracer.done:
	case <-time.After(stopLimit):
		return nil, 0, fmt.Errorf("strace does not end")
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, 0, err
	}
	counts, err = parseStrace(string(text))
	return counts, t.Requests, err
}

// waitUntilTraced waits until every thread of the server has a tracer.
func waitUntilTraced(s *server, tracer *process) error {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		untraced := false
		for _, pid := range s.pids() {
			paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
			for _, path := range paths {
				if text, err := os.ReadFile(path); err == nil && statusField(string(text), "TracerPid") == "0" {
					untraced = true
				}
			}
		}
		if !untraced {
			return nil
		}
		select {
		case <-tracer.done:
			text, _ := os.ReadFile(tracer.log)
			return fmt.Errorf("strace cannot attach to %s:\n%s", s.kind, text)
		default:
		}
	}
	return fmt.Errorf("strace did not attach to %s", s.kind)
}

// parseStrace reads the table of strace -c: "% time seconds usecs/call calls errors syscall", errors often empty.
func parseStrace(text string) (map[string]int, error) {
	counts := map[string]int{}
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
		counts[name] = n
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("strace counted nothing:\n%s", text)
	}
	return counts, nil
}

// callGroups says which column a system call is counted in; what is not here is in the column of others.
var callGroups = map[string]string{
	"read": readMetric, "readv": readMetric, "recvfrom": readMetric, "recvmsg": readMetric, "pread64": readMetric,
	"write": writeMetric, "writev": writeMetric, "sendto": writeMetric, "sendmsg": writeMetric, "sendfile": writeMetric,
	"epoll_wait": pollMetric, "epoll_pwait": pollMetric, "epoll_pwait2": pollMetric,
	// Go's scheduler watches and preempts by the clock: the slower the traced requests, the more of these for each.
	"nanosleep": clockMetric, "tgkill": clockMetric, "getpid": clockMetric, "rt_sigreturn": clockMetric,
	"restart_syscall": clockMetric,
}

func (f figures) addCalls(server string, counts map[string]int, requests int) {
	sums := map[string]int{readMetric: 0, writeMetric: 0, pollMetric: 0, clockMetric: 0, otherMetric: 0}
	all := 0
	for call, n := range counts {
		group := callGroups[call]
		if group == "" {
			group = otherMetric
		}
		sums[group] += n
		all += n
	}
	f.add(server, callsMetric, float64(all)/float64(requests))
	for group, n := range sums {
		f.add(server, group, float64(n)/float64(requests))
	}
}

// describeCalls lists the calls per request, the most frequent first.
func describeCalls(counts map[string]int, requests int) string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return counts[names[i]] > counts[names[j]] })
	var text []string
	for _, name := range names {
		text = append(text, fmt.Sprintf("%s %.3f", name, float64(counts[name])/float64(requests)))
	}
	return strings.Join(text, ", ")
}
