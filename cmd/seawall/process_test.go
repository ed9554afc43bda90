package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"seawall/internal/freeport"
)

// asCommand makes this test binary behave as seawall: the tests below start real processes without building one.
const asCommand = "SEAWALL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// place is a prefix directory with a configuration and a free port.
type place struct {
	t    *testing.T
	dir  string
	addr string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return &place{t: t, dir: t.TempDir(), addr: freeport.Address(t)}
}

// configure writes the configuration: main-level lines, then a server that answers body.
func (p *place) configure(main, body string) {
	p.t.Helper()
	p.write("nginx.conf", fmt.Sprintf(`%s
worker_processes 1;
pid logs/seawall.pid;
error_log logs/error.log notice;
events { worker_connections 100; }
http {
    access_log logs/access.log;
    server { listen %s; location / { return 200 %q; } }
}
`, main, p.addr, body))
}

func (p *place) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) read(name string) string {
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		return ""
	}
	return string(text)
}

func (p *place) exists(name string) bool {
	_, err := os.Stat(filepath.Join(p.dir, name))
	return err == nil
}

func (p *place) command(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"-p", p.dir, "-c", "nginx.conf"}, args...)...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// run runs seawall to its end.
func (p *place) run(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	cmd := p.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout = &out
	// A file, not a pipe: a process that goes to the background keeps it, and Wait would wait for that one too.
	file, err := os.CreateTemp(p.t.TempDir(), "stderr")
	if err != nil {
		p.t.Fatal(err)
	}
	defer file.Close()
	cmd.Stderr = file
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	errs.Write(text)
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// running is a server in the foreground.
type running struct {
	*place
	cmd    *exec.Cmd
	stderr lockedText
	ended  chan struct{}
}

func (p *place) start(args ...string) *running {
	p.t.Helper()
	r := &running{place: p, cmd: p.command(args...), ended: make(chan struct{})}
	r.cmd.Stderr = &r.stderr
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		r.cmd.Wait()
		close(r.ended)
	}()
	p.t.Cleanup(func() {
		r.cmd.Process.Kill()
		<-r.ended
	})
	r.await("the pid file", func() bool { return p.read("logs/seawall.pid") == fmt.Sprintf("%d\n", r.cmd.Process.Pid) })
	return r
}

// await waits for cond; a server that ended meanwhile fails the test at once.
func (r *running) await(what string, cond func() bool) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
		select {
		case <-r.ended:
			r.t.Fatalf("ended while waiting for %s; stderr:\n%s\nerror log:\n%s", what, r.stderr.String(), r.read("logs/error.log"))
		default:
		}
	}
	r.t.Fatalf("not within 10 s: %s; error log:\n%s", what, r.read("logs/error.log"))
}

func (r *running) awaitLog(text string) {
	r.t.Helper()
	r.await(fmt.Sprintf("%q in the error log", text), func() bool { return strings.Contains(r.read("logs/error.log"), text) })
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// exitCode waits for the end.
func (r *running) exitCode() int {
	r.t.Helper()
	select {
	case <-r.ended:
		return r.cmd.ProcessState.ExitCode()
	case <-time.After(10 * time.Second):
		r.t.Fatalf("still running after 10 s; error log:\n%s", r.read("logs/error.log"))
		return -1
	}
}

func (p *place) get() string {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.addr + "/")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func TestForegroundServerFollowsItsSignals(t *testing.T) {
	for _, c := range []struct {
		sig  syscall.Signal
		said string
	}{
		{syscall.SIGTERM, "signal 15 (SIGTERM) received, exiting"},
		{syscall.SIGINT, "signal 2 (SIGINT) received, exiting"},
		{syscall.SIGQUIT, "signal 3 (SIGQUIT) received, gracefully shutting down"},
	} {
		t.Run(c.sig.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.configure("daemon off;", "here")
			r := p.start()
			if got := p.get(); got != "here" {
				t.Errorf("answered %q", got)
			}
			r.signal(c.sig)
			if code := r.exitCode(); code != 0 {
				t.Errorf("exit status %d", code)
			}
			if p.exists("logs/seawall.pid") {
				t.Error("the pid file is still there")
			}
			if !strings.Contains(p.read("logs/error.log"), c.said) {
				t.Errorf("log lacks %q:\n%s", c.said, p.read("logs/error.log"))
			}
			if !strings.Contains(p.read("logs/access.log"), "\"GET / HTTP/1.1\" 200 ") {
				t.Errorf("access log %q", p.read("logs/access.log"))
			}
			if r.stderr.String() != "" {
				t.Errorf("stderr %q", r.stderr.String())
			}
		})
	}
}

