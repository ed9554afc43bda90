package server

import (
	"errors"

	"seawall/conf"
	"seawall/engine"
	"seawall/httpparse"
)

// bodyState is what is being done with a request's body.
type bodyState uint8

const (
	bodyNone    bodyState = iota // the request has none, or it was taken whole
	bodyUnread                   // nobody asked for it yet -> buffering, streaming, discarding
	bodyBuffer                   // it is collected: in memory, then in a file -> none
	bodyStream                   // it is passed on as it comes -> none
	bodyDiscard                  // it is dropped -> none
	bodyBroken                   // the client sent nonsense or went away
)

// requestBody is the body of a request on its way in, and the source that a
// backend call takes it from. Owner: the request.
type requestBody struct {
	state     bodyState
	chunked   bool
	left      int64 // bytes still to come, when not chunked
	received  int64 // decoded bytes so far
	max       int64 // client_max_body_size, 0: no limit
	lastPiece int64 // the bytes that made it too large
	dec       httpparse.Chunked

	view  []byte      // a body that came whole with the head: it stays in the client's buffer
	mem   *engine.Buf // what was collected or, streaming, waits for the backend
	limit int         // how much mem may hold: client_body_buffer_size
	file  *spool      // what memory should not hold; its bytes come before mem's

	toFile   bool // all of it goes to file, which has a name (client_body_in_file_only)
	whole    bool // all of the body was received
	refused  bool // it is too large, or lost on the way to the disk: no backend gets it
	streamed bool // it goes to the backend as it comes (proxy_request_buffering off)

	// What a backend call has taken so far, see body_source.go.
	pos     int64       // bytes given
	taken   bool        // a call was started with it
	given   int         // streamed: bytes at the start of mem that were given out
	part    *engine.Buf // piece read back from file, which begins at partAt
	partAt  int64
	loading bool

	discardUntil int64 // loop time, ns
}

var errBodyTooLarge = errors.New("client intended to send too large chunked body")

// begin looks at the head for a body.
func (b *requestBody) begin(head *httpparse.Request) {
	switch {
	case head.Chunked:
		b.state, b.chunked = bodyUnread, true
	case head.ContentLength > 0:
		b.state, b.left = bodyUnread, head.ContentLength
	default:
		b.whole = true
	}
}

// present tells whether the request came with a body.
func (b *requestBody) present() bool { return b.state != bodyNone || b.received > 0 }

// unasked tells whether there is a body that nobody asked for yet.
func (b *requestBody) unasked() bool { return !b.whole && b.state == bodyUnread && !b.refused }

// sendable tells whether a backend is to be sent a body, be it an empty one in
// chunks, which has an end to be sent.
func (b *requestBody) sendable() bool {
	return !b.refused && (b.present() || b.streamed && b.chunked)
}

// wanted tells whether bytes are to be read from the client now.
func (b *requestBody) wanted() bool {
	return b.state == bodyBuffer || b.state == bodyStream || b.state == bodyDiscard
}

// unread tells whether the client may still send bytes of it.
func (b *requestBody) unread() bool { return !b.whole && b.state != bodyBroken }

// discardRest drops what comes, at most until the given loop time.
func (b *requestBody) discardRest(until int64) {
	b.state = bodyDiscard
	b.discardUntil = until
}

// feed takes body bytes from the start of p and returns how many; fewer than
// all when the body ends there or has no room for more.
func (b *requestBody) feed(r *Request, p []byte) (n int, err error) {
	if !b.chunked {
		if int64(len(p)) > b.left {
			p = p[:b.left]
		}
		if b.state != bodyDiscard && b.received == 0 && int64(len(p)) == b.left && !b.taken && !b.toFile {
			b.view = p // all of it is there: no copy
			b.streamed = false
			n = len(p)
		} else {
			n = b.store(r, p)
		}
		b.left -= int64(n)
		b.received += int64(n)
		if b.left == 0 {
			b.end()
		}
		return n, nil
	}
	for n < len(p) {
		room := b.room(r)
		if room == 0 {
			return n, nil
		}
		window := p[n:]
		if len(window) > room { // the decoder gives no more than it gets
			window = window[:room]
		}
		data, used, over, err := b.dec.Next(window)
		if err != nil {
			return n, err
		}
		if data.Len > 0 {
			b.received += int64(data.Len)
			if b.max > 0 && b.received > b.max && b.state != bodyDiscard {
				b.lastPiece = int64(data.Len)
				return n + used, errBodyTooLarge
			}
			b.store(r, data.In(window))
		}
		n += used
		if over {
			b.end()
			return n, nil
		}
		if used == 0 {
			return n, nil
		}
	}
	return n, nil
}

