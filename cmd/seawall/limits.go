package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"seawall/conf"
	"seawall/logs"
)

// collectorHeadroom is how much garbage may gather before a collection, roughly, however large the caches are.
const collectorHeadroom = 64 << 20

// tuneCollector sets GOGC for cfg, unless the environment does (GOMEMLIMIT is the run-time's own business).
//
// The hot path makes no garbage: with nothing but hits or proxied requests there is about one collection in 100,000
// requests, and GOGC between 100 and 400 changed nothing that could be measured. But GOGC counts the caches' memory as
// live, so that by default a cache of 1 GB would let 1 GB of garbage stand beside it. That memory holds no pointers and
// costs a collection nothing; so the percentage shrinks as the caches grow.
func tuneCollector(cfg *conf.Config, environment bool) {
	if !environment {
		debug.SetGCPercent(collectorPercent(cfg))
	}
}

// gogcGiven tells whether the user chose GOGC; to be asked before the environment is cleared.
func gogcGiven() bool { return os.Getenv("GOGC") != "" }

func collectorPercent(cfg *conf.Config) int {
	var caches int64
	if cfg.HTTP != nil {
		for _, c := range cfg.HTTP.CachePaths {
			caches += c.Memory
		}
	}
	return max(1, int(100*collectorHeadroom/(caches+collectorHeadroom)))
}

// tuneScheduler lets one goroutine more run at a time than there are loops, also when GOMAXPROCS in the environment is
// less. A loop that has work never gives its turn away: with as many turns as loops, whatever blocks (a large body's
// pages, a temporary file, a name's look-up) would wait after each system call until the run-time interrupts a loop, 10 ms.
func tuneScheduler(loops int) {
	if runtime.GOMAXPROCS(0) <= loops {
		runtime.GOMAXPROCS(loops + 1)
	}
}

// applyLimits sets what the main level says about the process itself. As with nginx's workers, a limit that cannot be
// set is logged and the server goes on.
func (p *process) applyLimits() error {
	main := &p.cfg.Main
	if main.WorkerRlimitNofile > 0 {
		p.setLimit("RLIMIT_NOFILE", unix.RLIMIT_NOFILE, main.WorkerRlimitNofile)
	}
	if main.WorkerRlimitCore >= 0 {
		p.setLimit("RLIMIT_CORE", unix.RLIMIT_CORE, main.WorkerRlimitCore)
	}
	if main.WorkerPriority != 0 {
		if err := setPriority(main.WorkerPriority); err != nil {
			p.log.Log(logs.LevelAlert, 0, (&systemError{fmt.Sprintf("setpriority(%d)", main.WorkerPriority), err}).Error())
		}
	}
	p.compareConnections()
	return p.setEnvironment()
}

func (p *process) setLimit(name string, resource int, n int64) {
	limit := syscall.Rlimit{}
	setBoth(&limit, n)
	// By syscall, not unix: it also makes the run-time forget to restore the old limit of descriptors in children.
	if err := syscall.Setrlimit(resource, &limit); err != nil {
		p.log.Log(logs.LevelAlert, 0, (&systemError{fmt.Sprintf("setrlimit(%s, %d)", name, n), err}).Error())
	}
}

// compareConnections warns where the loops may want more descriptors than the process can have.
func (p *process) compareConnections() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	p.log.Log(logs.LevelNotice, 0, fmt.Sprintf("getrlimit(RLIMIT_NOFILE): %d:%d", limit.Cur, limit.Max))
	if n := p.cfg.Events.WorkerConnections; uint64(n) > uint64(limit.Cur) {
		p.log.Log(logs.LevelWarn, 0, fmt.Sprintf("%d worker_connections exceed open file resource limit: %d", n, limit.Cur))
	}
}

// setEnvironment keeps TZ and what env directives name, as nginx does for its workers.
func (p *process) setEnvironment() error {
	keep := map[string]string{}
	if tz, ok := os.LookupEnv("TZ"); ok {
		keep["TZ"] = tz
	}
	for _, e := range p.cfg.Main.Env {
		if e.HasValue {
			keep[e.Name] = e.Value
		} else if value, ok := os.LookupEnv(e.Name); ok {
			keep[e.Name] = value
		}
	}
	os.Clearenv()
	for name, value := range keep {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("env %s: %w", name, err)
		}
	}
	return nil
}
