//go:build linux

package peer

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"seawall/bench/floor"
	"seawall/bench/internal/lab"
	"seawall/bench/internal/result"
)

const (
	startLimit  = 20 * time.Second // to the first answer; Varnish compiles its configuration before
	reloadLimit = 20 * time.Second // to the first answer of the new configuration
	// HAProxy's master loses a signal that comes while it starts its workers anew.
	signalAgain = 500 * time.Millisecond
	answerLimit = 2 * time.Second // for one answer meanwhile
	askAgain    = time.Millisecond
)

// Running is a server that was started. Its methods are for one goroutine at a time, Stop for any.
type Running struct {
	Kind
	Process *lab.Process
	Address netip.AddrPort
	Site    Site
	First   time.Duration // from its start to its first answer

	argv []string // before the program was looked up
}

// Start writes a server's configuration, starts it pinned to the server cores and waits until it answers. files is the
// directory of the static files (WriteFiles). An error carries the end of the server's log.
func Start(l *lab.Lab, k Kind, backend netip.AddrPort, files string) (*Running, error) {
	r, err := start(l, k, backend, files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	return r, nil
}

func start(l *lab.Lab, k Kind, backend netip.AddrPort, files string) (*Running, error) {
	listen, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(l.Dir, filepath.Base(k.Name)+".*")
	if err != nil {
		return nil, err
	}
	// Workers of some servers run as another user.
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "logs"), 0o755)); err != nil {
		return nil, err
	}
	r := &Running{Kind: k, Address: listen,
		Site: Site{Dir: dir, Files: files, Listen: listen, Backend: backend, Workers: len(l.ServerCores), Generation: 1}}
	command, err := r.configure()
	if err != nil {
		return nil, err
	}
	r.argv = command.Argv
	program, err := find(l, k.Program)
	if err != nil {
		return nil, err
	}
	r.Process, err = l.Start(lab.Spawn{Cores: l.ServerCores, Log: filepath.Join(dir, "output"), Dir: dir,
		Env: command.Env, Argv: append([]string{program}, command.Argv[1:]...)})
	if err != nil {
		return nil, err
	}
	err = r.waitFor(startLimit, func(status int, _ string) bool { return status == http.StatusOK }, r.firstPath())
	if err != nil {
		r.Stop()
		return nil, fmt.Errorf("does not answer: %w\n%s", err, r.LogTail())
	}
	r.First = time.Since(r.Process.Started())
	return r, nil
}

// firstPath is one that the server must be able to answer.
func (r *Running) firstPath() string {
	if r.Can&Return != 0 {
		return "/return"
	}
	return "/proxied/1k"
}

// configure writes the files for the Site as it is now.
func (r *Running) configure() (Command, error) {
	command, err := r.Kind.Command(r.Site)
	if err != nil {
		return Command{}, err
	}
	for name, text := range command.Files {
		path := filepath.Join(r.Site.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return Command{}, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return Command{}, err
		}
	}
	return command, nil
}

// Reload gives the server a new configuration, which differs in its generation only, and returns when that one answers.
// Connections that are open then may be served by the old one for a while.
func (r *Running) Reload() error {
	if r.Can&Reload == 0 {
		return fmt.Errorf("%s cannot reload", r.Name)
	}
	r.Site.Generation++
	if _, err := r.configure(); err != nil {
		return err
	}
	want := strconv.Itoa(r.Site.Generation) + "\n"
	served := func(status int, body string) bool { return status == http.StatusOK && body == want }
	var err error
	for deadline := time.Now().Add(reloadLimit); time.Now().Before(deadline); {
		if err := r.Process.Signal(cmp.Or(r.Kind.Signal, syscall.SIGHUP)); err != nil {
			return fmt.Errorf("%w\n%s", err, r.LogTail())
		}
		if err = r.waitFor(signalAgain, served, "/generation"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: the new configuration does not answer: %w\n%s", r.Name, err, r.LogTail())
}

// waitFor asks for a path, each time on a new connection, until the answer is as wanted.
func (r *Running) waitFor(limit time.Duration, wanted func(status int, body string) bool, path string) error {
	client := http.Client{Timeout: answerLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	url := "http://" + r.Address.String() + path
	var last error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		status, body, err := get(&client, url)
		switch {
		case err != nil:
			last = err
		case wanted(status, body):
			return nil
		default:
			last = fmt.Errorf("GET %s: status %d, %d bytes", path, status, len(body))
		}
		select {
		case <-r.Process.Done():
			return errors.New("it has ended")
		case <-time.After(askAgain):
		}
	}
	return fmt.Errorf("after %v: %w", limit, last)
}

func get(client *http.Client, url string) (status int, body string, err error) {
	response, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// Stop ends the server and all its processes.
func (r *Running) Stop() { r.Process.Stop() }

// LogTail is the end of what it printed and of its error log.
func (r *Running) LogTail() string {
	var tails []string
	for _, tail := range []string{r.Process.LogTail(), lab.Tail(filepath.Join(r.Site.Dir, "logs", "error.log"))} {
		if tail != "" {
			tails = append(tails, tail)
		}
	}
	return strings.Join(tails, "\n")
}

// Describe is what a result says of the server. Its command line has DIR, FILES, PORT and BACKEND (the port) for what
// differs from start to start.
func (r *Running) Describe() result.Server {
	command := make([]string, len(r.argv))
	for i, arg := range r.argv {
		arg = strings.ReplaceAll(arg, r.Site.Dir, "DIR")
		arg = hidePort(arg, r.Site.Listen, "PORT")
		command[i] = hidePort(arg, r.Site.Backend, "BACKEND")
	}
	command[0] = filepath.Base(command[0])
	return result.Server{Name: r.Name, Floor: r.Floor, Version: versionOf(r.Kind), Command: command, Note: r.Note}
}

// hidePort replaces an argument that is a port, or ends with it as an address does.
func hidePort(arg string, at netip.AddrPort, by string) string {
	port := strconv.Itoa(int(at.Port()))
	if arg == port {
		return by
	}
	if address, ok := strings.CutSuffix(arg, ":"+port); ok {
		return address + ":" + by
	}
	return arg
}

var versionPattern = regexp.MustCompile(`\d+\.\d+[\w.+~-]*`)

// versionOf asks the program; "unknown" when it does not say.
func versionOf(k Kind) string {
	if isSource(k.Program) {
		return "cc -O2"
	}
	if program, ok := lab.Find(k.Program); ok && k.Version != nil {
		text, err := exec.Command(program, k.Version...).CombinedOutput()
		if version := versionPattern.FindString(string(text)); err == nil && version != "" {
			return version
		}
	}
	return "unknown"
}

// Missing says that a server's program is not installed.
func Missing(k Kind) bool {
	if isSource(k.Program) {
		return false
	}
	_, ok := lab.Find(k.Program)
	return !ok
}

func isSource(program string) bool { return strings.HasSuffix(program, ".c") }

// find returns the path of a kind's program, which it compiles where it is one of the bench's own.
func find(l *lab.Lab, program string) (string, error) {
	if isSource(program) {
		return l.Compile(strings.TrimSuffix(program, ".c"), floor.Source(program))
	}
	path, ok := lab.Find(program)
	if !ok {
		return "", fmt.Errorf("%s is not installed", program)
	}
	return filepath.Abs(path)
}
