package engine

import (
	"fmt"
	"runtime/debug"
)

// guard ends every callback (deferred): a panic costs the connection whose callback it was, not the process. Whoever
// panicked may have left the connection's own state half changed, so it is closed; its handler still gets Closed.
func (l *Loop) guard() {
	c := l.current
	if r := recover(); r != nil {
		l.counters.panics.Add(1)
		var id uint64
		if c != nil {
			id = c.id
			c.closeFor(ErrPanic)
		}
		l.log(Alert, id, fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
	}
	l.current = nil
}
