//go:build linux

// Package peer knows the servers that are measured: how each is installed, configured for the same work, started and
// reloaded, and what it can do. A new server is one more entry of the table in kinds.go and a configuration under conf/.
package peer

import (
	"net/netip"
	"syscall"
)

// Ability is a set of things that a server can do; a scenario names those that it needs.
type Ability uint

const (
	Cache  Ability = 1 << iota // keep responses of a backend
	Proxy                      // pass requests to a backend over kept-alive connections
	Static                     // serve files
	Return                     // answer from its configuration
	Reload                     // take a new configuration on a signal
)

// Site is what a configuration is written for.
type Site struct {
	Dir     string         // the server's own directory, absolute; it has an empty directory logs
	Files   string         // directory of the static files 1k.txt, 100k.txt and 1m.txt, absolute
	Listen  netip.AddrPort // where it is to listen
	Backend netip.AddrPort // the origin
	Workers int            // cores that it has

	// Generation counts the configurations that a server was given. /generation answers with it where a server can
	// reload: that is how one sees which configuration serves.
	Generation int
}

// Command starts a server: it stays in the foreground and logs below Dir.
type Command struct {
	Argv  []string          // the first one is the kind's Program
	Env   []string          // beside the bench's own
	Files map[string]string // written before the start: path below Dir, contents
}

// Kind is one server of the table.
type Kind struct {
	Name    string // as the tables call it
	Program string // looked up in PATH and /usr/sbin, or a path; NAME.c is compiled from bench/floor
	Package string // Debian's, "" when it has none
	Can     Ability
	Floor   bool           // the least that a server can do: it judges nothing and is judged by nobody
	Note    string         // how its work differs, for the tables' legend: where it logs, what it does not do
	Version []string       // arguments that make it print its version
	Signal  syscall.Signal // makes its process reload; 0: SIGHUP
	Command func(Site) (Command, error)
}
