package server

import (
	"strings"

	"seawall/conf"
)

// A getter appends a variable's value for r to dst. ok is false where the
// request has no such value, which a log line shows as "-".
// It must not allocate: it runs on the way of every request.
type getter func(r *Request, dst []byte) (out []byte, ok bool)

// value is a configuration string with its variables bound, ready to be
// evaluated for any number of requests. It is immutable; the zero value is
// the empty string.
type value struct {
	static  []byte      // the whole value, when parts is nil
	parts   []valuePart // literals and variables in order
	oneLine bool        // gives neither CR, LF nor NUL, or is the user's own text
}

type valuePart struct {
	literal     []byte
	get         getter // nil for a literal
	fixedForHit bool   // the same in every answer from one stored response
	oneLine     bool   // gives neither CR, LF nor NUL
}

// isStatic tells whether v is the same for every request.
func (v *value) isStatic() bool { return v.parts == nil }

// append evaluates v for r behind dst.
func (v *value) append(r *Request, dst []byte) []byte {
	if v.parts == nil {
		return append(dst, v.static...)
	}
	for i := range v.parts {
		if p := &v.parts[i]; p.get == nil {
			dst = append(dst, p.literal...)
		} else {
			dst, _ = p.get(r, dst)
		}
	}
	return dst
}

// eval evaluates v into memory that lives as long as the request.
func (v *value) eval(r *Request) []byte {
	if v.parts == nil {
		return v.static
	}
	from := len(r.arena)
	r.arena = v.append(r, r.arena)
	return r.arena[from:len(r.arena):len(r.arena)]
}

// blankControls replaces in b what would end a field's line by blanks: a
// variable such as $uri may hold anything, once decoded (RFC 9110 section 5.5).
func blankControls(b []byte) {
	for i, c := range b {
		if c == '\r' || c == '\n' || c == 0 {
			b[i] = ' '
		}
	}
}

// escapeControls gives u, part of a URL, with blanks and control characters
// escaped: u itself when there are none.
func escapeControls(u []byte) []byte {
	const hex = "0123456789ABCDEF"
	for i, c := range u {
		if c > ' ' && c != 0x7f {
			continue
		}
		out := append(make([]byte, 0, len(u)+16), u[:i]...)
		for _, c := range u[i:] {
			if c > ' ' && c != 0x7f {
				out = append(out, c)
			} else {
				out = append(out, '%', hex[c>>4], hex[c&15])
			}
		}
		return out
	}
	return u
}

// truthy tells whether the value is neither empty nor "0": nginx's test in
// proxy_cache_bypass, proxy_no_cache and if=.
func (v *value) truthy(r *Request) bool {
	b := v.eval(r)
	return len(b) > 0 && !(len(b) == 1 && b[0] == '0')
}

// anyTruthy tells whether one of vs is truthy.
func anyTruthy(r *Request, vs []value) bool {
	for i := range vs {
		if vs[i].truthy(r) {
			return true
		}
	}
	return false
}

// compile binds the variables of t. An unknown one is an error with t's position.
func (b *builder) compile(t conf.Template) value {
	if t.IsStatic() {
		var s []byte
		for _, p := range t.Parts {
			s = append(s, p.Literal...)
		}
		return value{static: s, oneLine: true}
	}
	v := value{parts: make([]valuePart, 0, len(t.Parts)), oneLine: true}
	for _, p := range t.Parts {
		if p.Var == "" {
			v.parts = append(v.parts, valuePart{literal: []byte(p.Literal)})
			v.oneLine = v.oneLine && !strings.ContainsAny(p.Literal, "\r\n\x00")
			continue
		}
		part, ok := b.variable(p.Var)
		if !ok {
			b.failNear(t.Pos, nearestVariable(p.Var), "unknown %q variable", p.Var)
			continue
		}
		v.parts = append(v.parts, part)
		v.oneLine = v.oneLine && part.oneLine
	}
	return v
}

// compileAll binds a list of templates.
func (b *builder) compileAll(ts []conf.Template) []value {
	if len(ts) == 0 {
		return nil
	}
	vs := make([]value, len(ts))
	for i, t := range ts {
		vs[i] = b.compile(t)
	}
	return vs
}
