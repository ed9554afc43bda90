//go:build linux

package matrix

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows how a run goes on. Its calls may come from several goroutines at once.
type Progress interface {
	Begin(expected time.Duration) // of the whole run
	Doing(what string)            // what is under way now
	Done(expected time.Duration)  // so much of the expected time is over with
	Say(line string)              // a detail
	Note(line string)             // what must not be overlooked
	End()
}

// NewProgress shows a bar with the time left on a terminal, and lines elsewhere.
func NewProgress(out *os.File) Progress {
	if term.IsTerminal(int(out.Fd())) {
		return &bar{out: out}
	}
	return Lines(out)
}

// Lines writes a line for everything that happens.
func Lines(out io.Writer) Progress { return &lines{out: out} }

// Silent shows nothing.
func Silent() Progress { return &lines{out: io.Discard} }

type lines struct {
	mu       sync.Mutex
	out      io.Writer
	expected time.Duration
	done     time.Duration
	what     string
}

func (l *lines) Begin(expected time.Duration) {
	l.expected = expected
	l.Note(fmt.Sprintf("this takes about %v", roughly(expected)))
}

func (l *lines) Doing(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.what = what
}

func (l *lines) Done(expected time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += expected
}

func (l *lines) Say(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	percent := 0
	if l.expected > 0 {
		percent = int(100 * l.done / l.expected)
	}
	fmt.Fprintf(l.out, "bench: %3d %% %s: %s\n", percent, l.what, line)
}

func (l *lines) Note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "bench: %s\n", line)
}

func (l *lines) End() {}

// bar leaves details out.
type bar struct {
	mu  sync.Mutex
	out *os.File
	bar *progressbar.ProgressBar
}

func (b *bar) Begin(expected time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.out, "bench: this takes about %v\n", roughly(expected))
	b.bar = progressbar.NewOptions64(max(1, expected.Milliseconds()),
		progressbar.OptionSetWriter(b.out), progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true),
		progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
}

func (b *bar) Doing(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar.Describe(fmt.Sprintf("%-46.46s", what))
}

func (b *bar) Done(expected time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.bar.Add64(expected.Milliseconds()) // what a terminal does not take is not worth an error
}

func (b *bar) Say(string) {}

func (b *bar) Note(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
	}
	fmt.Fprintf(b.out, "bench: %s\n", line)
	if b.bar != nil {
		_ = b.bar.RenderBlank()
	}
}

func (b *bar) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

func roughly(d time.Duration) time.Duration {
	if d > 2*time.Minute {
		return d.Round(time.Minute)
	}
	return d.Round(time.Second)
}
