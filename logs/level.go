// Package logs writes Seawall's log files: the error log in nginx's format and the access logs.
//
// Nothing here blocks an event loop. A line is copied into memory; one goroutine per file writes full buffers (and, on a
// timer, the others). When the disk does not keep up, a bounded amount of memory fills and further lines are dropped,
// counted and reported: the server goes on.
//
// Life of a file: [Registry.Open] -> [File.NewAppender] per producer -> Append ... -> [File.Release]; the last Release
// of a path writes what is left and closes it.
package logs

// Level is the severity of an error log line; a smaller value is more severe. The values are nginx's
// (https://nginx.org/en/docs/ngx_core_module.html#error_log).
type Level uint8

const (
	LevelEmerg  Level = iota + 1 // the server cannot start or go on
	LevelAlert                   // a fault that somebody must look at now: a bug, a disk that is full
	LevelCrit                    // a resource ran out
	LevelError                   // a request failed
	LevelWarn                    // something works, but not as it should
	LevelNotice                  // the life of the process: start, reload, stop
	LevelInfo                    // what clients do wrong
	LevelDebug                   // what only a developer wants
)

var levelNames = [...]string{"stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}

// String is the level's name as error_log takes it.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// ParseLevel is the level called name ("emerg" to "debug"); ok is false for any other name.
func ParseLevel(name string) (level Level, ok bool) {
	for i, known := range levelNames[1:] {
		if known == name {
			return Level(i + 1), true
		}
	}
	return 0, false
}
