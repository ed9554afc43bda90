package server

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"seawall/conf"
)

// naiveTree is nginx's search for a location as ngx_http_core_find_location has
// it, over plain lists.
type naiveTree struct {
	root *location
	locs []*location // in the order of the file
	sub  map[*location]*naiveTree
}

// find returns the location and whether the slash redirect applies; again
// tells that outer regular expressions may still take over.
func (t *naiveTree) find(uri string) (l *location, redirect, settled bool) {
	var best *location
	for _, l := range t.locs {
		if l.kind == conf.Exact && l.pattern == uri {
			return l, false, true
		}
	}
	for _, l := range t.locs {
		if l.kind != conf.Prefix && l.kind != conf.PrefixNoRegex {
			continue
		}
		if strings.HasPrefix(uri, l.pattern) && (best == nil || len(l.pattern) > len(best.pattern)) {
			best = l
		}
	}
	if best == nil || best.pattern != uri {
		for _, l := range t.locs {
			if (l.kind == conf.Prefix || l.kind == conf.PrefixNoRegex) && l.redirectsToSlash() && l.pattern == uri+"/" {
				return l, true, true
			}
		}
	}
	found := t.root
	if best != nil {
		found = best
		if sub := t.sub[best]; sub != nil {
			if found, redirect, settled = sub.find(uri); settled {
				return found, redirect, true
			}
		}
		if best.kind == conf.PrefixNoRegex {
			return found, false, false
		}
	}
	for _, l := range t.locs {
		if l.regex == nil || !l.regex.MatchString(uri) {
			continue
		}
		if sub := t.sub[l]; sub != nil {
			inner, redirect, _ := sub.find(uri)
			return inner, redirect, true
		}
		return l, false, true
	}
	return found, false, false
}

// makeTrees builds a tree of both kinds from a seed.
func makeTrees(rnd *rand.Rand, root *location, within string, depth int) (*locationTree, *naiveTree) {
	naive := &naiveTree{root: root, sub: map[*location]*naiveTree{}}
	taken := map[string]bool{}
	var locs []*location
	for range rnd.IntN(7) {
		pattern := within
		for range 1 + rnd.IntN(3) {
			pattern += []string{"/", "a", "b", "/a", "ab", "/b/"}[rnd.IntN(6)]
		}
		if pattern[0] != '/' {
			pattern = "/" + pattern
		}
		l := &location{kind: []conf.LocationKind{conf.Exact, conf.Prefix, conf.Prefix, conf.PrefixNoRegex, conf.Regex}[rnd.IntN(5)], pattern: pattern}
		if l.kind == conf.Regex {
			l.regex = regexp.MustCompile([]string{"a$", "^/b", "ab", "/.*/$"}[rnd.IntN(4)])
			l.pattern = l.regex.String()
		}
		// nginx refuses a pattern given twice, ^~ or not.
		id := fmt.Sprint(l.kind == conf.Exact, l.kind == conf.Regex, l.pattern)
		if taken[id] && l.kind != conf.Regex {
			continue
		}
		taken[id] = true
		if rnd.IntN(3) == 0 {
			l.proxy = &proxyHandler{}
		}
		if depth > 0 && l.kind != conf.Exact && rnd.IntN(3) == 0 {
			inner := l.pattern
			if l.kind == conf.Regex {
				inner = ""
			}
			l.children, naive.sub[l] = makeTrees(rnd, l, inner, depth-1)
		}
		locs = append(locs, l)
	}
	naive.locs = locs
	return newLocationTree(root, locs), naive
}

func FuzzLocationTree(f *testing.F) {
	f.Add(uint64(1), "/a/b")
	f.Add(uint64(7), "/ab/")
	f.Fuzz(func(t *testing.T, seed uint64, uri string) {
		root := &location{pattern: "root"}
		tree, naive := makeTrees(rand.New(rand.NewPCG(seed, 1)), root, "", 2)
		check(t, tree, naive, "/"+uri)
	})
}

func check(t *testing.T, tree *locationTree, naive *naiveTree, uri string) {
	t.Helper()
	m := tree.find([]byte(uri))
	want, redirect, _ := naive.find(uri)
	if m.loc != want || m.redirect != redirect {
		t.Fatalf("%q: found %s %v, want %s %v", uri, m.loc.pattern, m.redirect, want.pattern, redirect)
	}
}

func TestLocationTreeAgainstNginxsSearch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		tree, naive := makeTrees(rnd, &location{pattern: "root"}, "", 2)
		for range 20 {
			uri := "/"
			for range rnd.IntN(5) {
				uri += []string{"/", "a", "b"}[rnd.IntN(3)]
			}
			check(t, tree, naive, uri)
		}
	}
}

func TestLocationSearchAllocatesNothing(t *testing.T) {
	tree, _ := makeTrees(rand.New(rand.NewPCG(12, 1)), &location{}, "", 0)
	uri := []byte("/a/b/ab")
	for i, l := range tree.regexes { // a regular expression that matches allocates its groups
		_ = l
		tree.regexes[i].regex = regexp.MustCompile("^no$")
	}
	if n := testing.AllocsPerRun(100, func() { tree.find(uri) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
