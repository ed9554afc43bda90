//go:build linux

package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seawall/bench/internal/lab"
)

// theLab is one for all tests, as compiling takes longest.
var theLab *lab.Lab

func TestMain(m *testing.M) {
	var err error
	if theLab, err = lab.Open(context.Background(), lab.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	theLab.Close()
	os.Exit(code)
}

// serveHTTP starts a server of net/http.
func serveHTTP(t *testing.T, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

// serveRaw starts a server that has the bytes of its answers from a function, request by request of a connection; it
// closes the connection when last is true.
func serveRaw(t *testing.T, answer func(r *http.Request, body []byte) (raw string, last bool)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					body, err := io.ReadAll(r.Body)
					if err != nil {
						return
					}
					raw, last := answer(r, body)
					if _, err := io.WriteString(c, raw); err != nil || last {
						return
					}
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func plain(size int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, letters(size))
}

func runOwn(t *testing.T, l *lab.Lab, j Job) (Totals, error) {
	t.Helper()
	o, err := Start(l, j)
	if err != nil {
		t.Fatal(err)
	}
	defer o.End()
	if err := o.Go(); err != nil {
		t.Fatal(err)
	}
	if j.Window > 0 {
		if err := errors.Join(o.WaitStart(), o.WaitEnd()); err != nil {
			t.Fatal(err)
		}
	}
	return o.Report()
}

func TestRightAnswersAreCounted(t *testing.T) {
	l := theLab
	var unique sync.Map
	var served, repeated, posted atomic.Int64
	at := serveRaw(t, func(r *http.Request, body []byte) (string, bool) {
		served.Add(1)
		switch r.URL.Path {
		case "/missing":
			return "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nnot found\n", false
		case "/empty":
			return "HTTP/1.1 204 No Content\r\n\r\n", false
		case "/post":
			if r.Method == http.MethodPost && string(body) == letters(10000) {
				posted.Add(1)
			}
		case "/unique":
			if _, was := unique.LoadOrStore(r.URL.RawQuery, true); was || r.URL.RawQuery == "" {
				repeated.Add(1)
			}
		}
		return plain(1024), false
	})
	totals, err := runOwn(t, l, Job{Target: at, Connections: 8, Requests: 2000, Pages: []Page{
		{Path: "/1k", Size: 1024, Weight: 5}, {Path: "/missing", Status: 404, Body: "not found\n"},
		{Path: "/missing?any", Status: 404}, {Path: "/post", Size: 1024, Post: 10000},
		{Path: "/unique", Size: 1024, Unique: true}, {Path: "/empty", Status: 204},
	}})
	if err != nil || totals.Requests != 2000 || served.Load() != 2000 {
		t.Errorf("%+v, %v; served %d", totals, err, served.Load())
	}
	if posted.Load() != 200 || repeated.Load() != 0 {
		t.Errorf("%d posts, %d repeated queries", posted.Load(), repeated.Load())
	}
	latency := totals.Latency
	if latency.P50 <= 0 || latency.P50 > latency.P90 || latency.P90 > latency.P99 || latency.P99 > latency.Max {
		t.Errorf("latency %+v", latency)
	}
	if n := len(latency.Curve); n < 20 || latency.Curve[0].Percent != 50 || latency.Curve[n-1] != (Percentile{100, latency.Max}) {
		t.Errorf("curve %v", latency.Curve)
	}
}

func TestWrongAnswersAreFound(t *testing.T) {
	l := theLab
	body := letters(1024)
	for name, c := range map[string]struct {
		raw, want string
		last      bool
	}{
		"another first letter":   {raw: "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\nb" + body[1:], want: "begins with another letter"},
		"another last letter":    {raw: "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + body[:1023] + "z", want: "ends with another letter"},
		"a length of its own":    {raw: plain(1023), want: "wrong Content-Length: 1023, not 1024"},
		"a status":               {raw: "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", want: "not a 200: HTTP/1.1 500 Oh"},
		"an early end":           {raw: plain(1024)[:700], last: true, want: "closed by the server within an answer"},
		"no answer":              {last: true, want: "closed by the server"},
		"more than the answer":   {raw: plain(1024) + "x", want: "not asked for"},
		"an announced end":       {raw: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1024\r\n\r\n" + body, want: "the server closes the connection"},
		"no length":              {raw: "HTTP/1.1 200 OK\r\n\r\n" + body, last: true, want: "no Content-Length"},
		"short chunks":           {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", want: "shorter"},
		"a chunk out of order":   {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n", want: "another letter"},
		"a chunk without size":   {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc", want: "no number"},
		"a chunk beyond it":      {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef", want: "longer than its size"},
		"another version":        {raw: "HTTP/1.0 200 OK\r\nContent-Length: 1024\r\n\r\n" + body, want: "not a 200"},
		"bytes that are no HTTP": {raw: "hello\r\n\r\n", want: "not a 200: hello"},
	} {
		t.Run(name, func(t *testing.T) {
			at := serveRaw(t, func(*http.Request, []byte) (string, bool) { return c.raw, c.last })
			totals, err := runOwn(t, l, Job{Target: at, Connections: 2, Requests: 2, Pages: []Page{{Path: "/", Size: 1024}}})
			var wrong *WrongAnswers
			if !errors.As(err, &wrong) || totals.Errors == 0 || !strings.Contains(totals.FirstError, c.want) {
				t.Errorf("%+v, %v", totals, err)
			}
		})
	}
}

func TestAnswersThatDoNotComeAreErrors(t *testing.T) {
	l := theLab
	block := make(chan struct{})
	defer close(block)
	at := serveHTTP(t, func(http.ResponseWriter, *http.Request) { <-block })
	totals, err := runOwn(t, l, Job{Target: at, Connections: 2, Requests: 2, Limit: 200 * time.Millisecond, Pages: []Page{{Path: "/", Size: 1}}})
	if totals.Errors != 2 || err == nil || totals.FirstError != "no answer within the limit" {
		t.Errorf("%+v, %v", totals, err)
	}
}

func TestChunkedAnswersAreDecoded(t *testing.T) {
	l := theLab
	size := 300_000
	at := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		body := letters(size)
		for len(body) > 0 {
			n := min(len(body), 7001)
			_, _ = io.WriteString(w, body[:n])
			w.(http.Flusher).Flush()
			body = body[n:]
		}
	})
	totals, err := runOwn(t, l, Job{Target: at, Connections: 2, Requests: 40, Pages: []Page{{Path: "/", Size: size}}})
	if err != nil || totals.Requests != 40 || totals.Bytes < 40*size {
		t.Errorf("%+v, %v", totals, err)
	}
	// Framing that comes byte by byte, an extension and a trailer.
	raw := "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0A\r\ndefghijklm\r\n0\r\nT: x\r\n\r\n"
	at = serveSlowly(t, raw)
	if totals, err := runOwn(t, l, Job{Target: at, Connections: 1, Requests: 2, Pages: []Page{{Path: "/", Size: 13}}}); err != nil {
		t.Errorf("%+v, %v", totals, err)
	}
}

// serveSlowly answers each request byte by byte.
func serveSlowly(t *testing.T, raw string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					for i := range len(raw) {
						if _, err := io.WriteString(c, raw[i:i+1]); err != nil {
							return
						}
						time.Sleep(200 * time.Microsecond) // so that reads bring few bytes; nothing waits for it
					}
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestConstantRateIsKept(t *testing.T) {
	l := theLab
	at := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, letters(1024)) })
	totals, err := runOwn(t, l, Job{Target: at, Connections: 16, Rate: 2000, Warm: 200 * time.Millisecond, Window: time.Second,
		Pages: []Page{{Path: "/", Size: 1024}}})
	if err != nil || math.Abs(float64(totals.Requests)-2000) > 100 {
		t.Errorf("%d requests where 2000 were asked for: %v", totals.Requests, err)
	}
}

// A server stalls once, for 300 ms. All requests that were due meanwhile waited; a closed loop makes no more than one of
// them on each connection.
func TestStallIsSeenAtConstantRateAndHiddenByClosedLoop(t *testing.T) {
	l := theLab
	const stall = 300 * time.Millisecond
	run := func(rate float64) Totals {
		var mu sync.Mutex
		begin := time.Now().Add(time.Hour)
		once := sync.OnceFunc(func() { time.Sleep(stall) })
		at := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			if begin.After(time.Now().Add(time.Minute)) {
				begin = time.Now()
			}
			if time.Since(begin) > 400*time.Millisecond {
				once() // with the lock held: everybody waits
			}
			mu.Unlock()
			_, _ = io.WriteString(w, letters(1024))
		})
		totals, err := runOwn(t, l, Job{Target: at, Connections: 2, Rate: rate, Window: 1200 * time.Millisecond,
			Pages: []Page{{Path: "/", Size: 1024}}})
		if err != nil {
			t.Fatal(err)
		}
		return totals
	}
	open, closed := run(1000), run(0)
	if open.Latency.Max < 250 || open.Latency.P90 < 100 {
		t.Errorf("the stall of 300 ms is missing at a constant rate: %+v", open.Latency)
	}
	if closed.Latency.P99 > 100 {
		t.Errorf("the closed loop was to hide the stall: %+v", closed.Latency)
	}
}

func TestNewConnectionForEachRequest(t *testing.T) {
	l := theLab
	var connections, requests atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, letters(1024))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	at := netip.MustParseAddrPort(s.Listener.Addr().String())
	for _, rate := range []float64{0, 1000} {
		connections.Store(0)
		requests.Store(0)
		totals, err := runOwn(t, l, Job{Target: at, Connections: 8, NewConnections: true, Requests: 500, Rate: rate, Pages: []Page{{Path: "/", Size: 1024}}})
		if err != nil || totals.Requests != 500 || connections.Load() != requests.Load() || requests.Load() < 500 {
			t.Errorf("rate %v: %+v, %v; %d connections, %d requests", rate, totals, err, connections.Load(), requests.Load())
		}
	}
}

func TestServerThatKeepsTheConnectionAfterCloseIsFound(t *testing.T) {
	l := theLab
	at := serveRaw(t, func(*http.Request, []byte) (string, bool) { return plain(10), false })
	totals, err := runOwn(t, l, Job{Target: at, Connections: 2, NewConnections: true, Window: 100 * time.Millisecond,
		Limit: 200 * time.Millisecond, Pages: []Page{{Path: "/", Size: 10}}})
	if err == nil || totals.FirstError != "not closed by the server" {
		t.Errorf("%+v, %v", totals, err)
	}
}

func TestPipelinedAnswersComeInOrder(t *testing.T) {
	l := theLab
	var swapped atomic.Bool
	at := serveRaw(t, func(r *http.Request, _ []byte) (string, bool) {
		size, _ := strconv.Atoi(r.URL.Path[1:])
		if swapped.Load() {
			size = 3000 - size
		}
		return plain(size), false
	})
	j := Job{Target: at, Connections: 2, Pipeline: 16, Requests: 1000, Pages: []Page{{Path: "/1000", Size: 1000}, {Path: "/2000", Size: 2000}}}
	if totals, err := runOwn(t, l, j); err != nil || totals.Requests != 1000 {
		t.Errorf("%+v, %v", totals, err)
	}
	swapped.Store(true)
	if totals, err := runOwn(t, l, j); err == nil || totals.Errors == 0 {
		t.Errorf("answers in the wrong order were taken: %+v", totals)
	}
}

func TestSlowReadersAreSlow(t *testing.T) {
	l := theLab
	at := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		size := 1024
		if r.URL.Path == "/1m" {
			size = 1 << 20
		}
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = io.WriteString(w, letters(size))
	})
	totals, err := runOwn(t, l, Job{Target: at, Connections: 4, Window: time.Second, Pages: []Page{{Path: "/1k", Size: 1024}},
		SlowReaders: 8, SlowRate: 50_000, SlowPage: Page{Path: "/1m", Size: 1 << 20}})
	if err != nil || totals.SlowAnswers != 0 {
		t.Errorf("%+v, %v", totals, err)
	}
	if want := 8 * 50_000.0; math.Abs(float64(totals.SlowBytes)-want) > want*0.3 {
		t.Errorf("slow readers read %d bytes, not about %.0f", totals.SlowBytes, want)
	}
	wrong, err := runOwn(t, l, Job{Target: at, Connections: 4, Window: 300 * time.Millisecond, Pages: []Page{{Path: "/1k", Size: 1024}},
		SlowReaders: 8, SlowRate: 50_000, SlowPage: Page{Path: "/1k", Size: 1023}})
	if err == nil || wrong.Errors != 8 {
		t.Errorf("wrong answers to slow readers were taken: %+v", wrong)
	}
	again, err := runOwn(t, l, Job{Target: at, Connections: 4, Window: 500 * time.Millisecond, Pages: []Page{{Path: "/1k", Size: 1024}},
		SlowReaders: 2, SlowRate: 50_000, SlowPage: Page{Path: "/1k", Size: 1024}})
	if err != nil || again.SlowAnswers < 10 {
		t.Errorf("slow readers did not ask again: %+v, %v", again, err)
	}
}

