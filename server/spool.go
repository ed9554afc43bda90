package server

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"seawall/conf"
	"seawall/engine"
)

// spool is a temporary file for what memory should not hold: a large request
// body, a response that its client takes slowly. It is unlinked as soon as it
// is created, unless it is to have a name. Owner: one request, on its loop; the
// system calls run on the pool for blocking work, one at a time.
type spool struct {
	loop    *loopState
	dir     string
	levels  []int  // with named: of directories below dir
	named   bool   // it has a name as nginx gives it
	keep    bool   // the name stays when the spool is closed
	path    string // of a named file, once it exists
	f       *os.File
	written int64 // bytes in the file
	busy    bool  // a call is under way
	closed  bool
}

// spoolRead is how much is read back at a time, bytes.
const spoolRead = 64 << 10

func newSpool(loop *loopState, dir string) *spool { return &spool{loop: loop, dir: dir} }

// newNamedSpool is a spool whose file others can open by its path.
func newNamedSpool(loop *loopState, in conf.TempPath, keep bool) *spool {
	return &spool{loop: loop, dir: in.Path, levels: in.Levels, named: true, keep: keep}
}

// write appends b.B to the file, gives b back to the pool and calls done on
// the loop. Not while the spool is busy. done is not called after close.
func (s *spool) write(b *engine.Buf, done func(error)) {
	s.busy = true
	var err error
	var n int
	path := s.path
	s.loop.l.Offload(func() {
		if s.f == nil {
			if s.f, err = s.create(); err != nil {
				return
			}
			if s.named {
				path = s.f.Name()
			}
		}
		n, err = s.f.WriteAt(b.B, s.written)
	}, func() {
		s.path = path
		s.written += int64(n)
		s.loop.l.PutBuf(b)
		s.settle(err, done)
	})
}

// read fills b with up to spoolRead bytes from off and calls done on the
// loop. Not while the spool is busy. b must stay until then; when the spool is
// closed meanwhile, b is dropped.
func (s *spool) read(b *engine.Buf, off int64, done func(error)) {
	s.busy = true
	var err error
	size := int(min(spoolRead, s.written-off))
	buf := b.B[:0:cap(b.B)]
	if cap(buf) < size {
		size = cap(buf)
	}
	buf = buf[:size]
	var n int
	s.loop.l.Offload(func() {
		n, err = s.f.ReadAt(buf, off)
		if err == io.EOF && n > 0 {
			err = nil
		}
	}, func() {
		if !s.closed {
			b.B = buf[:n]
		}
		s.settle(err, done)
	})
}

func (s *spool) settle(err error, done func(error)) {
	s.busy = false
	if s.closed {
		s.closeFile()
		return
	}
	done(err)
}

// close gives the file up; the disk space is free then, unless it is to be kept.
func (s *spool) close() {
	s.closed = true
	if !s.busy {
		s.closeFile()
	}
}

func (s *spool) closeFile() {
	if f := s.f; f != nil {
		s.f = nil
		remove := s.named && !s.keep
		s.loop.l.Offload(func() {
			f.Close()
			if remove {
				os.Remove(f.Name())
			}
		}, nil)
	}
}

// create makes the file. On the pool for blocking work.
func (s *spool) create() (*os.File, error) {
	if s.named {
		return createNumbered(s.dir, s.levels, &s.loop.srv.tempNumber)
	}
	return createUnlinked(s.dir)
}

// Names of temporary files: how often a taken one is passed over, and by how
// much, so that files left by an earlier process cost few attempts.
const (
	nameAttempts = 1000
	nameStep     = 123456
)

// createNumbered makes a file with a name as nginx's ngx_create_temp_file has
// it: ten digits, in directories that are called by its last ones.
func createNumbered(dir string, levels []int, number *atomic.Uint32) (*os.File, error) {
	step := uint32(1)
	for attempt := 1; ; attempt++ {
		path := numberedPath(dir, levels, number.Add(step))
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsNotExist(err) {
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
			}
		}
		if !os.IsExist(err) || attempt == nameAttempts {
			return f, err
		}
		step = nameStep
	}
}

// numberedPath is dir/9/78/0000123789 for levels 1 and 2.
func numberedPath(dir string, levels []int, n uint32) string {
	name := fmt.Sprintf("%010d", n)
	path := dir
	end := len(name)
	for _, digits := range levels {
		path = filepath.Join(path, name[end-digits:end])
		end -= digits
	}
	return filepath.Join(path, name)
}

// createUnlinked makes a file without a name in dir, which is created if missing.
func createUnlinked(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "seawall-")
	if os.IsNotExist(err) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			f, err = os.CreateTemp(dir, "seawall-")
		}
	}
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
