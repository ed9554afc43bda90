package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// daemonEnv names, to the process started in the background, the descriptor on which it reports that it listens.
const daemonEnv = "SEAWALL_DAEMON_FD"

// inBackground is set once by openDaemonReport.
var inBackground bool

// isDaemon tells whether this process was started by startDaemon.
func isDaemon() bool { return inBackground }

// startDaemon starts the program again in a session of its own and waits until it listens or has failed. A Go process
// cannot fork, so the configuration is read once more over there. Standard error stays shared until then, so that the
// user sees why a start failed; the exit status is the child's.
func (c *command) startDaemon() int {
	self, err := os.Executable()
	if err != nil {
		return c.fail("emerg", err.Error())
	}
	report, reportEnd, err := os.Pipe()
	if err != nil {
		return c.fail("emerg", (&systemError{"pipe()", err}).Error())
	}
	child := exec.Command(self, os.Args[1:]...)
	child.Stderr = os.Stderr
	child.ExtraFiles = []*os.File{reportEnd}
	child.Env = append(os.Environ(), daemonEnv+"=3")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return c.fail("emerg", fmt.Sprintf("fork() failed (%v)", err))
	}
	reportEnd.Close()
	if n, _ := io.ReadFull(report, make([]byte, 1)); n == 1 {
		return 0
	}
	_ = child.Wait() // the pipe closed without a word: it ended, and has said why
	if code := child.ProcessState.ExitCode(); code > 0 {
		return code
	}
	return 1
}

// daemonReport is the background process's line to the one that the user started.
type daemonReport struct{ pipe *os.File }

// openDaemonReport gives the report if this process was started by startDaemon, else nil.
func openDaemonReport() *daemonReport {
	fd, err := strconv.Atoi(os.Getenv(daemonEnv))
	if err != nil || fd < 3 {
		return nil
	}
	os.Unsetenv(daemonEnv)
	unix.CloseOnExec(fd)
	inBackground = true
	return &daemonReport{os.NewFile(uintptr(fd), "daemon-report")}
}

// started lets the waiting process exit with success.
func (d *daemonReport) started() {
	_, _ = d.pipe.Write([]byte{1}) // nobody waiting is no reason to stop serving
	d.pipe.Close()
}

// replaceStderr makes descriptor 2 a copy of f.
func replaceStderr(f *os.File) error {
	if err := unix.Dup2(int(f.Fd()), 2); err != nil {
		return &systemError{"dup2(STDERR)", err}
	}
	return nil
}
