//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"

	"seawall/bench/internal/peer"
	"seawall/bench/internal/publish"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

func listCommand(_ context.Context, args []string) int {
	if status, ok := parse(flags("list", "", "Lists the scenarios and the servers."), args, 0); !ok {
		return status
	}
	list()
	return good
}

func list() {
	group := ""
	for _, s := range scenario.All() {
		if s.Group != group {
			group = s.Group
			fmt.Printf("%s\n", group)
		}
		quick := " "
		if s.Quick {
			quick = "q"
		}
		fmt.Printf("  %s %-20s %s\n", quick, s.Name, s.About)
	}
	fmt.Print("(q: part of the quick mode)\n\nservers\n")
	for _, k := range peer.All() {
		missing := ""
		if k.Name != scenario.Ours && peer.Missing(k) {
			missing = " (not installed)"
		}
		fmt.Printf("    %-20s %s%s\n", k.Name, k.Note, missing)
	}
}

func reportCommand(_ context.Context, args []string) int {
	set := flags("report", "[flags] FILE", "Writes BENCHMARKS.md and its plots from a run's file again.")
	benchmarks := set.String("benchmarks", "BENCHMARKS.md", "the document to write")
	plots := set.String("plots", "bench/plots", "the directory of its plots")
	if status, ok := parse(set, args, 1); !ok {
		return status
	}
	run, err := result.Read(set.Arg(0))
	if err != nil {
		return complain(err)
	}
	if err := publish.Write(run, *benchmarks, *plots); err != nil {
		return complain(err)
	}
	return good
}

// words splits a list at its commas; nil when it is empty.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
