//go:build linux

package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopLimit is how long a program may take to end by itself. A variable for tests.
var stopLimit = 3 * time.Second

// Spawn says how a program is started.
type Spawn struct {
	Cores []int    // it is pinned to these before it runs; nil: the load cores
	Log   string   // path that its output goes to; "": a new file in the lab's directory
	Dir   string   // working directory; "": the lab's
	Env   []string // beside the bench's own
	Argv  []string // the program is looked up in PATH and /usr/sbin
	Pipes bool     // In and Out of the Process are its standard input and output; only its errors go to Log
}

// Process is a program that was started, with all that comes from it: it is watched over by a keeper (keeper.c), which
// ends every descendant when the program has ended, when it is stopped, or when the bench is gone.
type Process struct {
	In  io.WriteCloser // with Spawn.Pipes
	Out io.Reader      // with Spawn.Pipes; what was not read when it ended can still be read

	lab      *Lab
	name     string
	cores    []int
	pid      int // of the program
	started  time.Time
	keeper   *exec.Cmd
	commands *os.File // the keeper's: bytes are signals, its end is the program's end
	log      string
	done     chan struct{} // closed when the program and all that came from it have ended
	ended    error         // how; set before done is closed
	stopping sync.Once
}

// Start starts a program and returns when it runs. It may be called from any goroutine.
func (l *Lab) Start(s Spawn) (*Process, error) {
	if err := context.Cause(l.ctx); err != nil {
		return nil, err
	}
	if len(s.Argv) == 0 {
		return nil, errors.New("nothing to start: no program was given")
	}
	p := &Process{lab: l, name: s.Argv[0], cores: s.Cores, log: s.Log, done: make(chan struct{})}
	if p.cores == nil {
		p.cores = l.LoadCores
	}
	if p.log == "" {
		p.log = l.logPath(s.Argv[0])
	}
	program, ok := Find(s.Argv[0])
	if !ok {
		return nil, fmt.Errorf("starting %s: there is no such program", s.Argv[0])
	}
	program, err := filepath.Abs(program) // it starts in another directory
	if err != nil {
		return nil, err
	}
	argv := append([]string{coreList(p.cores), program}, s.Argv[1:]...)
	p.keeper = exec.Command(l.keeper, argv...)
	p.keeper.Dir = s.Dir
	if s.Dir == "" {
		p.keeper.Dir = l.Dir
	}
	p.keeper.Env = append(os.Environ(), s.Env...)
	news, err := p.launch(s.Pipes)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Argv[0], err)
	}
	if p.pid, p.started, err = waitForPid(news); err != nil {
		p.commands.Close()
		news.Close()
		if s.Pipes {
			p.In.Close()
			p.Out.(io.Closer).Close()
		}
		_ = p.keeper.Wait()
		return nil, fmt.Errorf("starting %s: %w", s.Argv[0], err)
	}
	go p.wait(news)

	l.mu.Lock()
	l.running[p] = struct{}{}
	late := l.closed || l.ctx.Err() != nil
	l.mu.Unlock()
	if late { // it was started while the others were being ended
		p.Stop()
		return nil, fmt.Errorf("starting %s: the lab is closed", s.Argv[0])
	}
	return p, nil
}

// launch starts the keeper with its files and returns what it reports.
func (p *Process) launch(pipes bool) (news *os.File, err error) {
	var ours, theirs []*os.File // theirs are closed here in any case, ours when it fails
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			for _, f := range ours {
				f.Close()
			}
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	theirs = append(theirs, log)
	p.keeper.Stdout, p.keeper.Stderr = log, log

	commandsEnd, commands := pipe()
	news, newsEnd := pipe()
	theirs, ours = append(theirs, commandsEnd, newsEnd), append(ours, commands, news)
	if pipes {
		inEnd, in := pipe()
		out, outEnd := pipe()
		theirs, ours = append(theirs, inEnd, outEnd), append(ours, in, out)
		p.keeper.Stdin, p.keeper.Stdout = inEnd, outEnd
		p.In, p.Out = in, out
	}
	if err != nil {
		return nil, err
	}
	p.keeper.ExtraFiles = []*os.File{commandsEnd, newsEnd}
	p.commands = commands
	return news, p.keeper.Start()
}

