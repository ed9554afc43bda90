package logs

import (
	"fmt"
	"os"
	"time"
)

// run is the file's writer: the only goroutine that touches the descriptor.
func (f *File) run() {
	defer close(f.done)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	armed := false
	arm := func(d time.Duration) {
		timer.Reset(d)
		armed = true
	}
	for !f.stopping {
		select {
		case b := <-f.full:
			f.dequeued(b)
			f.write(b)
		case <-f.begun:
			switch flush := time.Duration(f.flush.Load()); {
			case flush < 0:
				if !f.collect() {
					arm(retryTaking)
				}
			case flush > 0 && !armed:
				arm(flush)
			}
		case <-timer.C:
			armed = false
			if !f.collect() {
				arm(retryTaking)
			}
		case request := <-f.requests:
			request()
		}
	}
}

func (f *File) dequeued(b *buffer) {
	f.queued.Add(-int64(len(b.data)))
	b.from.seen = b.seq
}

// collect writes everything that is queued or being filled; false: some producer was just then adding a line, so that
// its buffer is still out.
//
// Order: a buffer taken out of an appender is younger than those of that appender that were queued before, and older
// than those queued since. The sequence numbers tell which is which.
func (f *File) collect() (all bool) {
	f.mu.Lock()
	producers := f.appenders[:len(f.appenders):len(f.appenders)]
	f.mu.Unlock()
	for _, a := range producers {
		a.taken = a.cur.Swap(nil)
	}
	for range len(f.full) {
		b := <-f.full
		f.dequeued(b)
		if t := b.from.taken; t != nil && t.seq < b.seq {
			b.from.taken = nil
			f.write(t)
		}
		f.write(b)
	}
	all = true
	for _, a := range producers {
		if t := a.taken; t != nil {
			a.taken = nil
			a.seen = max(a.seen, t.seq)
			f.write(t)
		}
		if a.seen < a.begun.Load() {
			all = false
		}
	}
	return all
}

// collectAll is collect for the moments that must not miss a line: it waits out the producers that are adding one (a
// memory copy each), but not for ever, since a busy producer begins buffers all the time.
func (f *File) collectAll() {
	for range 10 {
		if f.collect() {
			return
		}
	}
}

// reopen replaces the descriptor by a fresh one for the same path. Lines appended before the call reach the old file.
// If the path does not open, the old descriptor stays.
func (f *File) reopen() error {
	if f.fixed {
		return nil
	}
	var err error
	f.do(func() {
		f.collectAll()
		var out *os.File
		if out, err = f.registry.openPath(f.path); err != nil {
			return
		}
		f.out.Close()
		f.out = out
	})
	return err
}

func (f *File) chown(uid int) (err error) {
	f.do(func() {
		info, statErr := f.out.Stat()
		if f.fixed || statErr != nil || !info.Mode().IsRegular() {
			return
		}
		if e := f.out.Chown(uid, -1); e != nil {
			err = fmt.Errorf("fchown() %q failed (%s)", f.path, ErrnoText(e))
		}
	})
	return err
}

// close ends the writer after it has written everything.
func (f *File) close() {
	f.do(func() {
		f.collectAll()
		f.reportDrops()
		f.stopping = true
		if !f.fixed {
			f.out.Close()
		}
	})
	<-f.done
}
