package conf

import (
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"
)

// coreRows is ngx_core_module, https://nginx.org/en/docs/ngx_core_module.html.
func coreRows() []Row {
	return []Row{
		{Name: "daemon", In: InMain, Args: Flag, Syntax: "on | off", Default: "on",
			Doc: "Whether to become a daemon.",
			set: setFlag(func(l *level) *bool { return &l.main.Daemon })},
		{Name: "debug_points", NotYet: true, In: InMain, Args: Take1, Syntax: "abort | stop",
			Doc: "What to do on an internal error: dump core, or stop for a debugger.",
			set: setEnum(func(l *level) *string { return &l.main.DebugPoints }, named[string]{"stop", "stop"}, named[string]{"abort", "abort"})},
		{Name: "env", In: InMain, Args: Take1, Syntax: "variable[=value]", multi: true,
			Doc: "Keeps or sets an environment variable.",
			set: setEnv},
		{Name: "error_log", In: InMain, Args: More1, Syntax: "file | stderr [level]", Default: "logs/error.log error", multi: true,
			Doc: "Where errors are logged, from which severity on: debug, info, notice, warn, error, crit, alert, emerg.",
			set: setErrorLog(func(l *level) *[]ErrorLog { return &l.main.ErrorLogs })},
		{Name: "events", In: InMain, Args: Block | NoArgs, Syntax: "{ ... }",
			Doc: "Settings of connection processing. Must be there."},
		{Name: "http", In: InMain, Args: Block | NoArgs, Syntax: "{ ... }",
			Doc: "The HTTP server."},
		{Name: "include", In: inAnywhere | inTypes, Args: Take1, Syntax: "file | mask",
			Doc: "Reads other files in this place; relative names start at the directory of the main file."},
		{Name: "load_module", In: InMain, Args: Take1, Syntax: "file", multi: true,
			Doc: "Refused: Seawall has no loadable modules.",
			set: func(_ *level, s *stmt) error {
				return s.errorf(`module "%s" cannot be loaded: all modules are built in`, s.args[0])
			}},
		{Name: "lock_file", In: InMain, Args: Take1, Syntax: "file", NoEffect: true,
			Doc: "There are no processes that would need a lock.", set: anyValue},
		{Name: "master_process", In: InMain, Args: Flag, Syntax: "on | off", NoEffect: true,
			Doc: "There is one process.", set: aFlag},
		{Name: "pcre_jit", In: InMain, Args: Flag, Syntax: "on | off", NoEffect: true,
			Doc: "Regular expressions are Go's.", set: aFlag},
		{Name: "pid", In: InMain, Args: Take1, Syntax: "file", Default: "logs/seawall.pid",
			Doc: "The file that holds the process id.",
			set: func(l *level, s *stmt) error { l.main.Pid = l.b.fullPath(s.args[0]); return nil }},
		{Name: "thread_pool", In: InMain, Args: take23, Syntax: "name threads=number [max_queue=number]", NoEffect: true, multi: true,
			Doc: "Blocking work has a pool of its own.", set: anyValue},
		{Name: "timer_resolution", In: InMain, Args: Take1, Syntax: "interval", NoEffect: true,
			Doc: "The clock is read once per event.", set: aTime},
		{Name: "user", In: InMain, Args: take12, Syntax: "user [group]",
			Doc: "The user, and group, to run as when started by root.",
			set: setUser},
		{Name: "worker_cpu_affinity", In: InMain, Args: More1, Syntax: "cpumask ... | auto [cpumask]", NoEffect: true,
			Doc: "The operating system places the event loops.", set: anyValue},
		{Name: "worker_priority", In: InMain, Args: Take1, Syntax: "number", Default: "0",
			Doc: "The scheduling priority (nice) of the process.",
			set: setPriority},
		{Name: "worker_processes", In: InMain, Args: Take1, Syntax: "number | auto", Default: "1",
			Doc: "The number of event loops; auto: one per processor.",
			set: setWorkers},
		{Name: "worker_rlimit_core", In: InMain, Args: Take1, Syntax: "size",
			Doc: "The limit on the size of a core file.",
			set: setOffset(func(l *level) *int64 { return &l.main.WorkerRlimitCore })},
		{Name: "worker_rlimit_nofile", In: InMain, Args: Take1, Syntax: "number",
			Doc: "The limit on open files.",
			set: func(l *level, s *stmt) error {
				var n int
				err := setNumber(func(*level) *int { return &n })(l, s)
				l.main.WorkerRlimitNofile = int64(n)
				return err
			}},
		{Name: "worker_shutdown_timeout", In: InMain, Args: Take1, Syntax: "time",
			Doc: "How long a graceful shutdown may take before connections are closed; without it, as long as they last.",
			set: setTime(func(l *level) *time.Duration { return &l.main.WorkerShutdownTimeout })},
		{Name: "working_directory", In: InMain, Args: Take1, Syntax: "directory",
			Doc: "The working directory.",
			set: setText(func(l *level) *string { return &l.main.WorkingDirectory })},
	}
}

