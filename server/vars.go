package server

import (
	"strings"

	"seawall/conf"
	"seawall/httpparse"
)

// variables are those with a fixed name. See vars_*.go for what they give;
// nginx's documentation (https://nginx.org/en/docs/varindex.html) for what
// they mean.
var variables = allVariables()

// prefixed are the families of variables, by prefix: the rest of the name is
// a field, an argument or a cookie.
var prefixed = []struct {
	prefix string
	make   func(name string) getter
}{
	{"http_", requestField},
	{"sent_http_", sentField},
	{"arg_", argument},
	{"cookie_", cookie},
	{"upstream_http_", upstreamField},
	{"upstream_cookie_", upstreamCookie},
	{"upstream_trailer_", noTrailer},
	{"sent_trailer_", noTrailer},
}

// fixedForHit are variables that have the same value in every answer from one
// stored response by one location.
var fixedForHit = map[string]bool{
	"upstream_cache_status": true, "server_name": true, "scheme": true, "pid": true, "hostname": true,
	"nginx_version": true, "proxy_port": true, "status": true,
}

// oneLine are variables, beside plainVariables, that cannot hold what ends a
// field's line: of our own making, or fields and host names, which the parser
// has looked at.
var oneLine = map[string]bool{
	"host": true, "server_name": true, "request_method": true, "server_protocol": true, "hostname": true, "nginx_version": true,
	"proxy_add_x_forwarded_for": true, "proxy_internal_body_length": true, "proxy_internal_chunked": true,
	"upstream_cache_last_modified": true, "upstream_cache_etag": true,
}

// variable binds a variable's name. ok is false for an unknown one.
func (b *builder) variable(name string) (valuePart, bool) {
	if g := variables[name]; g != nil {
		return valuePart{get: g, fixedForHit: fixedForHit[name], oneLine: oneLine[name] || plainVariables[name]}, true
	}
	if len(name) == 1 && '1' <= name[0] && name[0] <= '9' {
		return valuePart{get: numberedGroup(int(name[0] - '0'))}, true
	}
	for _, p := range prefixed {
		if rest, ok := strings.CutPrefix(name, p.prefix); ok && rest != "" {
			return valuePart{get: p.make(rest)}, true
		}
	}
	if _, ok := b.captures[name]; ok {
		return valuePart{get: namedGroup(name)}, true
	}
	return valuePart{}, false
}

// nearestVariable is the known name that a wrong one probably means, "" without.
func nearestVariable(name string) string {
	names := make([]string, 0, len(variables))
	for n := range variables {
		names = append(names, n)
	}
	return conf.Nearest(name, names)
}

// dashed turns a variable's "user_agent" into the field's "user-agent".
func dashed(name string) []byte { return []byte(strings.ReplaceAll(strings.ToLower(name), "_", "-")) }

func requestField(name string) getter {
	field := dashed(name)
	if id := httpparse.LookupHeader(field); id != httpparse.HeaderUnknown && id != httpparse.HeaderCookie && id != httpparse.HeaderXForwardedFor {
		return func(r *Request, dst []byte) ([]byte, bool) {
			if !r.head.Has(id) {
				return dst, false
			}
			return joinFields(dst, r.raw, r.head.Fields, field, ", ")
		}
	}
	separator := ", "
	if string(field) == "cookie" {
		separator = "; "
	}
	return func(r *Request, dst []byte) ([]byte, bool) {
		return joinFields(dst, r.raw, r.head.Fields, field, separator)
	}
}