func TestSignalOptionFindsTheServerByItsPidFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.configure("daemon off;", "first")
	r := p.start()
	p.configure("daemon off;", "second")
	if code, _, errs := p.run("-s", "reload"); code != 0 {
		t.Fatalf("reload: %d %s", code, errs)
	}
	r.await("the new answer", func() bool { return p.get() == "second" })

	if err := os.Rename(filepath.Join(p.dir, "logs/access.log"), filepath.Join(p.dir, "logs/access.log.1")); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := p.run("-s", "reopen"); code != 0 {
		t.Fatalf("reopen: %d %s", code, errs)
	}
	r.await("a new access log", func() bool { return p.exists("logs/access.log") })
	if got := p.get(); got != "second" {
		t.Errorf("answered %q", got)
	}
	r.await("a line in the new access log", func() bool { return strings.Count(p.read("logs/access.log"), "\n") == 1 })

	if code, _, errs := p.run("-s", "quit"); code != 0 {
		t.Fatalf("quit: %d %s", code, errs)
	}
	if code := r.exitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	code, _, errs := p.run("-s", "stop")
	want := fmt.Sprintf("seawall: [error] open() \"%s/logs/seawall.pid\" failed (2: No such file or directory)\n", p.dir)
	if code != 1 || errs != want {
		t.Errorf("stop afterwards: %d %q, want 1 %q", code, errs, want)
	}
}

func TestBadConfigurationOnReloadChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.configure("daemon off;", "good")
	r := p.start()
	p.configure("proxy_pas x;", "bad")
	r.signal(syscall.SIGHUP)
	r.awaitLog("[emerg] ")
	r.awaitLog(`unknown directive "proxy_pas" in ` + p.dir + "/nginx.conf:1")
	if got := p.get(); got != "good" {
		t.Errorf("answered %q", got)
	}
	p.configure("daemon off;", "better")
	r.signal(syscall.SIGHUP)
	r.await("the new answer", func() bool { return p.get() == "better" })
}

