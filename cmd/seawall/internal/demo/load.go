package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	loadClients = 100
	directTime  = 6 * time.Second // how long the clients go straight to the application
	personal    = 5               // requests/s for /account: nobody can cache those
)

// load is the built-in clients' view: what they got, and how long they waited. Each client adds to it.
type load struct {
	direct  atomic.Uint64 // answers straight from the application, which Seawall cannot count
	latency recorder      // of all answers
}

// start sets clients on the application, then on Seawall; the returned function ends them and waits.
func (l *load) start(ctx context.Context, app, seawall string, say func(string)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		say(fmt.Sprintf("  -- %d clients straight to the application, for %v", loadClients, directTime))
		direct, end := context.WithTimeout(ctx, directTime)
		l.crowd(direct, app, &l.direct)
		end()
		if ctx.Err() != nil {
			return
		}
		say(fmt.Sprintf("  -- the same %d clients through Seawall", loadClients))
		l.crowd(ctx, seawall, nil)
	}()
	return func() {
		cancel()
		<-done
	}
}

// crowd runs the clients against addr until ctx ends; answers are counted in answered, if there is one.
func (l *load) crowd(ctx context.Context, addr string, answered *atomic.Uint64) {
	got := func(took time.Duration) {
		l.latency.add(took)
		if answered != nil {
			answered.Add(1)
		}
	}
	var wg sync.WaitGroup
	for n := range loadClients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			visitor(ctx, addr, got, func(i int) (path string, pause time.Duration) {
				switch pick := (n*7 + i) % 20; {
				case pick < 8:
					return "/", 0
				case pick < 14:
					return "/news", 0
				case pick < 19:
					return fmt.Sprintf("/product/%d", 1+(n+i)%10), 0
				default:
					return "/flaky", 0
				}
			})
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		visitor(ctx, addr, got, func(int) (string, time.Duration) { return "/account", time.Second / personal })
	}()
	wg.Wait()
}

// visitor asks for one page after another, keeping its connection where the server does, and tells how long each took.
func visitor(ctx context.Context, addr string, got func(took time.Duration), next func(i int) (path string, pause time.Duration)) {
	for i := 0; ctx.Err() == nil; i++ {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			pauseFor(ctx, 100*time.Millisecond)
			continue
		}
		release := context.AfterFunc(ctx, func() { conn.Close() })
		r := bufio.NewReader(conn)
		for ; ctx.Err() == nil; i++ {
			path, pause := next(i)
			began := time.Now()
			if !visit(conn, r, addr, path) {
				break
			}
			got(time.Since(began))
			pauseFor(ctx, pause)
		}
		release()
		conn.Close()
	}
}

// visit makes one request; false: the connection is of no more use.
func visit(conn net.Conn, r *bufio.Reader, host, path string) bool {
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return false
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false
	}
	return !resp.Close
}

func pauseFor(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
