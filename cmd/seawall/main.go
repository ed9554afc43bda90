// Command seawall is an nginx-compatible event-loop web server and microcaching reverse proxy. Its flags, signals and
// messages are nginx's (https://nginx.org/en/docs/switches.html, https://nginx.org/en/docs/control.html); `seawall demo`
// shows what the cache does without any configuration.
//
// Where to look: flags.go the command line, check.go -t and -T, signaller.go -s, serve.go the life of the serving
// process (start, signals, reload, end), daemon.go going to the background, privileges*.go becoming another user,
// wiring.go the only place that names package server. The demo stands in internal/demo.
package main

import (
	"fmt"
	"io"
	"os"

	"seawall/cmd/seawall/internal/demo"
)

func main() {
	startProfile()
	if len(os.Args) > 1 && os.Args[1] == "demo" {
		os.Exit(demo.Main(os.Args[2:], os.Stdout, os.Stderr, startDemoServer))
	}
	c := command{stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(c.run(os.Args[1:]))
}

// command is one run of the program with the command line of nginx.
type command struct {
	stdout, stderr io.Writer
	flags          flags
}

// run does what args ask for and returns the exit status.
func (c *command) run(args []string) int {
	var err error
	if c.flags, err = parseFlags(args); err != nil {
		fmt.Fprintf(c.stderr, "seawall: %v\n", err)
		return 1
	}
	if c.flags.version {
		c.showVersion()
		if !c.flags.test {
			return 0
		}
	}
	switch {
	case c.flags.test:
		return c.testConfiguration()
	case c.flags.signal != "":
		return c.sendSignal()
	default:
		return c.serve()
	}
}

// fail reports a start-up error in nginx's words and gives the exit status.
func (c *command) fail(level, text string) int {
	fmt.Fprintf(c.stderr, "seawall: [%s] %s\n", level, text)
	return 1
}
