package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"seawall/server"
)

// serverVersion is what nginx calls NGINX_VER: the words after -v, in the Server header and in the log.
const serverVersion = "seawall/" + server.Version

// showVersion answers -v, -V and -h on standard error, where nginx writes them.
func (c *command) showVersion() {
	fmt.Fprintf(c.stderr, "seawall version: %s\n", serverVersion)
	if c.flags.help {
		printUsage(c.stderr)
		fmt.Fprintln(c.stderr)
	}
	if c.flags.buildInfo {
		fmt.Fprintf(c.stderr, "built with %s for %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
		fmt.Fprintf(c.stderr, "event method: %s%s\n", eventMethod(), buildTags())
		fmt.Fprintln(c.stderr, "protocols: HTTP/1.0 and HTTP/1.1 to clients and to upstreams, upgrades (websocket)")
		fmt.Fprintln(c.stderr, "modules: core events http_core http_log http_headers http_proxy http_proxy_cache http_upstream http_upstream_keepalive http_return")
		fmt.Fprintf(c.stderr, "libraries:%s\n", libraries())
	}
}

func eventMethod() string {
	if runtime.GOOS == "linux" {
		return "epoll"
	}
	return "kqueue"
}

// buildTags names the build tags that change what runs, and the race detector.
func buildTags() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var tags string
	for _, s := range info.Settings {
		switch {
		case s.Key == "-tags" && s.Value != "":
			tags += ", built with -tags " + s.Value
		case s.Key == "-race" && s.Value == "true":
			tags += ", with the race detector"
		}
	}
	return tags
}

func libraries() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return " unknown"
	}
	var b strings.Builder
	for _, dep := range info.Deps {
		b.WriteString(" " + dep.Path + "@" + dep.Version)
	}
	return b.String()
}
