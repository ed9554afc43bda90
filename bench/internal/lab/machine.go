//go:build linux

package lab

import (
	"cmp"
	"os"
	"runtime"
	"strings"

	"seawall/bench/internal/result"
)

// DescribeMachine says what a run was made on.
func DescribeMachine(l *Lab) result.Machine {
	read := func(path string) string {
		text, _ := os.ReadFile(path) // what a kernel does not tell stays empty
		return strings.TrimSpace(string(text))
	}
	online, _ := parseCoreList(read("/sys/devices/system/cpu/online"))
	memory, _ := kilobytes(read("/proc/meminfo"), "MemTotal")
	return result.Machine{
		CPU:         processorName(read("/proc/cpuinfo")),
		Cores:       cmp.Or(len(online), runtime.NumCPU()),
		ServerCores: l.ServerCores,
		LoadCores:   l.LoadCores,
		MemoryMB:    int(memory >> 20),
		Kernel:      "Linux " + read("/proc/sys/kernel/osrelease"),
		System:      prettyName(read("/etc/os-release")),
		Congestion:  read("/proc/sys/net/ipv4/tcp_congestion_control"),
		Go:          runtime.Version(),
	}
}

// processorName is that of /proc/cpuinfo; ARM's kernels do not tell it.
func processorName(cpuinfo string) string {
	return cmp.Or(field(cpuinfo, "model name"), field(cpuinfo, "Model"), "unknown "+runtime.GOARCH+" processor")
}

func prettyName(osRelease string) string {
	for line := range strings.Lines(osRelease) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(name), `"'`)
		}
	}
	return ""
}