// eventRows is the events block, https://nginx.org/en/docs/ngx_core_module.html#events.
func eventRows() []Row {
	return []Row{
		{Name: "accept_mutex", In: InEvents, Args: Flag, Syntax: "on | off", NoEffect: true,
			Doc: "Each loop has listening sockets of its own.", set: aFlag},
		{Name: "accept_mutex_delay", In: InEvents, Args: Take1, Syntax: "time", NoEffect: true,
			Doc: "See accept_mutex.", set: aTime},
		{Name: "debug_connection", NotYet: true, In: InEvents, Args: Take1, Syntax: "address | CIDR | unix:", multi: true,
			Doc: "Clients whose connections are logged at the debug level.",
			set: setDebugConnection},
		{Name: "multi_accept", In: InEvents, Args: Flag, Syntax: "on | off", NoEffect: true,
			Doc: "Waiting connections are always accepted together.", set: aFlag},
		{Name: "use", In: InEvents, Args: Take1, Syntax: "method",
			Doc: "The event notification method: epoll on Linux, kqueue on BSD and macOS.",
			set: setUse},
		{Name: "worker_aio_requests", In: InEvents, Args: Take1, Syntax: "number", NoEffect: true,
			Doc: "Files are not read by aio.", set: aNumber},
		{Name: "worker_connections", In: InEvents, Args: Take1, Syntax: "number", Default: "512",
			Doc: "The number of connections, to clients and to backends, each loop may have.",
			set: setConnections},
	}
}

func setConnections(l *level, s *stmt) error {
	n, ok := parseNumber(s.args[0])
	if !ok || n == 0 {
		return s.errorf(`invalid number "%s"`, s.args[0])
	}
	l.events.WorkerConnections = n
	return nil
}

func setEnv(l *level, s *stmt) error {
	var v EnvVar
	v.Name, v.Value, v.HasValue = strings.Cut(s.args[0], "=")
	l.main.Env = append(l.main.Env, v)
	return nil
}

func setUser(l *level, s *stmt) error {
	l.main.User, l.main.UserPos = s.args[0], s.pos
	if len(s.args) > 1 {
		l.main.Group = s.args[1]
	}
	return nil
}

func setPriority(l *level, s *stmt) error {
	digits, negative := strings.CutPrefix(s.args[0], "-")
	n, ok := parseNumber(strings.TrimPrefix(digits, "+"))
	if !ok {
		return s.wrong("invalid number")
	}
	if negative {
		n = -n
	}
	l.main.WorkerPriority = n
	return nil
}

func setWorkers(l *level, s *stmt) error {
	if s.args[0] == "auto" {
		l.main.WorkerProcesses = 0
		return nil
	}
	n, ok := parseNumber(s.args[0])
	if !ok || n == 0 || n > 1024 {
		return s.wrong("invalid value")
	}
	l.main.WorkerProcesses = n
	return nil
}

func setUse(l *level, s *stmt) error {
	method := "kqueue"
	if runtime.GOOS == "linux" {
		method = "epoll"
	}
	if s.args[0] != method {
		return s.errorf(`invalid event type "%s"`, s.args[0])
	}
	l.events.Use = method
	return nil
}

func setDebugConnection(l *level, s *stmt) error {
	if s.args[0] == "unix:" {
		return nil
	}
	prefix, low, ok := parsePrefix(s.args[0])
	if !ok {
		return s.errorf(`host not found in debug_connection "%s"`, s.args[0])
	}
	if low {
		l.b.warn(s.pos, "low address bits of %s are meaningless", s.args[0])
	}
	l.events.DebugConnections = append(l.events.DebugConnections, prefix)
	return nil
}

// parsePrefix reads an address or a CIDR; low tells that bits outside the mask were set.
func parsePrefix(text string) (p netip.Prefix, low, ok bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), false, true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false, false
	}
	return p.Masked(), p.Masked() != p, true
}

// logLevels are the severities of error_log, by rank.
var logLevels = []string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}

// setErrorLog is error_log (ngx_log_set_log).
func setErrorLog(field func(*level) *[]ErrorLog) setter {
	return func(l *level, s *stmt) error {
		list := field(l)
		if l.first(s.name) {
			*list = nil
		}
		target := ErrorLog{Path: s.args[0], Level: LogError, Pos: s.pos}
		switch {
		case strings.HasPrefix(target.Path, "syslog:"), strings.HasPrefix(target.Path, "memory:"):
			return s.errorf(`"%s" in "error_log" is not built in yet`, target.Path)
		case target.Path != "stderr":
			target.Path = l.b.fullPath(target.Path)
		}
		if len(s.args) > 1 {
			var err error
			if target.Level, err = parseLogLevel(s); err != nil {
				return err
			}
		}
		*list = append(*list, target)
		return nil
	}
}

// parseLogLevel reads the levels behind the file's name: one, or several of nginx's debug_http and so on, which are
// taken for debug.
func parseLogLevel(s *stmt) (LogLevel, error) {
	rank, debug := -1, false
	for _, arg := range s.args[1:] {
		i := slices.Index(logLevels, arg)
		switch {
		case i >= 0 && (rank >= 0 || debug):
			return 0, s.errorf(`duplicate log level "%s"`, arg)
		case i >= 0:
			rank = i
		case rank >= 0 || !slices.Contains(debugLevels, arg):
			return 0, s.errorf(`invalid log level "%s"`, arg)
		default:
			debug = true
		}
	}
	if debug {
		return LogDebug, nil
	}
	return LogLevel(rank), nil
}

var debugLevels = []string{"debug_core", "debug_alloc", "debug_mutex", "debug_event", "debug_http", "debug_mail", "debug_stream"}
