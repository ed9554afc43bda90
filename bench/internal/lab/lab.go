//go:build linux

// Package lab is the machine that the benchmarks run on: which cores are whose, programs that are started pinned to them
// and never outlive the bench, what the kernel says that they used, and the C programs that the bench brings along.
//
// A Lab's life: Open, then Start, Compile, FreePort and the measurements from any goroutine, then Close.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// FilesNeeded is how many files a process may have open: the crowds of connections, twice where a server proxies.
const FilesNeeded = 25_000

// Options say what of the machine is used.
type Options struct {
	ServerCores int       // how many cores the servers get; 0: one
	Cores       string    // SERVER:LOAD in the kernel's list format, such as 0:1-3, in place of ServerCores
	Keep        bool      // leave the temporary directory with the servers' logs behind, unless the bench is killed
	Progress    io.Writer // where warnings go; nil: nowhere
}

// Lab is an open lab.
type Lab struct {
	Dir         string   // temporary, readable by all: some servers' workers run as other users
	ServerCores []int    // the servers are pinned to these
	LoadCores   []int    // load generators, origin and the bench itself to these
	Files       int      // how many files each process may have open; FilesNeeded where that is allowed
	Warnings    []string // what about the machine makes figures worse, found by Open

	ctx      context.Context
	options  Options
	keeper   string // the compiled keeper.c
	janitor  *janitor
	unwatch  func() bool // stops the watch on ctx
	compiled sync.Map    // binary path to its *compilation
	closing  sync.Once

	mu      sync.Mutex // holds for what follows
	closed  bool
	running map[*Process]struct{}
	started int             // processes so far, to name their logs
	ports   map[uint16]bool // handed out
}

// Open takes the machine: it pins the bench to the load cores and makes the temporary directory. When ctx ends, so do
// all processes of the lab.
func Open(ctx context.Context, o Options) (*Lab, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	l := &Lab{ctx: ctx, options: o, running: map[*Process]struct{}{}, ports: map[uint16]bool{}}
	var err error
	if l.ServerCores, l.LoadCores, err = chooseCores(o); err != nil {
		return nil, err
	}
	if siblings(l.ServerCores, l.LoadCores) {
		l.warn("the servers' cores and the load's are threads of one processor core: each slows the other down")
	}
	l.raiseFileLimit()
	l.warnIfLoaded()
	if l.Dir, err = os.MkdirTemp("", "seawall-bench-"); err != nil {
		return nil, err
	}
	if err := l.prepare(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(l.Dir))
	}
	l.unwatch = context.AfterFunc(ctx, l.stopAll)
	return l, nil
}

// prepare does what needs the directory.
func (l *Lab) prepare() (err error) {
	if err := os.Chmod(l.Dir, 0o755); err != nil {
		return err
	}
	if l.keeper, err = l.Compile("keeper", keeperSource); err != nil {
		return err
	}
	if err := pinSelf(l.LoadCores); err != nil {
		return err
	}
	l.janitor, err = startJanitor(l.Dir)
	return err
}

// Context is the one that Open was given.
func (l *Lab) Context() context.Context { return l.ctx }

// Close ends every process, removes the directory and gives the bench all its cores back. Closing twice does nothing.
func (l *Lab) Close() {
	l.closing.Do(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		l.unwatch()
		l.stopAll()
		if cores, err := allowedCores(); err == nil {
			_ = pinSelf(cores) // a lab that is opened next chooses again
		}
		defer l.janitor.dismiss()
		if l.options.Keep {
			fmt.Fprintln(l.options.Progress, "bench: kept", l.Dir)
			return
		}
		if err := os.RemoveAll(l.Dir); err != nil {
			fmt.Fprintln(l.options.Progress, "bench:", err)
		}
	})
}

// stopAll ends all processes at once, not one after the other: each may take its time.
func (l *Lab) stopAll() {
	l.mu.Lock()
	var all sync.WaitGroup
	for p := range l.running {
		all.Go(p.Stop)
	}
	l.mu.Unlock()
	all.Wait()
}

func (l *Lab) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.Warnings = append(l.Warnings, text)
	fmt.Fprintln(l.options.Progress, "bench: warning:", text)
}

// raiseFileLimit lets the bench, and so what it starts, open FilesNeeded files.
func (l *Lab) raiseFileLimit() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		l.warn("the limit of open files is unknown: %v", err)
		l.Files = 1024 // every system's default
		return
	}
	want := syscall.Rlimit{Cur: FilesNeeded, Max: max(limit.Max, FilesNeeded)}
	// Even where nothing changes: once it is set here, Go hands it on to what it starts.
	if l.Files = FilesNeeded; syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want) == nil {
		return
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	l.Files = int(limit.Max)
	l.warn("a process may open %d files here, the largest crowds of connections need %d: raise the hard limit "+
		"(sudo sh -c 'ulimit -n %d; exec ...', LimitNOFILE=, /etc/security/limits.conf)", l.Files, FilesNeeded, FilesNeeded)
}

// warnIfLoaded says when others are using the machine before anything is measured.
func (l *Lab) warnIfLoaded() {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return
	}
	fields := strings.Fields(string(text))
	if load, err := strconv.ParseFloat(fields[0], 64); err == nil && load > 0.5 {
		l.warn("the load average is %s at the start: others are using this machine, the figures will be noisy", fields[0])
	}
}

// logPath is where a process writes that was not told where to.
func (l *Lab) logPath(program string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started++
	return filepath.Join(l.Dir, fmt.Sprintf("%s.%d.log", filepath.Base(program), l.started))
}
