//go:build linux

package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// cleanUpLimit bounds what is done after an interrupt.
const cleanUpLimit = 20 * time.Second

// builds are the two programs. The user's working tree is read, never changed: another revision is checked out into a
// directory of its own.
type builds struct {
	root      string   // of the repository
	dir       string   // temporary
	worktrees []string // that git knows of and that must be taken from it again
	base      build
	head      build
}

type build struct {
	binary string
	commit string // with "+changes" behind it for a working tree that has some
}

// buildBoth builds both alike. Whoever gets them has to remove them.
func buildBoth(ctx context.Context, r *request, errOut io.Writer) (*builds, error) {
	root, err := git(ctx, ".", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	b := &builds{root: root}
	if b.dir, err = os.MkdirTemp("", "seawall-ci-"); err != nil {
		return nil, err
	}
	fmt.Fprintf(errOut, "bench ci: building %s and %s\n", r.base, describeHead(r.head))
	if err := b.build(ctx, r); err != nil {
		b.remove(errOut)
		return nil, err
	}
	return b, nil
}

func (b *builds) build(ctx context.Context, r *request) (err error) {
	if err := os.Chmod(b.dir, 0o755); err != nil { // servers may run their workers as another user
		return err
	}
	if b.base, err = b.revision(ctx, baseName, r.base, ""); err != nil {
		return err
	}
	if r.head == "" {
		b.head, err = b.workingTree(ctx, r.tagsHead)
	} else {
		b.head, err = b.revision(ctx, headName, r.head, r.tagsHead)
	}
	return err
}

func describeHead(revision string) string {
	if revision == "" {
		return "the working tree"
	}
	return revision
}

// revision checks a revision out and builds it.
func (b *builds) revision(ctx context.Context, name, revision, tags string) (build, error) {
	commit, err := git(ctx, b.root, "rev-parse", "--verify", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return build{}, fmt.Errorf("%s is no revision of this repository (a shallow clone has few): %w", revision, err)
	}
	tree := filepath.Join(b.dir, name+"-tree")
	b.worktrees = append(b.worktrees, tree) // before it is there: an interrupt may come in between
	if _, err := git(ctx, b.root, "worktree", "add", "--detach", tree, commit); err != nil {
		return build{}, err
	}
	binary, err := b.compile(ctx, name, tree, tags)
	return build{binary, commit}, err
}

func (b *builds) workingTree(ctx context.Context, tags string) (build, error) {
	commit, err := git(ctx, b.root, "rev-parse", "HEAD")
	if err != nil {
		return build{}, err
	}
	changes, err := git(ctx, b.root, "status", "--porcelain")
	if err != nil {
		return build{}, err
	}
	if changes != "" {
		commit += "+changes"
	}
	binary, err := b.compile(ctx, headName, b.root, tags)
	return build{binary, commit}, err
}

// compile builds as the Makefile does, without what would tell the two apart: paths and the state of the repository.
func (b *builds) compile(ctx context.Context, name, tree, tags string) (string, error) {
	binary := filepath.Join(b.dir, name, "seawall")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", tags, "-o", binary, "./cmd/seawall")
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the %s: %w\n%s", name, err, text)
	}
	return binary, nil
}

// remove takes everything away again, also when the run was interrupted.
func (b *builds) remove(errOut io.Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
	defer cancel()
	var failed []error
	for _, tree := range b.worktrees {
		if _, err := os.Stat(tree); err != nil {
			continue
		}
		// Twice --force: one that an interrupt left half made is locked.
		if _, err := git(ctx, b.root, "worktree", "remove", "--force", "--force", tree); err != nil {
			failed = append(failed, err)
		}
	}
	failed = append(failed, os.RemoveAll(b.dir))
	if err := errors.Join(failed...); err != nil {
		fmt.Fprintln(errOut, "bench ci: cleaning up:", err)
	}
}

// git runs it in dir and returns what it prints.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	var complaint bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &complaint
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(string(text)), nil
}
