//go:build linux

package main

import (
	"fmt"
	"strconv"
	"time"
)

// Above these shares a measurement is called noisy.
const (
	foreignLimit = 0.05
	stealLimit   = 0.02
)

// requestCost measures the server CPU per request for one page, with wrk.
type requestCost struct {
	page        page
	floor       string // kind of the floor; "" none
	connections int
}

func (m requestCost) measure(b *bench, f figures) error {
	return b.withServers(withFloor(m.floor, b.kinds), func(servers []*server, backend *server) error {
		answerBytes := map[*server]int{}
		for _, s := range servers {
			// The first answer comes from the backend, the second one from the cache: its size is what counts.
			var err error
			for range 2 {
				if answerBytes[s], err = probe(s, m.page); err != nil {
					return err
				}
			}
			if _, err := b.runWrk(s, m.page, answerBytes[s], m.connections, warmUp(b.window)); err != nil {
				return s.explain(err)
			}
		}
		return b.interleave(servers, func(s *server) error {
			asked, accepted, err := backendCount(backend)
			if err != nil {
				return err
			}
			before, err := readUsage(s.pids(), b.serverCore)
			if err != nil {
				return err
			}
			t, err := b.runWrk(s, m.page, answerBytes[s], m.connections, b.window)
			if err != nil {
				return s.explain(err)
			}
			after, err := readUsage(s.pids(), b.serverCore)
			if err != nil {
				return err
			}
			if err := b.addCost(f, s, before.until(after), t, b.window.Seconds()); err != nil {
				return err
			}
			askedNow, acceptedNow, err := backendCount(backend)
			if err != nil {
				return err
			}
			f.add(s.name(), hitMetric, 100*(1-float64(askedNow-asked)/float64(t.Requests)))
			// The count itself takes a connection, unless the client has one open.
			f.add(s.name(), dialMetric, 1000*float64(max(0, acceptedNow-accepted-1))/float64(t.Requests))
			_, err = probe(s, m.page)
			return err
		})
	})
}

// addCost records a measurement under load and says when it was disturbed.
func (b *bench) addCost(f figures, s *server, used consumption, t totals, seconds float64) error {
	if used.cpu <= 0 {
		return s.explain(fmt.Errorf("no CPU time was counted: does this kernel have /proc/PID/schedstat?"))
	}
	perRequest := used.cpu.Seconds() * 1e6 / float64(t.Requests)
	f.add(s.name(), cpuMetric, perRequest)
	f.add(s.name(), systemMetric, 100*used.systemShare)
	f.add(s.name(), busyMetric, 100*used.busy)
	f.add(s.name(), rateMetric, float64(t.Requests)/seconds)
	f.add(s.name(), p50Metric, t.P50ms)
	f.add(s.name(), p99Metric, t.P99ms)
	b.progress("  %s: %.2f us/request, %d requests", s.name(), perRequest, t.Requests)
	if used.foreign > foreignLimit || used.steal > stealLimit {
		b.noise.noisy++
		b.progress("  noisy: others had %.0f %% of the server's core, the hypervisor %.0f %%", 100*used.foreign, 100*used.steal)
	}
	b.noise.all++
	b.noise.foreign = max(b.noise.foreign, used.foreign)
	b.noise.steal = max(b.noise.steal, used.steal)
	return nil
}

// noise sums up how disturbed the measurements under load were.
type noise struct {
	all, noisy     int
	foreign, steal float64 // the largest share
}

func (b *bench) warnIfNoisy() {
	if n := b.noise; n.noisy > 0 {
		b.warn("%d of %d measurements under load were noisy: others had up to %.0f %% of the server's core, the hypervisor up to %.0f %%",
			n.noisy, n.all, 100*n.foreign, 100*n.steal)
	}
}

// interleave measures the servers in turn, round after round, so that what disturbs the machine hits all of them. Each
// round begins with another server.
func (b *bench) interleave(servers []*server, measure func(*server) error) error {
	for round := range b.rounds {
		for i := range servers {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			if err := measure(servers[(round+i)%len(servers)]); err != nil {
				return err
			}
		}
	}
	return nil
}

func withFloor(floor string, kinds []string) []string {
	if floor == "" {
		return kinds
	}
	return append([]string{floor}, kinds...)
}

// warmUp is how long a server is loaded before a window is measured: at least one turn of every connection of a crowd.
func warmUp(window time.Duration) time.Duration { return max(window/4, time.Second) }

