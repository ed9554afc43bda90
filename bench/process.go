//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The kinds of server. The last two are the C floors.
const (
	nginxKind     = "nginx"
	seawallKind   = "seawall"
	seawall1PKind = "seawall-1p" // with GOMAXPROCS=1
	seawall2PKind = "seawall-2p" // with GOMAXPROCS=2
	answerKind    = "answer"
	forwardKind   = "forward"
)

const (
	startLimit = 10 * time.Second // for a server to listen
	stopLimit  = 3 * time.Second  // between SIGTERM and SIGKILL
)

// process is a started program with its own process group.
type process struct {
	cmd  *exec.Cmd
	log  string        // path of what it printed
	done chan struct{} // closed when it has ended
}

// start runs a program pinned to a core with its output going to logPath. It dies with the bench.
func (b *bench) start(core int, logPath string, env []string, argv ...string) (*process, error) {
	log, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("taskset", append([]string{"-c", strconv.Itoa(core)}, argv...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: logPath, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	b.running = append(b.running, p)
	return p, nil
}

// stop ends a process and its children. Stopping twice does nothing.
func (b *bench) stop(p *process) {
	for i, q := range b.running {
		if p == q {
			b.running = append(b.running[:i], b.running[i+1:]...)
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-p.done:
			case <-time.After(stopLimit):
			}
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.done
			return
		}
	}
}

// server is a running server of some kind.
type server struct {
	kind string
	proc *process
	port int
	dir  string
}

// pids are those of its process and of its children now: nginx listens before it has its worker, and its cache loader
// ends after a minute.
func (s *server) pids() []int { return descendants(s.proc.cmd.Process.Pid) }

// name is what the tables call it.
func (s *server) name() string {
	if s.kind == answerKind || s.kind == forwardKind {
		return "floor"
	}
	return s.kind
}

// startServer starts a server on the server's core and waits until it listens. backend is the port that it proxies to.
func (b *bench) startServer(kind string, backend int) (*server, error) {
	return b.startOn(b.serverCore, kind, backend)
}

// startBackend starts the origin that the proxies ask, on the load generator's core.
func (b *bench) startBackend() (*server, error) {
	return b.startOn(b.loadCore, answerKind, 0)
}

func (b *bench) startOn(core int, kind string, backend int) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	b.started++
	s := &server{kind: kind, port: port, dir: filepath.Join(b.dir, fmt.Sprintf("%s.%d", kind, b.started))}
	if err := os.MkdirAll(filepath.Join(s.dir, "logs"), 0o755); err != nil {
		return nil, err
	}
	argv, env, err := b.commandLine(s, backend)
	if err != nil {
		return nil, err
	}
	if s.proc, err = b.start(core, filepath.Join(s.dir, "output"), env, argv...); err != nil {
		return nil, err
	}
	if err := s.waitUntilListening(); err != nil {
		b.stop(s.proc)
		return nil, err
	}
	return s, nil
}

// commandLine also writes the configuration of a server that has one.
func (b *bench) commandLine(s *server, backend int) (argv, env []string, err error) {
	switch s.kind {
	case answerKind:
		return []string{filepath.Join(b.dir, "floor", "answer"), strconv.Itoa(s.port)}, nil, nil
	case forwardKind:
		return []string{filepath.Join(b.dir, "floor", "forward"), strconv.Itoa(s.port), strconv.Itoa(backend)}, nil, nil
	case seawall1PKind:
		env = []string{"GOMAXPROCS=1"}
	case seawall2PKind:
		env = []string{"GOMAXPROCS=2"}
	}
	text, err := sources.ReadFile("conf/nginx.conf")
	if err != nil {
		return nil, nil, err
	}
	address := func(port int) string {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)).String()
	}
	conf := strings.NewReplacer("listen LISTEN", "listen "+address(s.port), "server BACKEND", "server "+address(backend)).
		Replace(string(text))
	path := filepath.Join(s.dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		return nil, nil, err
	}
	binary := b.nginx
	if s.kind != nginxKind {
		binary = b.seawall
	}
	return []string{binary, "-p", s.dir + "/", "-e", "logs/error.log", "-c", path}, env, nil
}

func (s *server) waitUntilListening() error {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); {
		c, err := net.Dial("tcp4", s.address())
		if err == nil {
			return c.Close()
		}
		select {
		case <-s.proc.done:
			return fmt.Errorf("%s ended at once:\n%s", s.kind, s.logTail())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not listen on %s after %v:\n%s", s.kind, s.address(), startLimit, s.logTail())
}

func (s *server) address() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// logTail returns the last lines of what the server printed and of its error log.
func (s *server) logTail() string {
	var tail []string
	for _, path := range []string{s.proc.log, filepath.Join(s.dir, "logs", "error.log")} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		tail = append(tail, lines[max(0, len(lines)-5):]...)
	}
	return "  " + strings.Join(tail, "\n  ")
}

// freePort returns a port below the range that the kernel gives to outgoing connections, so that none of the load
// generator's can take it before the server does.
func freePort() (int, error) {
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port found between 20000 and 32000")
}

// withServers starts a backend and the given kinds, calls f and stops them all.
func (b *bench) withServers(kinds []string, f func(servers []*server, backend *server) error) error {
	backend, err := b.startBackend()
	if err != nil {
		return err
	}
	defer b.stop(backend.proc)
	var servers []*server
	for _, kind := range kinds {
		s, err := b.startServer(kind, backend.port)
		if err != nil {
			return err
		}
		defer b.stop(s.proc)
		servers = append(servers, s)
	}
	return f(servers, backend)
}
