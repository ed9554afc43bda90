package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// What the program assumes when no flag says otherwise; a distribution's build sets them with
// -ldflags "-X main.defaultPrefix=/usr/share/seawall -X main.defaultConf=/etc/seawall/nginx.conf".
var (
	defaultPrefix   = "" // the directory the program is started in
	defaultConf     = "conf/nginx.conf"
	defaultErrorLog = "logs/error.log"
)

// flags is the command line, as https://nginx.org/en/docs/switches.html describes it.
type flags struct {
	help, version, buildInfo bool
	test, dump, quiet        bool

	signal   string // "", "stop", "quit", "reopen", "reload"
	prefix   string
	errorLog string
	confFile string
	globals  string

	prefixGiven, confGiven, errorLogGiven bool
}

// signalNames are what -s takes.
var signalNames = []string{"stop", "quit", "reopen", "reload"}

// parseFlags reads the command line by nginx's rules: letters may be joined (-tq), a value may be glued to its letter
// (-cfile). Errors have nginx's words.
func parseFlags(args []string) (flags, error) {
	f := flags{prefix: defaultPrefix, confFile: defaultConf, errorLog: defaultErrorLog}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) == 0 || arg[0] != '-' {
			return f, fmt.Errorf("invalid option: %q", arg)
		}
		for at := 1; at < len(arg); at++ {
			letter := arg[at]
			if f.setSwitch(letter) {
				continue
			}
			target, missing := f.valueOf(letter)
			if target == nil {
				return f, fmt.Errorf("invalid option: \"%c\"", letter)
			}
			if at+1 < len(arg) {
				*target = arg[at+1:]
			} else if i++; i < len(args) {
				*target = args[i]
			} else {
				return f, errors.New(missing)
			}
			if letter == 's' && !slices.Contains(signalNames, f.signal) {
				return f, fmt.Errorf("invalid option: \"-s %s\"", f.signal)
			}
			break
		}
	}
	return f, nil
}

func (f *flags) setSwitch(letter byte) bool {
	switch letter {
	case '?', 'h':
		f.version, f.help = true, true
	case 'v':
		f.version = true
	case 'V':
		f.version, f.buildInfo = true, true
	case 't':
		f.test = true
	case 'T':
		f.test, f.dump = true, true
	case 'q':
		f.quiet = true
	default:
		return false
	}
	return true
}

// valueOf gives where the value of an option goes, and what to say when there is none; nil: no such option.
func (f *flags) valueOf(letter byte) (target *string, missing string) {
	switch letter {
	case 'p':
		f.prefixGiven = true
		return &f.prefix, `option "-p" requires directory name`
	case 'e':
		f.errorLogGiven = true
		return &f.errorLog, `option "-e" requires file name`
	case 'c':
		f.confGiven = true
		return &f.confFile, `option "-c" requires file name`
	case 'g':
		return &f.globals, `option "-g" requires parameter`
	case 's':
		return &f.signal, `option "-s" requires parameter`
	}
	return nil, ""
}

// paths gives the prefix and the configuration file as absolute paths: both must survive working_directory. A relative
// -c is taken against the prefix, as nginx does.
func (f *flags) paths() (prefix, confFile string, err error) {
	if prefix, err = filepath.Abs(f.prefix); err != nil {
		return "", "", err
	}
	confFile = f.confFile
	if !filepath.IsAbs(confFile) {
		confFile = filepath.Join(prefix, confFile)
	}
	return prefix, confFile, nil
}

// missingConfHint is for the user who just typed the program's name.
func (f *flags) missingConfHint(confFile string) string {
	if f.confGiven || f.prefixGiven {
		return ""
	}
	if _, err := os.Stat(confFile); err == nil {
		return ""
	}
	return "seawall: give a configuration file with -c FILE, or try: seawall demo\n"
}

const usage = `Usage: seawall [-?hvVtTq] [-s signal] [-p prefix]
               [-e filename] [-c filename] [-g directives]
       seawall demo [-listen address] [-load]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and what is built in, then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to the running server: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: %s)
  -e filename   : set error log file (default: %s)
  -c filename   : set configuration file (default: %s)
  -g directives : set global directives out of configuration file

Paths in the configuration and after -c that are not absolute are taken against
the prefix; directories of log files missing below it are created. Included
files are taken against the directory of the configuration file.

Signals to the process in the pid file:
  TERM, INT     : stop at once                     (-s stop)
  QUIT          : stop when requests are answered  (-s quit)
  HUP           : read the configuration anew; if it does not check, the
                  error is logged and the old one stays  (-s reload)
  USR1          : open log files anew, after rotation    (-s reopen)
  USR2, WINCH   : replacing the running binary is not built in: ignored

Without "daemon off;" the server goes to the background once it listens; until
then errors are shown here and the exit status is 1.

seawall demo    : a slow application on this machine with Seawall before it on
                  127.0.0.1:8080; prints what to try and what happens.
  -listen address : another address or port
  -load           : with clients of its own, so that it can be watched at once
`

func printUsage(w io.Writer) {
	prefix := defaultPrefix
	if prefix == "" {
		prefix = "the current directory"
	}
	fmt.Fprintf(w, usage, prefix, defaultErrorLog, defaultConf)
}
