package server

import (
	"io"
	"os"

	"seawall/engine"
)

// spool is a temporary file for what memory should not hold: a large request
// body, a response that its client takes slowly. It is unlinked as soon as it
// is created. Owner: one request, on its loop; the system calls run on the
// pool for blocking work, one at a time.
type spool struct {
	loop    *loopState
	dir     string
	f       *os.File
	written int64 // bytes in the file
	busy    bool  // a call is under way
	closed  bool
}

// spoolRead is how much is read back at a time, bytes.
const spoolRead = 64 << 10

func newSpool(loop *loopState, dir string) *spool { return &spool{loop: loop, dir: dir} }

// write appends b.B to the file, gives b back to the pool and calls done on
// the loop. Not while the spool is busy. done is not called after close.
func (s *spool) write(b *engine.Buf, done func(error)) {
	s.busy = true
	var err error
	var n int
	s.loop.l.Offload(func() {
		if s.f == nil {
			if s.f, err = createUnlinked(s.dir); err != nil {
				return
			}
		}
		n, err = s.f.WriteAt(b.B, s.written)
	}, func() {
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

// close gives the file up; the disk space is free then.
func (s *spool) close() {
	s.closed = true
	if !s.busy {
		s.closeFile()
	}
}

func (s *spool) closeFile() {
	if f := s.f; f != nil {
		s.f = nil
		s.loop.l.Offload(func() { f.Close() }, nil)
	}
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