// explain adds what the server logged to what the client saw.
func (s *server) explain(err error) error {
	return fmt.Errorf("%s: %w\n%s", s.kind, err, s.logTail())
}

// measureCrowd keeps thousands of connections busy: each sends its next request when it has its answer.
func measureCrowd(b *bench, f figures) error {
	p := alphabetPage("/1k", 1024)
	return b.withServers(withFloor(answerKind, b.kinds), func(servers []*server, backend *server) error {
		return b.interleave(servers, func(s *server) error {
			if _, err := probe(s, p); err != nil {
				return err
			}
			l, err := b.startLoad(s, p, b.connections, "-w", milliseconds(warmUp(b.window)), "-d", milliseconds(b.window))
			if err != nil {
				return s.explain(err)
			}
			defer l.end()
			if err := l.run(); err != nil {
				return err
			}
			if err := l.expect("start"); err != nil {
				return s.explain(err)
			}
			before, err := readUsage(s.pids(), b.serverCore)
			if err != nil {
				return err
			}
			asked, _, err := backendCount(backend)
			if err != nil {
				return err
			}
			if err := l.expect("end"); err != nil {
				return s.explain(err)
			}
			after, err := readUsage(s.pids(), b.serverCore)
			if err != nil {
				return err
			}
			t, err := l.report()
			if err != nil {
				return s.explain(err)
			}
			askedNow, _, err := backendCount(backend)
			if err != nil {
				return err
			}
			if err := b.addCost(f, s, before.until(after), t, t.Seconds); err != nil {
				return err
			}
			f.add(s.name(), hitMetric, 100*(1-float64(askedNow-asked)/float64(t.Requests)))
			return nil
		})
	})
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// measureIdleMemory takes a fresh server for each figure, as memory that was once used is seldom given back.
func measureIdleMemory(b *bench, f figures) error {
	p := alphabetPage("/long/1k", 1024)
	for range b.rounds {
		for _, kind := range b.kinds {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			err := b.withServers([]string{kind}, func(servers []*server, _ *server) error {
				return b.idleMemory(servers[0], p, f)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) idleMemory(s *server, p page, f figures) error {
	for range 5 { // what is set up at the first request belongs to the server, not to the connections
		if _, err := probe(s, p); err != nil {
			return err
		}
	}
	empty, err := settledMemory(s)
	if err != nil {
		return err
	}
	l, err := b.startLoad(s, p, b.connections, "-r", strconv.Itoa(b.connections), "-k")
	if err != nil {
		return s.explain(err)
	}
	defer l.end()
	if err := l.run(); err != nil {
		return err
	}
	if _, err := l.report(); err != nil {
		return s.explain(err)
	}
	full, err := settledMemory(s)
	if err != nil {
		return err
	}
	closed, err := l.release()
	if err != nil {
		return err
	}
	if closed > 0 {
		return s.explain(fmt.Errorf("closed %d of %d idle connections", closed, b.connections))
	}
	perConnection := float64(full-empty) / float64(b.connections)
	b.progress("  %s: %.0f B/connection", s.name(), perConnection)
	f.add(s.name(), idleMetric, perConnection)
	f.add(s.name(), emptyMetric, float64(empty)/(1<<20))
	f.add(s.name(), fullMetric, float64(full)/(1<<20))
	return nil
}

// measureStampede has many clients ask at once for a page that the backend takes 300 ms to make, a new page each round.
func measureStampede(b *bench, f figures) error {
	return b.withServers(b.kinds, func(servers []*server, backend *server) error {
		pages := 0
		return b.interleave(servers, func(s *server) error {
			pages++
			p := alphabetPage("/long/slow?page="+strconv.Itoa(pages), 1024)
			asked, _, err := backendCount(backend)
			if err != nil {
				return err
			}
			crowd := strconv.Itoa(stampedeCrowd)
			l, err := b.startLoad(s, p, stampedeCrowd, "-r", crowd, "-t", "20000")
			if err != nil {
				return s.explain(err)
			}
			defer l.end()
			if err := l.run(); err != nil {
				return err
			}
			t, err := l.report()
			if err != nil {
				return s.explain(err)
			}
			askedNow, _, err := backendCount(backend)
			if err != nil {
				return err
			}
			b.progress("  %s: %d requests reached the backend", s.name(), askedNow-asked)
			f.add(s.name(), backendMetric, float64(askedNow-asked))
			f.add(s.name(), p50Metric, t.P50ms)
			f.add(s.name(), p99Metric, t.P99ms)
			return nil
		})
	})
}