// end notes that the body is whole.
func (b *requestBody) end() {
	b.whole = true
	b.state = bodyNone
}

// room is how many bytes store would take now.
func (b *requestBody) room(r *Request) int {
	switch {
	case b.state == bodyDiscard:
		return bodyRead
	case b.mem == nil:
		return min(bodyRead, b.limit)
	case len(b.mem.B) < b.limit:
		return b.limit - len(b.mem.B)
	case b.state == bodyStream || !b.spill(r):
		return 0
	}
	return b.limit
}

// store keeps p and returns how much of it there was room for.
func (b *requestBody) store(r *Request, p []byte) (taken int) {
	if b.state == bodyDiscard {
		return len(p)
	}
	if b.mem == nil {
		b.mem = r.loop.l.GetBuf(b.firstBuffer(len(p)))
	}
	for taken < len(p) {
		room := min(b.room(r), len(p)-taken)
		if room == 0 {
			break
		}
		b.mem.B = append(b.mem.B, p[taken:taken+room]...)
		taken += room
	}
	return taken
}

// firstBuffer is the size of the buffer that a body with at least n bytes
// begins with: enough for all of it when its length is known and the limit allows.
func (b *requestBody) firstBuffer(n int) int {
	if !b.chunked {
		return int(min(b.left, int64(b.limit)))
	}
	return min(b.limit, max(n, firstRead))
}

// spill gives the full buffer to the temporary file. false: the file is busy.
func (b *requestBody) spill(r *Request) bool {
	if b.file == nil {
		b.file = b.newFile(r)
	}
	if b.file.busy {
		return false
	}
	full := b.mem
	b.mem = r.loop.l.GetBuf(b.limit)
	b.write(r, full)
	return true
}

// newFile is the temporary file that the location wants for the body.
func (b *requestBody) newFile(r *Request) *spool {
	in := r.loc.set.ClientBodyTempPath
	if b.toFile {
		return newNamedSpool(r.loop, in, r.loc.set.ClientBodyInFileOnly == conf.BodyInFileOn)
	}
	r.logClient(levelWarn, "a client request body is buffered to a temporary file in %s", in.Path)
	return newSpool(r.loop, in.Path)
}

// write gives p to the temporary file, and goes on with the request then.
func (b *requestBody) write(r *Request, p *engine.Buf) {
	serial := r.serial
	unnamed := b.toFile && b.file.path == ""
	b.file.write(p, func(err error) {
		if r.serial != serial {
			return
		}
		if unnamed && b.file.path != "" {
			r.logClient(levelNotice, "a client request body is buffered to a temporary file %s", b.file.path)
		}
		switch {
		case err != nil:
			b.refused = true
			r.bodyFailed(err)
		case b.whole && b.toFile:
			r.bodyProgress()
		default:
			r.pumpClient()
			r.bodyReady()
		}
	})
}

// saved tells whether a body that is whole is where it is to be; a last piece
// that belongs to the file is sent on its way there, and write goes on then.
func (b *requestBody) saved(r *Request) bool {
	if !b.toFile || b.file != nil && !b.file.busy && b.mem == nil {
		return true
	}
	if b.file == nil {
		b.file = b.newFile(r)
	}
	if !b.file.busy {
		rest := b.mem
		b.mem = nil
		if rest == nil {
			rest = r.loop.l.GetBuf(1) // an empty body has a file, too
		}
		b.write(r, rest)
	}
	return false
}

// release gives back what the body holds.
func (b *requestBody) release(l *engine.Loop) {
	if b.mem != nil {
		l.PutBuf(b.mem)
	}
	if b.part != nil && !b.loading { // else a worker still writes to it: left to the collector
		l.PutBuf(b.part)
	}
	if b.file != nil {
		b.file.close()
	}
	*b = requestBody{}
}
