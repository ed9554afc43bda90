package demo

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"seawall/internal/freeport"
)

func startTestApplication(t *testing.T) *application {
	t.Helper()
	app, err := startApplication()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.stop)
	return app
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestApplicationPages(t *testing.T) {
	app := startTestApplication(t)
	for path, want := range map[string]string{
		"/":          "made by the application",
		"/news":      "<h1>news</h1>",
		"/product/7": "<h1>product/7</h1>",
		"/account":   "your visit number 1",
	} {
		resp, body := get(t, "http://"+app.addr+path)
		if resp.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %s lacks %q", path, resp.Status, want)
		}
		if personal := resp.Header.Get("Set-Cookie") != ""; personal != (path == "/account") {
			t.Errorf("%s: Set-Cookie %v", path, personal)
		}
	}
	if resp, body := get(t, "http://"+app.addr+"/big"); len(body) != bigSize || resp.StatusCode != 200 {
		t.Errorf("/big: %s with %d bytes, want %d", resp.Status, len(body), bigSize)
	}
	if resp, _ := get(t, "http://"+app.addr+"/nowhere"); resp.StatusCode != 404 {
		t.Errorf("/nowhere: %s", resp.Status)
	}
}

func TestApplicationFlakyFailsNowAndThen(t *testing.T) {
	app := startTestApplication(t)
	seen := map[int]int{}
	for range 6 {
		resp, _ := get(t, "http://"+app.addr+"/flaky")
		seen[resp.StatusCode]++
	}
	if seen[200] != 4 || seen[500] != 1 || seen[502] != 1 {
		t.Errorf("statuses %v", seen)
	}
}

func TestApplicationMakesFourPagesAtATime(t *testing.T) {
	app := startTestApplication(t)
	began := time.Now()
	var wg sync.WaitGroup
	for range 2*workers + 1 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if resp, err := http.Get("http://" + app.addr + "/news"); err == nil {
				resp.Body.Close()
			}
		}()
	}
	wg.Wait()
	if took := time.Since(began); took < 3*pageTime {
		t.Errorf("nine pages in %v: more than four at a time", took)
	}
	if n := app.answered.Load(); n != 2*workers+1 {
		t.Errorf("%d requests counted", n)
	}
}

func TestBucketsHoldWhatTheyClaim(t *testing.T) {
	last := -1
	for us := time.Duration(0); us < 3_000_000; us += max(1, us/100) {
		d := us * time.Microsecond
		i := bucket(d)
		if i < last {
			t.Fatalf("%v in bucket %d after %d", d, i, last)
		}
		last = i
		if d >= upper(i) || i > 0 && d < upper(i-1) {
			t.Fatalf("%v in bucket %d, which ends at %v after %v", d, i, upper(i), upper(i-1))
		}
	}
	if i := bucket(time.Hour); i != octaves*perOctave-1 {
		t.Errorf("an hour in bucket %d", i)
	}
}

func TestPercentileOfTheAnswersSince(t *testing.T) {
	var r recorder
	for range 1000 {
		r.add(time.Second)
	}
	before := r.histogram()
	for range 98 {
		r.add(time.Millisecond)
	}
	r.add(50 * time.Millisecond)
	r.add(50 * time.Millisecond)
	now := r.histogram()
	near := func(got, want time.Duration) bool { return got >= want && got <= want+want/15 }
	if got := now.Percentile(before, 0.5); !near(got, time.Millisecond) {
		t.Errorf("p50 %v", got)
	}
	if got := now.Percentile(before, 0.99); !near(got, 50*time.Millisecond) {
		t.Errorf("p99 %v", got)
	}
	if got := now.Percentile(now, 0.99); got != 0 {
		t.Errorf("p99 of nothing: %v", got)
	}
}

