//go:build linux

package userconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"seawall/bench/internal/lab"
)

// contender is one of the two servers with its part of the machine.
type contender struct {
	name    string
	program string // path
	version string
	layout  *layout
	process *lab.Process // nil until it is started
}

const startLimit = 20 * time.Second

// newContender gives a server a directory.
func newContender(l *lab.Lab, name, program string) (*contender, error) {
	c := &contender{name: name, program: program, layout: &layout{
		dir:        filepath.Join(l.Dir, name),
		addresses:  map[endpoint]netip.AddrPort{},
		workers:    len(l.ServerCores),
		leftOut:    map[*statement]bool{},
		withoutArg: map[*statement]string{},
	}}
	return c, os.MkdirAll(c.layout.dir, 0o755)
}

// reachable finds directories on the way to dir that keep out the workers of a server that root starts.
func reachable(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for path := dir; path != filepath.Dir(path); path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&1 == 0 {
			return fmt.Errorf("the servers' workers, which are not root, cannot reach the temporary directory: %s is closed to "+
				"others (chmod o+x, or another TMPDIR)", path)
		}
	}
	return nil
}

// takePorts finds a free port for each address that the configuration listens on, in any of its blocks.
func (c *contender) takePorts(l *lab.Lab, src *source) error {
	take := func(e endpoint) error {
		if _, has := c.layout.addresses[e]; has {
			return nil
		}
		if e.unix != "" {
			c.layout.addresses[e] = netip.AddrPort{}
			return nil
		}
		free, err := l.FreePort()
		c.layout.addresses[e] = free
		return err
	}
	err := take(defaultListen())
	src.each(func(p place) bool {
		if isMap(p.name()) || err != nil {
			return false
		}
		if p.name() == "listen" && p.in() == "server" {
			for _, e := range parseListen(p.arg(0)) {
				err = errors.Join(err, take(e))
			}
		}
		return true
	})
	return err
}

// listensOn are the addresses of http that the server listens on in its configuration.
func (c *contender) listensOn(servers []virtual) map[endpoint]bool {
	open := map[endpoint]bool{}
	for _, v := range servers {
		for _, n := range v.listens {
			if !c.layout.leftOut[v.statement] && (n.statement == nil || !c.layout.leftOut[n.statement]) {
				open[n.endpoint] = true
			}
		}
	}
	return open
}

// start runs the server on the server cores and returns when it listens.
func (c *contender) start(l *lab.Lab, src *source, servers []virtual) error {
	var err error
	c.process, err = l.Start(lab.Spawn{
		Cores: l.ServerCores,
		Log:   filepath.Join(c.layout.dir, "output.log"),
		Dir:   c.layout.dir,
		Argv:  []string{c.program, "-p", prefixFlag(src), "-e", filepath.Join(c.layout.dir, "early.log"), "-c", c.layout.mainFile(src)},
	})
	if err != nil {
		return err
	}
	for e := range c.listensOn(servers) {
		if e.unix != "" {
			continue
		}
		if err := c.await(l.Context(), c.layout.addresses[e]); err != nil {
			return fmt.Errorf("%s does not listen in the place of %s: %w\n%s", c.name, e, err, c.log(src))
		}
	}
	return nil
}

func (c *contender) await(ctx context.Context, at netip.AddrPort) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := net.DialTimeout("tcp", at.String(), time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-c.process.Done():
			return errors.New("it ended")
		case <-limit.C:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again.C:
		}
	}
}

// log is what the server had to say last, in the user's words.
func (c *contender) log(src *source) string {
	var parts []string
	paths := []string{filepath.Join(c.layout.dir, "output.log"), filepath.Join(c.layout.dir, "early.log")}
	_ = filepath.WalkDir(filepath.Join(c.layout.dir, "files"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(d.Name(), "error") {
			paths = append(paths, path)
		}
		return nil
	})
	for _, path := range paths {
		if tail := lab.Tail(path); tail != "" {
			parts = append(parts, tail)
		}
	}
	return c.layout.inUsersWords(strings.Join(parts, "\n"), src)
}

var versionNumber = regexp.MustCompile(`[^\s:]+/[0-9][^\s]*`)

// shortVersion finds "nginx/1.22.1" in what -v prints.
func shortVersion(out string) string {
	if v := versionNumber.FindString(out); v != "" {
		return v
	}
	return strings.TrimSpace(out)
}
