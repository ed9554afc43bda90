//go:build linux

package peer

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"seawall/bench/internal/lab"
)

// seawallBinary is built once for all tests.
var seawallBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "seawall-peer-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	seawallBinary = filepath.Join(dir, "seawall")
	text, err := exec.Command("go", "build", "-pgo=off", "-o", seawallBinary, "seawall/cmd/seawall").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "building Seawall: %v\n%s", err, text)
		return 1
	}
	return m.Run()
}

// testKinds is the table with the build under test. Programs that `make test` does not install may be missing.
func testKinds(t *testing.T) []Kind {
	t.Helper()
	var kinds []Kind
	var names, missing []string
	for _, k := range All() {
		if k.Name == "seawall" {
			k = Seawall("seawall", seawallBinary)
		}
		optional := slices.Contains([]string{"haproxy", "varnish", "h2o", "caddy"}, k.Name)
		if optional && Missing(k) {
			missing = append(missing, k.Name)
			continue
		}
		kinds, names = append(kinds, k), append(names, k.Name)
	}
	t.Logf("run: %s; not installed: %s", strings.Join(names, " "), strings.Join(missing, " "))
	return kinds
}

// openLab also starts an origin and writes the static files.
func openLab(t *testing.T) (l *lab.Lab, origin *Origin, files string) {
	t.Helper()
	l, err := lab.Open(t.Context(), lab.Options{Progress: testWriter{t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	if origin, err = StartOrigin(l); err != nil {
		t.Fatal(err)
	}
	files = filepath.Join(l.Dir, "files")
	if err := WriteFiles(files); err != nil {
		t.Fatal(err)
	}
	return l, origin, files
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

func startKind(t *testing.T, l *lab.Lab, k Kind, origin *Origin, files string) *Running {
	t.Helper()
	r, err := Start(l, k, origin.Address, files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A page is a path, what is sent to it and what it has to answer.
type page struct {
	path   string
	post   int
	status int
	body   string
	asks   asks
}

// asks says how many requests reach the origin when a page is asked for twice.
type asks int

const (
	never asks = iota
	once       // cached
	always
)

var sizes = map[string]int{"1k": 1 << 10, "10k": 10 << 10, "100k": 100 << 10, "1m": 1 << 20, "2m": 2 << 20}

// pagesOf are the pages that a server with these abilities answers.
func pagesOf(k Kind) []page {
	var pages []page
	if k.Can&Cache != 0 {
		reaches := once
		if k.Floor {
			reaches = never
		}
		for _, size := range []string{"1k", "10k", "100k", "2m"} {
			pages = append(pages, page{"/" + size, 0, 200, alphabet(sizes[size]), reaches},
				page{"/long/" + size, 0, 200, alphabet(sizes[size]), reaches})
		}
		pages = append(pages, page{"/long/slow?page=1", 0, 200, alphabet(sizes["1k"]), reaches})
	}
	if k.Can&Proxy != 0 {
		for _, size := range []string{"1k", "10k", "100k", "1m"} {
			pages = append(pages, page{"/proxied/" + size, 0, 200, alphabet(sizes[size]), always})
		}
		for _, post := range []int{1, 10 << 10, 64 << 10} {
			pages = append(pages, page{"/proxied/post", post, 200, alphabet(sizes["1k"]), always})
		}
		pages = append(pages, page{"/missing", 0, 404, "not found\n", always})
	}
	if k.Can&Static != 0 {
		for name, size := range StaticFiles {
			pages = append(pages, page{"/static/" + name, 0, 200, alphabet(size), never})
		}
	}
	if k.Can&Return != 0 {
		pages = append(pages, page{"/return", 0, 200, "ok\n", never})
	}
	return pages
}

// fetch asks for a page and returns the response's head when the answer is right.
func fetch(client *http.Client, at netip.AddrPort, p page) (http.Header, error) {
	method, body := http.MethodGet, ""
	if p.post > 0 {
		method, body = http.MethodPost, alphabet(p.post)
	}
	request, err := http.NewRequest(method, "http://"+at.String()+p.path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var text strings.Builder
	if err := response.Write(&text); err != nil {
		return nil, err
	}
	_, got, _ := strings.Cut(text.String(), "\r\n\r\n")
	if response.StatusCode != p.status || got != p.body {
		return nil, fmt.Errorf("%s: status %d, %d bytes instead of %d, %d bytes", p.path, response.StatusCode, len(got), p.status, len(p.body))
	}
	if length := response.Header.Get("Content-Length"); length != strconv.Itoa(len(p.body)) {
		return nil, fmt.Errorf("%s: Content-Length %q instead of %d", p.path, length, len(p.body))
	}
	return response.Header, nil
}

func newClient(keepAlive bool) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: !keepAlive, DisableCompression: true}}
}

func TestEveryServerDoesTheSameWork(t *testing.T) {
	l, origin, files := openLab(t)
	for _, k := range testKinds(t) {
		t.Run(k.Name, func(t *testing.T) {
			r := startKind(t, l, k, origin, files)
			defer r.Stop()
			keep, single := newClient(true), newClient(false)
			for _, p := range pagesOf(k) {
				if err := checkPage(keep, r, origin, p); err != nil {
					t.Errorf("%v\n%s", err, r.LogTail())
				}
				if _, err := fetch(single, r.Address, p); err != nil {
					t.Errorf("on a connection of its own: %v\n%s", err, r.LogTail())
				}
			}
			keep.CloseIdleConnections() // h2o waits for them when it ends
			checkLog(t, r)
			if d := r.Describe(); d.Version == "unknown" || len(d.Command) == 0 || strings.Contains(strings.Join(d.Command, " "), l.Dir) {
				t.Errorf("described as %+v", d)
			} else {
				t.Logf("%s %s: %s (first answer after %v)", d.Name, d.Version, strings.Join(d.Command, " "), r.First)
			}
			r.Stop()
			if left := processesOf(r.Site.Dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// checkPage asks twice and counts what reaches the origin.
func checkPage(client *http.Client, r *Running, origin *Origin, p page) error {
	before, dialsBefore, err := origin.Counts()
	if err != nil {
		return err
	}
	for range 2 {
		began := time.Now()
		header, err := fetch(client, r.Address, p)
		if err != nil {
			return err
		}
		// A second answer after more than a second may be a fresh one: what is cached for a second says which it is.
		if p.asks == once && time.Since(began) < time.Second && header.Get("X-Cache") == "" {
			return fmt.Errorf("%s: no X-Cache", p.path)
		}
	}
	after, dials, err := origin.Counts()
	if err != nil {
		return err
	}
	if want := int(p.asks); after-before != want {
		return fmt.Errorf("%s: of two requests %d reached the origin instead of %d", p.path, after-before, want)
	}
	if dials-dialsBefore > 1 {
		return fmt.Errorf("%s: two requests opened %d connections to the origin", p.path, dials-dialsBefore)
	}
	return nil
}

// checkLog waits until a server that logs to a file has logged.
func checkLog(t *testing.T, r *Running) {
	t.Helper()
	name, ok := map[string]string{"nginx": "access.log", "seawall": "access.log", "haproxy": "access.ring", "h2o": "access.log",
		"caddy": "access.log"}[r.Name]
	if !ok {
		return
	}
	path := filepath.Join(r.Site.Dir, "logs", name)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) { // a buffer waits a second
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), "/proxied/post") && strings.Contains(string(text), "/return") {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s has %d bytes and not all requests (%v)", path, len(text), err)
			return
		}
	}
}

// processesOf are the command lines of processes that run in a directory or name it.
func processesOf(dir string) []string {
	var found []string
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		cwd, _ := os.Readlink(filepath.Join(path, "cwd"))
		text, _ := os.ReadFile(filepath.Join(path, "cmdline"))
		if strings.HasPrefix(cwd, dir) || strings.Contains(string(text), dir) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

func TestTwoOfAKindRunSideBySide(t *testing.T) {
	l, origin, files := openLab(t)
	for _, k := range testKinds(t) {
		a := startKind(t, l, k, origin, files)
		b := startKind(t, l, k, origin, files)
		a.Stop()
		p := page{path: b.firstPath(), status: 200, body: "ok\n"}
		if p.path != "/return" {
			p.body = alphabet(1 << 10)
		}
		if _, err := fetch(newClient(false), b.Address, p); err != nil {
			t.Errorf("%s, after another one was stopped: %v\n%s", k.Name, err, b.LogTail())
		}
		b.Stop()
	}
}

func TestReloadReturnsWhenTheNewConfigurationServes(t *testing.T) {
	l, origin, files := openLab(t)
	for _, k := range testKinds(t) {
		if k.Can&Reload == 0 {
			continue
		}
		r := startKind(t, l, k, origin, files)
		for range 3 {
			began := time.Now()
			if err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: generation %d after %v", k.Name, r.Site.Generation, time.Since(began))
			if _, err := fetch(newClient(false), r.Address, page{path: "/proxied/1k", status: 200, body: alphabet(1 << 10)}); err != nil {
				t.Errorf("%s: %v", k.Name, err)
			}
		}
		r.Stop()
		if left := processesOf(r.Site.Dir); len(left) > 0 {
			t.Errorf("%s left behind: %q", k.Name, left)
		}
	}
}

func TestAServerThatDoesNotStartIsAnErrorWithItsLog(t *testing.T) {
	l, origin, files := openLab(t)
	broken, _ := ByName("nginx")
	command := broken.Command
	broken.Command = func(s Site) (Command, error) {
		c, err := command(s)
		c.Files["nginx.conf"] = "no_such_directive;\n"
		return c, err
	}
	if _, err := Start(l, broken, origin.Address, files); err == nil || !strings.Contains(err.Error(), "no_such_directive") {
		t.Errorf("got %v", err)
	}
	absent := Kind{Name: "absent", Program: "no-such-program", Command: broken.Command}
	if _, err := Start(l, absent, origin.Address, files); err == nil || !strings.Contains(err.Error(), "not installed") || !Missing(absent) {
		t.Errorf("got %v", err)
	}
	fixed, _ := ByName("floor")
	if err := (&Running{Kind: fixed}).Reload(); err == nil {
		t.Error("the floor reloads")
	}
}

func TestNginxAndSeawallRunTheSameFile(t *testing.T) {
	site := Site{Dir: "/d", Files: "/f", Listen: netip.MustParseAddrPort("127.0.0.1:1"), Backend: netip.MustParseAddrPort("127.0.0.1:2"), Workers: 1}
	theirs, _ := ByName("nginx")
	ours, _ := ByName("seawall")
	a, err := theirs.Command(site)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ours.Command(site)
	if err != nil {
		t.Fatal(err)
	}
	if a.Files["nginx.conf"] != b.Files["nginx.conf"] || b.Files["nginx.conf"] == "" {
		t.Error("they differ")
	}
	if _, ok := b.Files["static.conf"]; ok != (ours.Can&Static != 0) {
		t.Error("Static and the file for it do not go together")
	}
}

func TestTheTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range All() {
		if seen[k.Name] || k.Note == "" || k.Can == 0 || !isSource(k.Program) && k.Version == nil {
			t.Errorf("%+v", k)
		}
		seen[k.Name] = true
		if again, ok := ByName(k.Name); !ok || again.Name != k.Name {
			t.Errorf("%s is not found", k.Name)
		}
	}
	if _, ok := ByName("no such server"); ok {
		t.Error("found a server that is not there")
	}
}

func TestHidePort(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:20000")
	for arg, want := range map[string]string{"20000": "PORT", "127.0.0.1:20000": "127.0.0.1:PORT", "queue=20000": "queue=20000", "120000": "120000"} {
		if got := hidePort(arg, at, "PORT"); got != want {
			t.Errorf("%q became %q", arg, got)
		}
	}
}
