package server

import (
	"net/netip"

	"seawall/conf"
	"seawall/httpparse"
	"seawall/upstream"
	"seawall/upstream/http1"
)

// proxyHandler is proxy_pass with all the proxy_* settings of its location,
// compiled. It is immutable.
type proxyHandler struct {
	group   *upstream.Group // nil when dynamic
	dynamic *value          // proxy_pass with variables: the URL
	host    []byte          // $proxy_host
	port    []byte          // $proxy_port
	uri     []byte          // replaces the location's prefix, when hasURI
	hasURI  bool
	policy  upstream.Policy
	version []byte // " HTTP/1.1\r\n"

	method       *value
	plain        sentFields // of a request whose response goes to the client alone
	storing      sentFields // of one whose response is to be stored
	passFields   bool
	passBody     bool
	setBody      *value
	bufferBody   bool // proxy_request_buffering
	sendsUpgrade bool

	hide        fieldSet // response fields that are not passed on
	ignore      conf.IgnoreHeaders
	redirects   []redirectRule
	cookies     *cookieRules
	intercept   bool
	buffering   bool
	memory      int   // proxy_buffers: what a response may hold in memory
	maxTemp     int64 // proxy_max_temp_file_size
	tempPath    string
	forceRanges bool
	limitRate   *value
	rate        int64
	ignoreAbort bool
	cache       *cacheRules // nil: proxy_cache off
}

// sentFields are the fields of requests to the backend.
type sentFields struct {
	fields []proxyField // sent in this order, before the client's own
	skip   fieldSet     // client fields that are not passed on
}

// proxyField is a field of the request to the backend.
type proxyField struct {
	name  []byte // "Host: "
	value value
}

// fieldSet is a set of field names, fast for those that httpparse knows.
type fieldSet struct {
	known   [4]uint64
	unknown map[string]struct{} // lower case
}

func (s *fieldSet) add(name string) {
	if id := httpparse.LookupHeader([]byte(name)); id != httpparse.HeaderUnknown {
		s.known[id>>6] |= 1 << (id & 63)
		return
	}
	if s.unknown == nil {
		s.unknown = map[string]struct{}{}
	}
	s.unknown[string(httpparse.AppendLower(nil, []byte(name)))] = struct{}{}
}

func (s *fieldSet) remove(name string) {
	if id := httpparse.LookupHeader([]byte(name)); id != httpparse.HeaderUnknown {
		s.known[id>>6] &^= 1 << (id & 63)
		return
	}
	delete(s.unknown, string(httpparse.AppendLower(nil, []byte(name))))
}

// has tells whether the field is in the set. Allocates nothing.
func (s *fieldSet) has(id httpparse.HeaderID, name []byte) bool {
	if id != httpparse.HeaderUnknown {
		return s.known[id>>6]&(1<<(id&63)) != 0
	}
	if len(s.unknown) == 0 {
		return false
	}
	var buf [64]byte
	_, ok := s.unknown[string(httpparse.AppendLower(buf[:0], name))]
	return ok
}

// hiddenFields are the response fields that nginx keeps to itself.
var hiddenFields = []string{
	"Date", "Server", "X-Pad", "X-Accel-Expires", "X-Accel-Redirect",
	"X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset",
}

// framingFields are response fields that concern one connection only.
var framingFields = []string{
	"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Trailer", "Proxy-Connection",
	"TE",
}

// compileProxy makes the handler of a location with proxy_pass.
func (b *builder) compileProxy(l *location, cl *conf.Location) *proxyHandler {
	s := l.set
	pp := s.ProxyPass
	h := &proxyHandler{
		host:        []byte(pp.Host),
		port:        []byte(pp.Port),
		uri:         []byte(pp.URI),
		hasURI:      pp.HasURI,
		passFields:  s.ProxyPassRequestHeaders,
		passBody:    s.ProxyPassRequestBody,
		bufferBody:  s.ProxyRequestBuffering,
		ignore:      s.ProxyIgnoreHeaders,
		intercept:   s.ProxyInterceptErrors,
		buffering:   s.ProxyBuffering,
		memory:      max(int(s.ProxyBuffers.Size)*s.ProxyBuffers.Num, int(s.ProxyBufferSize)),
		maxTemp:     s.ProxyMaxTempFileSize,
		tempPath:    s.ProxyTempPath.Path,
		forceRanges: s.ProxyForceRanges,
		ignoreAbort: s.ProxyIgnoreClientAbort,
		limitRate:   b.compileSize(s.ProxyLimitRate),
		rate:        s.ProxyLimitRate.Value,
	}
	if pp.Dynamic {
		v := b.compile(pp.URL)
		h.dynamic = &v
	} else {
		h.group = b.group(pp.Upstream)
	}
	h.version = []byte(" HTTP/1.1\r\n")
	if s.ProxyHttpVersion == 10 {
		h.version = []byte(" HTTP/1.0\r\n")
	}
	h.policy = upstream.Policy{
		Protocol:        http1.Protocol{},
		ConnectTimeout:  s.ProxyConnectTimeout,
		SendTimeout:     s.ProxySendTimeout,
		ReadTimeout:     s.ProxyReadTimeout,
		Next:            nextConditions(s.ProxyNextUpstream),
		NextTries:       s.ProxyNextUpstreamTries,
		NextTimeout:     s.ProxyNextUpstreamTimeout,
		BufferSize:      int(s.ProxyBufferSize),
		SocketKeepalive: s.ProxySocketKeepalive,
	}
	if s.ProxyBind != nil {
		h.policy.Bind = b.bindAddr(s.ProxyBind)
	}
	if s.ProxyMethod != nil {
		v := b.compile(*s.ProxyMethod)
		h.method = &v
	}
	if s.ProxySetBody != nil {
		v := b.compile(*s.ProxySetBody)
		h.setBody = &v
	}
	if s.ProxyCache != nil {
		h.cache = b.compileCache(s)
	}
	h.plain = b.compileSentFields(h, s, false)
	if h.cache != nil {
		h.storing = b.compileSentFields(h, s, true)
	}
	h.hide = hideSet(s)
	h.redirects = b.compileRedirects(s.ProxyRedirects)
	h.cookies = b.compileCookies(s)
	return h
}

