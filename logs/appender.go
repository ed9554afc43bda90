package logs

import "sync/atomic"

// buffer is a run of whole lines. Its owner is whoever holds the pointer: an appender (cur), the file's queue, or the
// writer.
type buffer struct {
	data  []byte
	lines uint64
	from  *Appender
	seq   uint64 // counts from's buffers from 1: the writer keeps one appender's lines in order by it
}

// Appender is one producer's way into a [File]: an event loop has one for each file it logs to. Append is for that one
// goroutine only; different appenders of a file never wait for each other nor for the disk.
//
// How it works without a lock: the buffer being filled stands in cur. Append takes it out, adds the line and puts it
// back; the writer, when the flush time has come, takes it out for good. Whoever finds cur empty leaves it at that: the
// producer begins a new buffer, the writer looks again a moment later.
type Appender struct {
	file  *File
	cur   atomic.Pointer[buffer]
	begun atomic.Uint64 // buffers begun so far: the seq of the latest

	taken *buffer // writer only: taken out in this round, not yet written
	seen  uint64  // writer only: seq of the latest buffer that reached it
}

// Append adds line, which must end in '\n', to the log. It copies line, allocates nothing in the steady state and never
// blocks; when too much waits for the disk, the full buffer is dropped and its lines counted ([File.Dropped]).
func (a *Appender) Append(line []byte) {
	b := a.cur.Swap(nil)
	if b != nil && len(b.data)+len(line) > cap(b.data) {
		a.file.enqueue(b)
		b = nil
	}
	begin := b == nil
	if begin {
		b = a.file.takeBuffer(len(line))
		b.from = a
		b.seq = a.begun.Add(1)
	}
	b.data = append(b.data, line...)
	b.lines++
	a.cur.Store(b)
	if begin {
		a.file.noteBegun()
	}
}

// Release hands over what a holds and takes it off the file. The producer calls it, or somebody after the producer's
// end; a must not be used afterwards.
func (a *Appender) Release() {
	if b := a.cur.Swap(nil); b != nil {
		a.file.enqueue(b)
	}
	a.file.forget(a)
}
