package conf

import (
	"fmt"
	"strings"
)

// IsStatic tells whether t has no variables.
func (t Template) IsStatic() bool {
	for _, p := range t.Parts {
		if p.Var != "" {
			return false
		}
	}
	return true
}

// Text gives the text of a static template; of one with variables, the text as written.
func (t Template) Text() string {
	switch {
	case len(t.Parts) == 0:
		return ""
	case len(t.Parts) == 1 && t.Parts[0].Var == "":
		return t.Parts[0].Literal
	}
	return t.Source
}

// IsEmpty tells whether t is the empty string whatever the request.
func (t Template) IsEmpty() bool { return len(t.Parts) == 0 }

// literal makes a template of one literal.
func literal(text string, pos Pos) Template {
	t := Template{Source: text, Pos: pos}
	if text != "" {
		t.Parts = []Part{{Literal: text}}
	}
	return t
}

// ParseTemplate compiles a string with variables by the rules of nginx's script compiler. The error is an *Error at pos.
func ParseTemplate(text string, pos Pos) (Template, error) {
	t, _, err := compileTemplate(text, pos)
	return t, err
}

// compileTemplate is ParseTemplate; rest is, after an error, the text from the variable that is wrong.
func compileTemplate(text string, pos Pos) (t Template, rest string, err error) {
	t = Template{Source: text, Pos: pos}
	for rest = text; rest != ""; {
		dollar := strings.IndexByte(rest, '$')
		if dollar < 0 {
			t.Parts = append(t.Parts, Part{Literal: rest})
			break
		}
		if dollar > 0 {
			t.Parts = append(t.Parts, Part{Literal: rest[:dollar]})
		}
		name, length, bad := variable(rest[dollar+1:])
		if bad != "" {
			return Template{}, rest[dollar:], errorAt(pos, "%s", bad)
		}
		t.Parts = append(t.Parts, Part{Var: name})
		rest = rest[dollar+1+length:]
	}
	return t, "", nil
}

const errVariableName = "invalid variable name"

// variable reads a variable's name at the start of s, which follows a dollar sign; length is what it takes of s.
func variable(s string) (name string, length int, err string) {
	if s != "" && s[0] >= '1' && s[0] <= '9' {
		return s[:1], 1, ""
	}
	braced := strings.HasPrefix(s, "{")
	start := 0
	if braced {
		start = 1
	}
	end := start
	for end < len(s) && (isAlnum(s[end]) || s[end] == '_') {
		end++
	}
	length = end
	if braced && end > start {
		if end == len(s) || s[end] != '}' {
			return "", 0, fmt.Sprintf("the closing bracket in %s variable is missing", quoted(s[start:end]))
		}
		length++
	}
	if end == start {
		return "", 0, errVariableName
	}
	return strings.ToLower(s[start:end]), length, ""
}

// quoted puts s into double quotes as nginx does: nothing is escaped.
func quoted(s string) string { return `"` + s + `"` }

// template compiles argument i of s.
func (s *stmt) template(i int) (Template, error) { return ParseTemplate(s.args[i], s.pos) }

// templates compiles all arguments of s.
func (s *stmt) templates() ([]Template, error) {
	list := make([]Template, 0, len(s.args))
	for i := range s.args {
		t, err := s.template(i)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}
