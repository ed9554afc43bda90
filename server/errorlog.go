package server

import (
	"fmt"
	"strings"

	"seawall/conf"
	"seawall/httpparse"
	"seawall/logs"
	"seawall/upstream"
)

// Levels of the error log, short.
const (
	levelCrit   = logs.LevelCrit
	levelError  = logs.LevelError
	levelWarn   = logs.LevelWarn
	levelNotice = logs.LevelNotice
	levelInfo   = logs.LevelInfo
)

// openErrorLog opens a list of error_log targets.
func openErrorLog(reg *logs.Registry, targets []conf.ErrorLog) (*logs.ErrorLog, error) {
	list := make([]logs.Target, len(targets))
	for i, t := range targets {
		list[i] = logs.Target{Path: t.Path, Level: logs.Level(t.Level) + 1}
	}
	return logs.NewErrorLog(reg, list...)
}

// errorLog is where errors of this request go.
func (r *Request) errorLog() *logs.ErrorLog {
	switch {
	case r.loc != nil && r.loc.errorLog != nil:
		return r.loc.errorLog
	case r.vhost != nil && r.vhost.root.errorLog != nil:
		return r.vhost.root.errorLog
	}
	return r.loop.srv.log
}

// logClient writes a line about this request, with nginx's context behind it.
func (r *Request) logClient(level logs.Level, format string, args ...any) {
	log := r.errorLog()
	if !log.Enabled(level) {
		return
	}
	b := fmt.Appendf(nil, format, args...)
	b = r.appendLogContext(b, "")
	log.Log(level, r.conn().ID(), string(b))
}

// appendLogContext appends ", client: ..., server: ..., request: ...".
func (r *Request) appendLogContext(b []byte, peer string) []byte {
	b = append(b, ", client: "...)
	b = r.appendRemoteAddr(b)
	if r.vhost != nil {
		b = append(b, ", server: "...)
		b = append(b, r.vhost.name...)
	}
	if line := r.requestLine(); len(line) > 0 {
		b = append(b, ", request: \""...)
		b = append(b, line...)
		b = append(b, '"')
	}
	if peer != "" && r.loc != nil && r.loc.proxy != nil {
		b = append(b, ", upstream: \"http://"...)
		b = append(b, peer...)
		if strings.HasPrefix(peer, "unix:") {
			b = append(b, ':')
		}
		b = r.appendBackendURI(b)
		b = append(b, '"')
	}
	if r.lineBroken { // nginx refuses it before it reads the fields
		return b
	}
	if v := r.header(httpparse.HeaderHost); v != nil {
		b = append(b, ", host: \""...)
		b = append(b, v...)
		b = append(b, '"')
	}
	if v := r.header(httpparse.HeaderReferer); v != nil {
		b = append(b, ", referrer: \""...)
		b = append(b, v...)
		b = append(b, '"')
	}
	return b
}

// logConn writes a line about a connection without a usable request.
func (h *h1Conn) logConn(level logs.Level, text string) {
	if r := h.req; r != nil {
		if len(r.raw) == 0 && h.in != nil {
			r.raw = h.in.B[h.off:]
		}
		r.logClient(level, "%s", text)
	}
}

// logDropped writes the header lines that were left out for their names.
func (r *Request) logDropped() {
	if !r.errorLog().Enabled(levelInfo) {
		return
	}
	for line := range r.head.DroppedLines(r.raw) {
		r.logClient(levelInfo, "client sent invalid header line: \"%s\" while reading client request headers", line)
	}
}

// logFailure writes a failed attempt at a backend.
func (ex *exchange) logFailure(e *upstream.Error) {
	if e.Log == "" {
		return
	}
	peer := ex.lastPeer()
	ex.log(levelOf(e), e.Error(), peer)
	if list := ex.call.Tries(); len(list) > 0 && list[len(list)-1].Disabled {
		ex.log(levelWarn, "upstream server temporarily disabled while "+string(e.Phase), peer)
	}
}

// pollCall is the system call that nginx names where events come from.
const pollCall = "epoll_wait()"

// lastPeer is the peer of the last attempt, as it stands in the configuration.
func (ex *exchange) lastPeer() string {
	list := ex.call.Tries()
	if len(list) == 0 || ex.group == nil {
		return ""
	}
	return list[len(list)-1].Peer
}

func (ex *exchange) log(level logs.Level, text, peer string) {
	r := ex.r
	if r == nil {
		if log := ex.loc.errorLog; log.Enabled(level) {
			log.Log(level, 0, text+", upstream: \"http://"+peer+"\" (updating the cache)")
		}
		return
	}
	log := r.errorLog()
	if !log.Enabled(level) {
		return
	}
	log.Log(level, r.conn().ID(), string(r.appendLogContext([]byte(text), peer)))
}

func levelOf(e *upstream.Error) logs.Level { return logs.Level(e.Severity) }
