package conf

import (
	"strings"
	"time"
)

// headerRows is ngx_http_headers_module, https://nginx.org/en/docs/http/ngx_http_headers_module.html.
func headerRows() []Row {
	inherits := []named[inheritMode]{{"on", inheritOn}, {"off", inheritOff}, {"merge", inheritMerge}}
	return []Row{
		{Name: "add_header", In: inHTTPAny, Args: take23, Syntax: "name value [always]", multi: true,
			Doc: "Adds a field to responses of status 200, 201, 204, 206, 301-304, 307 and 308, or to all.",
			set: setAddHeader(core(func(s *Settings) *[]AddHeader { return &s.AddHeaders }))},
		{Name: "add_header_inherit", In: inHTTPAny, Args: Take1, Syntax: "on | off | merge", Default: "on",
			Doc: "Whether add_header of the level above holds if there is none here, never, or in addition.",
			set: setEnum(func(l *level) *inheritMode { return &l.inherit.headers }, inherits...)},
		{Name: "add_trailer", In: inHTTPAny, Args: take23, Syntax: "name value [always]", multi: true, NoEffect: true,
			Doc: "Adds a field behind the body of a chunked response.",
			set: setAddHeader(core(func(s *Settings) *[]AddHeader { return &s.AddTrailers }))},
		{Name: "add_trailer_inherit", In: inHTTPAny, Args: Take1, Syntax: "on | off | merge", NoEffect: true,
			Doc: "add_header_inherit for add_trailer.",
			set: setEnum(func(l *level) *inheritMode { return &l.inherit.trailers }, inherits...)},
		{Name: "expires", In: inHTTPAny, Args: take12, Syntax: "[modified] time | epoch | max | off", Default: "off",
			Doc: "Sets Expires and Cache-Control; @15h30m is a time of day.",
			set: setExpires},
	}
}

// inheritance is how a level takes over lists of the level above; it is itself inherited.
type inheritance struct{ headers, trailers inheritMode }

type inheritMode uint8

const (
	inheritOn inheritMode = iota
	inheritOff
	inheritMerge
)

func setAddHeader(field func(*level) *[]AddHeader) setter {
	return func(l *level, s *stmt) error {
		list := field(l)
		if l.first(s.name) {
			*list = nil
		}
		value, err := s.template(1)
		if err != nil {
			return err
		}
		h := AddHeader{Name: s.args[0], Value: value}
		if len(s.args) == 3 {
			if s.args[2] != "always" {
				return s.errorf(`invalid parameter "%s"`, s.args[2])
			}
			h.Always = true
		}
		*list = append(*list, h)
		return nil
	}
}

// mergeHeaders applies add_header_inherit and add_trailer_inherit.
func (l *level) mergeHeaders() {
	var above Settings
	if l.loc.Parent != nil {
		above = l.loc.Parent.Settings
	}
	set := l.set()
	set.AddHeaders = l.inherit.headers.join(set.AddHeaders, above.AddHeaders, l.has("add_header"))
	set.AddTrailers = l.inherit.trailers.join(set.AddTrailers, above.AddTrailers, l.has("add_trailer"))
}

// join gives the list of a level; here is its own if own is set, else what it took over.
func (m inheritMode) join(here, above []AddHeader, own bool) []AddHeader {
	switch {
	case m == inheritMerge && own:
		return append(here[:len(here):len(here)], above...)
	case m == inheritOff && !own:
		return nil
	}
	return here
}

func setExpires(l *level, s *stmt) error {
	text, modified := s.args[0], false
	if len(s.args) == 2 {
		if text != "modified" {
			return s.wrong("invalid value")
		}
		text, modified = s.args[1], true
	}
	t, err := ParseTemplate(text, s.pos)
	if err != nil {
		return err
	}
	e := Expires{Kind: ExpiresVariable, Template: t, modified: modified}
	if t.IsStatic() {
		var bad string
		if e, bad = parseExpires(text, modified); bad != "" {
			return s.wrong(bad)
		}
	}
	l.set().Expires = e
	return nil
}

// Eval gives what value, the text of an Expires of kind ExpiresVariable for one request, means. ok is false if it means
// nothing, which is the same as off.
func (e Expires) Eval(value string) (result Expires, ok bool) {
	result, bad := parseExpires(value, e.modified)
	return result, bad == ""
}

// parseExpires reads one form of expires (ngx_http_parse_expires).
func parseExpires(text string, modified bool) (e Expires, bad string) {
	const invalid = "invalid value"
	if !modified {
		switch text {
		case "off":
			return Expires{}, ""
		case "epoch":
			return Expires{Kind: ExpiresEpoch}, ""
		case "max":
			return Expires{Kind: ExpiresMax}, ""
		}
	}
	e.Kind = ExpiresAccess
	if modified {
		e.Kind = ExpiresModified
	}
	negative := false
	switch {
	case strings.HasPrefix(text, "@"):
		if modified {
			return e, "daily time cannot be used with \"modified\" parameter"
		}
		e.Kind = ExpiresDaily
		text = text[1:]
	case strings.HasPrefix(text, "+"):
		text = text[1:]
	case strings.HasPrefix(text, "-"):
		text, negative = text[1:], true
	}
	d, ok := parseTime(text, true)
	switch {
	case !ok:
		return e, invalid
	case e.Kind == ExpiresDaily && d > 24*time.Hour:
		return e, "daily time value must be less than 24 hours"
	case negative:
		d = -d
	}
	e.Delta = d
	return e, ""
}
