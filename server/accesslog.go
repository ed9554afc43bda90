package server

import (
	"sync/atomic"

	"seawall/conf"
	"seawall/logs"
)

// accessLog is one access_log of a location, compiled.
type accessLog struct {
	sink   *logSink
	parts  []logPart
	cond   *value // if=: logged unless empty or "0"; nil: always
	escape conf.LogEscape
}

// logPart is a literal or a variable of a log_format.
type logPart struct {
	literal []byte
	get     getter
	plain   bool // the value is of our own making: nothing in it needs escaping
}

// logSink is an access log file. It outlives reloads. slot finds each loop's
// appender.
type logSink struct {
	file   *logs.File
	slot   int
	closed atomic.Bool // released: what a late request of a replaced configuration has to say is dropped
}

// appenderSet holds a loop's appenders by the slot of their sink.
type appenderSet []*logs.Appender

// appender gives the loop's way into sink, nil when that is closed.
func (s *loopState) appender(sink *logSink) *logs.Appender {
	for sink.slot >= len(s.appenders) {
		s.appenders = append(s.appenders, nil)
	}
	a := s.appenders[sink.slot]
	if a == nil && !sink.closed.Load() {
		a = sink.file.NewAppender()
		s.appenders[sink.slot] = a
	}
	return a
}

// releaseAppender hands over what the loop's buffer for sink holds.
func (s *loopState) releaseAppender(sink *logSink) {
	if sink.slot < len(s.appenders) && s.appenders[sink.slot] != nil {
		s.appenders[sink.slot].Release()
		s.appenders[sink.slot] = nil
	}
}

// releaseAppenders hands over what the loop's buffers hold.
func (s *loopState) releaseAppenders() {
	for i, a := range s.appenders {
		if a != nil {
			a.Release()
			s.appenders[i] = nil
		}
	}
}

func (b *builder) compileAccessLogs(cs []conf.AccessLog) []accessLog {
	var out []accessLog
	for i := range cs {
		c := &cs[i]
		if !c.Path.IsStatic() {
			b.fail(c.Pos, "variables in the path of \"access_log\" are not supported yet")
			continue
		}
		sink, err := b.srv.openSink(c.Path.Text(), logs.Buffering{Size: int(c.Buffer), Flush: c.Flush})
		if err != nil {
			b.fail(conf.Pos{}, "%v", err)
			continue
		}
		b.site.sinks[sink] = struct{}{}
		al := accessLog{sink: sink, escape: c.Format.Escape}
		for _, p := range c.Format.Format.Parts {
			if p.Var == "" {
				al.parts = append(al.parts, logPart{literal: []byte(p.Literal)})
				continue
			}
			part, ok := b.variable(p.Var)
			if !ok {
				b.failNear(c.Format.Pos, nearestVariable(p.Var), "unknown %q variable", p.Var)
				continue
			}
			al.parts = append(al.parts, logPart{get: part.get, plain: plainVariables[p.Var]})
		}
		if c.If != nil {
			v := b.compile(*c.If)
			al.cond = &v
		}
		out = append(out, al)
	}
	return out
}

// writeAccessLogs writes the request's line to each of its location's logs.
func (r *Request) writeAccessLogs() {
	list := r.loc.accessLogs
	for i := range list {
		al := &list[i]
		if al.cond != nil && !al.cond.truthy(r) {
			continue
		}
		line := r.appendLogLine(r.loop.logLine[:0], al)
		r.loop.logLine = line
		if a := r.loop.appender(al.sink); a != nil {
			a.Append(line)
		}
	}
}

func (r *Request) appendLogLine(line []byte, al *accessLog) []byte {
	for i := range al.parts {
		p := &al.parts[i]
		if p.get == nil {
			line = append(line, p.literal...)
			continue
		}
		from := len(line)
		var ok bool
		if line, ok = p.get(r, line); !ok {
			line = line[:from]
			if al.escape == conf.EscapeDefault {
				line = append(line, '-')
			}
			continue
		}
		if !p.plain && al.escape != conf.EscapeNone && needsEscape(line[from:], al.escape) {
			line = escapeTail(line, from, al.escape)
		}
	}
	return append(line, '\n')
}

// plainVariables are those whose values no client and no backend has a say in.
var plainVariables = map[string]bool{
	"remote_addr": true, "remote_port": true, "server_addr": true, "server_port": true, "connection": true,
	"connection_requests": true, "connection_time": true, "time_local": true, "time_iso8601": true, "msec": true, "pid": true,
	"status": true, "bytes_sent": true, "body_bytes_sent": true, "request_time": true, "request_length": true, "request_id": true,
	"pipe": true, "scheme": true, "upstream_cache_status": true, "upstream_status": true, "upstream_connect_time": true,
	"upstream_header_time": true, "upstream_response_time": true, "upstream_response_length": true,
	"upstream_bytes_sent": true, "upstream_bytes_received": true,
}

// needsEscape tells whether a value has bytes that a log line cannot show as they are.
func needsEscape(v []byte, how conf.LogEscape) bool {
	for _, c := range v {
		if c < 0x20 || c == '"' || c == '\\' || c > 0x7e && how == conf.EscapeDefault {
			return true
		}
	}
	return false
}

// escapeTail escapes line from byte from on, in place.
func escapeTail(line []byte, from int, how conf.LogEscape) []byte {
	const hex = "0123456789ABCDEF"
	raw := append([]byte(nil), line[from:]...)
	line = line[:from]
	for _, c := range raw {
		switch {
		case how == conf.EscapeJSON:
			line = appendJSONByte(line, c)
		case c < 0x20 || c == '"' || c == '\\' || c > 0x7e:
			line = append(line, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			line = append(line, c)
		}
	}
	return line
}

// appendJSONByte appends a byte of a JSON string, as nginx's escape=json does.
func appendJSONByte(line []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	switch c {
	case '"', '\\':
		return append(line, '\\', c)
	case '\n':
		return append(line, '\\', 'n')
	case '\r':
		return append(line, '\\', 'r')
	case '\t':
		return append(line, '\\', 't')
	case '\b':
		return append(line, '\\', 'b')
	case '\f':
		return append(line, '\\', 'f')
	}
	if c < 0x20 {
		return append(line, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(line, c)
}
