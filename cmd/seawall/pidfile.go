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
	flag |= os.O_WRONLY | os.O_CREATE
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

// writePidFile puts this process's id into the pid file and gives the file to uid (-1: nobody else), which may have to
// empty it at the end.
func writePidFile(path, prefix string, uid int) error {
	f, err := openPidFile(path, prefix, os.O_TRUNC)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%d\n", os.Getpid()); err != nil {
		return &systemError{fmt.Sprintf("write() to %q", path), err}
	}
	if uid >= 0 {
		if err := f.Chown(uid, -1); err != nil {
			return &systemError{fmt.Sprintf("chown(%q, %d)", path, uid), err}
		}
	}
	return nil
}

// removePidFile removes the pid file if it is ours. A process that has given up root often must not unlink in /run: then
// the file is emptied, which -s tells from a running server.
func removePidFile(path string) error {
	if pid, err := readPidFile(path); err != nil || pid != os.Getpid() {
		return nil
	}
	if err := os.Remove(path); err != nil && os.Truncate(path, 0) != nil {
		return &systemError{fmt.Sprintf("unlink() %q", path), err}
	}
	return nil
}

// readPidFile gives the process id in the file; the error has nginx's words.
func readPidFile(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, &systemError{fmt.Sprintf("open() %q", path), err}
	}
	digits := string(bytes.TrimRight(text, "\r\n"))
	pid, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || pid == 0 {
		return 0, fmt.Errorf("invalid PID number \"%s\" in \"%s\"", digits, path)
	}
	return int(pid), nil
}
