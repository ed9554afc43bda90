package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// stmt is a directive as written, checked for name, place and number of arguments, includes already in their place.
type stmt struct {
	row   *Row // nil for a line of types
	name  string
	args  []string
	pos   Pos // the line its ";" or "{" is on, as nginx counts
	end   Pos // of a block: the line of its "}"
	block []*stmt
	seq   int // order of reading
}

// errorf makes an error at s.
func (s *stmt) errorf(format string, args ...any) error {
	return errorAt(s.pos, format, args...)
}

// wrong makes nginx's error for an argument that a plain setter refuses: `"name" directive what`.
func (s *stmt) wrong(what string) error {
	return s.errorf(`"%s" directive %s`, s.name, what)
}

func errorAt(pos Pos, format string, args ...any) *Error {
	return &Error{File: pos.File, Line: pos.Line, Text: fmt.Sprintf(format, args...)}
}

const (
	maxDepth    = 100       // blocks within blocks
	maxFileSize = 256 << 20 // bytes
	maxIncludes = 10000     // files read, one read twice counted twice
)

// files is where configuration files come from; tests put their own in.
type files struct {
	read func(path string) ([]byte, error)
	glob func(pattern string) []string
}

func osFiles() files {
	return files{read: readFile, glob: func(pattern string) []string {
		// A malformed pattern matches nothing, as with glob(3).
		names, _ := filepath.Glob(pattern)
		return names
	}}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = syscall.EFBIG
	}
	return text, err
}

// parser turns files into statements.
type parser struct {
	files
	dir     string // what relative includes are joined to
	sources []SourceFile
	stack   []string // files being read, the main one first
	opened  int
	seq     int
}

// file parses one file in a context. from is the include, the zero Pos for the main file.
func (p *parser) file(path string, from Pos, in Context, depth int) ([]*stmt, error) {
	if slices.Contains(p.stack, path) {
		return nil, errorAt(from, `file "%s" includes itself`, path)
	}
	if p.opened++; p.opened > maxIncludes {
		return nil, errorAt(from, "more than %d files are included", maxIncludes)
	}
	text, err := p.read(path)
	if err != nil {
		return nil, openError(path, from, err)
	}
	if !slices.ContainsFunc(p.sources, func(s SourceFile) bool { return s.Path == path }) {
		p.sources = append(p.sources, SourceFile{Path: path, Text: text})
	}
	p.stack = append(p.stack, path)
	defer func() { p.stack = p.stack[:len(p.stack)-1] }()
	r := &reader{parser: p, tokens: lex(text), name: path}
	return r.block(in, depth, false)
}

// openError words err as nginx does.
func openError(path string, from Pos, err error) *Error {
	what := err.Error()
	var errno syscall.Errno
	call := "open()"
	if errors.As(err, &errno) {
		what = fmt.Sprintf("%d: %s", int(errno), sentence(errno.Error()))
		var pe *fs.PathError
		if errors.As(err, &pe) && pe.Op == "read" {
			call = "pread()"
		}
	}
	return errorAt(from, `%s "%s" failed (%s)`, call, path, what)
}

// sentence gives Go's lower-case text of a system error the C library's capital letter.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// parameter parses the text of -g.
func (p *parser) parameter(text string) ([]*stmt, error) {
	r := &reader{parser: p, tokens: lex([]byte(text)), name: commandLine}
	return r.block(InMain, 0, false)
}

const commandLine = "command line"

// reader parses the tokens of one file.
type reader struct {
	*parser
	tokens []token
	name   string // of the file
}

func (r *reader) next() token {
	t := r.tokens[0]
	if len(r.tokens) > 1 {
		r.tokens = r.tokens[1:]
	}
	return t
}

func (r *reader) pos(t token) Pos {
	if r.name == commandLine {
		return Pos{File: r.name}
	}
	return Pos{File: r.name, Line: t.line}
}

