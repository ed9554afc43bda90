//go:build linux

// Package userconf compares nginx and Seawall on a user's own nginx.conf and requests: `bench conf`.
//
// Where to look: source.go reads the configuration, rewrite.go moves it, lacking.go finds what Seawall refuses, urls.go reads
// the requests, agree.go compares answers, measure.go times; main.go is the order of it all.
package userconf

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/peer"
)

// Exit statuses.
const (
	agreed     = 0
	differs    = 1
	impossible = 2
	lacks      = 3
)

// Main runs `bench conf` and returns its exit status. It ends every process that it starts, also when ctx ends.
func Main(ctx context.Context, args []string, out, errOut io.Writer) int {
	o, err := parseFlags(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return agreed
	}
	if err == nil {
		b := &bout{options: o, ctx: ctx, out: out, errOut: errOut, command: append([]string{"bench", "conf"}, args...)}
		var status int
		if status, err = b.run(); err == nil {
			return status
		}
	}
	fmt.Fprintln(errOut, "bench conf:", err)
	return impossible
}

// bout is one run of the comparison; everything in it belongs to one goroutine.
type bout struct {
	options
	ctx         context.Context
	out, errOut io.Writer
	command     []string

	lab            *lab.Lab
	src            *source
	servers        []virtual
	requests       *list
	nginx, seawall *contender
	lacking        []*lack
}

func (b *bout) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

func (b *bout) progress(format string, args ...any) {
	fmt.Fprintf(b.errOut, "bench conf: "+format+"\n", args...)
}

func (b *bout) run() (int, error) {
	nginxPath, seawallPath, err := b.findPrograms()
	if err != nil {
		return 0, err
	}
	if err := b.read(nginxPath); err != nil {
		return 0, err
	}
	if b.lab, err = lab.Open(b.ctx, lab.Options{Cores: b.cores, Keep: b.keep, Progress: b.errOut}); err != nil {
		return 0, err
	}
	defer b.lab.Close()
	if err := b.prepare(nginxPath, seawallPath); err != nil {
		return 0, err
	}
	b.printIntroduction()
	if b.lacking, err = findLacking(b.ctx, b.seawall.program, b.src, b.seawall.layout); err != nil {
		b.printLacking()
		return 0, err
	}
	b.printLacking()
	if b.skipBoth && b.misses() {
		b.nginx.layout.leftOut, b.nginx.layout.withoutArg = b.seawall.layout.leftOut, b.seawall.layout.withoutArg
		if err := b.acceptedByNginx(); err != nil {
			return 0, fmt.Errorf("-skip-both: without these directives %w", err)
		}
	}
	for _, c := range []*contender{b.nginx, b.seawall} {
		if err := c.start(b.lab, b.src, b.servers); err != nil {
			return 0, err
		}
		defer c.process.Stop()
	}
	verdicts, err := b.askAll()
	if err != nil {
		return 0, err
	}
	different := b.printAgreement(verdicts)
	switch {
	case b.checkOnly:
	case different > 0 && !b.anyway:
		b.say("\nNot measured: the servers do not do the same work. -anyway measures all the same.")
	case b.misses() && !b.skipBoth && !b.skipMissing:
		b.say("\nNot measured: Seawall would do less than nginx. -skip-both measures both without what is listed above, -skip-missing\n" +
			"only Seawall.")
	default:
		if err := b.measure(verdicts); err != nil {
			return 0, err
		}
	}
	switch {
	case different > 0:
		return differs, nil
	case b.misses() && !b.skipBoth && !b.skipMissing:
		return lacks, nil
	}
	return agreed, nil
}

// misses tells whether Seawall lacks anything that may be missed: a module that is loaded is not.
func (b *bout) misses() bool {
	for _, k := range b.lacking {
		if !k.module {
			return true
		}
	}
	return false
}

