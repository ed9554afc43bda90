//go:build linux

package userconf

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// lack is one place of the user's configuration that Seawall refuses.
type lack struct {
	where   place
	message string // Seawall's, without the place
	outcome string // what is left out for it, when that is more or less than the directive
	follows *lack  // only refused because of this one
	module  bool   // load_module: means nothing by itself
}

// text gives `nginx.conf:12: directive "ssl_certificate": ...`.
func (k *lack) text(src *source) string {
	s := fmt.Sprintf("%s:%d: directive %q: ", src.shown(k.where.file.path), k.where.line, k.where.name())
	switch {
	case k.follows != nil:
		return s + fmt.Sprintf("falls with line %d of %s (%s)", k.follows.where.line, src.shown(k.follows.where.file.path), k.message)
	case k.module:
		return s + "nginx alone loads modules; what needs this one is listed where it is used"
	case strings.HasPrefix(k.message, "unknown directive"):
		s += "Seawall does not have it"
	default:
		s += k.message
	}
	if k.outcome != "" {
		s += " (" + k.outcome + ")"
	}
	return s
}

const mostAlike = 4 // places in one file with the same directive and the same message that are listed one by one

// lines are the texts of all, with what is repeated over and over (fastcgi_param) told in one line.
func lines(all []*lack, src *source) []string {
	type kind struct{ path, name, message, outcome string }
	of := func(k *lack) kind { return kind{k.where.file.path, k.where.name(), k.message, k.outcome} }
	places := map[kind][]int{}
	for _, k := range all {
		places[of(k)] = append(places[of(k)], k.where.line)
	}
	var list []string
	said := map[kind]int{}
	for _, k := range all {
		where := places[of(k)]
		said[of(k)]++
		switch n := said[of(k)]; {
		case len(where) <= mostAlike || n < mostAlike:
			list = append(list, k.text(src))
		case n == mostAlike:
			list = append(list, fmt.Sprintf("%s, and the same %d times more up to line %d", k.text(src), len(where)-n, where[len(where)-1]))
		}
	}
	return list
}

const maxTries = 2000 // runs of seawall -t: more places than that and nothing is left to compare

// findLacking leaves out of the layout what Seawall refuses, until it takes the rest. seawall -t stops at the first error,
// hence the many runs; each takes some milliseconds.
func findLacking(ctx context.Context, seawall string, src *source, l *layout) ([]*lack, error) {
	var found []*lack
	for range maxTries {
		if err := l.write(src); err != nil {
			return nil, err
		}
		message, ok, err := check(ctx, seawall, src, l)
		if err != nil || ok {
			slices.SortStableFunc(found, func(a, b *lack) int {
				return cmp.Or(cmp.Compare(slices.Index(src.order, a.where.file.path), slices.Index(src.order, b.where.file.path)),
					cmp.Compare(a.where.start, b.where.start))
			})
			return found, err
		}
		more, err := blame(src, l, message, found)
		if err != nil {
			return found, err
		}
		found = append(found, more...)
	}
	return found, fmt.Errorf("after %d directives were left out Seawall still refuses the configuration", maxTries)
}

// check runs a server's -t; message is its last error.
func check(ctx context.Context, program string, src *source, l *layout) (message string, ok bool, err error) {
	cmd := exec.CommandContext(ctx, program, "-t", "-q", "-p", prefixFlag(src), "-e", filepath.Join(l.dir, "early.log"), "-c", l.mainFile(src))
	cmd.Dir = l.dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", true, nil
	}
	if ctx.Err() != nil {
		return "", false, context.Cause(ctx)
	}
	if _, isExit := err.(*exec.ExitError); !isExit {
		return "", false, err
	}
	for line := range strings.Lines(string(out)) {
		if _, text, found := strings.Cut(strings.TrimSpace(line), "[emerg] "); found {
			message = text
		}
	}
	if message == "" {
		message = strings.TrimSpace(string(out))
	}
	return message, false, nil
}

// prefixFlag ends in a slash, which nginx wants.
func prefixFlag(src *source) string { return strings.TrimSuffix(src.prefix, "/") + "/" }

// inUsersWords turns a server's message about the moved configuration into one about the user's.
func (l *layout) inUsersWords(message string, src *source) string {
	base := filepath.Dir(src.main)
	message = strings.ReplaceAll(message, l.confDir()+base+"/", filepath.Dir(src.shown(src.main))+"/")
	message = strings.ReplaceAll(message, l.confDir(), "")
	message = strings.ReplaceAll(message, filepath.Join(l.dir, "files"), "")
	for e, to := range l.addresses {
		if e.unix != "" {
			continue
		}
		message = strings.ReplaceAll(message, to.String(), e.String())
	}
	return strings.TrimPrefix(message, "./")
}