// block parses statements up to the closing brace, or up to the end of the file if inner is false.
func (r *reader) block(in Context, depth int, inner bool) ([]*stmt, error) {
	var list []*stmt
	for {
		words, term, err := r.words(inner)
		if err != nil {
			return nil, err
		}
		if len(words) == 0 {
			return list, nil
		}
		s := &stmt{name: words[0], args: words[1:], pos: r.pos(term), seq: r.seq}
		r.seq++
		if err := s.check(in, term.kind); err != nil {
			return nil, err
		}
		switch {
		case s.name == "include":
			included, err := r.include(s, in, depth)
			if err != nil {
				return nil, err
			}
			list = append(list, included...)
			continue
		case term.kind == tokenOpen:
			if depth >= maxDepth {
				return nil, s.errorf("blocks are nested more than %d deep", maxDepth)
			}
			if s.block, err = r.block(innerContext(s.name), depth+1, true); err != nil {
				return nil, err
			}
			s.end = r.pos(r.next()) // words left the brace for us
		}
		list = append(list, s)
	}
}

// words reads one statement: its words and what ended it, no words at the end of a block (whose brace it leaves) or file.
func (r *reader) words(inner bool) (words []string, term token, err error) {
	for {
		t := r.tokens[0]
		var text string
		switch t.kind {
		case tokenWord:
			words = append(words, t.text)
			r.next()
			continue
		case tokenSemicolon, tokenOpen:
			if len(words) > 0 {
				return words, r.next(), nil
			}
			text = `unexpected ";"`
			if t.kind == tokenOpen {
				text = `unexpected "{"`
			}
		case tokenClose:
			if inner && len(words) == 0 {
				return nil, t, nil
			}
			text = `unexpected "}"`
		case tokenError:
			text = t.text
		case tokenEnd:
			switch {
			case len(words) > 0 && r.name == commandLine:
				text = `unexpected end of parameter, expecting ";"`
			case len(words) > 0:
				text = `unexpected end of file, expecting ";" or "}"`
			case inner:
				text = `unexpected end of file, expecting "}"`
			default:
				return nil, t, nil
			}
		}
		return nil, t, errorAt(r.pos(t), "%s", text)
	}
}

// check finds the row of s and makes the checks of ngx_conf_handler, in its order.
func (s *stmt) check(in Context, term tokenKind) error {
	if in == inTypes {
		switch {
		case term == tokenOpen:
			return s.errorf(`unexpected "{"`)
		case s.name == "include" && len(s.args) != 1:
			return s.errorf(`invalid number of arguments in "include" directive`)
		}
		return nil
	}
	row, known := lookup(s.name, in)
	switch {
	case row == nil && known:
		return s.errorf(`"%s" directive is not allowed here`, s.name)
	case row == nil:
		e := errorAt(s.pos, `unknown directive "%s"`, s.name)
		e.Near, e.Note = hint(s.name, in)
		return e
	case row.Args&Block == 0 && term == tokenOpen:
		return s.errorf(`directive "%s" is not terminated by ";"`, s.name)
	case row.Args&Block != 0 && term == tokenSemicolon:
		return s.errorf(`directive "%s" has no opening "{"`, s.name)
	case !row.Args.allows(len(s.args)):
		return s.errorf(`invalid number of arguments in "%s" directive`, s.name)
	}
	s.row = row
	return nil
}

func innerContext(block string) Context {
	switch block {
	case "events":
		return InEvents
	case "http":
		return InHTTP
	case "server":
		return InServer
	case "location":
		return InLocation
	case "limit_except":
		return InLimitExcept
	case "upstream":
		return InUpstream
	}
	return inTypes
}

// include parses the files an include directive names, in the order of their names.
func (r *reader) include(s *stmt, in Context, depth int) ([]*stmt, error) {
	path := s.args[0]
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	names := []string{path}
	if strings.ContainsAny(path, "*?[") {
		names = r.glob(path)
		if !strings.HasPrefix(filepath.Base(path), ".") { // glob(3) shows hidden files only to a pattern with a dot
			names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(filepath.Base(n), ".") })
		}
		slices.Sort(names)
	}
	var list []*stmt
	for _, name := range names {
		included, err := r.file(name, s.pos, in, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, included...)
	}
	return list, nil
}
