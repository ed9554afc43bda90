//go:build linux

package userconf

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/textproto"
	"strings"
	"time"
)

// options are the command line's.
type options struct {
	conf        string
	urls        string
	host        string
	headers     headerList
	nginx       string
	seawall     string
	prefix      string
	origin      bool
	skipMissing bool
	skipBoth    bool
	anyway      bool
	checkOnly   bool
	each        bool
	rounds      int
	window      time.Duration
	connections int
	limit       int
	cores       string
	json        string
	keep        bool
}

const help = `usage: bench conf [options] FILE [options]

Compares nginx and Seawall on your own nginx.conf and your own requests:

  bench conf /etc/nginx/nginx.conf -urls /var/log/nginx/access.log

FILE is read with all that it includes and copied to a temporary directory. Nothing of yours is changed and nothing of yours
is written to: listen addresses move to free ports of 127.0.0.1 (one for each address, so that the same server is chosen),
pid, logs, caches and temporary files go to the temporary directory, daemon is off, and worker_processes is the number of
cores that the servers get. Everything else is yours, line by line, your backends too: they are asked for real (see
-origin). Relative paths are nginx's: includes, certificates and password files beside FILE, other files below -prefix.

Then, in this order:
  1  nginx tests the configuration. What it does not accept ends here, with its message and your line.
  2  Seawall does. What it lacks is listed with file and line.
  3  Each URL is asked of both, twice. Status, header fields and bodies must be the same, but for what nginx itself does not
     answer twice alike. Differences are listed.
  4  Both run on the same cores in turns, round by round, wrk asking for the URLs as often as each is in the list. CPU per
     request, requests per second, latency and memory are printed with their ratio.

When Seawall lacks something the comparison ends after 3: it shows whether what is missing is seen in the answers, but a
server that does less is not to be timed against one that does all. -skip-both times both without it, -skip-missing only
Seawall.

The list of -urls has a path or a URL on each line, "HEAD" or "GET" before it if you like; "Host: NAME" is for the paths
below it; "#" begins a comment. The port of a URL says which listen address is meant. An access log in nginx's combined format
is taken as well: its GET and HEAD requests as often as they occur. Without -urls each server is asked for "/".

Exit status: 0 measured, the answers agree; 1 the answers differ; 2 it could not be done; 3 Seawall lacks directives.

options:
`

type headerList []string

func (h *headerList) String() string { return strings.Join(*h, ", ") }

func (h *headerList) Set(text string) error {
	name, value, ok := strings.Cut(text, ":")
	if !ok || name == "" || strings.ContainsAny(text, "\r\n") || textproto.TrimString(name) != name {
		return errors.New(`a header field looks like "Name: value"`)
	}
	if strings.EqualFold(name, "Host") {
		return errors.New("the Host field is given by -host or in the list of URLs")
	}
	*h = append(*h, name+": "+strings.TrimSpace(value))
	return nil
}

// parseFlags takes options before and after FILE.
func parseFlags(args []string, out io.Writer) (options, error) {
	var o options
	set := flag.NewFlagSet("bench conf", flag.ContinueOnError)
	set.SetOutput(io.Discard) // the caller prints the error, without all of the help
	set.StringVar(&o.urls, "urls", "", "`file` with a list of URLs, or an access log; - is standard input")
	set.StringVar(&o.host, "host", "", "Host `name` for requests that name none, such as those of a log (default: the first server's)")
	set.Var(&o.headers, "header", "`field` to send with every request, such as \"Accept-Encoding: gzip\"; may be repeated")
	set.StringVar(&o.nginx, "nginx", "nginx", "nginx's `program`")
	set.StringVar(&o.seawall, "seawall", "bin/seawall", "Seawall's `program`")
	set.StringVar(&o.prefix, "prefix", "", "`directory` of nginx's other relative paths (default: the one that nginx was built with)")
	set.BoolVar(&o.origin, "origin", false, "ask a backend of the bench's own (1 KB of text) in the place of all of yours")
	set.BoolVar(&o.skipBoth, "skip-both", false, "measure both servers without the directives that Seawall lacks")
	set.BoolVar(&o.skipMissing, "skip-missing", false, "measure Seawall without the directives that it lacks, nginx with them")
	set.BoolVar(&o.anyway, "anyway", false, "measure although the answers differ")
	set.BoolVar(&o.checkOnly, "check", false, "do not measure: only list what is lacking and what differs")
	set.BoolVar(&o.each, "each", false, "measure each URL alone, not all of an address together")
	set.IntVar(&o.rounds, "rounds", 6, "measurements of each server; with 6 and more the medians have intervals")
	set.DurationVar(&o.window, "duration", 3*time.Second, "length of one measurement")
	set.IntVar(&o.connections, "connections", 64, "connections that ask at the same time")
	set.IntVar(&o.limit, "limit", 200, "different requests at most: the most frequent are kept")
	set.StringVar(&o.cores, "cores", "", "SERVER:LOAD: the `cores` to use, such as 0:1-3 (default: one for the servers)")
	set.StringVar(&o.json, "json", "", "write every round to this `file` as well")
	set.BoolVar(&o.keep, "keep", false, "keep the temporary directory with the moved configurations and the logs")
	err := set.Parse(args)
	if err == nil && set.NArg() > 0 {
		o.conf = set.Arg(0)
		err = set.Parse(set.Args()[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, help)
		set.SetOutput(out)
		set.PrintDefaults()
	}
	if err != nil {
		return o, err
	}
	if o.conf == "" {
		return o, errors.New("which configuration? usage: bench conf FILE [-urls LIST] (bench conf -h says more)")
	}
	switch {
	case set.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", set.Arg(0))
	case o.rounds < 1 || o.connections < 1 || o.limit < 1:
		return o, errors.New("-rounds, -connections and -limit must be at least 1")
	case o.window < 100*time.Millisecond:
		return o, errors.New("-duration must be at least 100ms")
	case o.skipBoth && o.skipMissing:
		return o, errors.New("-skip-both and -skip-missing exclude each other")
	}
	return o, nil
}
