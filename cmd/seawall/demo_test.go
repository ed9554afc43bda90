package main

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemoServesFromTheCacheUntilInterrupted is what a new user sees: the page comes once a second from the application,
// otherwise from Seawall, and Ctrl-C ends everything without a trace.
func TestDemoServesFromTheCacheUntilInterrupted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "demo", "-listen", p.addr)
	temp := t.TempDir()
	cmd.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+temp)
	var stdout, stderr lockedText
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &running{place: p, cmd: cmd, ended: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(r.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-r.ended
	})
	r.await("the first answer", func() bool { return strings.Contains(p.get(), "made by the application") })

	hits := 0
	for range 50 {
		resp, err := http.Get("http://" + p.addr + "/news")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("X-Cache") == "HIT" {
			hits++
		}
	}
	if hits < 40 {
		t.Errorf("%d of 50 answers from the cache", hits)
	}
	r.await("a line with clients and a hit ratio", func() bool {
		for line := range strings.Lines(stdout.String()) {
			f := strings.Fields(line)
			if len(f) > 9 && f[0] != "0" && f[2] != "-" && !strings.HasPrefix(f[0], "c") && !strings.HasPrefix(f[0], "r") {
				return true
			}
		}
		return false
	})
	began := time.Now()
	r.signal(syscall.SIGINT)
	if code := r.exitCode(); code != 0 || stderr.String() != "" {
		t.Errorf("exit status %d, stderr %q", code, stderr.String())
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the end took %v", took)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
