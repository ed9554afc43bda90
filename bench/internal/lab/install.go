//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is a program that the bench needs and the Debian package that brings it.
type Package struct {
	Program  string
	Debian   string // more than one: with a space between; "": Debian has none
	Optional bool   // the bench can do without: it leaves something out
}

// Find looks a program up in PATH and where Debian has its servers. A name with a slash is taken as a path.
func Find(program string) (path string, ok bool) {
	if path, err := exec.LookPath(program); err == nil {
		return path, true
	}
	if strings.Contains(program, "/") {
		return "", false
	}
	path, err := exec.LookPath(filepath.Join("/usr/sbin", program))
	return path, err == nil
}

// Absent are those of the packages whose program is not here.
func Absent(packages []Package) []Package {
	var absent []Package
	for _, p := range packages {
		if _, ok := Find(p.Program); !ok {
			absent = append(absent, p)
		}
	}
	return absent
}

// Install installs what is missing, by tools/setup.sh: no service of it is started or enabled. It fails only when a
// program that the bench cannot do without is still missing; of the others out says which.
func Install(ctx context.Context, packages []Package, out io.Writer) error {
	absent := Absent(packages)
	if len(absent) == 0 {
		return nil
	}
	script, err := setupScript()
	if err != nil {
		return lacking(absent, err, out)
	}
	var together []Package
	var groups [][]Package
	for _, p := range absent {
		switch {
		case p.Debian == "" || strings.Contains(p.Program, "/"): // no package brings it, or brings it there
		case p.Optional: // by itself: a distribution that lacks one of them may have the others
			groups = append(groups, []Package{p})
		default:
			together = append(together, p)
		}
	}
	if together != nil {
		groups = append([][]Package{together}, groups...)
	}
	var failed []error
	for _, group := range groups {
		if ctx.Err() == nil {
			failed = append(failed, setup(ctx, script, group, out))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return lacking(Absent(packages), errors.Join(failed...), out)
}

// lacking says which programs there will not be.
func lacking(absent []Package, cause error, out io.Writer) error {
	var programs, debian []string
	for _, p := range absent {
		switch {
		case p.Optional && p.Debian == "":
			fmt.Fprintf(out, "bench: warning: %s is not here\n", p.Program)
		case p.Optional:
			fmt.Fprintf(out, "bench: warning: %s is not here and could not be installed (%s)\n", p.Program, byHand(p.Debian))
		default:
			programs, debian = append(programs, p.Program), append(debian, p.Debian)
		}
	}
	if programs == nil {
		return nil
	}
	err := fmt.Errorf("missing here: %s", strings.Join(programs, ", "))
	if all := strings.TrimSpace(strings.Join(debian, " ")); all != "" {
		err = fmt.Errorf("%w (%s)", err, byHand(all))
	}
	return errors.Join(err, cause)
}

func byHand(debian string) string {
	return "Debian, Ubuntu: apt-get install --no-install-recommends " + debian
}

func setup(ctx context.Context, script string, packages []Package, out io.Writer) error {
	var pairs []string
	for _, p := range packages {
		pairs = append(pairs, p.Program+":"+strings.ReplaceAll(p.Debian, " ", ","))
	}
	cmd := exec.CommandContext(ctx, script, pairs...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it has to clean up behind itself
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("tools/setup.sh %s: %w", strings.Join(pairs, " "), err)
	}
	return nil
}

// setupScript finds tools/setup.sh of the source tree that the bench was started in.
func setupScript() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), "module seawall\n") {
			return filepath.Join(dir, "tools", "setup.sh"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("tools/setup.sh, which installs it, is not here: the bench was not started in Seawall's source tree")
		}
		dir = up
	}
}