func TestReloadThatCannotListenChangesNothing(t *testing.T) {
	t.Parallel()
	p, other := newPlace(t), newPlace(t)
	ln, err := net.Listen("tcp4", other.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p.configure("daemon off;", "good")
	r := p.start()
	own := p.addr
	p.addr = other.addr
	p.configure("daemon off;", "moved")
	p.addr = own
	r.signal(syscall.SIGHUP)
	r.awaitLog("[emerg] ")
	r.awaitLog("bind() to " + other.addr + " failed (")
	if got := p.get(); got != "good" {
		t.Errorf("answered %q", got)
	}
}

func TestDaemonReturnsWhenItListens(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.configure("daemon on;", "background")
	code, stdout, errs := p.run()
	if code != 0 || stdout != "" || errs != "" {
		t.Fatalf("%d %q %q", code, stdout, errs)
	}
	pid, err := readPidFile(filepath.Join(p.dir, "logs/seawall.pid"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	if got := p.get(); got != "background" {
		t.Errorf("answered %q", got)
	}
	if sid, err := getSession(pid); err != nil || sid != pid {
		t.Errorf("session %d of process %d, %v", sid, pid, err)
	}
	if code, _, errs := p.run("-s", "stop"); code != 0 {
		t.Errorf("stop: %d %s", code, errs)
	}
	for end := time.Now().Add(10 * time.Second); p.exists("logs/seawall.pid"); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still running after 10 s")
		}
	}
}

func TestDaemonThatCannotListenSaysSoAndFails(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ln, err := net.Listen("tcp4", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p.configure("daemon on;", "never")
	code, _, errs := p.run()
	line := "seawall: [emerg] bind() to " + p.addr + " failed ("
	if code != 1 || strings.Count(errs, line) != bindAttempts || !strings.HasSuffix(errs, "seawall: [emerg] still could not bind()\n") {
		t.Errorf("%d, stderr:\n%s", code, errs)
	}
	if p.exists("logs/seawall.pid") {
		t.Error("a pid file was written")
	}
}

func TestStartFailsWithNginxsWords(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	code, _, errs := p.run()
	if want := fmt.Sprintf("seawall: [emerg] open() \"%s/nginx.conf\" failed (2: No such file or directory)\n", p.dir); code != 1 || errs != want {
		t.Errorf("no file: %d %q, want %q", code, errs, want)
	}
	p.configure("proxy_pas x;", "")
	code, _, errs = p.run()
	if want := fmt.Sprintf("seawall: [emerg] unknown directive \"proxy_pas\" in %s/nginx.conf:1", p.dir); code != 1 || !strings.HasPrefix(errs, want) {
		t.Errorf("bad directive: %d %q, want %q", code, errs, want)
	}
}

func TestConfigurationTest(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.configure("daemon off;", "x")
	path := filepath.Join(p.dir, "nginx.conf")
	ok := fmt.Sprintf("seawall: the configuration file %s syntax is ok\nseawall: configuration file %s test is successful\n", path, path)
	if code, out, errs := p.run("-t"); code != 0 || out != "" || errs != ok {
		t.Errorf("-t: %d %q %q, want %q", code, out, errs, ok)
	}
	if p.exists("logs/seawall.pid") {
		t.Error("-t left a pid file behind")
	}
	if !p.exists("logs/access.log") || !p.exists("logs/error.log") {
		t.Error("-t did not open the log files")
	}
	if code, out, errs := p.run("-tq"); code != 0 || out != "" || errs != "" {
		t.Errorf("-tq: %d %q %q", code, out, errs)
	}
	dump := fmt.Sprintf("# configuration file %s:\n%s\n", path, p.read("nginx.conf"))
	if code, out, errs := p.run("-T"); code != 0 || out != dump || errs != ok {
		t.Errorf("-T: %d %q %q, want %q", code, out, errs, dump)
	}
	p.configure("accept_mutex on;", "x")
	failed := fmt.Sprintf("seawall: configuration file %s test failed\n", path)
	if code, out, errs := p.run("-tq"); code != 1 || out != "" || !strings.HasPrefix(errs, "seawall: [emerg] ") || !strings.HasSuffix(errs, failed) {
		t.Errorf("bad file: %d %q %q", code, out, errs)
	}
	p.addr = "192.0.2.1:8080"
	p.configure("daemon off;", "x")
	if code, _, errs := p.run("-t"); code != 1 || !strings.Contains(errs, "seawall: [emerg] bind() to 192.0.2.1:8080 failed (") {
		t.Errorf("address of another machine: %d %q", code, errs)
	}
}

func TestConfigurationTestBesideTheRunningServer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.configure("daemon off;", "x")
	p.start()
	pid := p.read("logs/seawall.pid")
	if code, _, errs := p.run("-tq"); code != 0 || errs != "" {
		t.Errorf("%d %q", code, errs)
	}
	if got := p.read("logs/seawall.pid"); got != pid {
		t.Errorf("pid file changed from %q to %q", pid, got)
	}
}

func TestUserDirectiveChangesTheWholeProcess(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.configure("daemon off; user nobody nogroup;", "x")
	r := p.start()
	if os.Geteuid() != 0 {
		r.awaitLog(`the "user" directive makes sense only`)
		return
	}
	r.awaitLog(serverVersion) // logged when it has become that user
	if got := p.get(); got != "x" {
		t.Errorf("answered %q", got)
	}
	nobody, err := lookUpAccount("nobody", "nogroup")
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, id := range []struct {
			name string
			n    int
		}{{"Uid", nobody.uid}, {"Gid", nobody.gid}} {
			want := fmt.Sprintf("%s:\t%d\t%[2]d\t%[2]d\t%[2]d\n", id.name, id.n)
			if !strings.Contains(string(status), want) {
				t.Errorf("%s lacks %q:\n%s", task, want, status)
			}
		}
		// CAP_NET_BIND_SERVICE or, in a cgo build, nothing.
		if !strings.Contains(string(status), "CapEff:\t0000000000000400\n") && !strings.Contains(string(status), "CapEff:\t0000000000000000\n") {
			t.Errorf("%s:\n%s", task, status)
		}
	}
	info, err := os.Stat(filepath.Join(p.dir, "logs/access.log"))
	if err != nil {
		t.Fatal(err)
	}
	if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != nobody.uid {
		t.Errorf("the access log belongs to %d", owner)
	}
	r.signal(syscall.SIGTERM)
	if code := r.exitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if got := p.read("logs/seawall.pid"); got != "" {
		t.Errorf("the pid file still says %q", got)
	}
}

// lockedText collects what a process prints while the test reads it.
type lockedText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