func TestListenAddress(t *testing.T) {
	for text, want := range map[string]string{
		"8081":           "127.0.0.1:8081",
		":8081":          "127.0.0.1:8081",
		"0.0.0.0:80":     "0.0.0.0:80",
		"192.0.2.1":      "192.0.2.1:8080",
		"localhost":      "localhost:8080",
		"[::1]:8081":     "[::1]:8081",
		"127.0.0.1:port": "",
		"a:b:c":          "",
	} {
		if got, err := listenAddress(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestTakenPortNamesTheFlag(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var stdout, stderr bytes.Buffer
	code := Main([]string{"-listen", ln.Addr().String()}, &stdout, &stderr, nil)
	want := "seawall demo: " + ln.Addr().String() +
		" is taken by another program; choose another port, say: seawall demo -listen 127.0.0.1:8081\n"
	if code != 1 || stderr.String() != want {
		t.Errorf("%d %q, want %q", code, stderr.String(), want)
	}
}

// standIn is a Server that passes every request on; it finds the application in the configuration it was given.
type standIn struct {
	server  *http.Server
	latency recorder
	dir     string
	stopped bool
}

func startStandIn(t *testing.T, listen string, got **standIn) Starter {
	return func(path string) (Server, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		_, after, _ := strings.Cut(string(text), "upstream app { server ")
		app, _, _ := strings.Cut(after, ";")
		target, err := url.Parse("http://" + app)
		if err != nil {
			return nil, err
		}
		s := &standIn{dir: strings.TrimSuffix(path, "/nginx.conf")}
		proxy := httputil.NewSingleHostReverseProxy(target)
		s.server = &http.Server{Addr: listen, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			proxy.ServeHTTP(w, r)
			s.latency.add(time.Since(began))
		})}
		ln, err := net.Listen("tcp", listen)
		if err != nil {
			return nil, err
		}
		go s.server.Serve(ln)
		*got = s
		return s, nil
	}
}

func (s *standIn) Counters() Counters {
	h := s.latency.histogram()
	var n uint64
	for _, c := range h.Counts {
		n += c
	}
	return Counters{Requests: n, Latency: h}
}

func (s *standIn) Stop() {
	s.stopped = true
	s.server.Close()
}

func TestRunReportsAndCleansUp(t *testing.T) {
	listen := freeport.Address(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2500*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	var server *standIn
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		visitor(ctx, listen, func(time.Duration) {}, func(int) (string, time.Duration) { return "/news", 0 })
	}()
	if err := run(ctx, options{listen: listen}, &out, startStandIn(t, listen, &server)); err != nil {
		t.Fatal(err)
	}
	<-asked
	text := out.String()
	for _, want := range []string{"curl -i  http://" + listen + "/news", "wrk -c 200", "http://" + listen + "/\n", "hit ratio"} {
		if !strings.Contains(text, want) {
			t.Errorf("output lacks %q:\n%s", want, text)
		}
	}
	var reported bool
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) > 9 && fields[2] == "-" && fields[1] != "0" { // some requests reached the application in that second
			reported = true
		}
	}
	if !reported {
		t.Errorf("no line with the application's requests:\n%s", text)
	}
	if !server.stopped {
		t.Error("the server was not stopped")
	}
	if _, err := os.Stat(server.dir); !os.IsNotExist(err) {
		t.Errorf("temporary directory left behind: %v", err)
	}
}

func TestLoadBeginsStraightAtTheApplication(t *testing.T) {
	app, through := startTestApplication(t), startTestApplication(t)
	var mu sync.Mutex
	var said []string
	ctx, cancel := context.WithCancel(context.Background())
	var l load
	stop := l.start(ctx, app.addr, through.addr, func(s string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, s)
	})
	for end := time.Now().Add(10 * time.Second); l.direct.Load() < loadClients && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if n := app.answered.Load(); n < loadClients {
		t.Errorf("%d requests straight to the application", n)
	}
	cancel()
	stop()
	if n := l.direct.Load(); n < loadClients {
		t.Errorf("%d answers counted", n)
	}
	if n := through.begun.Load(); n != 0 {
		t.Errorf("%d requests through the proxy during the first phase", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 1 || !strings.Contains(said[0], "straight") {
		t.Errorf("said %q", said)
	}
}
