package server

import "seawall/upstream"

// A requestBody is the upstream.BodySource of the backend call that it is
// sent with.

// Next implements upstream.BodySource.
func (b *requestSource) Next(limit int) ([]byte, upstream.BodyState) {
	body := &b.r.body
	switch {
	case body.streamed:
		return b.nextStreamed(limit)
	case body.file != nil && body.file.busy && !body.loading:
		return nil, upstream.BodyWait // its last piece is on the way to the disk
	case body.file != nil && body.pos < body.file.written:
		return b.nextFromFile(limit)
	}
	data := body.view
	if body.mem != nil {
		data = body.mem.B
	}
	if body.file != nil {
		data = data[body.pos-body.file.written:]
	} else {
		data = data[body.pos:]
	}
	state := upstream.BodyEnd
	if len(data) > limit {
		data, state = data[:limit], upstream.BodyMore
	}
	body.pos += int64(len(data))
	return data, state
}

// requestSource is a request seen as its body's source.
type requestSource struct{ r *Request }

// clientBody is the body of the client's request as an exchange sends it. The
// exchange may live on when the request is over: then nothing is to be had here.
type clientBody struct {
	from  *requestSource // nil: the request is over
	ended bool           // all of it was given
}

// Next implements upstream.BodySource.
func (b *clientBody) Next(limit int) ([]byte, upstream.BodyState) {
	if b.from == nil {
		return nil, upstream.BodyWait
	}
	p, state := b.from.Next(limit)
	b.ended = state == upstream.BodyEnd
	return p, state
}

// Rewind implements upstream.BodySource.
func (b *clientBody) Rewind() bool {
	b.ended = false
	return b.from != nil && b.from.Rewind()
}

// nextStreamed gives what came from the client and makes room for more.
func (b *requestSource) nextStreamed(limit int) ([]byte, upstream.BodyState) {
	body := &b.r.body
	if body.mem == nil {
		if body.whole {
			return nil, upstream.BodyEnd
		}
		return nil, upstream.BodyWait
	}
	if body.given > 0 {
		body.mem.B = body.mem.B[:copy(body.mem.B, body.mem.B[body.given:])]
		body.given = 0
		if body.wanted() {
			b.r.loop.l.Defer(b.r.pumpClientLater)
		}
	}
	data := body.mem.B
	if len(data) > limit {
		data = data[:limit]
	}
	body.given = len(data)
	body.pos += int64(len(data))
	switch {
	case len(data) < len(body.mem.B):
		return data, upstream.BodyMore
	case body.whole:
		return data, upstream.BodyEnd
	case len(data) > 0:
		return data, upstream.BodyMore
	}
	return nil, upstream.BodyWait
}

// nextFromFile gives a piece that was read back from the temporary file.
func (b *requestSource) nextFromFile(limit int) ([]byte, upstream.BodyState) {
	r, body := b.r, &b.r.body
	if body.part != nil && body.pos >= body.partAt && body.pos < body.partAt+int64(len(body.part.B)) {
		data := body.part.B[body.pos-body.partAt:]
		if len(data) > limit {
			data = data[:limit]
		}
		body.pos += int64(len(data))
		return data, upstream.BodyMore // what is in memory follows
	}
	if !body.loading {
		body.loading = true
		if body.part == nil {
			body.part = r.loop.l.GetBuf(spoolRead)
		}
		body.partAt = body.pos
		serial := r.serial
		body.file.read(body.part, body.pos, func(err error) {
			if r.serial != serial {
				return
			}
			body.loading = false
			if err != nil {
				r.bodyFailed(err)
				return
			}
			r.bodyReady()
		})
	}
	return nil, upstream.BodyWait
}

// Rewind implements upstream.BodySource: what was not kept cannot be sent again.
func (b *requestSource) Rewind() bool {
	body := &b.r.body
	if body.streamed && body.pos > 0 {
		return false
	}
	body.pos = 0
	return true
}
