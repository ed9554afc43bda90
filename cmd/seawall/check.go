package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"seawall/conf"
	"seawall/logs"
)

// testConfiguration is -t and -T: reads the configuration, opens what it names (logs, addresses, pid file) as a start
// would, and says what it found on standard error.
func (c *command) testConfiguration() int {
	_, confFile, err := c.flags.paths()
	if err != nil {
		return c.fail("emerg", err.Error())
	}
	cfg, err := c.flags.load()
	readable := err == nil
	if readable {
		c.showNotices(cfg)
		err = c.tryStart(cfg)
	}
	var e *conf.Error
	if errors.As(err, &e) {
		readable = e.Late
	}
	if readable && !c.flags.quiet {
		fmt.Fprintf(c.stderr, "seawall: the configuration file %s syntax is ok\n", confFile)
	}
	if err != nil {
		c.fail("emerg", err.Error())
		fmt.Fprintf(c.stderr, "seawall: configuration file %s test failed\n", confFile)
		return 1
	}
	if !c.flags.quiet {
		fmt.Fprintf(c.stderr, "seawall: configuration file %s test is successful\n", confFile)
	}
	if c.flags.dump {
		for _, file := range cfg.Files {
			fmt.Fprintf(c.stdout, "# configuration file %s:\n%s\n", file.Path, file.Text)
		}
	}
	return 0
}

func (c *command) showNotices(cfg *conf.Config) {
	for _, n := range cfg.Notices {
		switch {
		case n.Level == conf.NoticeWarning:
			fmt.Fprintf(c.stderr, "seawall: [warn] %s\n", noticeText(n))
		case !c.flags.quiet:
			fmt.Fprintf(c.stderr, "seawall: [notice] %s\n", noticeText(n))
		}
	}
}

// tryStart does what a start does short of serving. A taken address is no error: it is most likely taken by the server
// whose new configuration is being tested (nginx: the same).
func (c *command) tryStart(cfg *conf.Config) error {
	if _, err := accountOf(cfg); err != nil {
		return err
	}
	log, err := c.flags.openErrorLog(cfg)
	if err != nil {
		return err
	}
	defer log.Close()
	srv, err := newServer(cfg, log)
	if err != nil {
		return err
	}
	defer srv.Stop()
	if err := tryPidFile(cfg); err != nil {
		return err
	}
	for _, err := range probeListens(cfg, nil) {
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return nil
}

// tryPidFile checks that the pid file could be written, leaving things as they were.
func tryPidFile(cfg *conf.Config) error {
	_, statErr := os.Stat(cfg.Main.Pid)
	f, err := openPidFile(cfg.Main.Pid, cfg.Prefix, 0)
	if err != nil {
		return err
	}
	f.Close()
	if errors.Is(statErr, os.ErrNotExist) {
		return os.Remove(cfg.Main.Pid)
	}
	return nil
}

// systemError is a failed system call in nginx's words: `bind() to 127.0.0.1:80 failed (13: Permission denied)`.
type systemError struct {
	what string
	err  error
}

func (e *systemError) Error() string { return e.what + " failed (" + logs.ErrnoText(e.err) + ")" }
func (e *systemError) Unwrap() error { return e.err }
