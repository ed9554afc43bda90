package engine

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// Errors of connections, preallocated. Whatever comes from the kernel is a unix.Errno as it came.
var (
	// ErrAgain: nothing to read now; Handler.Readable will be called when there is.
	ErrAgain = errors.New("engine: would block")
	// ErrClosed: the connection is closed.
	ErrClosed = errors.New("engine: connection closed")
	// ErrReclaimed: an idle connection closed because descriptors or worker_connections ran out.
	ErrReclaimed = errors.New("engine: idle connection closed to make room")
	// ErrStopped: the engine is stopping, or has stopped.
	ErrStopped = errors.New("engine: stopped")
	// ErrPanic: a callback of this connection panicked.
	ErrPanic = errors.New("engine: callback panicked")
	// ErrTooManyConns: the loop has MaxConns connections and none of them is idle.
	ErrTooManyConns = errors.New("engine: worker_connections are not enough")
)

// Severity is a level of nginx's error log; a smaller value is more severe.
type Severity uint8

// Levels, https://nginx.org/en/docs/ngx_core_module.html#error_log.
const (
	Emerg Severity = iota + 1
	Alert
	Crit
	Err
	Warn
	Notice
	Info
	Debug
)

// ErrnoText renders an error of the kernel as nginx does: "98: Address already in use". Other errors give their text.
func ErrnoText(err error) string {
	var no unix.Errno
	if !errors.As(err, &no) {
		return err.Error()
	}
	text := []byte(no.Error())
	if len(text) > 0 && text[0] >= 'a' && text[0] <= 'z' { // Go lowers the first letter of strerror(3)
		text[0] -= 'a' - 'A'
	}
	return strconv.Itoa(int(no)) + ": " + string(text)
}
