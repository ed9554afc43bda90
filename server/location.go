package server

import (
	"sort"

	"seawall/conf"
)

// locationTree finds the location that serves a URI. It is immutable.
//
// The order is nginx's (https://nginx.org/en/docs/http/ngx_http_core_module.html#location):
// an exact match ends the search; else the longest prefix is remembered, a
// nested tree refines it, and unless the prefix says ^~ the regular
// expressions are tried in the order of the file.
type locationTree struct {
	exact map[string]*location
	// A bit for each length, modulo 64, of an exact pattern: most URIs need no look-up.
	exactLengths uint64
	prefixes     []*location // sorted by pattern, so that the longest match is found by binary search
	regexes      []*location // in the order of the file
	slashed      []*location // proxied prefixes that end in a slash, see lacksSlash
	root         *location   // the enclosing location: what serves when nothing matches
}

// newLocationTree sorts locs, the children of root.
func newLocationTree(root *location, locs []*location) *locationTree {
	t := &locationTree{exact: map[string]*location{}, root: root}
	for _, l := range locs {
		switch l.kind {
		case conf.Exact:
			t.exact[l.pattern] = l
			t.exactLengths |= 1 << (len(l.pattern) & 63)
		case conf.Prefix, conf.PrefixNoRegex:
			t.prefixes = append(t.prefixes, l)
			if l.redirectsToSlash() {
				t.slashed = append(t.slashed, l)
			}
		case conf.Regex, conf.RegexFold:
			t.regexes = append(t.regexes, l)
		}
	}
	sort.Slice(t.prefixes, func(i, j int) bool { return t.prefixes[i].pattern < t.prefixes[j].pattern })
	// Each prefix knows the next shorter one that contains it, so that a
	// failed comparison steps to the only other candidate.
	for i, l := range t.prefixes {
		for j := i - 1; j >= 0; j-- {
			if len(t.prefixes[j].pattern) < len(l.pattern) && l.pattern[:len(t.prefixes[j].pattern)] == t.prefixes[j].pattern {
				l.shorter = t.prefixes[j]
				break
			}
		}
	}
	return t
}

// match is what a search found.
type match struct {
	loc      *location
	captures []int // the submatch indices of a regular expression, else nil
	settled  bool  // nothing at an outer level may take over: exact, regular expression or redirect
	redirect bool  // only the slash at the end of loc's pattern is missing
}

// find returns what serves uri, a normalised path.
func (t *locationTree) find(uri []byte) match {
	if t.exactLengths&(1<<(len(uri)&63)) != 0 {
		if l, ok := t.exact[string(uri)]; ok {
			return match{loc: l, settled: true}
		}
	}
	l := t.longestPrefix(uri)
	if l == nil || len(l.pattern) != len(uri) { // one for just this URI serves it
		if l := t.lacksSlash(uri); l != nil {
			return match{loc: l, settled: true, redirect: true}
		}
	}
	best := match{loc: t.root}
	noRegex := false
	if l != nil {
		best.loc = l
		noRegex = l.kind == conf.PrefixNoRegex
		if l.children != nil {
			best = l.children.find(uri)
		}
	}
	if best.settled || noRegex {
		return best
	}
	for _, l := range t.regexes {
		c := l.regex.FindSubmatchIndex(uri)
		if c == nil {
			continue
		}
		m := match{loc: l, captures: c, settled: true}
		if l.children != nil {
			if inner := l.children.find(uri); inner.loc != l {
				m.loc, m.redirect = inner.loc, inner.redirect
				if inner.captures != nil {
					m.captures = inner.captures
				}
			}
		}
		return m
	}
	return best
}

// longestPrefix returns the longest prefix location that uri begins with.
func (t *locationTree) longestPrefix(uri []byte) *location {
	if len(t.prefixes) == 1 { // "location /" alone: no search
		if l := t.prefixes[0]; hasPrefix(uri, l.pattern) {
			return l
		}
		return nil
	}
	// The last pattern that does not sort behind uri either is a prefix of
	// it or shares one with it that is further down its chain.
	lo, hi := 0, len(t.prefixes)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if t.prefixes[mid].pattern <= string(uri) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return nil
	}
	for l := t.prefixes[lo-1]; l != nil; l = l.shorter {
		if hasPrefix(uri, l.pattern) {
			return l
		}
	}
	return nil
}

// lacksSlash returns the proxied location whose pattern is uri and a slash:
// nginx answers such a request with a redirect.
func (t *locationTree) lacksSlash(uri []byte) *location {
	for _, l := range t.slashed {
		if len(l.pattern) == len(uri)+1 && l.pattern[:len(uri)] == string(uri) {
			return l
		}
	}
	return nil
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
