package conf

import (
	"fmt"
	"path/filepath"
	"slices"
)

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
	Note string // what else helps, or ""
	Late bool   // the text is in order, something it needs is missing: nginx says "syntax is ok" before this
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
		s += "; did you mean " + quoted(e.Near) + "?"
	}
	if e.Note != "" {
		s += "; " + e.Note
	}
	return s
}

// Load reads the configuration file at path with everything it includes. The error is an *Error, the first one in
// the order of reading.
func Load(path string, opt Options) (*Config, error) {
	return load(path, opt, osFiles())
}

func load(path string, opt Options, from files) (*Config, error) {
	cfg := &Config{Path: path, Prefix: opt.Prefix}
	p := &parser{files: from, dir: filepath.Dir(path)}
	list, err := p.parameter(opt.Globals)
	if err != nil {
		return nil, err
	}
	main, err := p.file(path, Pos{}, InMain, 0)
	if err != nil {
		return nil, err
	}
	cfg.Files = p.sources
	b := &builder{cfg: cfg}
	if err := b.build(append(list, main...)); err != nil {
		return nil, err
	}
	slices.SortStableFunc(cfg.Notices, func(a, b Notice) int { return int(b.Level) - int(a.Level) })
	return cfg, nil
}
