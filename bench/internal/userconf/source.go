//go:build linux

package userconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is a user's configuration as it was read: nothing in it changes afterwards.
type source struct {
	given  string // the main file as it was named on the command line
	main   string // its absolute path
	prefix string // what nginx joins other relative paths to
	files  map[string]*file
	order  []string // paths, in the order of reading
}

// file is one file of a configuration. A file that is included twice is one file.
type file struct {
	path       string
	text       []byte
	statements []*statement
}

// place is a statement with what is around it.
type place struct {
	*statement
	file   *file
	around []*statement // enclosing blocks, those of including files too, outermost first
}

// in names the block that a statement stands in; "" is the main level.
func (p place) in() string { return p.up(1) }

// up names the block n levels above a statement.
func (p place) up(n int) string {
	if n > len(p.around) {
		return ""
	}
	return p.around[len(p.around)-n].name()
}

const (
	maxDepth  = 100          // of includes and blocks: a file that includes itself ends there
	maxBytes  = 64 << 20     // of one file
	systemDir = "/etc/nginx" // where files are looked for that many configurations include and few bring along
)

// readSource reads a configuration with everything that it includes.
func readSource(given, prefix string) (*source, error) {
	path, err := filepath.Abs(given)
	if err != nil {
		return nil, err
	}
	src := &source{given: given, main: path, prefix: prefix, files: map[string]*file{}}
	if err := src.read(path, 0); err != nil {
		return nil, err
	}
	return src, nil
}

func (src *source) read(path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: includes are nested more than %d deep: does a file include itself?", src.shown(path), maxDepth)
	}
	f := src.files[path]
	if f == nil {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || info.Size() > maxBytes {
			return fmt.Errorf("%s is no file of a configuration", src.shown(path))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f = &file{path: path, text: text}
		if f.statements, err = parse(text); err != nil {
			return fmt.Errorf("%s: %w", src.shown(path), err)
		}
		src.files[path] = f
		src.order = append(src.order, path)
	}
	return src.readIncludes(f.statements, depth)
}

func (src *source) readIncludes(list []*statement, depth int) error {
	for _, s := range list {
		if err := src.readIncludes(s.block, depth); err != nil {
			return err
		}
		for _, path := range src.included(s) {
			if err := src.read(path, depth+1); err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					continue // nginx says so in its own words
				}
				return err
			}
		}
	}
	return nil
}

// pattern is the absolute path or glob of an include. A plain file that is not beside the main one is taken from
// /etc/nginx: mime.types is seldom copied along with an nginx.conf.
func (src *source) pattern(s *statement) string {
	name := s.arg(0)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	path := filepath.Join(filepath.Dir(src.main), name)
	if !isGlob(name) {
		if _, err := os.Stat(path); err != nil {
			if system := filepath.Join(systemDir, name); isFile(system) {
				return system
			}
		}
	}
	return path
}

// included are the files that a statement includes, in nginx's order.
func (src *source) included(s *statement) []string {
	if s.name() != "include" || s.isBlock || len(s.words) != 2 {
		return nil
	}
	pattern := src.pattern(s)
	if !isGlob(pattern) {
		return []string{pattern}
	}
	paths, _ := filepath.Glob(pattern) // a malformed pattern matches nothing, as with glob(3)
	paths = slices.DeleteFunc(paths, func(p string) bool {
		return !isFile(p) || strings.HasPrefix(filepath.Base(p), ".") && !strings.HasPrefix(filepath.Base(pattern), ".")
	})
	slices.Sort(paths)
	return paths
}

func isGlob(path string) bool { return strings.ContainsAny(path, "*?[") }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// each calls do for every statement in the order of reading, included ones in the place of their include, as often as
// they are included. What is in a block follows the block if do says so.
func (src *source) each(do func(place) bool) {
	src.walk(src.files[src.main], src.files[src.main].statements, nil, 0, do)
}

// inside does the same for what is in one block.
func (src *source) inside(p place, do func(place) bool) {
	around := append(slices.Clip(p.around), p.statement)
	src.walk(p.file, p.block, around, len(around), do)
}

func (src *source) walk(f *file, list []*statement, around []*statement, depth int, do func(place) bool) {
	if depth > maxDepth {
		return
	}
	for _, s := range list {
		if !do(place{s, f, around}) {
			continue
		}
		if s.isBlock {
			src.walk(f, s.block, append(slices.Clip(around), s), depth+1, do)
		}
		for _, path := range src.included(s) {
			if g := src.files[path]; g != nil {
				src.walk(g, g.statements, around, depth+1, do)
			}
		}
	}
}

// shown is a path as the user would write it: relative to where FILE was named from when FILE was.
func (src *source) shown(path string) string {
	if filepath.IsAbs(src.given) {
		return path
	}
	if rel, err := filepath.Rel(filepath.Dir(src.main), path); err == nil && !strings.HasPrefix(rel, "..") {
		return filepath.Join(filepath.Dir(src.given), rel)
	}
	return path
}

// isMap tells whether the lines of a block are no directives.
func isMap(block string) bool {
	switch block {
	case "types", "map", "geo", "split_clients", "charset_map":
		return true
	}
	return false
}

// builtPrefix is the prefix that nginx was built with.
func builtPrefix(nginx string) (string, error) {
	out, err := exec.Command(nginx, "-V").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -V: %w", nginx, err)
	}
	for option := range strings.FieldsSeq(string(out)) {
		if prefix, ok := strings.CutPrefix(option, "--prefix="); ok {
			return prefix, nil
		}
	}
	return "/usr/local/nginx", nil
}
