package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestPidFileIsWrittenAndRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "logs", "seawall.pid")
	file, err := writePidFile(path, dir, -1)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := readPidFile(path); err != nil || pid != os.Getpid() {
		t.Errorf("read back %d, %v", pid, err)
	}
	if err := file.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}

func TestPidFileOfASuccessorStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "seawall.pid")
	file, err := writePidFile(path, dir, -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := file.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestReadPidFileErrorsAreNginxs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seawall.pid")
	_, err := readPidFile(path)
	if want := fmt.Sprintf("open() %q failed (2: No such file or directory)", path); err == nil || err.Error() != want {
		t.Errorf("missing: %v, want %s", err, want)
	}
	for text, shown := range map[string]string{"": "", "\n": "", "abc\n": "abc", "-5\r\n": "-5", "0\n": "0", "12 3": "12 3"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readPidFile(path)
		if want := fmt.Sprintf("invalid PID number %q in %q", shown, path); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPidFileOutsideThePrefixNeedsItsDirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run", "seawall.pid")
	_, err := writePidFile(path, filepath.Join(dir, "prefix"), -1)
	if want := fmt.Sprintf("open() %q failed (2: No such file or directory)", path); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