func (b *bout) findPrograms() (nginx, seawall string, err error) {
	needed := []lab.Package{{Program: b.options.nginx, Debian: "nginx-light"}}
	if !b.checkOnly {
		needed = append(needed, lab.Package{Program: "wrk", Debian: "wrk"})
	}
	var missing, debian []string
	for _, p := range lab.Absent(needed) {
		missing, debian = append(missing, p.Program), append(debian, p.Debian)
	}
	if missing != nil {
		return "", "", fmt.Errorf("missing here: %s (Debian, Ubuntu: apt-get install %s; -nginx names another program)",
			strings.Join(missing, ", "), strings.Join(debian, " "))
	}
	nginx, _ = lab.Find(b.options.nginx)
	if seawall, err = filepath.Abs(b.options.seawall); err != nil {
		return "", "", err
	}
	if !isFile(seawall) {
		return "", "", fmt.Errorf("%s is not there: make build, or -seawall PATH", b.options.seawall)
	}
	return nginx, seawall, nil
}

// read reads the configuration and the list of requests.
func (b *bout) read(nginx string) error {
	prefix := b.prefix
	var err error
	if prefix == "" {
		prefix, err = builtPrefix(nginx)
	} else {
		prefix, err = filepath.Abs(prefix)
	}
	if err != nil {
		return err
	}
	if b.src, err = readSource(b.conf, prefix); err != nil {
		return err
	}
	b.servers = b.src.servers()
	if b.urls == "" {
		b.requests = defaultList(b.servers)
	} else if b.requests, err = b.readURLs(); err != nil {
		return fmt.Errorf("%s: %w", b.urls, err)
	}
	if len(b.requests.asks) == 0 {
		return fmt.Errorf("%s has no http server that can be asked over plain HTTP", b.conf)
	}
	b.requests.resolve(b.servers)
	return nil
}

func (b *bout) readURLs() (*list, error) {
	if b.urls == "-" {
		return readList(os.Stdin, b.host, b.limit)
	}
	f, err := os.Open(b.urls)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readList(f, b.host, b.limit)
}

// prepare moves the configuration for both and lets nginx test it.
func (b *bout) prepare(nginx, seawall string) error {
	err := reachable(b.lab.Dir)
	if err != nil {
		return err
	}
	if b.nginx, err = newContender(b.lab, "nginx", nginx); err != nil {
		return err
	}
	if b.seawall, err = newContender(b.lab, "seawall", seawall); err != nil {
		return err
	}
	var backend string
	if b.origin {
		o, err := peer.StartOrigin(b.lab)
		if err != nil {
			return err
		}
		backend = o.Address.String() // it ends with the lab
	}
	b.seawall.layout.tempPaths = tempPaths("")
	for _, c := range []*contender{b.nginx, b.seawall} {
		if err := c.takePorts(b.lab, b.src); err != nil {
			return err
		}
		c.layout.origin = backend
		out, err := exec.CommandContext(b.ctx, c.program, "-V").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s -V: %w\n%s", c.program, err, out)
		}
		c.version = shortVersion(string(out))
		if c == b.nginx {
			c.layout.tempPaths = tempPaths(string(out))
		}
	}
	return b.acceptedByNginx()
}

// tempPaths are the directives that say where temporary files go, of what nginx was built with; "" is Seawall.
func tempPaths(built string) []string {
	list := []string{"client_body_temp_path", "proxy_temp_path"}
	if built == "" {
		return list
	}
	for _, module := range []string{"fastcgi", "uwsgi", "scgi"} {
		if !strings.Contains(built, "--without-http_"+module+"_module") {
			list = append(list, module+"_temp_path")
		}
	}
	return list
}

func (b *bout) acceptedByNginx() error {
	if err := b.nginx.layout.write(b.src); err != nil {
		return err
	}
	message, ok, err := check(b.ctx, b.nginx.program, b.src, b.nginx.layout)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("nginx does not accept the configuration: %s", b.nginx.layout.inUsersWords(message, b.src))
	}
	return nil
}
