package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"seawall/conf"
	"seawall/logs"
)

// proxy is what the life of the process needs of the server; *server.Server is one.
type proxy interface {
	Loops() int                // event loops
	Start() error              // opens the listening sockets and serves
	Reload(*conf.Config) error // on error nothing has changed
	ReopenLogs() error         // log rotation
	Shutdown()                 // graceful; returns when all is answered or worker_shutdown_timeout is over
	Stop()                     // at once; also ends a Shutdown under way; idempotent
}

const (
	// bindAttempts and bindPause: how long a start waits for a predecessor to give up its addresses (nginx's figures).
	bindAttempts = 5
	bindPause    = 500 * time.Millisecond
	// lastWords bounds the writing of logs at the end: a standard error that nobody reads must not hold the exit.
	lastWords = 5 * time.Second
)

// serve starts the server, follows its signals and gives the exit status at its end.
func (c *command) serve() int {
	_, confFile, err := c.flags.paths()
	if err != nil {
		return c.fail("emerg", err.Error())
	}
	cfg, err := c.flags.load()
	if err != nil {
		c.fail("emerg", err.Error())
		fmt.Fprint(c.stderr, c.flags.missingConfHint(confFile))
		return 1
	}
	background := openDaemonReport()
	if cfg.Main.Daemon && background == nil {
		return c.startDaemon()
	}
	log, err := c.flags.openErrorLog(cfg)
	if err != nil {
		return c.fail("emerg", err.Error())
	}
	p := &process{flags: &c.flags, cfg: cfg, log: log}
	defer p.closeLogs()
	if err := p.start(); err != nil {
		log.Log(logs.LevelEmerg, 0, err.Error())
		return 1
	}
	if background != nil {
		if err := p.leaveTerminal(); err != nil {
			log.Log(logs.LevelEmerg, 0, err.Error())
			p.end(p.srv.Stop)
			return 1
		}
		background.started()
	}
	log.EchoStderr(false)
	p.followSignals()
	return 0
}

// process is a running server. Its fields belong to the goroutine of serve.
type process struct {
	flags   *flags
	cfg     *conf.Config // in force
	log     *logs.ErrorLog
	srv     proxy
	signals chan os.Signal
	account account
	pidFile *pidFile // nil until it listens

	gogcGiven bool // the user's GOGC holds
}