var positioned = regexp.MustCompile(`^(.*) in (/[^\n]*?):([0-9]+)(;.*)?$`)

// blame finds the statements that a message is about and leaves them out.
func blame(src *source, l *layout, message string, before []*lack) ([]*lack, error) {
	refused := fmt.Errorf("the configuration is not accepted by Seawall: %s", l.inUsersWords(message, src))
	m := positioned.FindStringSubmatch(message)
	if m == nil {
		return nil, refused
	}
	text, path := m[1], strings.TrimPrefix(m[2], l.confDir())
	line, err := strconv.Atoi(m[3])
	if err != nil {
		return nil, refused
	}
	if name, ok := strings.CutPrefix(text, "unknown directive "); ok {
		if all := leaveOutAll(src, l, strings.Trim(name, `"`), text); len(all) > 0 {
			return all, nil
		}
	}
	p, ok := culprit(src, l, path, line, text)
	if !ok || p.statement == src.files[src.main].only("http") {
		return nil, refused
	}
	k := &lack{where: p, message: l.inUsersWords(text, src), module: p.name() == "load_module", follows: cause(text, before)}
	leaveOut(src, l, k)
	return []*lack{k}, nil
}

// only is the statement of that name on a file's outermost level.
func (f *file) only(name string) *statement {
	for _, s := range f.statements {
		if s.name() == name {
			return s
		}
	}
	return nil
}

// leaveOutAll leaves out every use of a directive that Seawall does not know: it would refuse them one by one.
func leaveOutAll(src *source, l *layout, name, text string) []*lack {
	var all []*lack
	src.each(func(p place) bool {
		if l.leftOut[p.statement] || isMap(p.in()) {
			return false
		}
		if p.name() != name {
			return true
		}
		l.leftOut[p.statement] = true
		k := &lack{where: p, message: text}
		if p.isBlock {
			k.outcome = "with its whole block"
		}
		all = append(all, k)
		return false
	})
	return all
}

var quotedWord = regexp.MustCompile(`"([^"]+)"`)

// culprit finds the statement on a line that a message is about: the one whose name or argument it quotes, or the
// innermost. A line may also be that of the "}" of a block.
func culprit(src *source, l *layout, path string, line int, text string) (best place, ok bool) {
	var words []string
	for _, m := range quotedWord.FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	rank := -1
	src.each(func(p place) bool {
		if l.leftOut[p.statement] {
			return false
		}
		if p.file.path != path || p.line != line && !(p.isBlock && p.closeLine == line) {
			return true
		}
		r := 0
		if p.line == line {
			r = 1
		}
		if slices.ContainsFunc(p.args(), func(w word) bool {
			return slices.ContainsFunc(words, func(q string) bool { return strings.Contains(w.text, q) })
		}) {
			r += 2
		}
		if slices.Contains(words, p.name()) {
			r += 4
		}
		if r >= rank {
			rank, best, ok = r, p, true
		}
		return true
	})
	return best, ok
}

// cause finds what was left out before that a message misses: an upstream, a variable's map, a zone.
func cause(text string, before []*lack) *lack {
	for _, m := range quotedWord.FindAllStringSubmatch(text, -1) {
		for _, k := range before {
			if slices.ContainsFunc(k.where.args(), func(w word) bool { return w.text == m[1] || w.text == "$"+m[1] }) {
				return k
			}
		}
	}
	if strings.HasPrefix(text, "no servers") && len(before) > 0 {
		return before[len(before)-1]
	}
	return nil
}

// leaveOut leaves out what a lack is about. A listen cannot go alone: a server without any gets nginx's default.
func leaveOut(src *source, l *layout, k *lack) {
	p := k.where
	if p.name() != "listen" {
		l.leftOut[p.statement] = true
		if p.isBlock {
			k.outcome = "with its whole block"
		}
		return
	}
	for _, parameter := range []string{"http2", "multipath"} { // what they add is another protocol on the same address
		if strings.Contains(k.message, `"`+parameter+`"`) && l.withoutArg[p.statement] == "" {
			l.withoutArg[p.statement] = parameter
			k.outcome = "the address is kept without this parameter"
			return
		}
	}
	l.leftOut[p.statement] = true
	k.outcome = "nothing listens on this address"
	for _, v := range src.servers() {
		mine, others := false, false
		for _, n := range v.listens {
			mine = mine || n.statement == p.statement
			others = others || !l.leftOut[n.statement]
		}
		if mine && !others {
			l.leftOut[v.statement] = true
			k.outcome = "with its whole server, which listens nowhere else"
		}
	}
}