// checkProxy finds unknown variables in the proxy_* settings of a level that
// has no proxy_pass: nginx finds them there, too.
func (b *builder) checkProxy(s *conf.Settings) {
	for _, f := range s.ProxySetHeaders {
		b.compile(f.Value)
	}
	for _, t := range []*conf.Template{s.ProxyMethod, s.ProxySetBody, &s.ProxyCacheKey} {
		if t != nil {
			b.compile(*t)
		}
	}
	b.compileAll(s.ProxyCacheBypass)
	b.compileAll(s.ProxyNoCache)
}

// bindAddr reads the static address of proxy_bind.
func (b *builder) bindAddr(pb *conf.ProxyBind) netip.AddrPort {
	if !pb.Addr.IsStatic() {
		b.fail(pb.Addr.Pos, "variables in \"proxy_bind\" are not supported yet")
	}
	return pb.AddrPort
}

// hideSet is the set of response fields that the client does not get.
func hideSet(s *conf.Settings) fieldSet {
	var set fieldSet
	for _, n := range hiddenFields {
		set.add(n)
	}
	for _, n := range s.ProxyHideHeaders {
		set.add(n)
	}
	for _, n := range s.ProxyPassHeaders {
		set.remove(n)
	}
	for _, n := range framingFields {
		set.add(n)
	}
	return set
}

// nextConditions translates a proxy_next_upstream.
func nextConditions(c conf.Conditions) upstream.NextUpstream {
	var n upstream.NextUpstream
	for _, p := range []struct {
		from conf.Conditions
		to   upstream.NextUpstream
	}{
		{conf.OnError, upstream.NextError}, {conf.OnTimeout, upstream.NextTimeout},
		{conf.OnInvalidHeader, upstream.NextInvalidHeader},
		{conf.OnHTTP403, upstream.NextHTTP403}, {conf.OnHTTP404, upstream.NextHTTP404},
		{conf.OnHTTP429, upstream.NextHTTP429}, {conf.OnHTTP500, upstream.NextHTTP500},
		{conf.OnHTTP502, upstream.NextHTTP502}, {conf.OnHTTP503, upstream.NextHTTP503},
		{conf.OnHTTP504, upstream.NextHTTP504}, {conf.OnNonIdempotent, upstream.NextNonIdempotent},
	} {
		if c&p.from != 0 {
			n |= p.to
		}
	}
	if n == 0 {
		return upstream.NextOff
	}
	return n
}

// compileSentFields lists the fields sent to the backend: those of
// proxy_set_header, then nginx's own where they were not set. What is to be
// stored is asked for in whole and without the client's conditions.
func (b *builder) compileSentFields(h *proxyHandler, s *conf.Settings, storing bool) sentFields {
	var sent sentFields
	type field struct{ name, text string }
	own := []field{{"Host", "$proxy_host"}}
	if s.ProxyHttpVersion == 10 {
		own = append(own, field{"Connection", "close"})
	} else {
		own = append(own, field{"Connection", ""})
	}
	own = append(own, field{"Content-Length", "$proxy_internal_body_length"},
		field{"Transfer-Encoding", "$proxy_internal_chunked"},
		field{"TE", ""}, field{"Keep-Alive", ""}, field{"Expect", ""}, field{"Upgrade", ""},
		// nginx passes these on; they concern one connection only (RFC 9110 section 7.6.1).
		field{"Proxy-Connection", ""}, field{"HTTP2-Settings", ""}, field{"Trailer", ""})
	if storing {
		own = append(own, field{"If-Modified-Since", "$upstream_cache_last_modified"}, field{"If-Unmodified-Since", ""},
			field{"If-None-Match", "$upstream_cache_etag"}, field{"If-Match", ""}, field{"Range", ""}, field{"If-Range", ""})
	}
	for _, f := range s.ProxySetHeaders {
		sent.skip.add(f.Name)
		if httpparse.EqualFold([]byte(f.Name), []byte("Upgrade")) {
			h.sendsUpgrade = !f.Value.IsEmpty()
		}
		if f.Value.IsEmpty() {
			continue
		}
		sent.fields = append(sent.fields, proxyField{[]byte(f.Name + ": "), b.compile(f.Value)})
	}
	for _, f := range own {
		if sent.skip.has(httpparse.LookupHeader([]byte(f.name)), []byte(f.name)) {
			continue
		}
		sent.skip.add(f.name)
		if f.text == "" {
			continue
		}
		sent.fields = append(sent.fields, proxyField{[]byte(f.name + ": "), b.compile(textTemplate(f.text))})
	}
	return sent
}

// textTemplate makes a template of a variable's name or of plain text.
func textTemplate(text string) conf.Template {
	if text[0] == '$' {
		return conf.Template{Parts: []conf.Part{{Var: text[1:]}}, Source: text}
	}
	return conf.Template{Parts: []conf.Part{{Literal: text}}, Source: text}
}
