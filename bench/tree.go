//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// goToTree makes Seawall's source tree the working directory: the paths of results and documents are relative to it.
func goToTree() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), "module seawall\n") {
			return os.Chdir(dir)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return errors.New("this is to be started in Seawall's source tree")
		}
		dir = up
	}
}

// buildSeawall builds the tree's Seawall as a release is built.
func buildSeawall(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "./cmd/seawall")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building Seawall: %w\n%s", err, out)
	}
	return nil
}

// commit names what the tree has: the commit, with "+changes" when there are some in what the binary is made of. It is empty
// outside of git.
func commit(ctx context.Context) string {
	head, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return ""
	}
	name := strings.TrimSpace(string(head))
	// The outcome of a run is no change of what is measured.
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", ".", ":!bench/results", ":!bench/plots", ":!BENCHMARKS.md").Output()
	if err != nil || len(changes) > 0 {
		name += "+changes"
	}
	return name
}
