// Package floor holds the C programs of the bench: the least that a server and a forwarder can do, and the load generator
// that checks what it gets. They are compiled where they run.
package floor

import (
	"embed"
	"strings"
)

//go:embed *.c *.h
var Sources embed.FS

// Source returns a program as one file for the compiler: the text of the named file with the headers that it includes from
// this directory put in place. It panics when there is no such file, which is a mistake in the bench.
func Source(name string) string {
	text, err := Sources.ReadFile(name)
	if err != nil {
		panic(err)
	}
	var whole strings.Builder
	for line := range strings.Lines(string(text)) {
		header, isInclude := strings.CutPrefix(strings.TrimSpace(line), `#include "`)
		if !isInclude {
			whole.WriteString(line)
			continue
		}
		whole.WriteString(Source(strings.TrimSuffix(header, `"`)))
		whole.WriteString("\n")
	}
	return whole.String()
}