// waitForPid reads the keeper's first line, which comes when the program runs or cannot be run.
func waitForPid(news *os.File) (pid int, at time.Time, err error) {
	// Byte by byte, as what comes after the line is for another reader.
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := news.Read(b); err != nil {
			return 0, at, fmt.Errorf("its keeper ended: %w", err)
		}
		if b[0] == '\n' {
			break
		}
		line = append(line, b[0])
	}
	var number int
	if _, err := fmt.Sscanf(string(line), "failed %d", &number); err == nil {
		return 0, at, syscall.Errno(number)
	}
	var nanoseconds int64
	if _, err := fmt.Sscanf(string(line), "pid %d %d", &number, &nanoseconds); err == nil {
		return number, time.Unix(0, nanoseconds), nil
	}
	return 0, at, fmt.Errorf("its keeper said %q", line)
}

// wait reads how the program ended and reaps the keeper.
func (p *Process) wait(news *os.File) {
	lines := bufio.NewScanner(news)
	p.ended = fmt.Errorf("%s: its keeper was killed", p.name)
	if lines.Scan() {
		p.ended = nil
		if lines.Text() != "exit 0" {
			p.ended = fmt.Errorf("%s ended with %s", p.name, lines.Text())
		}
	}
	news.Close()
	_ = p.keeper.Wait() // what it knew is in the line
	p.lab.mu.Lock()
	delete(p.lab.running, p)
	p.lab.mu.Unlock()
	close(p.done)
}

// Pid is the program's own.
func (p *Process) Pid() int { return p.pid }

// Started is the time just before the program was started, by the wall clock.
func (p *Process) Started() time.Time { return p.started }

// Pids are those of the program and of all that came from it and runs now: a server listens before it has its workers,
// and changes them when it reloads.
func (p *Process) Pids() []int {
	select {
	case <-p.done:
		return nil
	default:
		return descendants(p.keeper.Process.Pid)[1:]
	}
}

// Cores are those that it was pinned to.
func (p *Process) Cores() []int { return p.cores }

// Done is closed when the program and all that came from it have ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for Done and says how the program ended: nil is exit status 0.
func (p *Process) Wait() error {
	<-p.done
	return p.ended
}

// Signal sends a signal to the program, not to its descendants.
func (p *Process) Signal(s os.Signal) error {
	number, ok := s.(syscall.Signal)
	if !ok {
		return fmt.Errorf("%v is no signal of this system", s)
	}
	if _, err := p.commands.Write([]byte{byte(number)}); err != nil {
		return fmt.Errorf("%s: %w", p.name, os.ErrProcessDone)
	}
	return nil
}

// Stop ends the program, by SIGTERM and when that does not help by SIGKILL, and all that came from it, and waits until
// nothing is left. Stopping what has ended does nothing.
func (p *Process) Stop() {
	p.stopping.Do(func() {
		_ = p.Signal(syscall.SIGTERM)
		timer := time.NewTimer(stopLimit)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		}
		p.commands.Close() // the keeper kills what is left
	})
	<-p.done
}

// LogTail returns the last lines of what it printed, indented.
func (p *Process) LogTail() string { return Tail(p.log) }

// Tail returns the last lines of a file, indented; "" when there is nothing.
func Tail(path string) string {
	const most = 10
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-most):], "\n  ")
}

// Run starts a program, waits until it has ended and returns what it printed. When ctx ends before, it is stopped.
func (l *Lab) Run(ctx context.Context, s Spawn) (output string, err error) {
	s.Pipes = true
	p, err := l.Start(s)
	if err != nil {
		return "", err
	}
	defer p.Stop()
	defer context.AfterFunc(ctx, p.Stop)()
	if err := p.In.Close(); err != nil {
		return "", err
	}
	text, err := io.ReadAll(p.Out)
	if err == nil {
		err = p.Wait()
	}
	if err != nil {
		return string(text), fmt.Errorf("%w\n%s", errors.Join(context.Cause(ctx), err), p.LogTail())
	}
	return string(text), nil
}

func coreList(cores []int) string {
	var text []string
	for _, core := range cores {
		text = append(text, strconv.Itoa(core))
	}
	return strings.Join(text, ",")
}
