//go:build linux

// Command bench prints what a request costs: server CPU per request of nginx, of Seawall and, as the floor, of a bare C
// epoll loop, each on one core with the load on another, interleaved within one run; beside it the memory of idle
// connections, system calls per request, coalescing and the speed of the parser.
//
// bench/run.sh builds and runs it; BENCHMARKS.md explains the rows. Only ratios within one run say anything: the
// absolute figures are the machine's. It starts every server itself, on free loopback ports under a temporary directory,
// and ends them when it ends. Linux only: it reads /proc and pins with taskset.
//
// Exit status: 0 all measured; 1 an answer was wrong, a server failed or (with -check) a target was missed; 2 usage or
// something is missing on this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// options are the command line's.
type options struct {
	rounds      int
	window      time.Duration
	rows        string
	servers     string
	seawall     string
	nginx       string
	connections int
	cores       string
	gomaxprocs  bool
	json        bool
	check       bool
	list        bool
	keep        bool
	timeout     time.Duration
}

func parseFlags(args []string) (options, error) {
	var o options
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.IntVar(&o.rounds, "n", 5, "measurements of each figure; the median is printed")
	set.DurationVar(&o.window, "d", 3*time.Second, "length of one measurement under load")
	set.StringVar(&o.rows, "rows", "", "only these rows: a comma-separated list of names or their beginnings (see -list)")
	set.StringVar(&o.servers, "servers", "nginx,seawall", "servers to measure")
	set.StringVar(&o.seawall, "seawall", "bin/seawall", "Seawall's binary")
	set.StringVar(&o.nginx, "nginx", "nginx", "nginx's binary")
	set.IntVar(&o.connections, "connections", 9000, "connections of the rows with many of them")
	set.StringVar(&o.cores, "cores", "", "SERVER,LOAD: the two cores to use (default: the first two allowed)")
	set.BoolVar(&o.gomaxprocs, "gomaxprocs", false, "measure Seawall also with GOMAXPROCS=1 and =2 in its environment")
	set.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	set.BoolVar(&o.check, "check", false, "exit with status 1 when a target is missed")
	set.BoolVar(&o.list, "list", false, "list the rows and exit")
	set.BoolVar(&o.keep, "keep", false, "keep the temporary directory with the servers' logs")
	set.DurationVar(&o.timeout, "timeout", 30*time.Minute, "give up after this time")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if o.rounds < 1 || o.window < 200*time.Millisecond || o.connections < 1 {
		return o, errors.New("-n and -connections must be at least 1, -d at least 200ms")
	}
	return o, nil
}

func main() {
	// Children are started with a parent-death signal, which the kernel ties to the thread that started them: all of them
	// are started here, so this goroutine keeps its thread.
	runtime.LockOSThread()
	os.Exit(run())
}

func run() int {
	o, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return complain(err)
	}
	rows, err := selectRows(allRows(), o.rows)
	if err != nil {
		return complain(err)
	}
	if o.list {
		for _, r := range rows {
			fmt.Printf("%-14s %s\n", r.name, r.about)
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()

	b, err := newBench(ctx, o, rows)
	if err != nil {
		return complain(err)
	}
	defer b.close()
	rep := b.newReport()
	for _, r := range rows {
		res := b.measureRow(r)
		rep.Rows = append(rep.Rows, res)
		if !o.json {
			res.print(os.Stdout)
		}
		if ctx.Err() != nil {
			b.warn("ended early: %v", context.Cause(ctx))
			break
		}
	}
	b.warnIfNoisy()
	rep.Warnings = b.warnings
	if o.json {
		err = rep.writeJSON(os.Stdout)
	} else {
		rep.printSummary(os.Stdout)
	}
	if err != nil || !rep.good(o.check) {
		return 1
	}
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "bench:", err)
	return 2
}

// bench is one run of the program; everything in it belongs to the main goroutine.
type bench struct {
	options
	ctx        context.Context
	dir        string   // temporary: compiled C programs, the servers' prefixes and logs
	kinds      []string // servers under test, in the order of the tables
	serverCore int
	loadCore   int
	running    []*process
	warnings   []string
	noise      noise
	started    int // servers started so far; names their directories
}

// newBench checks the machine, makes the temporary directory and compiles the C programs into it.
func newBench(ctx context.Context, o options, rows []row) (*bench, error) {
	b := &bench{options: o, ctx: ctx}
	var err error
	if b.serverCore, b.loadCore, err = pickCores(o.cores); err != nil {
		return nil, err
	}
	if err := checkTools(rows, o.nginx); err != nil {
		return nil, err
	}
	if err := pinSelf(b.loadCore); err != nil {
		return nil, err
	}
	if err := b.chooseServers(); err != nil {
		return nil, err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Max < uint64(o.connections)+100 {
		return nil, fmt.Errorf("only %d open files are allowed here: raise it (ulimit -n 20000) or give a smaller -connections", limit.Max)
	}
	if b.dir, err = os.MkdirTemp("", "seawall-bench-"); err != nil {
		return nil, err
	}
	// nginx's worker runs as another user when the master is root.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return nil, err
	}
	if err := unpackAndCompile(ctx, b.dir); err != nil {
		b.close()
		return nil, err
	}
	b.warnIfLoaded()
	return b, nil
}

// close ends every process that is still running and removes the temporary directory.
func (b *bench) close() {
	for len(b.running) > 0 {
		b.stop(b.running[len(b.running)-1])
	}
	if b.keep {
		fmt.Fprintln(os.Stderr, "bench: kept", b.dir)
		return
	}
	os.RemoveAll(b.dir)
}

func (b *bench) chooseServers() error {
	for kind := range strings.SplitSeq(b.servers, ",") {
		switch kind {
		case nginxKind:
			b.kinds = append(b.kinds, kind)
		case seawallKind:
			path, err := filepath.Abs(b.seawall)
			if err != nil {
				return err
			}
			b.seawall = path
			if _, err := os.Stat(path); err != nil {
				b.warn("%s is not there (go build -o bin/seawall ./cmd/seawall): measured without Seawall", path)
				continue
			}
			b.kinds = append(b.kinds, kind)
			if b.gomaxprocs {
				b.kinds = append(b.kinds, seawall1PKind, seawall2PKind)
			}
		default:
			return fmt.Errorf("unknown server %q in -servers: there are nginx and seawall", kind)
		}
	}
	return nil
}

// warn says something about the run's worth, now and again below the tables.
func (b *bench) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.warnings = append(b.warnings, text)
	fmt.Fprintln(os.Stderr, "bench: warning:", text)
}

// progress says on standard error what is being done.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
