//go:build linux

package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// sources are the C programs, the configuration and wrk's script: the program needs no other file of the repository.
//
//go:embed floor/*.c conf/nginx.conf wrk.lua
var sources embed.FS

// cPrograms are compiled from floor/NAME.c.
var cPrograms = []string{"answer", "forward", "load"}

// unpackAndCompile writes the embedded files under dir and compiles the C programs to dir/floor/NAME.
func unpackAndCompile(ctx context.Context, dir string) error {
	if err := os.CopyFS(dir, fs.FS(sources)); err != nil {
		return err
	}
	for _, name := range cPrograms {
		out := filepath.Join(dir, "floor", name)
		text, err := exec.CommandContext(ctx, "cc", "-O2", "-Wall", "-o", out, out+".c").CombinedOutput()
		if err != nil {
			return fmt.Errorf("compiling floor/%s.c: %w\n%s", name, err, text)
		}
	}
	return nil
}

// checkTools names every program that is missing and the packages that have them.
func checkTools(rows []row, nginx string) error {
	needed := []struct{ program, debian string }{{"taskset", "util-linux"}, {"cc", "gcc libc6-dev"}, {"wrk", "wrk"}, {nginx, "nginx-light"}}
	for _, r := range rows {
		for _, tool := range r.tools {
			needed = append(needed, struct{ program, debian string }{tool, tool})
		}
	}
	var missing, packages []string
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil && !strings.Contains(strings.Join(missing, " "), n.program) {
			missing = append(missing, n.program)
			packages = append(packages, n.debian)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("missing here: %s\n  Debian, Ubuntu: apt-get install --no-install-recommends %s",
		strings.Join(missing, ", "), strings.Join(packages, " "))
}

// pickCores returns the server's core and the load generator's.
func pickCores(flag string) (server, load int, err error) {
	list := flag
	if list == "" {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return 0, 0, errors.New("no /proc: this runs on Linux only")
		}
		list = statusField(string(status), "Cpus_allowed_list")
	}
	cores, err := parseCoreList(list)
	if err != nil || len(cores) < 2 || cores[0] == cores[1] {
		return 0, 0, fmt.Errorf("two cores are needed, one for the server and one for the load; got %q", list)
	}
	return cores[0], cores[1], nil
}

// pinSelf keeps this program, too, off the server's core.
func pinSelf(core int) error {
	text, err := exec.Command("taskset", "-a", "-c", "-p", strconv.Itoa(core), strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, text)
	}
	return nil
}

// parseCoreList reads the kernel's list format, such as 0-3,8.
func parseCoreList(list string) ([]int, error) {
	var cores []int
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = strconv.Atoi(to); err != nil {
				return nil, err
			}
		}
		for c := first; c <= last; c++ {
			cores = append(cores, c)
		}
	}
	return cores, nil
}

// statusField returns a field of a /proc/PID/status text, "" when there is none.
func statusField(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// warnIfLoaded says when others are using the machine before anything is measured.
func (b *bench) warnIfLoaded() {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return
	}
	fields := strings.Fields(string(text))
	if load, err := strconv.ParseFloat(fields[0], 64); err == nil && load > 0.5 {
		b.warn("the load average is %s already: others are using this machine, the figures will be noisy", fields[0])
	}
}

// machineText names the processor and the kernel, for the report's head.
func machineText() string {
	cpu := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return cpu + ", Linux " + strings.TrimSpace(string(release))
}
