package rig

import (
	"bytes"

	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

// Get is a plain request.
var Get = upstream.RequestBytes{Head: []byte("GET / HTTP/1.1\r\nHost: app\r\n\r\n"), Idempotent: true}

// Post is a request with a body of a known length, not idempotent.
func Post(body string) upstream.RequestBytes {
	return upstream.RequestBytes{
		Head: []byte("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 5\r\n\r\n"), Body: NewBody(body),
	}
}

// Job is one call and what its receiver was told. Fields are the loop's until
// Over is closed, then the test's.
type Job struct {
	upstream.Call
	Rig    *Rig
	Loop   int
	Group  *upstream.Group
	Policy *upstream.Policy
	Req    upstream.RequestBytes

	// Hooks, on the loop; nil: none.
	OnInterim, OnHead, OnOver, OnTry, OnWritable func(*Job)
	OnBody                                       func(*Job, []byte)

	Interim string // heads of UpstreamInterim
	Status  int
	Head    string
	Body    bytes.Buffer
	Pieces  int // calls of UpstreamBody
	EOF     bool
	Done    bool
	Err     *upstream.Error
	Retried []string // UpstreamTry: peer and error
	Over    chan struct{}
}

// Go starts the job on its loop.
func (j *Job) Go() *Job {
	j.Over = make(chan struct{})
	l := j.Rig.Loop(j.Loop)
	l.Post(func() { j.Start(l, j.Group, j.Policy, j.Req, j) })
	return j
}

// Wait waits for the job's end.
func (j *Job) Wait() *Job {
	j.Rig.T.Helper()
	j.Rig.Wait(j.Over, "the call's end")
	return j
}

// Do sends a request on loop 0 and waits for its end.
func (r *Rig) Do(g *upstream.Group, p *upstream.Policy, req upstream.RequestBytes) *Job {
	r.T.Helper()
	return (&Job{Rig: r, Group: g, Policy: p, Req: req}).Go().Wait()
}

// List is one of the $upstream_* lists.
func (j *Job) List(f upstream.TryField) string {
	return string(upstream.AppendTries(nil, j.Tries(), f))
}

// Failure is the text of the error that the job ended with, "" without one.
func (j *Job) Failure() string {
	if j.Err == nil {
		return ""
	}
	return j.Err.Error()
}

// UpstreamInterim implements upstream.Receiver.
func (j *Job) UpstreamInterim(_ *upstream.Call, resp *httpparse.Response, buf []byte) {
	j.Interim += string(buf[:resp.HeadLen])
	if j.OnInterim != nil {
		j.OnInterim(j)
	}
}

// UpstreamHead implements upstream.Receiver.
func (j *Job) UpstreamHead(_ *upstream.Call, resp *httpparse.Response, buf []byte) {
	j.Status = resp.Status
	j.Head = string(buf[:resp.HeadLen])
	if j.OnHead != nil {
		j.OnHead(j)
	}
}

// UpstreamMove implements upstream.Receiver: what comes is recorded, so it must be read.
func (j *Job) UpstreamMove(*upstream.Call, *engine.Conn, int) (int, error) { return 0, engine.ErrCopy }

// UpstreamBody implements upstream.Receiver.
func (j *Job) UpstreamBody(_ *upstream.Call, p []byte) {
	j.Pieces++
	j.EOF = j.EOF || len(p) == 0
	j.Body.Write(p)
	if j.OnBody != nil {
		j.OnBody(j, p)
	}
}

// UpstreamDone implements upstream.Receiver.
func (j *Job) UpstreamDone(*upstream.Call) {
	j.Done = true
	j.over()
}

// UpstreamFailed implements upstream.Receiver.
func (j *Job) UpstreamFailed(_ *upstream.Call, e *upstream.Error) {
	j.Err = e
	j.over()
}

func (j *Job) over() {
	if j.OnOver != nil {
		j.OnOver(j)
	}
	close(j.Over)
}

// UpstreamWritable implements upstream.Receiver.
func (j *Job) UpstreamWritable(*upstream.Call) {
	if j.OnWritable != nil {
		j.OnWritable(j)
	}
}

// UpstreamTry implements upstream.Receiver.
func (j *Job) UpstreamTry(_ *upstream.Call, t *upstream.Try, e *upstream.Error) {
	j.Retried = append(j.Retried, t.Peer+" "+e.Error())
	if j.OnTry != nil {
		j.OnTry(j)
	}
}

// Body is a BodySource of pieces. Loop only once in use.
type Body struct {
	Pieces  []string
	Open    bool // more pieces may come: at the end of Pieces it waits
	Once    bool // cannot be rewound
	Rewinds int
	at, off int
}

// NewBody is a body that is there as a whole.
func NewBody(pieces ...string) *Body { return &Body{Pieces: pieces} }

// Next implements upstream.BodySource.
func (b *Body) Next(limit int) ([]byte, upstream.BodyState) {
	if b.at == len(b.Pieces) {
		if b.Open {
			return nil, upstream.BodyWait
		}
		return nil, upstream.BodyEnd
	}
	p := b.Pieces[b.at][b.off:]
	if len(p) > limit {
		b.off += limit
		return []byte(p[:limit]), upstream.BodyMore
	}
	b.at, b.off = b.at+1, 0
	switch {
	case b.at < len(b.Pieces):
		return []byte(p), upstream.BodyMore
	case b.Open:
		return []byte(p), upstream.BodyWait
	}
	return []byte(p), upstream.BodyEnd
}

// Rewind implements upstream.BodySource.
func (b *Body) Rewind() bool {
	if b.Once {
		return false
	}
	b.Rewinds++
	b.at, b.off = 0, 0
	return true
}
