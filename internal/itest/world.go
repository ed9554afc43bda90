package itest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
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

// Config says how to start a server. Texts may hold placeholders: {{port}} {{port2}} {{port3}} (free, for listening),
// {{origin}} {{origin2}} {{origin3}} (ports of the world's origins), {{dead}} (refuses), {{hole}} (never completes a
// connection), {{unixorigin}} (path of origin 3's Unix twin), {{prefix}}.
type Config struct {
	Main   string // added to the main context
	Events string // replaces worker_connections 1024
	HTTP   string // added to the http context
	Server string // the body of a server on {{port}} named example.com; empty: HTTP brings its servers
	Whole  string // the complete file, with {{nginx main}} and {{nginx http}} where nginx's own lines go
	Bare   bool   // without the two lines that make nginx 1.22 speak HTTP/1.1 to backends as current nginx does
	Master bool   // nginx with a master process, as reloads need it
	Files  map[string]string
	Limit  int // descriptors that the server may open; 0: as the test itself
	Level  string
}

// World is one server process and all that it needs: prefix directory, ports, origins.
type World struct {
	t      testing.TB
	Bin    Binary
	Places places
	Prefix string
	Origin [3]*Origin

	cmd    *exec.Cmd
	stderr lockedBuffer
	exited chan struct{}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newWorld makes the directory, ports and origins, and writes the configuration; it starts nothing yet.
func newWorld(t testing.TB, bin Binary, cfg Config) *World {
	t.Helper()
	prefix, err := os.MkdirTemp("", "itest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(prefix) })
	// Workers of a master that was started by root run as another user.
	if err := os.Chmod(prefix, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &World{t: t, Bin: bin, Prefix: prefix, Places: places{"prefix": prefix}}
	for _, name := range []string{"port", "port2", "port3"} {
		w.Places.setPort(name, freeport.TCP(t))
	}
	for i := range w.Origin {
		w.Origin[i] = newOrigin(t, "tcp4", "")
		w.Origin[i].places = w.Places
		name := "origin"
		if i > 0 {
			name += fmt.Sprint(i + 1)
		}
		w.Places.setPort(name, w.Origin[i].Port())
	}
	all := cfg.Main + cfg.HTTP + cfg.Server + cfg.Whole
	if strings.Contains(all, "{{dead}}") {
		w.Places.setPort("dead", deadPort(t))
	}
	if strings.Contains(all, "{{hole}}") {
		w.Places.setPort("hole", blackHole(t))
	}
	for _, dir := range []string{"logs", "temp", "html"} {
		if err := os.MkdirAll(filepath.Join(prefix, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range cfg.Files {
		w.WriteFile(name, text)
	}
	w.WriteFile("nginx.conf", cfg.text(bin))
	return w
}

// WriteFile writes a file under the prefix, placeholders filled.
func (w *World) WriteFile(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.Prefix, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(w.Places.fill(w.t, text)), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// ReadFile reads a file under the prefix; an absent one is empty.
func (w *World) ReadFile(name string) string {
	text, err := os.ReadFile(filepath.Join(w.Prefix, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Error(err)
	}
	return string(text)
}

// text composes the configuration file.
func (cfg Config) text(bin Binary) string {
	var b strings.Builder
	if cfg.Whole != "" {
		main, http := "", ""
		if bin.IsNginx {
			http = strings.ReplaceAll(nginxTempPaths, "\n", " ")
			if os.Geteuid() == 0 {
				main = "user root;"
			}
		}
		return strings.NewReplacer("{{nginx main}}", main, "{{nginx http}}", http).Replace(cfg.Whole)
	}
	level := cfg.Level
	if level == "" {
		level = "info"
	}
	fmt.Fprintf(&b, "daemon off;\npid {{prefix}}/logs/nginx.pid;\nerror_log {{prefix}}/logs/error.log %s;\n", level)
	if bin.IsNginx && !cfg.Master {
		b.WriteString("master_process off;\n")
	}
	if bin.IsNginx && os.Geteuid() == 0 {
		b.WriteString("user root;\n")
	}
	if !strings.Contains(cfg.Main, "worker_processes") {
		b.WriteString("worker_processes 1;\n")
	}
	b.WriteString(cfg.Main)
	events := cfg.Events
	if events == "" {
		events = "worker_connections 1024;"
	}
	fmt.Fprintf(&b, "\nevents { %s }\nhttp {\n", events)
	if bin.IsNginx {
		b.WriteString(nginxTempPaths)
	}
	if !cfg.Bare {
		// Named exception http-1.1-to-backends: current nginx does so by default, Debian's 1.22 does not.
		b.WriteString("proxy_http_version 1.1;\nproxy_set_header Connection \"\";\n")
	}
	if !strings.Contains(cfg.HTTP, "access_log") {
		b.WriteString("access_log off;\n")
	}
	b.WriteString(cfg.HTTP)
	if cfg.Server != "" {
		fmt.Fprintf(&b, "\nserver {\nlisten 127.0.0.1:{{port}};\nserver_name example.com;\n%s\n}\n", cfg.Server)
	}
	b.WriteString("\n}\n")
	return b.String()
}

// nginxTempPaths keeps nginx from touching the directories of an installed one.
const nginxTempPaths = `client_body_temp_path {{prefix}}/temp/body;
proxy_temp_path {{prefix}}/temp/proxy;
fastcgi_temp_path {{prefix}}/temp/fastcgi;
uwsgi_temp_path {{prefix}}/temp/uwsgi;
scgi_temp_path {{prefix}}/temp/scgi;
`

// startWorld makes a world and starts its server; the test's cleanup stops it and checks what it left.
func startWorld(t testing.TB, bin Binary, cfg Config) *World {
	t.Helper()
	w := newWorld(t, bin, cfg)
	w.start(cfg.Limit)
	return w
}

// start runs the server in the foreground and waits until {{port}} accepts.
func (w *World) start(limit int) {
	w.t.Helper()
	args := []string{w.Bin.Path, "-p", w.Prefix, "-e", w.Prefix + "/logs/error.log", "-c", w.Prefix + "/nginx.conf"}
	if limit > 0 {
		args = append([]string{"/bin/sh", "-c", fmt.Sprintf("ulimit -n %d; exec \"$@\"", limit), "sh"}, args...)
	}
	w.cmd = exec.Command(args[0], args[1:]...)
	w.cmd.Dir = w.Prefix
	w.cmd.Stdout, w.cmd.Stderr = &w.stderr, &w.stderr
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.exited = make(chan struct{})
	go func() {
		_ = w.cmd.Wait()
		close(w.exited)
	}()
	w.t.Cleanup(w.stop)
	w.waitListening("port")
	// The pid file is written when signals are handled; a signal before that would kill the server.
	if strings.Contains(w.ReadFile("nginx.conf"), "logs/nginx.pid") {
		w.waitLog("logs/nginx.pid", "\n")
	}
}

// waitListening polls until the port of that placeholder accepts, or fails with what the server said.
func (w *World) waitListening(name string) {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		conn, err := net.Dial("tcp4", w.addr(name))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-w.exited:
			w.t.Fatalf("%s exited at start\nstderr: %s\nerror log: %s", w.Bin.Path, w.stderr.String(), w.ReadFile("logs/error.log"))
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s does not listen\nstderr: %s\nerror log: %s", w.Bin.Path, w.stderr.String(), w.ReadFile("logs/error.log"))
		}
	}
}

func (w *World) addr(name string) string { return "127.0.0.1:" + w.Places[name] }

// Pid is the process id of the process that was started.
func (w *World) Pid() int { return w.cmd.Process.Pid }

// Signal sends a signal to the started process (nginx's master where there is one).
func (w *World) Signal(sig syscall.Signal) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(sig); err != nil {
		w.t.Errorf("signal %v: %v", sig, err)
	}
}

// waitExit waits for the server to end by itself and gives its exit code.
func (w *World) waitExit(patience time.Duration) int {
	w.t.Helper()
	select {
	case <-w.exited:
		return w.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		w.t.Errorf("%s still runs after %v", w.Bin.Path, patience)
		return -1
	}
}

// stop ends the server if it still runs, checks that it ended cleanly and that none of its processes is left.
func (w *World) stop() {
	group := -w.cmd.Process.Pid
	select {
	case <-w.exited:
		if code := w.cmd.ProcessState.ExitCode(); code != 0 {
			w.t.Errorf("%s ended by itself: %v", w.Bin.Path, w.cmd.ProcessState)
		}
	default:
		_ = w.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-w.exited:
		case <-time.After(10 * time.Second):
			w.t.Errorf("%s does not end on SIGTERM", w.Bin.Path)
			_ = syscall.Kill(group, syscall.SIGKILL)
			<-w.exited
		}
	}
	deadline := time.Now().Add(5 * time.Second)
	for syscall.Kill(group, 0) == nil {
		if time.Now().After(deadline) {
			w.t.Errorf("%s left processes behind", w.Bin.Path)
			_ = syscall.Kill(group, syscall.SIGKILL)
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	for what, text := range map[string]string{"stderr": w.stderr.String(), "error log": w.ReadFile("logs/error.log")} {
		for _, bad := range []string{"panic", "DATA RACE", "goroutine "} {
			if i := strings.Index(text, bad); i >= 0 {
				w.t.Errorf("%s of %s tells of a %s: %.1500s", what, w.Bin.Path, bad, text[max(0, i-300):])
				break
			}
		}
	}
}

// dial connects a scripted client to a port of this world.
func (w *World) dial(name string) *Client {
	w.t.Helper()
	network, address := "tcp4", w.addr(name)
	if name == "unix" {
		network, address = "unix", w.Prefix+"/server.sock"
	}
	c, err := dialClient(network, address, w.Places)
	if err != nil {
		w.t.Fatalf("connect to %s: %v", w.Bin.Path, err)
	}
	return c
}

// Ask runs acts on a new connection to {{port}} and gives what was heard.
func (w *World) Ask(acts ...Act) Heard {
	w.t.Helper()
	return w.dial("port").run(w.t, acts)
}

// AskText is Ask for one request sent in one piece; the answer is normalised.
func (w *World) AskText(request string) string {
	w.t.Helper()
	return normalResponses(w.Ask(Send(request)), w.Places, nil)
}

// waitLog polls a log file under the prefix until it holds text.
func (w *World) waitLog(name, text string) string {
	w.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		log := w.ReadFile(name)
		if strings.Contains(log, text) {
			return log
		}
		if time.Now().After(deadline) {
			w.t.Errorf("%s: no %q in %s:\n%s", w.Bin.Path, text, name, log)
			return log
		}
		time.Sleep(5 * time.Millisecond)
	}
}
