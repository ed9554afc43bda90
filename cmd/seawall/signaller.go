package main

import (
	"fmt"
	"syscall"

	"seawall/logs"
)

var signalsByName = map[string]syscall.Signal{
	"stop":   syscall.SIGTERM,
	"quit":   syscall.SIGQUIT,
	"reopen": syscall.SIGUSR1,
	"reload": syscall.SIGHUP,
}

// sendSignal is -s: the pid file that the configuration names says whom to signal.
func (c *command) sendSignal() int {
	cfg, err := c.flags.load()
	if err != nil {
		return c.fail("emerg", err.Error())
	}
	pid, err := readPidFile(cfg.Main.Pid)
	if err != nil {
		return c.fail("error", err.Error())
	}
	signal := signalsByName[c.flags.signal]
	if err := syscall.Kill(pid, signal); err != nil {
		return c.fail("alert", fmt.Sprintf("kill(%d, %d) failed (%s)", pid, int(signal), logs.ErrnoText(err)))
	}
	return 0
}
