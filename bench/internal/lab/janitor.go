//go:build linux

package lab

import (
	"io"
	"os/exec"
	"syscall"
)

// janitor removes the temporary directory when the bench is killed and cannot do it itself: its standard input ends then.
type janitor struct {
	cmd *exec.Cmd
	in  io.Closer
}

// What still writes into the directory is being killed at the same time: a second try finds it still.
const janitorScript = `cat; for i in 1 2 3 4 5; do rm -rf -- "$1" && exit; sleep 1; done`

func startJanitor(dir string) (*janitor, error) {
	cmd := exec.Command("sh", "-c", janitorScript, "sh", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt at the terminal is not for it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &janitor{cmd, in}, cmd.Start()
}

// dismiss ends the janitor without its work being done.
func (j *janitor) dismiss() {
	_ = j.cmd.Process.Kill()
	j.in.Close()
	_ = j.cmd.Wait() // it was killed
}
