package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
)

// Options of a [Registry].
type Options struct {
	// Prefix is the directory that relative paths are taken against ("": the process's). Directories missing below it
	// are created, so that `access_log logs/access.log` works in an empty directory.
	Prefix string
	// Mode of created files; 0: 0644, as nginx.
	Mode fs.FileMode
	// Report gets what goes wrong later (a full disk, dropped lines), on a goroutine of the package; may be nil.
	Report func(level Level, text string)
}

// Registry holds the open log files: one [File] per path, however often it is opened. It outlives reloads. All methods
// are safe for concurrent use.
type Registry struct {
	opt Options

	mu    sync.Mutex
	files map[string]*File
}

// NewRegistry makes an empty registry.
func NewRegistry(opt Options) *Registry {
	if opt.Mode == 0 {
		opt.Mode = 0o644
	}
	return &Registry{opt: opt, files: map[string]*File{}}
}

// Open opens (and creates) path for appending; "stderr" is the process's standard error. A path that is open already
// gives the same File, with its buffering changed to b: a reload can change it. Each Open needs one [File.Release].
// The error's text is nginx's: `open() "/x/y" failed (13: Permission denied)`.
func (r *Registry) Open(path string, b Buffering) (*File, error) {
	key := r.Resolve(path)
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[key]; f != nil {
		f.refs++
		f.setBuffering(b)
		return f, nil
	}
	out, fixed := os.Stderr, key == "stderr"
	if !fixed {
		var err error
		if out, err = r.openPath(key); err != nil {
			return nil, err
		}
	}
	f := newFile(key, out, r)
	f.fixed, f.refs = fixed, 1
	f.setBuffering(b)
	r.files[key] = f
	go f.run()
	return f, nil
}

// Resolve is the name under which path is opened: absolute paths and "stderr" as they are, others below the prefix.
func (r *Registry) Resolve(path string) string {
	if path == "stderr" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.opt.Prefix, path)
}

// Paths are the files that are open, sorted, without stderr.
func (r *Registry) Paths() []string {
	var paths []string
	for _, f := range r.open() {
		if !f.fixed {
			paths = append(paths, f.path)
		}
	}
	sort.Strings(paths)
	return paths
}

// Reopen opens every path anew (USR1: log rotation). No line is lost: what was appended before goes to the old file. A
// file that does not open is kept as it is; the errors are joined.
func (r *Registry) Reopen() error {
	var errs []error
	for _, f := range r.open() {
		if err := f.reopen(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Chown gives the open regular files to uid, before the process becomes that user: it could not open them again later.
func (r *Registry) Chown(uid int) error {
	var errs []error
	for _, f := range r.open() {
		if err := f.chown(uid); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Flush writes all that was appended before the call.
func (r *Registry) Flush() {
	for _, f := range r.open() {
		f.Flush()
	}
}

// Close writes what is left and closes all files, whoever has them open: the end of the process. Lines appended
// afterwards are lost.
func (r *Registry) Close() {
	for _, f := range r.open() {
		f.close()
	}
	r.mu.Lock()
	clear(r.files)
	r.mu.Unlock()
}

func (r *Registry) open() []*File {
	r.mu.Lock()
	defer r.mu.Unlock()
	files := make([]*File, 0, len(r.files))
	for _, f := range r.files {
		files = append(files, f)
	}
	return files
}

func (r *Registry) release(f *File) {
	r.mu.Lock()
	f.refs--
	last := f.refs == 0 && r.files[f.path] == f
	if last {
		delete(r.files, f.path)
	}
	r.mu.Unlock()
	if last {
		f.close()
	}
}

// openPath opens path for appending, creating directories below the prefix.
func (r *Registry) openPath(path string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE
	out, err := os.OpenFile(path, flags, r.opt.Mode)
	if errors.Is(err, fs.ErrNotExist) && r.belowPrefix(path) {
		if os.MkdirAll(filepath.Dir(path), 0o755) == nil {
			out, err = os.OpenFile(path, flags, r.opt.Mode)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open() %q failed (%s)", path, ErrnoText(err))
	}
	return out, nil
}

func (r *Registry) belowPrefix(path string) bool {
	prefix, err := filepath.Abs(r.opt.Prefix)
	if err != nil {
		return false
	}
	full, err := filepath.Abs(path)
	return err == nil && strings.HasPrefix(full, strings.TrimSuffix(prefix, "/")+"/")
}

func (r *Registry) complain(level Level, text string) {
	if r.opt.Report != nil {
		r.opt.Report(level, text)
	}
}

// ErrnoText is err as nginx prints system errors: "13: Permission denied"; without an errno inside, err's own text.
func ErrnoText(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	if text != "" { // strerror(3) begins with a capital letter where Go's table does not
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return fmt.Sprintf("%d: %s", int(errno), text)
}
