package compare

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"seawall/bench/internal/result"
)

// Exit statuses of Main. A change, even for the worse, is no failure: a verdict is package ci's.
const (
	exitDone       = 0
	exitUnreadable = 2
)

const usage = `usage: bench compare [flags] OLD.json NEW.json

Shows for each scenario the old and the new figures of a server, the change with its interval and significance.
`

// Main is the subcommand.
func Main(args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("bench compare", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() { fmt.Fprint(errOut, usage); flags.PrintDefaults() }
	only := flags.String("only", "", "`scenarios`, separated by commas")
	metrics := flags.String("metrics", "", "`keys` of metrics, separated by commas, such as cpu_us,p99_ms")
	alpha := flags.Float64("alpha", DefaultAlpha, "`level` of significance")
	format := flags.String("format", "text", "text, markdown or json")
	server := flags.String("server", Seawall, "`name` of the server that is compared")

	var files []string
	for {
		if err := flags.Parse(args); err == flag.ErrHelp {
			return exitDone
		} else if err != nil {
			return exitUnreadable
		}
		if flags.NArg() == 0 {
			break
		}
		files, args = append(files, flags.Arg(0)), flags.Args()[1:] // flags may stand behind the files
	}
	fail := func(err error) int {
		fmt.Fprintln(errOut, "bench compare:", err)
		return exitUnreadable
	}
	if len(files) != 2 {
		flags.Usage()
		return exitUnreadable
	}
	print, ok := map[string]func(*Comparison, io.Writer) error{
		"text": (*Comparison).Text, "markdown": (*Comparison).Markdown, "json": (*Comparison).JSON,
	}[*format]
	if !ok {
		return fail(fmt.Errorf("-format is text, markdown or json, not %q", *format))
	}
	old, err := result.Read(files[0])
	if err != nil {
		return fail(err)
	}
	new, err := result.Read(files[1])
	if err != nil {
		return fail(err)
	}
	c, err := Runs(old, new, Options{Scenarios: list(*only), Metrics: list(*metrics), Alpha: *alpha, Server: *server})
	if err != nil {
		return fail(err)
	}
	if err := print(c, out); err != nil {
		return fail(err)
	}
	return exitDone
}

func list(text string) []string {
	var all []string
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			all = append(all, entry)
		}
	}
	return all
}
