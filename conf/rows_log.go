package conf

import (
	"strings"
)

// logRows is ngx_http_log_module, https://nginx.org/en/docs/http/ngx_http_log_module.html.
func logRows() []Row {
	return []Row{
		{Name: "access_log", In: inHTTPAny | InLimitExcept, Args: More1, multi: true, Default: "logs/access.log combined",
			Syntax: "path [format [buffer=size] [flush=time] [if=condition]] | off",
			Doc:    "Where requests are logged, and how.",
			set:    setAccessLog},
		{Name: "log_format", In: InHTTP, Args: More2, Syntax: "name [escape=default|json|none] string ...", multi: true,
			Doc: "A format for access_log. combined is there from the start.",
			set: setLogFormat},
		{Name: "open_log_file_cache", In: inHTTPAny, Args: take1234, NoEffect: true,
			Syntax: "max=number [inactive=time] [min_uses=number] [valid=time] | off",
			Doc:    "Logs are written in the background.", set: anyValue},
	}
}

// combinedFormat is the format every nginx has.
func combinedFormat() *LogFormat {
	const text = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`
	t, err := ParseTemplate(text, Pos{})
	if err != nil {
		panic(err)
	}
	return &LogFormat{Name: "combined", Format: t}
}

// setLogFormat is log_format (ngx_http_log_set_format).
func setLogFormat(l *level, s *stmt) error {
	name := s.args[0]
	if l.http.LogFormats[name] != nil {
		return s.errorf(`duplicate "log_format" name "%s"`, name)
	}
	f := &LogFormat{Name: name, Pos: s.pos, seq: s.seq}
	parts := s.args[1:]
	if escape, ok := strings.CutPrefix(parts[0], "escape="); ok {
		switch escape {
		case "default":
		case "json":
			f.Escape = EscapeJSON
		case "none":
			f.Escape = EscapeNone
		default:
			return s.errorf(`unknown log format escaping "%s"`, escape)
		}
		parts = parts[1:]
	}
	f.Format.Source, f.Format.Pos = strings.Join(parts, ""), s.pos
	for _, part := range parts {
		t, rest, err := compileTemplate(part, s.pos)
		if e, ok := err.(*Error); ok && e.Text == errVariableName {
			return s.errorf(`invalid parameter "%s"`, rest)
		} else if err != nil {
			return err
		}
		f.Format.Parts = append(f.Format.Parts, t.Parts...)
	}
	l.http.LogFormats[name] = f
	return nil
}

// setAccessLog is access_log (ngx_http_log_set_log).
func setAccessLog(l *level, s *stmt) error {
	set := l.set()
	if l.first(s.name) {
		set.AccessLogs = nil
	}
	if s.args[0] == "off" {
		if len(s.args) > 1 {
			return s.errorf(`invalid parameter "%s"`, s.args[1])
		}
		l.accessOff = true
		return nil
	}
	if strings.HasPrefix(s.args[0], "syslog:") {
		return s.errorf(`"%s" in "access_log" is not built in yet`, s.args[0])
	}
	log := AccessLog{Pos: s.pos}
	var err error
	if log.Path, err = ParseTemplate(l.b.fullPath(s.args[0]), s.pos); err != nil {
		return err
	}
	format := "combined"
	if len(s.args) > 1 {
		format = s.args[1]
		for _, arg := range s.args[2:] {
			if err := log.parameter(s, arg); err != nil {
				return err
			}
		}
	}
	log.Format = l.http.LogFormats[format]
	if log.Format == nil || log.Format.seq > s.seq { // nginx knows only formats that stand before
		return s.errorf(`unknown log format "%s"`, format)
	}
	switch {
	case log.Flush > 0 && log.Buffer == 0:
		return s.errorf(`no buffer is defined for access_log "%s"`, s.args[0])
	case log.Buffer > 0 && !log.Path.IsStatic():
		return s.errorf(`buffered logs cannot have variables in name`)
	}
	set.AccessLogs = append(set.AccessLogs, log)
	return nil
}

func (log *AccessLog) parameter(s *stmt, arg string) error {
	name, value, ok := strings.Cut(arg, "=")
	switch {
	case name == "gzip":
		return s.errorf(`the "%s" parameter of "access_log" is not built in yet`, arg)
	case name == "buffer" && ok:
		if log.Buffer, ok = parseSize(value, false); !ok || log.Buffer == 0 {
			return s.errorf(`invalid buffer size "%s"`, value)
		}
	case name == "flush" && ok:
		if log.Flush, ok = parseTime(value, false); !ok || log.Flush == 0 {
			return s.errorf(`invalid flush time "%s"`, value)
		}
	case name == "if" && ok:
		t, err := ParseTemplate(value, s.pos)
		if err != nil {
			return err
		}
		log.If = &t
	default:
		return s.errorf(`invalid parameter "%s"`, arg)
	}
	return nil
}

// mergeLogs lets off win over the other access_logs of its block.
func (l *level) mergeLogs() {
	if l.accessOff {
		l.set().AccessLogs = nil
	}
}
