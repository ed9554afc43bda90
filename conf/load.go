package conf

import "fmt"

// Options are the command line's part in a configuration.
type Options struct {
	Prefix  string // -p: what relative run-time paths (logs, pid, temporary files) are joined to; "": the working directory
	Globals string // -g: directives read before the file, on the main level
}

// Error is a configuration error. Error() gives nginx's text without "[emerg]", then the nearest known name if there is
// one.
type Error struct {
	File string // "" if the error belongs to no place
	Line int    // 0 if it belongs to a file as a whole
	Text string
	Near string // nearest known name, "" if none is near
}

// Error gives the text as `unknown directive "proxy_pas" in /etc/x.conf:12; did you mean "proxy_pass"?`.
func (e *Error) Error() string {
	s := e.Text
	switch {
	case e.Line != 0:
		s = fmt.Sprintf("%s in %s:%d", s, e.File, e.Line)
	case e.File != "":
		s += " in " + e.File
	}
	if e.Near != "" {
		s += fmt.Sprintf("; did you mean %q?", e.Near)
	}
	return s
}

// Load reads the configuration file at path with everything it includes. The error is an *Error, the first one in
// the order of reading.
func Load(path string, opt Options) (*Config, error) {
	panic("conf: being built")
}

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
