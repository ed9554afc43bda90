package server

import "seawall/engine"

// outSpool is a response whose client is slower than its backend: what does
// not fit into proxy_buffers goes to a temporary file, so that the backend is
// free early (proxy_max_temp_file_size). Order of the bytes: connection's
// output, file from readAt to its end, tail. Owner: the request.
type outSpool struct {
	file     *spool
	tail     *engine.Buf // came last, not in the file yet
	piece    *engine.Buf // being read back
	readAt   int64
	active   bool
	complete bool // the backend has sent all
	loading  bool
}

// beginSpooling sends what follows through the file.
func (r *Request) beginSpooling() {
	if r.out == nil {
		r.out = &outSpool{file: newSpool(r.loop, r.loc.proxy.tempPath)}
		r.logClient(levelWarn, "an upstream response is buffered to a temporary file in %s while reading upstream", r.loc.proxy.tempPath)
	}
	r.out.active = true
}

// spoolMore takes body bytes.
func (r *Request) spoolMore(p []byte) {
	o := r.out
	for len(p) > 0 {
		if o.tail == nil {
			o.tail = r.loop.l.GetBuf(spoolRead)
		}
		n := min(len(p), cap(o.tail.B)-len(o.tail.B))
		if n == 0 {
			if !r.spoolTail() {
				// The disk is slower than the backend: at most what one
				// more read gave is kept aside.
				larger := r.loop.l.GetBuf(2 * cap(o.tail.B))
				larger.B = append(larger.B, o.tail.B...)
				r.loop.l.PutBuf(o.tail)
				o.tail = larger
			}
			continue
		}
		o.tail.B = append(o.tail.B, p[:n]...)
		p = p[n:]
	}
	if o.file.busy && len(o.tail.B) >= spoolRead || o.file.written >= r.loc.proxy.maxTemp {
		r.paused = true
		r.ex.hold(heldForClient)
	}
}

// spoolTail writes the tail to the file. false: the file is busy.
func (r *Request) spoolTail() bool {
	o := r.out
	if o.file.busy {
		return false
	}
	full := o.tail
	o.tail = nil
	serial := r.serial
	o.file.write(full, func(err error) {
		if r.serial != serial {
			return
		}
		if err != nil {
			r.spoolFailed(err)
			return
		}
		r.pumpSpool()
	})
	return true
}

// pumpSpool gives the connection what it has room for.
func (r *Request) pumpSpool() {
	o := r.out
	if o == nil || !o.active || o.loading {
		return
	}
	if r.queued() > r.loc.proxy.memory/2 {
		r.resumeSpooling()
		return
	}
	switch {
	case o.readAt < o.file.written:
		if o.file.busy {
			return // its end calls again
		}
		r.loadPiece()
		return
	case o.file.busy:
		return
	}
	// The file is read to its end: what is left is in memory.
	if o.tail != nil {
		tail := o.tail
		o.tail = nil
		serial := r.serial
		r.sendBody(tail.B, false)
		r.loop.l.PutBuf(tail)
		if r.client.flush(r); r.serial != serial {
			return
		}
	}
	o.active = false
	o.file.written, o.readAt = 0, 0
	if o.complete {
		r.endResponse()
		return
	}
	r.resumeSpooling()
}

// resumeSpooling reads the backend on, when that had been stopped and there is room again.
func (r *Request) resumeSpooling() {
	o := r.out
	if r.paused && !o.complete && !o.file.busy && (!o.active || o.file.written < r.loc.proxy.maxTemp) {
		r.paused = false
		r.ex.release(heldForClient)
	}
}

// loadPiece reads back the next piece of the file.
func (r *Request) loadPiece() {
	o := r.out
	o.loading = true
	o.piece = r.loop.l.GetBuf(spoolRead)
	serial := r.serial
	o.file.read(o.piece, o.readAt, func(err error) {
		if r.serial != serial {
			return
		}
		o.loading = false
		if err != nil {
			r.spoolFailed(err)
			return
		}
		piece := o.piece
		o.piece = nil
		o.readAt += int64(len(piece.B))
		r.sendBody(piece.B, false)
		r.loop.l.PutBuf(piece)
		if r.client.flush(r); r.serial == serial {
			r.pumpSpool()
		}
	})
}

// spoolFailed ends a response whose rest is lost.
func (r *Request) spoolFailed(err error) {
	r.logClient(levelCrit, "temporary file: %v", err)
	r.client.abort(r)
}

// release gives back what the spool holds.
func (o *outSpool) release(l *engine.Loop) {
	if o.tail != nil {
		l.PutBuf(o.tail)
	}
	if o.piece != nil && !o.loading {
		l.PutBuf(o.piece)
	}
	o.file.close()
}
