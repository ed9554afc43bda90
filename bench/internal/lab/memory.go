//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Memory adds up the memory of processes, in bytes: anonymous is what they allocated, resident is that with the parts of
// program files, libraries and shared memory that are in memory (counted once for each process that has them). It is an
// error when none of them is left.
func Memory(pids []int) (anonymous, resident int64, err error) {
	left := 0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if os.IsPermission(err) {
			return 0, 0, fmt.Errorf("the memory of a server that runs as another user is for root to read: %w", err)
		}
		if err != nil || len(text) == 0 {
			continue // it has just ended
		}
		a, err := kilobytes(string(text), "Anonymous")
		if err != nil {
			return 0, 0, fmt.Errorf("smaps_rollup of process %d: %w", pid, err)
		}
		r, err := kilobytes(string(text), "Rss")
		if err != nil {
			return 0, 0, fmt.Errorf("smaps_rollup of process %d: %w", pid, err)
		}
		anonymous += a
		resident += r
		left++
	}
	if left == 0 {
		return 0, 0, errors.New("no process is left whose memory could be read")
	}
	return anonymous, resident, nil
}

// SettledMemory reads a process's Memory, with all that came from it, once its anonymous part has stood still for a
// second, or after five.
func (l *Lab) SettledMemory(p *Process) (anonymous, resident int64, err error) {
	const pause, still, limit = 200 * time.Millisecond, 5, 25
	for same, turns := 0, 0; same < still && turns < limit; turns++ {
		last := anonymous
		if anonymous, resident, err = Memory(p.Pids()); err != nil {
			return 0, 0, fmt.Errorf("%s: %w:\n%s", p.name, err, p.LogTail())
		}
		if anonymous == last {
			same++
		} else {
			same = 0
		}
		select {
		case <-time.After(pause):
		case <-p.done:
			return 0, 0, fmt.Errorf("%s has ended:\n%s", p.name, p.LogTail())
		case <-l.ctx.Done():
			return 0, 0, l.ctx.Err()
		}
	}
	return anonymous, resident, nil
}