func (p *process) start() error {
	// From here on, so that none is lost or kills us half-way: what comes early waits in the channel.
	p.signals = make(chan os.Signal, 16)
	signal.Notify(p.signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH)
	signal.Ignore(syscall.SIGPIPE) // a log on a pipe whose reader went away is a write error, not our end

	var err error
	if p.account, err = accountOf(p.cfg); err != nil {
		return err
	}
	p.logNotices()
	p.gogcGiven = gogcGiven()
	if !p.gogcGiven {
		debug.SetGCPercent(-1) // tables and caches are made now, none of it garbage: collecting was a quarter of the start's CPU
	}
	defer func() { tuneCollector(p.cfg, p.gogcGiven) }()
	if err := p.applyLimits(); err != nil {
		return err
	}
	if err := p.awaitAddresses(); err != nil {
		return err
	}
	if p.srv, err = newServer(p.cfg, p.log); err != nil {
		return err
	}
	tuneScheduler(p.srv.Loops())
	if err := p.srv.Start(); err != nil {
		p.srv.Stop()
		return err
	}
	if err := p.settle(); err != nil {
		p.end(p.srv.Stop)
		return err
	}
	p.log.Log(logs.LevelNotice, 0, fmt.Sprintf("using the %q event method", eventMethod()))
	p.log.Log(logs.LevelNotice, 0, serverVersion)
	p.log.Log(logs.LevelNotice, 0, fmt.Sprintf("built with %s for %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH))
	return nil
}

// awaitAddresses waits for addresses that another process holds, as long as nginx does.
func (p *process) awaitAddresses() error {
	for attempt := 1; ; attempt++ {
		errs := probeListens(p.cfg, nil)
		if len(errs) == 0 {
			return nil
		}
		if !addressTaken(errs) {
			return errors.Join(errs...)
		}
		for _, err := range errs {
			p.log.Log(logs.LevelEmerg, 0, err.Error())
		}
		if attempt == bindAttempts {
			return errors.New("still could not bind()")
		}
		time.Sleep(bindPause)
	}
}

// settle is what comes between listening and serving for good: the pid file, then another user.
func (p *process) settle() error {
	owner := -1
	if p.account.given() {
		owner = p.account.uid
		if err := p.log.Registry().Chown(owner); err != nil {
			return err
		}
	}
	var err error
	if p.pidFile, err = writePidFile(p.cfg.Main.Pid, p.cfg.Prefix, owner); err != nil {
		return err
	}
	if err := p.account.become(); err != nil {
		return err
	}
	if dir := p.cfg.Main.WorkingDirectory; dir != "" {
		if err := os.Chdir(dir); err != nil {
			return &systemError{fmt.Sprintf("chdir(%q)", dir), err}
		}
	}
	return nil
}

func (p *process) logNotices() {
	for _, n := range p.cfg.Notices {
		if n.Level == conf.NoticeWarning {
			p.log.Log(logs.LevelWarn, 0, noticeText(n))
		}
	}
	if p.cfg.Main.User != "" && os.Geteuid() != 0 {
		p.log.Log(logs.LevelWarn, 0, `the "user" directive makes sense only if the server is started with super-user privileges, ignored`)
	}
}

// followSignals serves until a signal ends it.
func (p *process) followSignals() {
	for {
		switch sig := (<-p.signals).(syscall.Signal); sig {
		case syscall.SIGTERM, syscall.SIGINT:
			p.logSignal(sig, "exiting")
			p.end(p.srv.Stop)
			return
		case syscall.SIGQUIT:
			p.logSignal(sig, "gracefully shutting down")
			p.end(p.drain)
			return
		case syscall.SIGHUP:
			p.logSignal(sig, "reconfiguring")
			p.reload()
		case syscall.SIGUSR1:
			p.logSignal(sig, "reopening logs")
			p.reopenLogs()
		default:
			p.logSignal(sig, "replacing the binary is not built in, ignored")
		}
	}
}

func (p *process) logSignal(sig syscall.Signal, what string) {
	p.log.Log(logs.LevelNotice, 0, fmt.Sprintf("signal %d (%s) received, %s", int(sig), signalName(sig), what))
}

// drain is a graceful end; a second, harder signal cuts it short and logs can still be rotated meanwhile.
func (p *process) drain() {
	drained := make(chan struct{})
	go func() {
		p.srv.Shutdown()
		close(drained)
	}()
	for {
		select {
		case <-drained:
			return
		case s := <-p.signals:
			switch sig := s.(syscall.Signal); sig {
			case syscall.SIGTERM, syscall.SIGINT:
				p.logSignal(sig, "exiting")
				p.srv.Stop()
				<-drained
				return
			case syscall.SIGUSR1:
				p.reopenLogs()
			}
		}
	}
}

// end stops the server by stop and takes the pid file away. The logs are still open after it.
func (p *process) end(stop func()) {
	stop()
	if p.pidFile != nil {
		if err := p.pidFile.remove(); err != nil {
			p.log.Log(logs.LevelAlert, 0, err.Error())
		}
	}
	p.log.Log(logs.LevelNotice, 0, "exit")
}

func (p *process) closeLogs() {
	closed := make(chan struct{})
	go func() {
		p.log.Registry().Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(lastWords):
	}
}

func signalName(sig syscall.Signal) string {
	switch sig {
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGINT:
		return "SIGINT"
	case syscall.SIGQUIT:
		return "SIGQUIT"
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGUSR1:
		return "SIGUSR1"
	case syscall.SIGUSR2:
		return "SIGUSR2"
	case syscall.SIGWINCH:
		return "SIGWINCH"
	}
	return sig.String()
}
