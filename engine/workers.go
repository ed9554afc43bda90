package engine

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// workers is the bounded pool for work that blocks. Not ants.Pool: importing ants starts tickers that wake an idle
// process twice a second, and a full pool of its either blocks the caller, which is a loop, or refuses. Here goroutines
// exist only while there is work (starting one costs nothing beside work that blocks), and work waits in a queue, whose
// length the number of connections bounds: each waits for what it asked for.
type workers struct {
	mu      sync.Mutex
	limit   int
	running int   // guarded by mu
	queue   []job // guarded by mu
	stopped bool  // guarded by mu
	idle    sync.WaitGroup
}

type job struct {
	loop       *Loop
	work, done func()
}

// Offload runs work on the engine's pool for blocking work, then done (may be nil) on the loop. From any goroutine.
// A panic in work is logged and counted; done is called all the same. After Stop nothing happens.
func (l *Loop) Offload(work func(), done func()) {
	w := &l.engine.workers
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped:
	case w.running < w.limit:
		w.running++
		w.idle.Add(1)
		go w.run(job{l, work, done})
	default:
		w.queue = append(w.queue, job{l, work, done})
	}
}

// run does jobs until there are none.
func (w *workers) run(j job) {
	for ok := true; ok; j, ok = w.next() {
		j.do()
		if j.done != nil {
			j.loop.Post(j.done)
		}
	}
	w.idle.Done()
}

func (w *workers) next() (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.running--
		w.queue = nil
		return job{}, false
	}
	j := w.queue[0]
	w.queue[0] = job{}
	w.queue = w.queue[1:]
	return j, true
}

func (j job) do() {
	defer func() {
		if r := recover(); r != nil {
			j.loop.counters.panics.Add(1)
			j.loop.log(Alert, 0, fmt.Sprintf("panic in offloaded work: %v\n%s", r, debug.Stack()))
		}
	}()
	j.work()
}

// stopPatience is how long stop waits for work that runs: nobody can interrupt it.
const stopPatience = 5 * time.Second

// stop drops what is queued and waits for what runs.
func (w *workers) stop() {
	w.mu.Lock()
	w.stopped, w.queue = true, nil
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		w.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(stopPatience):
	}
}
