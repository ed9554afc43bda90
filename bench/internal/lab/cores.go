//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// allowedCores are those that the bench was started on. They are read once, before it pins itself to fewer.
var allowedCores = sync.OnceValues(func() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var cores []int
	for core := range len(set) * 64 {
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
})

// chooseCores gives the first cores to the servers and the rest to the load, those left out that would slow the
// servers down as the other thread of one of their cores, as long as there is another.
func chooseCores(o Options) (server, load []int, err error) {
	allowed, err := allowedCores()
	if err != nil {
		return nil, nil, err
	}
	if o.Cores != "" {
		return givenCores(o.Cores, allowed)
	}
	return splitCores(allowed, max(o.ServerCores, 1), threadSiblings)
}

func splitCores(allowed []int, servers int, siblingsOf func(core int) []int) (server, load []int, err error) {
	if len(allowed) <= servers {
		return nil, nil, fmt.Errorf("%d cores are needed, %d for the servers and one for the load; there are %d",
			servers+1, servers, len(allowed))
	}
	var shared []int
	for _, core := range allowed {
		if slices.ContainsFunc(server, func(of int) bool { return slices.Contains(siblingsOf(of), core) }) {
			shared = append(shared, core)
		} else if len(server) < servers {
			server = append(server, core)
		} else {
			load = append(load, core)
		}
	}
	// Where there are too few real cores, threads have to do.
	missing := servers - len(server)
	server, shared = append(server, shared[:missing]...), shared[missing:]
	if len(load) == 0 {
		load = shared
	}
	return server, load, nil
}

// givenCores reads SERVER:LOAD.
func givenCores(text string, allowed []int) (server, load []int, err error) {
	first, second, ok := strings.Cut(text, ":")
	if !ok {
		return nil, nil, fmt.Errorf("cores %q: SERVER:LOAD is expected, such as 0:1-3", text)
	}
	if server, err = parseCoreList(first); err != nil {
		return nil, nil, err
	}
	if load, err = parseCoreList(second); err != nil {
		return nil, nil, err
	}
	for _, core := range slices.Concat(server, load) {
		if !slices.Contains(allowed, core) {
			return nil, nil, fmt.Errorf("cores %q: %d is not among those allowed here, %v", text, core, allowed)
		}
	}
	for _, core := range server {
		if slices.Contains(load, core) {
			return nil, nil, fmt.Errorf("cores %q: %d cannot be both the servers' and the load's", text, core)
		}
	}
	return server, load, nil
}

// parseCoreList reads the kernel's list format, such as 0-3,8.
func parseCoreList(list string) ([]int, error) {
	var cores []int
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.ParseUint(from, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("list of cores %q: %w", list, err)
		}
		last := first
		if isRange {
			if last, err = strconv.ParseUint(to, 10, 16); err != nil {
				return nil, fmt.Errorf("list of cores %q: %w", list, err)
			}
		}
		for core := first; core <= last; core++ {
			if !slices.Contains(cores, int(core)) {
				cores = append(cores, int(core))
			}
		}
	}
	if cores == nil {
		return nil, fmt.Errorf("list of cores %q: it is empty", list)
	}
	return cores, nil
}

// threadSiblings are the cores that the kernel shows for one core of the processor, itself included.
func threadSiblings(core int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", core))
	if err != nil {
		return nil
	}
	cores, err := parseCoreList(string(text))
	if err != nil {
		return nil
	}
	return cores
}

// siblings says whether one of a and one of b are threads of the same core.
func siblings(a, b []int) bool {
	for _, core := range a {
		for _, other := range threadSiblings(core) {
			if slices.Contains(b, other) {
				return true
			}
		}
	}
	return false
}

// pinSelf pins every thread of this program. A thread that a pinned one starts is pinned too: it is done when a pass
// finds no new one.
func pinSelf(cores []int) error {
	var set unix.CPUSet
	for _, core := range cores {
		set.Set(core)
	}
	pinned := map[int]bool{}
	for again := true; again; {
		again = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil || pinned[id] {
				continue
			}
			if err := unix.SchedSetaffinity(id, &set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("pinning the bench to cores %v: %w", cores, err)
			}
			pinned[id], again = true, true
		}
	}
	return nil
}