// namesField tells whether a variable's name, dashed, is that of a field: in
// any case, and an underscore of the field's counts as a dash.
func namesField(name, field []byte) bool {
	for i, c := range field {
		switch {
		case c == '_':
			c = '-'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// joinFields appends the values of all fields called name: as current nginx,
// several are joined.
func joinFields(dst, raw []byte, fields []httpparse.Field, name []byte, separator string) ([]byte, bool) {
	found := false
	for i := range fields {
		f := &fields[i]
		if int(f.Name.Len) != len(name) || !namesField(name, f.Name.In(raw)) {
			continue
		}
		if found {
			dst = append(dst, separator...)
		}
		found = true
		dst = append(dst, f.Value.In(raw)...)
	}
	return dst, found
}

func upstreamField(name string) getter {
	field := dashed(name)
	return func(r *Request, dst []byte) ([]byte, bool) {
		if r.ex == nil {
			return dst, false
		}
		return joinFields(dst, r.ex.reply, r.ex.fields, field, ", ")
	}
}

// noTrailer is a trailer field: trailers are read over and not sent, so there never is one.
func noTrailer(string) getter {
	return func(_ *Request, dst []byte) ([]byte, bool) { return dst, false }
}

func upstreamCookie(name string) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		if r.ex == nil {
			return dst, false
		}
		for i := range r.ex.fields {
			f := &r.ex.fields[i]
			if f.ID != httpparse.HeaderSetCookie {
				continue
			}
			v := f.Value.In(r.ex.reply)
			if len(v) > len(name) && v[len(name)] == '=' && strings.EqualFold(string(v[:len(name)]), name) {
				v = v[len(name)+1:]
				for k, c := range v {
					if c == ';' {
						v = v[:k]
						break
					}
				}
				return append(dst, v...), true
			}
		}
		return dst, false
	}
}

func sentField(name string) getter {
	field := dashed(name)
	switch httpparse.LookupHeader(field) {
	case httpparse.HeaderContentType:
		return func(r *Request, dst []byte) ([]byte, bool) {
			return append(dst, r.resp.contentType...), r.resp.contentType != nil
		}
	case httpparse.HeaderContentLength:
		return func(r *Request, dst []byte) ([]byte, bool) {
			if r.resp.length < 0 {
				return dst, false
			}
			return appendInt(dst, r.resp.length), true
		}
	case httpparse.HeaderLastModified:
		return func(r *Request, dst []byte) ([]byte, bool) {
			if r.resp.lastModified >= 0 && !r.resp.lastModListed {
				return httpparse.AppendDate(dst, r.resp.lastModified), true
			}
			return joinOut(dst, r.resp.fields, field)
		}
	case httpparse.HeaderConnection:
		return func(r *Request, dst []byte) ([]byte, bool) {
			switch {
			case r.resp.upgraded:
				return append(dst, "upgrade"...), true
			case r.keepalive:
				return append(dst, "keep-alive"...), true
			}
			return append(dst, "close"...), true
		}
	case httpparse.HeaderTransferEncoding:
		return func(r *Request, dst []byte) ([]byte, bool) {
			if !r.resp.chunked {
				return dst, false
			}
			return append(dst, "chunked"...), true
		}
	case httpparse.HeaderKeepAlive:
		return func(r *Request, dst []byte) ([]byte, bool) {
			s := r.loc.set.KeepaliveHeader
			if !r.keepalive || s == 0 {
				return dst, false
			}
			return appendInt(append(dst, "timeout="...), int64(s.Seconds())), true
		}
	}
	return func(r *Request, dst []byte) ([]byte, bool) { return joinOut(dst, r.resp.fields, field) }
}

// joinOut is joinFields for the response to the client.
func joinOut(dst []byte, fields []outField, name []byte) ([]byte, bool) {
	found := false
	for i := range fields {
		f := &fields[i]
		if len(f.name) != len(name) || !httpparse.EqualFold(f.name, name) {
			continue
		}
		if found {
			dst = append(dst, ", "...)
		}
		found = true
		dst = append(dst, f.value...)
	}
	return dst, found
}

// argument is $arg_name: the first argument of that name, in any case.
func argument(name string) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		args := r.args
		for len(args) > 0 {
			end := indexByteOr(args, '&', len(args))
			if one := args[:end]; len(one) > len(name) && one[len(name)] == '=' && strings.EqualFold(string(one[:len(name)]), name) {
				return append(dst, one[len(name)+1:]...), true
			}
			args = args[min(end+1, len(args)):]
		}
		return dst, false
	}
}

// cookie is $cookie_name.
func cookie(name string) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		for i := range r.head.Fields {
			if r.head.Fields[i].ID != httpparse.HeaderCookie {
				continue
			}
			v := r.head.Fields[i].Value.In(r.raw)
			for len(v) > 0 {
				for len(v) > 0 && (v[0] == ' ' || v[0] == ';') {
					v = v[1:]
				}
				end := indexByteOr(v, ';', len(v))
				if one := v[:end]; len(one) > len(name) && one[len(name)] == '=' && strings.EqualFold(string(one[:len(name)]), name) {
					return append(dst, one[len(name)+1:]...), true
				}
				v = v[end:]
			}
		}
		return dst, false
	}
}

func indexByteOr(b []byte, c byte, otherwise int) int {
	for i := range b {
		if b[i] == c {
			return i
		}
	}
	return otherwise
}

// numberedGroup is $1 to $9.
func numberedGroup(n int) getter {
	return func(r *Request, dst []byte) ([]byte, bool) { return appendGroup(dst, r.captured, r.captures, n) }
}

// namedGroup is a group of the last regular expression that has it: a
// location's or, failing that, a server_name's.
func namedGroup(name string) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		if r.capturesOf != nil {
			if i := groupIndex(r.capturesOf.SubexpNames(), name); i > 0 {
				return appendGroup(dst, r.captured, r.captures, i)
			}
		}
		if r.nameRegex != nil {
			if i := groupIndex(r.nameRegex.SubexpNames(), name); i > 0 {
				return appendGroup(dst, r.host, r.nameMatch, i)
			}
		}
		return dst, false
	}
}

func groupIndex(names []string, name string) int {
	for i, n := range names {
		if strings.EqualFold(n, name) && n != "" {
			return i
		}
	}
	return -1
}

func appendGroup(dst, subject []byte, groups []int, n int) ([]byte, bool) {
	if 2*n+1 >= len(groups) || groups[2*n] < 0 || groups[2*n+1] > len(subject) {
		return dst, false
	}
	return append(dst, subject[groups[2*n]:groups[2*n+1]]...), true
}
