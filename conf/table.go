package conf

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// Context is a set of the blocks a directive may stand in. The bits are nginx's (and crossplane's), so that the two
// tables can be compared.
type Context uint

// The contexts.
const (
	InMain        Context = 0x000040000
	InEvents      Context = 0x000080000
	InHTTP        Context = 0x002000000
	InServer      Context = 0x004000000
	InLocation    Context = 0x008000000
	InUpstream    Context = 0x010000000
	InLimitExcept Context = 0x080000000
	inTypes       Context = 0x800000000 // every line is a media type with its extensions

	inHTTPAny  = InHTTP | InServer | InLocation
	inAnywhere = InMain | InEvents | inHTTPAny | InUpstream | InLimitExcept
)

// Arity is a set of allowed numbers of arguments; the bits are nginx's.
type Arity uint

// The arities: bit n allows n arguments, up to 7.
const (
	NoArgs  Arity = 0x00000001
	Take1   Arity = 0x00000002
	Take2   Arity = 0x00000004
	Take3   Arity = 0x00000008
	Take4   Arity = 0x00000010
	Block   Arity = 0x00000100
	Flag    Arity = 0x00000400 // one argument, on or off
	AnyArgs Arity = 0x00000800
	More1   Arity = 0x00001000
	More2   Arity = 0x00002000

	take12   = Take1 | Take2
	take23   = Take2 | Take3
	take1234 = take12 | Take3 | Take4
)

func (a Arity) allows(n int) bool {
	switch {
	case a&AnyArgs != 0, a&More1 != 0 && n >= 1, a&More2 != 0 && n >= 2, a&Flag != 0 && n == 1:
		return true
	}
	return n <= 7 && a>>n&1 != 0
}

// Row describes a directive: one row per meaning (keepalive_timeout of a location and of an upstream are two).
type Row struct {
	Name     string
	In       Context
	Args     Arity
	Syntax   string // the arguments, for the reference
	Default  string // the arguments that hold if it is not given; "" if there are none. Also run as the default
	Doc      string // one line
	NoEffect bool   // accepted and checked, but means nothing here: -t says so
	NotYet   bool   // accepted and checked, but not acted on in this version: -t says so
	Ours     bool   // nginx has no such directive, or not all of it

	multi bool // may be given more than once in a block
	set   setter
}

// setter puts the arguments of s into the settings of l. A nil setter marks a block or include, which the builder and
// the parser know by name.
type setter func(l *level, s *stmt) error

// Module is a group of rows under nginx's name of the module.
type Module struct {
	Name string
	Rows []Row
}

// Modules gives all directives in the order of the reference.
func Modules() []Module {
	return []Module{
		{"ngx_core_module", coreRows()},
		{"ngx_events_module", eventRows()},
		{"ngx_http_core_module", slices.Concat(httpBlockRows(), httpServerRows(), httpLocationRows(), httpTuningRows())},
		{"ngx_http_access_module", accessRows()},
		{"ngx_http_headers_module", headerRows()},
		{"ngx_http_log_module", logRows()},
		{"ngx_http_proxy_module", slices.Concat(proxyRows(), proxyCacheRows())},
		{"ngx_http_rewrite_module", rewriteRows()},
		{"ngx_http_upstream_module", upstreamRows()},
	}
}

// table is all rows by name.
var table = sync.OnceValue(func() map[string][]*Row {
	t := make(map[string][]*Row)
	for _, m := range Modules() {
		for i := range m.Rows {
			r := &m.Rows[i]
			t[r.Name] = append(t[r.Name], r)
		}
	}
	return t
})

// lookup finds the row of name in a context; known tells whether there is one in any.
func lookup(name string, in Context) (row *Row, known bool) {
	rows := table()[name]
	for _, r := range rows {
		if r.In&in != 0 {
			return r, true
		}
	}
	return nil, len(rows) > 0
}

// hint gives what helps with an unknown directive: that nginx has it, or the nearest known name (those that are allowed
// in the context first).
func hint(name string, in Context) (near, note string) {
	if _, ok := crossplane.MatchOssLatest(name); ok {
		return "", "nginx has this directive, Seawall has it not yet"
	}
	var here, elsewhere []string
	for n := range table() {
		if row, _ := lookup(n, in); row != nil {
			here = append(here, n)
		} else {
			elsewhere = append(elsewhere, n)
		}
	}
	return cmp.Or(Nearest(name, here), Nearest(name, elsewhere)), ""
}

// editDistance is the number of insertions, deletions, replacements and swaps of neighbours (of ASCII letters without
// regard to case) between a and b, or limit if it is not less.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	var rows [3][]int // of the matrix: before the last, last, current
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, cur := rows[0], rows[1], rows[2]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			cur[j] = min(change, last[j]+1, cur[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, cur, before
	}
	return min(rows[1][len(b)], limit)
}
