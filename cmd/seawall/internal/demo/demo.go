// Package demo is `seawall demo`: a slow application on loopback, Seawall with a microcache before it, and a line a
// second that tells what happens.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Server is the Seawall before the application.
type Server interface {
	Counters() Counters
	Stop()
}

// Counters is what the display needs of the server: totals since its start.
type Counters struct {
	Requests    uint64 // client requests answered
	Hits        uint64 // of them, answered from the cache (HIT, STALE, UPDATING, REVALIDATED)
	Cacheable   uint64 // of them, those for which the cache was asked at all
	Connections int    // open client connections, now
	Latency     Histogram
}

// Starter starts Seawall with the configuration file at path.
type Starter func(path string) (Server, error)

// Main runs the demo until it is interrupted and gives the exit status.
func Main(args []string, stdout, stderr io.Writer, start Starter) int {
	o, err := parse(args, stderr)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(stderr, "seawall demo: %v\n", err)
		return 1
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if o.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	if err := run(ctx, o, stdout, start); err != nil {
		fmt.Fprintf(stderr, "seawall demo: %v\n", err)
		return 1
	}
	return 0
}

type options struct {
	listen   string // host:port
	load     bool
	duration time.Duration // 0: until interrupted
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{}
	fs := flag.NewFlagSet("seawall demo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8080", "where Seawall listens: `address`, port, or both")
	fs.BoolVar(&o.load, "load", false, "bring clients of its own: a few seconds straight to the application, then through Seawall")
	fs.DurationVar(&o.duration, "duration", 0, "end after this `time` (default: at Ctrl-C)")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, errors.New("see seawall demo -h")
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	var err error
	o.listen, err = listenAddress(o.listen)
	return o, err
}

// listenAddress completes what was given to host:port.
func listenAddress(text string) (string, error) {
	if !strings.Contains(text, ":") {
		if strings.Contains(text, ".") || text == "localhost" {
			text += ":8080"
		} else {
			text = ":" + text
		}
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("-listen %s: %w", text, err)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return "", fmt.Errorf("-listen %s: %w", text, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func run(ctx context.Context, o options, stdout io.Writer, start Starter) (err error) {
	if err := tryListen(o.listen); err != nil {
		return err
	}
	app, err := startApplication()
	if err != nil {
		return err
	}
	defer app.stop()
	dir, err := os.MkdirTemp("", "seawall-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(configuration(dir, o.listen, app.addr)), 0o600); err != nil {
		return err
	}
	srv, err := start(path)
	if err != nil {
		return err
	}
	defer srv.Stop()
	introduce(stdout, o, app.addr)
	v := view{server: srv, app: app}
	if o.load {
		v.load = &load{}
		stopLoad := v.load.start(ctx, app.addr, o.listen, func(text string) { fmt.Fprintln(stdout, text) })
		defer stopLoad()
	}
	v.report(ctx, stdout)
	fmt.Fprintln(stdout, "\nSeawall, the application and their temporary files are gone.")
	return nil
}

// tryListen tells early, and with the way out, that the port is taken.
func tryListen(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err == nil {
		return ln.Close()
	}
	host, _, _ := net.SplitHostPort(addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program; choose another port, say: seawall demo -listen %s",
			addr, net.JoinHostPort(host, "8081"))
	}
	return fmt.Errorf("cannot listen on %s (%w); choose another address with -listen", addr, err)
}

// introduce says what there is and what to try.
func introduce(w io.Writer, o options, app string) {
	fmt.Fprintf(w, `
  The application   http://%[1]s    %[3]d ms for each page, %[4]d pages at a time: %[5]d requests/s at most
  Seawall before it http://%[2]s    keeps each page for one second

  Open in a browser:           http://%[2]s/
  Try in another terminal:
    curl -i  http://%[2]s/news          X-Cache: MISS, then HIT; a second later EXPIRED or UPDATING
    curl -i  http://%[2]s/account       personal (Set-Cookie): never kept
    curl -i  http://%[2]s/flaky         fails now and then; visitors get the last good page
    curl -so /dev/null -w '%%{time_total} s\n' http://%[2]s/big      2 MB
    wrk -c 200 -d 10 --latency http://%[2]s/news        through Seawall
    wrk -c 200 -d 10 --latency http://%[1]s/news       straight to the application

  Ctrl-C ends everything.

`, app, o.listen, pageTime.Milliseconds(), workers, int(workers*time.Second/pageTime))
}

// configuration is the microcache of examples/microcache, moved to the demo's addresses and directories.
func configuration(dir, listen, app string) string {
	return fmt.Sprintf(`daemon off;
pid %[1]s/seawall.pid;
error_log %[1]s/error.log;
worker_processes auto;
events { worker_connections 20000; }
http {
    proxy_cache_path %[1]s/cache keys_zone=cache:10m levels=1:2 inactive=600s max_size=100m;
    proxy_temp_path %[1]s/proxy;
    client_body_temp_path %[1]s/body;
    access_log off;     # a load test would fill the disk
    upstream app { server %[3]s; keepalive 32; }
    server {
        listen %[2]s;
        proxy_cache cache;
        proxy_cache_valid 200 1s;
        proxy_cache_lock on;
        proxy_cache_use_stale updating error timeout http_500 http_502;
        add_header X-Cache $upstream_cache_status;
        location / {
            proxy_pass http://app;
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
        location /account { proxy_pass http://app; proxy_cache off; }
        location = /healthz { return 200 "ok\n"; }
    }
}
`, dir, listen, app)
}
