package server

import (
	"regexp"

	"seawall/cache"
	"seawall/engine"
	"seawall/httpparse"
)

// Request is one request from its first byte to its log line. It belongs to
// the loop of its connection; when it is over it goes back to that loop's
// pool, so what comes later (a worker's result, a wake-up) compares serial.
type Request struct {
	loop   *loopState
	serial uint64            // changes with every use of this struct
	head   httpparse.Request // as it was received: spans into raw
	source requestSource     // the body as a backend call sees it

	// arena holds bytes that live as long as the request. A getter must not
	// use it: it appends to what it is given, which may be the arena itself.
	arena []byte

	// Bound once, so that handing them to the loop allocates nothing.
	pumpClientLater, flushLater, wakeFromFill func()
	flushPending                              bool // flushLater is on the loop's list

	requestState
}

// requestState is all of a request that is forgotten when it is over.
type requestState struct {
	client client // the connection or stream that it came by; nil in the pool
	site   *site  // the configuration that it began with and keeps
	vhost  *vhost
	loc    *location

	// The bytes of the head: the client's buffer, unchanged until the request is over.
	raw []byte

	// What is asked for: views of raw or memory of the request's own.
	uri        []byte // $uri: normalised path; an internal redirect changes it
	args       []byte // $args
	host       []byte // lower case, without port
	method     httpparse.Method
	nameRegex  *regexp.Regexp // of the server_name that matched host, if it is one
	nameMatch  []int          // its groups, indices into host
	capturesOf *regexp.Regexp // the last one that matched: $1 and so on
	captures   []int          // its groups, indices into captured
	captured   []byte

	phase        phase
	handlerState contentState
	cacheStatus  cacheStatus
	redirects    uint8 // internal redirects so far: ten at most, as in nginx
	attempts     uint8 // times a fill that was followed gave nothing

	keepalive    bool // the connection may carry another request
	headerOnly   bool // HEAD, 204, 304: the response has no body
	redirected   bool // an internal redirect changed uri: the client's target is not what is served
	internal     bool // reached by an internal redirect: `internal` locations are open
	errorPage    bool // an error_page is being produced
	lingering    bool // unread input is likely: do not close at once
	expectTested bool // 100-continue was answered, or need not be
	finished     bool // complete has run
	malformed    bool // the head could not be read
	lineBroken   bool // not even its first line
	oldProtocol  bool // it was one of HTTP/0.9 all the same
	caching      bool // the cache has to do with this request
	unbuffered   bool // X-Accel-Buffering: no
	rateSet      bool // X-Accel-Limit-Rate
	uncached     bool // X-Accel-Redirect was followed: neither look up nor store
	paused       bool // the backend waits for the client

	resp        response
	body        requestBody
	ex          *exchange    // the dealings with a backend, nil without
	reader      cache.Reader // the place in a fill that is being read
	followed    followed
	lockTimer   engine.Timer
	out         *outSpool
	parts       *multipart
	replacement []byte        // a filter's body in place of the handler's
	rendering   *renderedHead // takes the head that is about to be rendered; nil: nobody keeps it
	bodyPos     int64         // of the whole body, when a range of it is sent
	cacheKey    []byte
	dynamicHost []byte // proxy_pass with variables
	dynamicPort []byte
	dynamicURI  []byte
	resolving   *groupWaiter // waits for a name to be resolved
	id          [32]byte     // $request_id, once idMade
	idMade      bool
	tunnel      tunnel

	limitRate  int64 // bytes per second, 0 without
	limitAfter int64
	paced      pacer

	started   int64 // loop time of the first byte, ns
	read      int64 // length of what was used of the head, bytes
	serverNo  uint32
	responded int64 // bytes of response given to the connection, head and framing included
	headBytes int64 // of those, the head's
}

// contentState says how far the content handler is.
type contentState uint8

const (
	contentNone      contentState = iota // not begun
	contentReading                       // waits for the request's body
	contentWaiting                       // waits for a backend or a fill; no response head yet
	contentStreaming                     // the head is out, the body follows
)

// keptArena is the largest arena, in bytes, that a pooled request keeps.
const keptArena = 16 << 10

// conn is the engine's connection under the request.
func (r *Request) conn() *engine.Conn { return r.client.conn() }

// now is the loop's time, ns.
func (r *Request) now() int64 { return r.loop.l.Now() }

// keep copies p into memory that lives as long as the request.
func (r *Request) keep(p []byte) []byte {
	from := len(r.arena)
	r.arena = append(r.arena, p...)
	return r.arena[from:len(r.arena):len(r.arena)]
}

// lower gives p in lower case: p itself, or a copy that lives as long as the request.
func (r *Request) lower(p []byte) []byte {
	for _, c := range p {
		if 'A' <= c && c <= 'Z' {
			from := len(r.arena)
			r.arena = httpparse.AppendLower(r.arena, p)
			return r.arena[from:len(r.arena):len(r.arena)]
		}
	}
	return p
}

// header returns the value of the request header id, nil without it.
func (r *Request) header(id httpparse.HeaderID) []byte {
	if !r.head.Has(id) {
		return nil
	}
	v, _ := r.head.Get(r.raw, id)
	return v
}

// requestURI is $request_uri: the target as the client sent it.
func (r *Request) requestURI() []byte { return r.head.Target.In(r.raw) }

// setPath takes uri and args from the head.
func (r *Request) setPath() error {
	if r.head.Query.Len > 0 {
		r.args = r.head.Query.In(r.raw)
	}
	path := r.head.Path.In(r.raw)
	if r.head.PlainPath {
		r.uri = path
		return nil
	}
	from := len(r.arena)
	uri, err := httpparse.NormalizePath(r.arena[from:], path, r.vhost.conf.MergeSlashes)
	if err != nil {
		r.uri, r.args = []byte{}, nil // refused before they are known, as nginx logs it
		return err
	}
	r.uri = uri[:len(uri):len(uri)]
	if tail := r.arena[from:cap(r.arena)]; len(uri) > 0 && len(tail) >= len(uri) && &tail[0] == &uri[0] {
		r.arena = r.arena[:from+len(uri)]
	}
	return nil
}

// releaseParts gives back what the request holds beside its own memory.
func (r *Request) releaseParts() {
	l := r.loop.l
	r.reader.Leave()
	l.StopTimer(&r.lockTimer)
	l.StopTimer(&r.paced.timer)
	if ex := r.ex; ex != nil {
		r.ex = nil
		ex.leave()
	}
	r.body.release(l)
	if r.out != nil {
		r.out.release(l)
		r.out = nil
	}
	if r.tunnel.buf != nil {
		l.PutBuf(r.tunnel.buf)
	}
}

// reset makes the struct ready for another request. Its own memory stays.
func (r *Request) reset() {
	r.serial++
	r.head.Reset()
	if r.arena = r.arena[:0]; cap(r.arena) > keptArena {
		r.arena = nil
	}
	clear(r.resp.fields)
	fields := r.resp.fields[:0]
	r.requestState = requestState{}
	r.resp.fields = fields
}

// isHTTP09 tells whether the request was a bare "GET /path" line, whose answer
// has no head. A request that could not be read is not.
func (r *Request) isHTTP09() bool {
	return r.oldProtocol || r.head.Major == 0 && r.head.Minor == 9 && !r.malformed
}
