package conf

import (
	"regexp"
	"strings"
)

// locationBlock builds a location with everything in it (ngx_http_core_location).
func (l *level) locationBlock(s *stmt) error {
	loc := &Location{Pos: s.pos}
	if err := loc.name(s); err != nil {
		return err
	}
	if l.in == InLocation {
		if err := loc.nests(l.loc, s); err != nil {
			return err
		}
	}
	// Two regular expressions alike are no error: the second is merely never reached. nginx does not compare names.
	if loc.Kind == Prefix || loc.Kind == PrefixNoRegex || loc.Kind == Exact {
		for _, other := range l.loc.Locations {
			if other.Pattern == loc.Pattern && other.isPrefix() == loc.isPrefix() && other.isText() {
				return s.errorf(`duplicate location "%s"`, loc.Pattern)
			}
		}
	}
	in := l.child(InLocation, loc)
	if err := in.httpLevel(s); err != nil {
		return err
	}
	l.loc.Locations = append(l.loc.Locations, loc)
	if loc.isPrefix() || loc.Kind == Exact {
		loc.AutoRedirect = loc.ProxyPass != nil && strings.HasSuffix(loc.Pattern, "/")
	}
	return in.innerLocations(s)
}

// innerLocations builds the blocks within a server or location.
func (l *level) innerLocations(s *stmt) error {
	if err := blocks(s.block, "limit_except", l.limitExcept); err != nil {
		return err
	}
	return blocks(s.block, "location", l.locationBlock)
}

func (loc *Location) isPrefix() bool { return loc.Kind == Prefix || loc.Kind == PrefixNoRegex }

// isText tells whether the pattern is compared as text with a path.
func (loc *Location) isText() bool { return loc.isPrefix() || loc.Kind == Exact }

// name sets kind and pattern from the arguments, which may be glued together ("=/a", "~*re").
func (loc *Location) name(s *stmt) error {
	modifier, pattern := "", s.args[0]
	if len(s.args) == 2 {
		modifier, pattern = s.args[0], s.args[1]
	} else {
		for _, m := range []string{"=", "^~", "~*", "~"} {
			if rest, ok := strings.CutPrefix(pattern, m); ok {
				modifier, pattern = m, rest
				break
			}
		}
	}
	loc.Pattern = pattern
	switch modifier {
	case "":
		loc.Kind = Prefix
		if len(s.args) == 1 && strings.HasPrefix(pattern, "@") {
			loc.Kind = Named
		}
	case "=":
		loc.Kind = Exact
	case "^~":
		loc.Kind = PrefixNoRegex
	case "~", "~*":
		loc.Kind = Regex
		if modifier == "~*" {
			loc.Kind = RegexFold
		}
		var err error
		loc.Regexp, err = compile(s, pattern, loc.Kind == RegexFold)
		return err
	default:
		return s.errorf(`invalid location modifier "%s"`, modifier)
	}
	return nil
}

// nests checks that loc may stand in outer.
func (loc *Location) nests(outer *Location, s *stmt) error {
	switch {
	case outer.Pattern == "": // nginx knows a nested location by the outer one's name
		return nil
	case outer.Kind == Exact:
		return s.errorf(`location "%s" cannot be inside the exact location "%s"`, loc.Pattern, outer.Pattern)
	case outer.Kind == Named:
		return s.errorf(`location "%s" cannot be inside the named location "%s"`, loc.Pattern, outer.Pattern)
	case loc.Kind == Named:
		return s.errorf(`named location "%s" can be on the server level only`, loc.Pattern)
	case loc.Regexp == nil && !strings.HasPrefix(loc.Pattern, outer.Pattern):
		return s.errorf(`location "%s" is outside location "%s"`, loc.Pattern, outer.Pattern)
	}
	return nil
}

// compile compiles a regular expression of a configuration. Go's engine (RE2) runs in linear time whatever the client
// sends, at the price of lookaround and backreferences, which are an error here.
func compile(s *stmt, pattern string, fold bool) (*regexp.Regexp, error) {
	expr := pattern
	if fold {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		if fold {
			why = strings.Replace(why, "`(?i)", "`", 1)
		}
		return nil, s.errorf(`invalid regular expression "%s": %s`, pattern, why)
	}
	return re, nil
}

// limitExcept builds a limit_except block.
func (l *level) limitExcept(s *stmt) error {
	if l.loc.LimitExcept != nil {
		return s.wrong("is duplicate")
	}
	le := &LimitExcept{Location: &Location{Pos: s.pos}}
	for _, m := range s.args {
		m = strings.ToUpper(m) // nginx compares without regard to case
		if !limitableMethods[m] {
			return s.errorf(`invalid method "%s"`, s.args[len(le.Methods)])
		}
		le.Methods = append(le.Methods, m)
	}
	for _, m := range le.Methods {
		if m == "GET" {
			le.Methods = append(le.Methods, "HEAD")
			break
		}
	}
	if err := l.child(InLimitExcept, le.Location).httpLevel(s); err != nil {
		return err
	}
	l.loc.LimitExcept = le
	return nil
}

// limitableMethods are those limit_except knows (https://nginx.org/r/limit_except).
var limitableMethods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true, "MKCOL": true, "COPY": true, "MOVE": true,
	"OPTIONS": true, "PROPFIND": true, "PROPPATCH": true, "LOCK": true, "UNLOCK": true, "PATCH": true,
}

// types reads the types blocks of a level: one or more replace what was inherited.
func (l *level) types(list []*stmt) error {
	var types map[string]string
	err := blocks(list, "types", func(block *stmt) error {
		if types == nil {
			types = make(map[string]string)
		}
		for _, s := range block.block {
			for _, ext := range s.args {
				ext = strings.ToLower(ext)
				if old, ok := types[ext]; ok {
					l.b.warn(s.pos, `duplicate extension "%s", content type: "%s", previous content type: "%s"`, ext, s.name, old)
				}
				types[ext] = s.name
			}
		}
		return nil
	})
	if types != nil {
		l.set().Types = types
	}
	return err
}

func defaultTypes() map[string]string {
	return map[string]string{"html": "text/html", "gif": "image/gif", "jpg": "image/jpeg"}
}
