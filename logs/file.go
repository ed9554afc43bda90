package logs

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// defaultBuffer is the size of the buffers of a file without buffer=.
	defaultBuffer = 32 << 10
	// unbufferedDelay is how long a line of an access log without buffer= may wait: far below what a person following
	// the file notices, long enough that a busy loop's lines share a write(2).
	unbufferedDelay = 50 * time.Millisecond
	// maxQueued bounds the bytes that wait for the disk, per file (or four buffers, where buffer= is large).
	maxQueued = 8 << 20
	// queueLength bounds the buffers that wait, so that the queue is a channel of fixed size.
	queueLength = 512
	// retryTaking is when the writer looks again for a buffer that its producer just then held.
	retryTaking = time.Millisecond
	// complainEvery spaces repeated reports about one file, as nginx does for a full disk.
	complainEvery = time.Minute
)

// Buffering says when lines reach the disk, as access_log's parameters buffer= and flush= do
// (https://nginx.org/en/docs/http/ngx_http_log_module.html#access_log). Each producer has a buffer of its own.
type Buffering struct {
	// Size in bytes of a producer's buffer; 0: no buffer=. Even then lines are not written one by one, for that would
	// block a loop on the disk: they are gathered for at most 50 ms.
	Size int
	// Flush is the age at which a buffer that is not full is written; 0 with a Size: only when full (as nginx).
	Flush time.Duration
	// Immediate writes as soon as the writer is free: error logs.
	Immediate bool
}

// File is one log file, shared by everybody who opened its path. All methods are safe for concurrent use.
type File struct {
	path     string
	registry *Registry
	refs     int  // guarded by registry.mu
	fixed    bool // stderr: neither reopened nor closed

	size    atomic.Int64 // bytes of a new buffer
	flush   atomic.Int64 // ns; 0: by size only; <0: at once
	queued  atomic.Int64 // bytes in full
	dropped atomic.Uint64

	mu        sync.Mutex // guards appenders; never held by Append
	appenders []*Appender
	shared    sharedAppender

	full     chan *buffer
	begun    chan struct{} // cap 1: some producer began a buffer
	requests chan func()   // run by the writer between writes
	done     chan struct{} // closed when the writer has ended
	pool     sync.Pool     // *buffer

	// Owned by the writer goroutine.
	out            *os.File
	stopping       bool
	droppedTold    uint64
	lastDropReport time.Time
	lastFailReport time.Time
}

// sharedAppender serves goroutines that log now and then (error logs). The lock is held for a copy, never for I/O.
type sharedAppender struct {
	sync.Mutex
	*Appender
}

func newFile(path string, out *os.File, r *Registry) *File {
	f := &File{
		path: path, registry: r, out: out,
		full:     make(chan *buffer, queueLength),
		begun:    make(chan struct{}, 1),
		requests: make(chan func()),
		done:     make(chan struct{}),
	}
	f.shared.Appender = f.NewAppender()
	return f
}

// Path is the file's path as opened (absolute or relative to the process's directory), or "stderr".
func (f *File) Path() string { return f.path }

// Dropped counts the lines lost so far because the disk did not keep up or a write failed.
func (f *File) Dropped() uint64 { return f.dropped.Load() }

// NewAppender adds a producer; see [Appender].
func (f *File) NewAppender() *Appender {
	a := &Appender{file: f}
	f.mu.Lock()
	f.appenders = append(f.appenders, a)
	f.mu.Unlock()
	return a
}

// AppendShared is Append for any goroutine, serialised by a mutex that is held for a copy only.
func (f *File) AppendShared(line []byte) {
	f.shared.Lock()
	f.shared.Append(line)
	f.shared.Unlock()
}

// Flush returns when every line appended before the call is written (or dropped).
func (f *File) Flush() { f.do(f.collectAll) }

// Release gives up one Open. The last one writes what is left and closes the file; its producers must have stopped.
func (f *File) Release() { f.registry.release(f) }

func (f *File) setBuffering(b Buffering) {
	size, flush := b.Size, b.Flush
	switch {
	case b.Immediate:
		size, flush = defaultBuffer, -1
	case size <= 0:
		size, flush = defaultBuffer, unbufferedDelay
	}
	f.size.Store(int64(size))
	f.flush.Store(int64(flush))
}

func (f *File) takeBuffer(need int) *buffer {
	size := max(int(f.size.Load()), need)
	if b, ok := f.pool.Get().(*buffer); ok && cap(b.data) >= size {
		return b
	}
	return &buffer{data: make([]byte, 0, size)}
}

func (f *File) recycle(b *buffer) {
	if cap(b.data) != int(f.size.Load()) { // a longer line's, or from before a reload
		return
	}
	b.data, b.lines, b.from = b.data[:0], 0, nil
	f.pool.Put(b)
}

// enqueue gives b to the writer, or drops it where the bound is reached.
func (f *File) enqueue(b *buffer) {
	n := int64(len(b.data))
	if f.queued.Add(n) <= max(maxQueued, 4*f.size.Load()) {
		select {
		case f.full <- b:
			return
		default:
		}
	}
	f.queued.Add(-n)
	f.dropped.Add(b.lines)
	f.recycle(b)
}

// noteBegun starts the flush clock; a file that is written by size alone has none.
func (f *File) noteBegun() {
	if f.flush.Load() == 0 {
		return
	}
	select {
	case f.begun <- struct{}{}:
	default: // the writer has yet to see an earlier one
	}
}

func (f *File) forget(a *Appender) {
	// By the writer, so that it sees the buffers a has queued before a is gone.
	f.do(func() {
		f.collect()
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, other := range f.appenders {
			if other == a {
				f.appenders = append(f.appenders[:i], f.appenders[i+1:]...)
				return
			}
		}
	})
}

// do runs fn on the writer and waits for it; after the writer's end it does nothing.
func (f *File) do(fn func()) {
	ran := make(chan struct{})
	select {
	case f.requests <- func() { fn(); close(ran) }:
		<-ran
	case <-f.done:
	}
}

// write is the writer's: one buffer to the disk.
func (f *File) write(b *buffer) {
	f.emit(b)
	f.recycle(b)
}

func (f *File) emit(b *buffer) {
	if _, err := f.out.Write(b.data); err != nil {
		f.dropped.Add(b.lines)
		f.droppedTold += b.lines // the failure itself is reported
		if now := time.Now(); now.Sub(f.lastFailReport) >= complainEvery {
			f.lastFailReport = now
			f.registry.complain(LevelAlert, fmt.Sprintf("write() to %q failed (%s)", f.path, ErrnoText(err)))
		}
	}
	f.reportDrops()
}

func (f *File) reportDrops() {
	total := f.dropped.Load()
	if total == f.droppedTold {
		return
	}
	now := time.Now()
	if now.Sub(f.lastDropReport) < time.Second {
		return
	}
	f.lastDropReport = now
	lost := total - f.droppedTold
	f.droppedTold = total
	f.registry.complain(LevelAlert, fmt.Sprintf("%d log lines for %q dropped: the disk does not keep up", lost, f.path))
}
