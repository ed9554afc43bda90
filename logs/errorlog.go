package logs

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Target is one error_log: a path ("stderr" for the process's standard error) and the least severe level it takes.
type Target struct {
	Path  string
	Level Level
}

// maxLine bounds a line in bytes, line feed included, as nginx's NGX_MAX_ERROR_STR: much of it may come from a client.
// Texts of several lines (stacks) are ours and stay whole.
const maxLine = 2048

// ErrorLog writes nginx's error log lines to any number of targets:
//
//	2026/01/02 15:04:05 [error] 123#0: *17 connect() failed (111: Connection refused) while ..., client: 127.0.0.1
//
// that is local time, level, process id "#" thread (always 0 here), connection's serial, text. All methods are safe for
// concurrent use; Log never blocks on the disk.
type ErrorLog struct {
	registry *Registry
	targets  atomic.Pointer[openTargets]
	lines    sync.Pool // *[]byte
	echo     atomic.Bool
	echoTo   io.Writer
	program  string
	second   atomic.Pointer[renderedSecond]
	now      func() time.Time
	pid      int
}

type openTargets struct {
	files    []*File
	levels   []Level
	most     Level // the least severe level that any target takes
	onStderr Level // likewise, of the targets that are stderr; 0: none
}

type renderedSecond struct {
	unix int64
	text string
}

// NewErrorLog opens the targets; see [Registry.Open] for the error.
func NewErrorLog(r *Registry, targets ...Target) (*ErrorLog, error) {
	l := &ErrorLog{registry: r, echoTo: os.Stderr, program: "seawall", now: time.Now, pid: os.Getpid()}
	l.lines.New = func() any { b := make([]byte, 0, 512); return &b }
	l.targets.Store(&openTargets{})
	if err := l.SetTargets(targets...); err != nil {
		return nil, err
	}
	return l, nil
}

// SetTargets replaces the targets (a reload). If one does not open, nothing changes.
func (l *ErrorLog) SetTargets(targets ...Target) error {
	next := &openTargets{}
	for _, t := range targets {
		f, err := l.registry.Open(t.Path, Buffering{Immediate: true})
		if err != nil {
			next.release()
			return err
		}
		next.files = append(next.files, f)
		next.levels = append(next.levels, t.Level)
		next.most = max(next.most, t.Level)
		if f.fixed {
			next.onStderr = max(next.onStderr, t.Level)
		}
	}
	l.targets.Swap(next).release()
	return nil
}

// Registry is where the targets are open: whoever opens further log files opens them there, so that one path is one file
// and one reopening reaches all.
func (l *ErrorLog) Registry() *Registry { return l.registry }

// Close gives the targets up after writing what was logged.
func (l *ErrorLog) Close() { l.targets.Swap(&openTargets{}).release() }

func (t *openTargets) release() {
	for _, f := range t.files {
		f.Flush()
		f.Release()
	}
}

// EchoStderr sends warn and worse also to standard error as `seawall: [emerg] text`, unless a target is stderr: until
// the server has started (nginx's ngx_use_stderr).
func (l *ErrorLog) EchoStderr(on bool) { l.echo.Store(on) }

// Enabled tells whether a line of that level would go anywhere: ask before composing a costly text.
func (l *ErrorLog) Enabled(level Level) bool {
	return level <= l.targets.Load().most || level <= LevelWarn && l.echo.Load()
}

// Log writes one line. conn is the connection's serial, 0 for none. Control bytes in text are written as \xNN and a
// line feed starts an indented line, so that no client can forge a line. The clock is read here: error lines are rare.
func (l *ErrorLog) Log(level Level, conn uint64, text string) {
	targets := l.targets.Load()
	if l.echo.Load() && level <= LevelWarn && level > targets.onStderr {
		io.WriteString(l.echoTo, l.program+": ["+level.String()+"] "+text+"\n")
	}
	if level > targets.most {
		return
	}
	line := l.lines.Get().(*[]byte)
	b := append((*line)[:0], l.clock()...)
	b = append(b, " ["...)
	b = append(b, level.String()...)
	b = append(b, "] "...)
	b = strconv.AppendInt(b, int64(l.pid), 10)
	b = append(b, "#0: "...)
	if conn != 0 {
		b = append(b, '*')
		b = strconv.AppendUint(b, conn, 10)
		b = append(b, ' ')
	}
	b = appendPrintable(b, text)
	if len(b) >= maxLine && !strings.Contains(text, "\n") {
		b = b[:maxLine-1]
	}
	b = append(b, '\n')
	for i, f := range targets.files {
		if level <= targets.levels[i] {
			f.AppendShared(b)
		}
	}
	*line = b
	l.lines.Put(line)
}

// Writer is an io.Writer whose every Write is a line of that level: for libraries that want a logger.
func (l *ErrorLog) Writer(level Level) io.Writer { return lineWriter{l, level} }

type lineWriter struct {
	log   *ErrorLog
	level Level
}

func (w lineWriter) Write(p []byte) (int, error) {
	if w.log == nil {
		return 0, errors.New("no log")
	}
	text := p
	for len(text) > 0 && text[len(text)-1] == '\n' {
		text = text[:len(text)-1]
	}
	w.log.Log(w.level, 0, string(text))
	return len(p), nil
}

// clock is "2026/01/02 15:04:05", rendered once a second.
func (l *ErrorLog) clock() string {
	now := l.now()
	if s := l.second.Load(); s != nil && s.unix == now.Unix() {
		return s.text
	}
	s := &renderedSecond{now.Unix(), now.Format("2006/01/02 15:04:05")}
	l.second.Store(s)
	return s.text
}

func appendPrintable(dst []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			dst = append(dst, "\n    "...)
		case c < ' ' && c != '\t' || c == 0x7f:
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
