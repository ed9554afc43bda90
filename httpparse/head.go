package httpparse

// Head is what request and response heads have in common. Fields are in the order
// received; a request's are without those dropped as invalid.
type Head struct {
	Fields []Field

	ContentLength int64 // -1: none sent
	Chunked       bool  // Transfer-Encoding: chunked
	KeepAlive     bool  // whether the sender lets the connection live on, by version and Connection
	Upgrade       bool  // Connection: upgrade with an Upgrade field
	HeadLen       int   // bytes of the head, empty lines before and after it included; set when done

	// Dropped counts the lines left out of Fields for their names.
	Dropped int

	// Culprit covers the text that an Error with Detail is about; set with the error.
	Culprit Span

	// What follows is the parser's own. Phases follow one another in the order
	// of the constants; only Reset goes back.
	phase      phase
	connection connection
	side       Side
	expect100  bool
	known      [2]uint64 // bit set of the known IDs seen
	lines      int       // header lines, dropped ones included
	pos        int       // start of the first line not parsed yet
	seen       int       // there is no line feed in [pos, seen)
	host       Span      // value of the Host field
	hostName   Span      // of it, the name
	coding     Span      // value of Transfer-Encoding
}

// phase says what Parse expects next.
type phase uint8

const (
	// phaseStart: nothing looked at yet; then phaseLine.
	phaseStart phase = iota
	// phaseLine: the request or status line, or an empty line before it; then phaseFields or phaseDone.
	phaseLine
	// phaseFields: a header line or the empty line that ends the head; then phaseDone.
	phaseFields
	// phaseDone: done or failed; only Reset leads on.
	phaseDone
)

// connection holds what the Connection fields listed.
type connection uint8

const (
	connectionClose connection = 1 << iota
	connectionKeepAlive
	connectionUpgrade
)

func (h *Head) start(side Side) {
	h.phase = phaseLine
	h.side = side
	h.ContentLength = -1
	if h.Fields == nil {
		// Room for a browser's head at once instead of growing to it.
		h.Fields = make([]Field, 0, 24)
	}
}

// Has reports whether there is a field with this ID, in constant time.
func (h *Head) Has(id HeaderID) bool { return h.known[id>>6&1]>>(id&63)&1 != 0 }

// Get returns the value of the first field with this ID. The value aliases buf,
// which is the buffer that was parsed.
func (h *Head) Get(buf []byte, id HeaderID) (value []byte, ok bool) {
	if !h.Has(id) {
		return nil, false
	}
	for i := range h.Fields {
		if f := &h.Fields[i]; f.ID == id {
			return f.Value.In(buf), true
		}
	}
	return nil, false
}

// Find returns the value of the first field with this name, in any case. The
// value aliases buf.
func (h *Head) Find(buf, name []byte) (value []byte, ok bool) {
	if id := LookupHeader(name); id != HeaderUnknown {
		return h.Get(buf, id)
	}
	for i := range h.Fields {
		f := &h.Fields[i]
		if f.ID == HeaderUnknown && int(f.Name.Len) == len(name) && EqualFold(f.Name.In(buf), name) {
			return f.Value.In(buf), true
		}
	}
	return nil, false
}

// ListHas reports whether any of the fields with this ID, read as one
// comma-separated list, has the token, in any case.
func (h *Head) ListHas(buf []byte, id HeaderID, token []byte) bool {
	if !h.Has(id) {
		return false
	}
	for i := range h.Fields {
		if f := &h.Fields[i]; f.ID == id && HasToken(f.Value.In(buf), token) {
			return true
		}
	}
	return false
}
