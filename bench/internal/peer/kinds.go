//go:build linux

package peer

import (
	"path/filepath"
	"strconv"
	"syscall"
)

// All returns the table of servers, in the order in which reports show them.
func All() []Kind {
	return []Kind{
		{
			Name:    "floor",
			Program: "answer.c",
			Can:     Cache | Static | Return,
			Floor:   true,
			Note: "the least that an event loop can do (C): a request is read, a ready answer is written; no header is " +
				"parsed but Connection and Content-Length, nothing is looked up, logged or kept up to date",
			Command: func(s Site) (Command, error) {
				return Command{Argv: []string{"answer.c", strconv.Itoa(int(s.Listen.Port()))}}, nil
			},
		},
		{
			Name:    "forwarder",
			Program: "forward.c",
			Can:     Proxy,
			Floor:   true,
			Note: "the least that a proxy can do (C): bytes are read and written to a kept-alive connection and back; no " +
				"header is added, nothing is logged",
			Command: func(s Site) (Command, error) {
				return Command{Argv: []string{"forward.c", strconv.Itoa(int(s.Listen.Port())),
					strconv.Itoa(int(s.Backend.Port()))}}, nil
			},
		},
		nginx(),
		Seawall("seawall", "bin/seawall"),
		haproxy(),
		varnish(),
		h2o(),
		caddy(),
	}
}

// ByName finds a server of the table.
func ByName(name string) (Kind, bool) {
	for _, k := range All() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

func nginx() Kind {
	return Kind{
		Name:    "nginx",
		Program: "nginx",
		Package: "nginx-light",
		Can:     Cache | Proxy | Static | Return | Reload,
		Note: "the cache is in files that are kept open (page cache, sendfile); larger proxy buffers than its own; access log buffered, " +
			"32 KB or 1 s",
		Version: []string{"-v"},
		Command: nginxCommand("nginx", "nginx.conf", "static.conf"),
	}
}

// Seawall is a build of Seawall, under any name, that runs nginx's file.
func Seawall(name, binary string) Kind {
	return Kind{
		Name:    name,
		Program: binary,
		Can:     Cache | Proxy | Return | Reload, // with Static also "static.conf" below
		Note:    "the same configuration file as nginx; the cache is in memory; access log buffered, 32 KB or 1 s",
		Version: []string{"-v"},
		Command: nginxCommand(binary, "nginx.conf"),
	}
}

// nginxCommand starts a program with nginx's command line; the first file is its configuration, the others are those that
// it includes.
func nginxCommand(program string, files ...string) func(Site) (Command, error) {
	return func(s Site) (Command, error) {
		texts, err := render(s, files...)
		return Command{
			Argv:  []string{program, "-p", s.Dir + "/", "-e", "logs/error.log", "-c", filepath.Join(s.Dir, files[0])},
			Files: texts,
		}, err
	}
}

func haproxy() Kind {
	return Kind{
		Name:    "haproxy",
		Program: "haproxy",
		Package: "haproxy",
		Can:     Cache | Proxy | Return | Reload,
		Note: "the cache is in memory, is empty after a reload, and neither serves stale answers nor collapses requests " +
			"for one page: at each expiry some requests more reach the backend; access log in a ring in memory (a mapped " +
			"file); the memory is that of the master and the worker",
		Version: []string{"-v"},
		Signal:  syscall.SIGUSR2,
		Command: func(s Site) (Command, error) {
			texts, err := render(s, "haproxy.cfg")
			// The master (-W) is what takes a reload's signal; -db keeps it in the foreground.
			return Command{Argv: []string{"haproxy", "-W", "-db", "-f", filepath.Join(s.Dir, "haproxy.cfg")}, Files: texts}, err
		},
	}
}

func varnish() Kind {
	return Kind{
		Name:    "varnish",
		Program: "varnishd",
		Package: "varnish",
		Can:     Cache | Proxy | Return,
		Note: "the cache is in memory; a thread for each request under way; the log is in shared memory, with every header; " +
			"a new configuration comes over its command line interface, not by a signal",
		Version: []string{"-V"},
		Command: func(s Site) (Command, error) {
			texts, err := render(s, "varnish.vcl")
			argv := []string{"varnishd", "-F", "-j", "none", "-T", "none",
				"-n", filepath.Join(s.Dir, "work"), "-a", s.Listen.String(), "-f", filepath.Join(s.Dir, "varnish.vcl"),
				"-s", "malloc,256m"}
			for _, parameter := range []string{
				// One pool for each core; threads for a crowd of which many wait at once; what finds none, queues.
				"thread_pools=" + strconv.Itoa(s.Workers), "thread_pool_min=100", "thread_pool_max=5000", "thread_queue_limit=20000",
				"http_gzip_support=off",
				"listen_depth=4096", "timeout_idle=300", "backend_idle_timeout=300",
			} {
				argv = append(argv, "-p", parameter)
			}
			return Command{Argv: argv, Files: texts}, err
		},
	}
}

func h2o() Kind {
	return Kind{
		Name:    "h2o",
		Program: "h2o",
		Package: "h2o",
		Can:     Proxy | Static | Return,
		Note: "no cache; the configured answer comes from mruby, as there is no directive for it; access log by one write for each " +
			"request, as it has no buffer; does not set X-Real-IP; it reloads only under a master in Perl, which is left out",
		Version: []string{"-v"},
		Command: func(s Site) (Command, error) {
			texts, err := render(s, "h2o.yaml")
			return Command{Argv: []string{"h2o", "-c", filepath.Join(s.Dir, "h2o.yaml")}, Files: texts}, err
		},
	}
}

func caddy() Kind {
	return Kind{
		Name:    "caddy",
		Program: "caddy",
		Package: "caddy",
		Can:     Proxy | Static | Return,
		Note: "no cache without plug-ins; access log in JSON with every header by one write for each request, as it has no " +
			"buffer; a new configuration comes over its HTTP interface, not by a signal",
		Version: []string{"version"},
		Command: func(s Site) (Command, error) {
			texts, err := render(s, "Caddyfile")
			return Command{
				Argv: []string{"caddy", "run", "--config", filepath.Join(s.Dir, "Caddyfile"), "--adapter", "caddyfile"},
				// Its data and its last configuration are kept below the home directory.
				Env: []string{"HOME=" + s.Dir, "XDG_DATA_HOME=" + s.Dir, "XDG_CONFIG_HOME=" + s.Dir,
					"GOMAXPROCS=" + strconv.Itoa(s.Workers)},
				Files: texts,
			}, err
		},
	}
}
