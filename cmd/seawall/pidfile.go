package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// openPidFile opens the pid file for writing, creating its directory if that lies below the prefix (the default,
// logs/nginx.pid, does). flag is added to the open flags.
func openPidFile(path, prefix string, flag int) (*os.File, error) {
	flag |= os.O_RDWR | os.O_CREATE
	f, err := os.OpenFile(path, flag, 0o644)
	if errors.Is(err, os.ErrNotExist) && strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/") {
		if os.MkdirAll(filepath.Dir(path), 0o755) == nil {
			f, err = os.OpenFile(path, flag, 0o644)
		}
	}
	if err != nil {
		return nil, &systemError{fmt.Sprintf("open() %q", path), err}
	}
	return f, nil
}

// pidFile is the pid file of a serving process. It stays open: a process that has given up root may no longer reach it by
// its path.
type pidFile struct {
	path string
	file *os.File
}

// writePidFile puts this process's id into the pid file and gives the file to uid (-1: as it is).
func writePidFile(path, prefix string, uid int) (*pidFile, error) {
	f, err := openPidFile(path, prefix, os.O_TRUNC)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f, "%d\n", os.Getpid()); err != nil {
		f.Close()
		return nil, &systemError{fmt.Sprintf("write() to %q", path), err}
	}
	if uid >= 0 {
		if err := f.Chown(uid, -1); err != nil {
			f.Close()
			return nil, &systemError{fmt.Sprintf("chown(%q, %d)", path, uid), err}
		}
	}
	return &pidFile{path, f}, nil
}

// remove takes the pid file away, if it still names this process. Where that needs the root that was given up (/run), the
// file is emptied instead, which -s tells from a running server.
func (p *pidFile) remove() error {
	defer p.file.Close()
	text := make([]byte, 32)
	n, _ := p.file.ReadAt(text, 0)
	if pid, err := parsePid(text[:n]); err != nil || pid != os.Getpid() {
		return nil // a successor's
	}
	if err := os.Remove(p.path); err != nil && p.file.Truncate(0) != nil {
		return &systemError{fmt.Sprintf("unlink() %q", p.path), err}
	}
	return nil
}

// readPidFile gives the process id in the file; the error has nginx's words.
func readPidFile(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, &systemError{fmt.Sprintf("open() %q", path), err}
	}
	pid, err := parsePid(text)
	if err != nil {
		return 0, fmt.Errorf("%w in \"%s\"", err, path)
	}
	return pid, nil
}

func parsePid(text []byte) (int, error) {
	digits := string(bytes.TrimRight(text, "\r\n"))
	pid, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || pid == 0 {
		return 0, fmt.Errorf("invalid PID number \"%s\"", digits)
	}
	return int(pid), nil
}
