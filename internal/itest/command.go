package itest

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// Output is what a command printed and how it ended.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// runCommand runs the binary to its end with arguments (placeholders filled).
func (w *World) runCommand(t testing.TB, args ...string) Output {
	t.Helper()
	filled := make([]string, len(args))
	for i, a := range args {
		filled[i] = w.Places.fill(t, a)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.Bin.Path, filled...)
	cmd.Dir = w.Prefix
	cmd.WaitDelay = time.Second // a daemon that kept our pipes open must not hang the test
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Errorf("%s %q did not end", w.Bin.Path, filled)
	} else if cmd.ProcessState == nil {
		t.Fatalf("%s %q: %v", w.Bin.Path, filled, err)
	}
	return Output{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// Named exceptions of command output: the product's name and version, and what docs/differences.md lists as
// nearest-name-in-errors and notices-of-the-configuration-test.
var (
	programPattern = regexp.MustCompile(`(?m)^(nginx|seawall):`)
	versionPattern = regexp.MustCompile(`(?m)^(nginx|seawall) version: (nginx|seawall)/\S+.*$`)
	noticePattern  = regexp.MustCompile(`(?m)^PRODUCT: \[notice\] .*\n`)
	hintPattern    = regexp.MustCompile(`; did you mean "[^"]*"\?`)
	logTimePattern = regexp.MustCompile(`(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\[\w+\]) \d+#\d+: .*\n`)
)

// normal renders the output for comparison.
func (o Output) normal(p places) string {
	clean := func(text string) string {
		text = programPattern.ReplaceAllString(text, "PRODUCT:")
		text = versionPattern.ReplaceAllString(text, "PRODUCT version: PRODUCT/VERSION")
		text = noticePattern.ReplaceAllString(text, "")
		text = hintPattern.ReplaceAllString(text, "")
		// Before the error log is open, messages are repeated on stderr in the log's format.
		text = logTimePattern.ReplaceAllString(text, "")
		return p.hide(text)
	}
	return fmt.Sprintf("--- stdout\n%s--- stderr\n%s--- exit code %d\n", clean(o.Stdout), clean(o.Stderr), o.Code)
}
