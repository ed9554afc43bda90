package main

import (
	"fmt"
	"os"

	"seawall/conf"
	"seawall/logs"
)

// reload reads the configuration anew and puts it in force. If any step fails, the reason is logged and everything is
// as before.
func (p *process) reload() {
	next, err := p.flags.load()
	if err != nil {
		p.log.Log(logs.LevelEmerg, 0, err.Error())
		return
	}
	if err := p.apply(next); err != nil {
		p.log.Log(logs.LevelEmerg, 0, err.Error())
	}
}

func (p *process) apply(next *conf.Config) error {
	if errs := probeListens(next, p.cfg); len(errs) > 0 {
		return errs[0]
	}
	if err := p.log.SetTargets(p.flags.errorLogTargets(next)...); err != nil {
		return err
	}
	if err := p.srv.Reload(next); err != nil {
		if logErr := p.log.SetTargets(p.flags.errorLogTargets(p.cfg)...); logErr != nil {
			p.log.Log(logs.LevelEmerg, 0, logErr.Error())
		}
		return err
	}
	prev := p.cfg
	p.cfg = next
	p.logNotices()
	tuneCollector(next, p.gogcGiven)
	p.movePidFile(next)
	for _, name := range startOnly(prev, next) {
		p.log.Log(logs.LevelWarn, 0, fmt.Sprintf("%q changed: takes effect at the next start", name))
	}
	return p.redirectStderr()
}

// movePidFile follows a changed pid directive. A file that cannot be written leaves the old one in use.
func (p *process) movePidFile(next *conf.Config) {
	if next.Main.Pid == p.pidFile.path {
		return
	}
	file, err := writePidFile(next.Main.Pid, next.Prefix, -1)
	if err != nil {
		p.log.Log(logs.LevelEmerg, 0, err.Error())
		return
	}
	if err := p.pidFile.remove(); err != nil {
		p.log.Log(logs.LevelAlert, 0, err.Error())
	}
	p.pidFile = file
}

// startOnly names the settings that differ and that a running process cannot change.
func startOnly(prev, next *conf.Config) []string {
	var names []string
	differ := func(name string, differs bool) {
		if differs {
			names = append(names, name)
		}
	}
	differ("user", prev.Main.User != next.Main.User || prev.Main.Group != next.Main.Group)
	differ("daemon", prev.Main.Daemon != next.Main.Daemon)
	differ("worker_processes", prev.Main.WorkerProcesses != next.Main.WorkerProcesses)
	differ("working_directory", prev.Main.WorkingDirectory != next.Main.WorkingDirectory)
	return names
}

// reopenLogs is USR1.
func (p *process) reopenLogs() {
	if err := p.srv.ReopenLogs(); err != nil {
		p.log.Log(logs.LevelEmerg, 0, err.Error())
	}
	if err := p.redirectStderr(); err != nil {
		p.log.Log(logs.LevelAlert, 0, err.Error())
	}
}

// leaveTerminal ends a daemon's tie to the terminal it was started from: what the run-time prints when it dies goes to
// the error log, unless that is standard error itself.
func (p *process) leaveTerminal() error {
	return p.redirectStderr()
}

// errorLogFile is the first error log that is a file, "" if standard error is one of the logs.
func (p *process) errorLogFile() string {
	var file string
	for _, t := range p.flags.errorLogTargets(p.cfg) {
		if t.Path == "stderr" {
			return ""
		}
		if file == "" {
			file = p.log.Registry().Resolve(t.Path)
		}
	}
	return file
}

// redirectStderr points descriptor 2 at the (reopened) error log of a daemon; in the foreground it does nothing.
func (p *process) redirectStderr() error {
	path := p.errorLogFile()
	if path == "" || !isDaemon() {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return &systemError{fmt.Sprintf("open() %q", path), err}
	}
	defer f.Close()
	return replaceStderr(f)
}