func TestStepsAndHeldConnections(t *testing.T) {
	l := theLab
	var requests atomic.Int64
	at := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, letters(100))
	})
	o, err := Start(l, Job{Target: at, Steps: []int{10, 50, 200}, Pages: []Page{{Path: "/", Size: 100}}})
	if err != nil {
		t.Fatal(err)
	}
	defer o.End()
	for _, want := range []int64{10, 50, 200} {
		if err := o.NextStep(); err != nil || requests.Load() != want {
			t.Errorf("%d requests, not %d: %v", requests.Load(), want, err)
		}
	}
	if closed, err := o.Release(); closed != 0 || err != nil {
		t.Errorf("%d closed, %v", closed, err)
	}

	held, err := Start(l, Job{Target: at, Connections: 20, Requests: 20, Hold: true, Pages: []Page{{Path: "/", Size: 100}}})
	if err != nil {
		t.Fatal(err)
	}
	defer held.End()
	if err := held.Go(); err != nil {
		t.Fatal(err)
	}
	if totals, err := held.Report(); err != nil || totals.Requests != 20 {
		t.Errorf("%+v, %v", totals, err)
	}
	if closed, err := held.Release(); closed != 0 || err != nil {
		t.Errorf("%d closed, %v", closed, err)
	}
}

func TestReopenedConnectionsAreNoErrorsButLostRequestsAre(t *testing.T) {
	l := theLab
	var n atomic.Int64
	announced := func(*http.Request, []byte) (string, bool) {
		if n.Add(1)%10 == 0 {
			return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", true
		}
		return plain(3), false
	}
	j := Job{Connections: 4, Requests: 400, Reopen: true, Pages: []Page{{Path: "/", Size: 3}}}
	for _, j.Rate = range []float64{0, 2000} {
		j.Target = serveRaw(t, announced)
		if totals, err := runOwn(t, l, j); err != nil || totals.Requests != 400 || totals.Reopened < 30 {
			t.Errorf("rate %v: %+v, %v", j.Rate, totals, err)
		}
	}
	j.Target = serveRaw(t, func(*http.Request, []byte) (string, bool) {
		if n.Add(1)%10 == 0 {
			return "", true
		}
		return plain(3), false
	})
	for _, j.Rate = range []float64{0, 2000} {
		if totals, err := runOwn(t, l, j); err == nil || totals.Errors < 30 || totals.Requests+totals.Errors != 400 {
			t.Errorf("rate %v: %+v, %v", j.Rate, totals, err)
		}
	}
}
