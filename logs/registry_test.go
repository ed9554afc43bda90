package logs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSamePathIsOneFileUntilTheLastRelease(t *testing.T) {
	dir := t.TempDir()
	r := NewRegistry(Options{Prefix: dir})
	a, err := r.Open("logs/access.log", Buffering{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Open(filepath.Join(dir, "logs", "access.log"), Buffering{Size: 100})
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Fatal("two files for one path")
	}
	a.Release()
	b.AppendShared([]byte("kept\n"))
	b.Release()
	if got := content(t, filepath.Join(dir, "logs", "access.log")); got != "kept\n" {
		t.Errorf("got %q", got)
	}
	if paths := r.Paths(); len(paths) != 0 {
		t.Errorf("still open: %v", paths)
	}
}

func TestMissingDirectoriesAreCreatedOnlyBelowThePrefix(t *testing.T) {
	dir := t.TempDir()
	prefix := filepath.Join(dir, "prefix")
	r := NewRegistry(Options{Prefix: prefix})
	defer r.Close()
	if _, err := r.Open("a/b/c.log", Buffering{}); err != nil {
		t.Errorf("below the prefix: %v", err)
	}
	outside := filepath.Join(dir, "prefix-other", "c.log")
	if _, err := r.Open(outside, Buffering{}); err == nil {
		t.Error("created a directory outside the prefix")
	} else if want := `open() "` + outside + `" failed (2: No such file or directory)`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestFilesAreCreatedWithMode0644AndAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	for range 2 {
		r := NewRegistry(Options{})
		f, err := r.Open(path, Buffering{})
		if err != nil {
			t.Fatal(err)
		}
		f.AppendShared([]byte("line\n"))
		r.Close()
	}
	if got := content(t, path); got != "line\nline\n" {
		t.Errorf("got %q", got)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got&^0o644 != 0 || got&0o600 != 0o600 {
		t.Errorf("mode %o", got)
	}
}
