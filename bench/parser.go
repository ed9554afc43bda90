//go:build linux

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// The parsers in the table; Seawall's own goes by seawallKind.
const (
	netHTTPName  = "net/http"
	fastHTTPName = "fasthttp"
)

// parserBenchmarks matches the benchmarks of package httpparse that parse the same browser's request with each of the
// three parsers.
const parserBenchmarks = "^BenchmarkRequest(Seawall|Fasthttp|NetHTTP)$"

// measureParser runs the benchmarks on the server's core.
func measureParser(b *bench, f figures) error {
	if b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	cmd := exec.CommandContext(b.ctx, "taskset", "-c", strconv.Itoa(b.serverCore), "go", "test", "-run", "^$",
		"-bench", parserBenchmarks, "-benchtime", "300ms", "-count", strconv.Itoa(b.rounds), "./httpparse")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w (to be run in the repository's root)\n%s", err, out)
	}
	return parseGoBench(string(out), f)
}

var goBenchLine = regexp.MustCompile(`(?m)^Benchmark(\S+)\s+\d+\s+([0-9.]+) ns/op`)

// parseGoBench sorts the results by the parser that their names tell.
func parseGoBench(out string, f figures) error {
	for _, m := range goBenchLine.FindAllStringSubmatch(out, -1) {
		name, parser := strings.ToLower(m[1]), seawallKind
		switch {
		case strings.Contains(name, "nethttp"):
			parser = netHTTPName
		case strings.Contains(name, "fasthttp"):
			parser = fastHTTPName
		}
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		f.add(parser, parserMetric, ns)
	}
	if len(f[seawallKind]) == 0 {
		return errors.New("no benchmark of package httpparse matches " + parserBenchmarks)
	}
	return nil
}
