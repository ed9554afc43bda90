package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestErrorLogLineFormat(t *testing.T) {
	dir := t.TempDir()
	r := NewRegistry(Options{Prefix: dir})
	l, err := NewErrorLog(r, Target{"error.log", LevelError}, Target{"debug.log", LevelDebug})
	if err != nil {
		t.Fatal(err)
	}
	l.now = func() time.Time { return time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local) }
	l.Log(LevelError, 17, "connect() failed (111: Connection refused)")
	l.Log(LevelCrit, 0, "bad\x1b[0m\r\nforged")
	l.Log(LevelInfo, 3, "detail")
	l.Close()
	pid := fmt.Sprint(os.Getpid())
	want := "2026/01/02 15:04:05 [error] " + pid + "#0: *17 connect() failed (111: Connection refused)\n" +
		"2026/01/02 15:04:05 [crit] " + pid + "#0: bad\\x1B[0m\\x0D\n    forged\n"
	if got := content(t, filepath.Join(dir, "error.log")); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	want += "2026/01/02 15:04:05 [info] " + pid + "#0: *3 detail\n"
	if got := content(t, filepath.Join(dir, "debug.log")); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestErrorLogCutsLinesWhereNginxDoes(t *testing.T) {
	dir := t.TempDir()
	l, err := NewErrorLog(NewRegistry(Options{Prefix: dir}), Target{"error.log", LevelError})
	if err != nil {
		t.Fatal(err)
	}
	l.Log(LevelError, 0, strings.Repeat("x", 10_000))
	l.Log(LevelError, 0, "panic\n"+strings.Repeat("y", 10_000))
	l.Close()
	lines := strings.SplitAfter(content(t, filepath.Join(dir, "error.log")), "\n")
	if n := len(lines[0]); n != 2048 {
		t.Errorf("%d bytes, want 2048", n)
	}
	if n := len(lines[2]); n != 10_005 {
		t.Errorf("a stack's line has %d bytes, want 10005", n)
	}
}

func TestErrorLogEnabledFollowsTheMostTalkativeTarget(t *testing.T) {
	dir := t.TempDir()
	l, err := NewErrorLog(NewRegistry(Options{Prefix: dir}), Target{"a", LevelCrit}, Target{"b", LevelNotice})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !l.Enabled(LevelNotice) || l.Enabled(LevelInfo) {
		t.Error("want notice enabled, info not")
	}
	if err := l.SetTargets(Target{"a", LevelCrit}); err != nil {
		t.Fatal(err)
	}
	if l.Enabled(LevelError) {
		t.Error("error still enabled after the reload")
	}
	l.EchoStderr(true)
	if !l.Enabled(LevelWarn) || l.Enabled(LevelNotice) {
		t.Error("while starting, warn goes to stderr and notice does not")
	}
}

func TestErrorLogEchoesToStderrUntilStarted(t *testing.T) {
	var stderr lockedBuffer
	l, err := NewErrorLog(NewRegistry(Options{Prefix: t.TempDir()}), Target{"error.log", LevelError})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.echoTo = &stderr
	l.EchoStderr(true)
	l.Log(LevelEmerg, 0, "bind() failed")
	l.Log(LevelWarn, 0, "odd")
	l.Log(LevelNotice, 0, "fine")
	l.EchoStderr(false)
	l.Log(LevelEmerg, 0, "later")
	if got, want := stderr.String(), "seawall: [emerg] bind() failed\nseawall: [warn] odd\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorLogSetTargetsChangesNothingOnError(t *testing.T) {
	dir := t.TempDir()
	r := NewRegistry(Options{Prefix: dir})
	l, err := NewErrorLog(r, Target{"error.log", LevelError})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetTargets(Target{"new.log", LevelDebug}, Target{dir, LevelDebug}); err == nil {
		t.Fatal("a directory opened as a log")
	}
	if l.Enabled(LevelWarn) {
		t.Error("level changed")
	}
	if got := r.Paths(); len(got) != 1 {
		t.Errorf("open: %v", got)
	}
	l.Close()
}

func TestErrorLogFromManyGoroutinesWhileTargetsChange(t *testing.T) {
	dir := t.TempDir()
	r := NewRegistry(Options{Prefix: dir})
	targets := []Target{{"a.log", LevelInfo}, {"b.log", LevelError}}
	l, err := NewErrorLog(r, targets...)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	const goroutines, each = 4, 500
	for g := range goroutines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				l.Log(LevelError, uint64(g+1), fmt.Sprint(i))
			}
		}()
	}
	for range 50 {
		if err := l.SetTargets(targets...); err != nil {
			t.Fatal(err)
		}
		if err := r.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	l.Close()
	for _, name := range []string{"a.log", "b.log"} {
		if n := strings.Count(content(t, filepath.Join(dir, name)), "\n"); n != goroutines*each {
			t.Errorf("%s: %d lines of %d", name, n, goroutines*each)
		}
	}
}

func TestParseLevel(t *testing.T) {
	for level := LevelEmerg; level <= LevelDebug; level++ {
		if got, ok := ParseLevel(level.String()); !ok || got != level {
			t.Errorf("%s: got %v %v", level, got, ok)
		}
	}
	for _, name := range []string{"stderr", "", "warning"} {
		if _, ok := ParseLevel(name); ok {
			t.Errorf("%q is taken for a level", name)
		}
	}
}

func TestErrorLogAllocatesNothing(t *testing.T) {
	l, err := NewErrorLog(NewRegistry(Options{}), Target{"/dev/null", LevelError})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	now := time.Now()
	l.now = func() time.Time { return now }
	if n := testing.AllocsPerRun(1000, func() { l.Log(LevelError, 1, "some text") }); n >= 1 {
		t.Errorf("%v allocations per line", n)
	}
}
