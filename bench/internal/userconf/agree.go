//go:build linux

package userconf

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// pair is what one server answered when it was asked twice: a cache shows itself the second time.
type pair [2]*answer

// difference is a point in which the servers' answers are not the same.
type difference struct {
	what           string // "status", "body" or a header field
	nginx, seawall string
}

func (d difference) String() string {
	return fmt.Sprintf("%s: nginx %s, Seawall %s", d.what, d.nginx, d.seawall)
}

// verdict is what came of the comparison of one request.
type verdict struct {
	ask         *ask
	nginx       pair
	seawall     pair
	differences []difference
	varies      []string // what nginx itself did not answer twice alike: not compared
}

// unseen are header fields that say nothing about the content: they tell of the server, the connection or the time.
var unseen = map[string]bool{
	"Date": true, "Server": true, "Connection": true, "Keep-Alive": true, "Transfer-Encoding": true, "Age": true,
}

// compare finds the differences of two servers' pairs. Where nginx differs from itself Seawall is only asked to have the
// field too.
func compare(nginx, seawall pair) (differences []difference, varies []string) {
	for i := range nginx {
		n, s := nginx[i], seawall[i]
		if n.err != nil || s.err != nil {
			if n.err == nil || s.err == nil || n.status != s.status {
				return []difference{{"answer", outcome(n), outcome(s)}}, nil
			}
			return nil, nil // both fail alike: 444, an upgrade that is refused
		}
	}
	names := map[string]bool{}
	for _, r := range []*answer{nginx[0], nginx[1], seawall[0], seawall[1]} {
		for name := range r.header {
			names[name] = names[name] || !unseen[name]
		}
	}
	for _, p := range points(names) {
		n1, n2 := p.of(nginx[0]), p.of(nginx[1])
		s1, s2 := p.of(seawall[0]), p.of(seawall[1])
		switch {
		case p.same(n1, s1) && p.same(n2, s2):
		case !p.same(n1, n2) && (n1 == "") == (s1 == "") && (n2 == "") == (s2 == ""):
			varies = append(varies, p.name)
		case p.name == "body":
			differences = append(differences, bodyDifference(nginx, seawall))
		case !p.same(n1, s1):
			differences = append(differences, difference{p.name, shownValue(n1), shownValue(s1)})
		default:
			differences = append(differences, difference{p.name, shownValue(n2) + " the second time", shownValue(s2)})
		}
	}
	return differences, varies
}

// point is one thing of an answer that is compared; "" means that the answer does not have it.
type point struct {
	name string
	of   func(*answer) string
	same func(a, b string) bool
}

func points(names map[string]bool) []point {
	equal := func(a, b string) bool { return a == b }
	list := []point{
		{"status", func(r *answer) string { return fmt.Sprint(r.status) }, equal},
		{"body", func(r *answer) string { return string(r.body) }, equal},
		{"closing of the connection", func(r *answer) string {
			if r.closes {
				return "closes"
			}
			return "keeps"
		}, equal},
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p := point{name, func(r *answer) string { return strings.Join(r.header.Values(name), ", ") }, equal}
		switch {
		case !names[name]:
			continue
		case name == "Set-Cookie":
			p.of = cookieNames
		case name == "Expires":
			p.of, p.same = lifetime, nearly
		}
		list = append(list, p)
	}
	return list
}

// cookieNames are what can be compared of cookies: their values are often random.
func cookieNames(r *answer) string {
	var names []string
	for _, v := range r.header.Values("Set-Cookie") {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// lifetime turns Expires into a distance from Date: two servers are not asked in the same second.
func lifetime(r *answer) string {
	text := r.header.Get("Expires")
	expires, err1 := http.ParseTime(text)
	date, err2 := http.ParseTime(r.header.Get("Date"))
	if err1 != nil || err2 != nil || expires.Before(date.AddDate(-10, 0, 0)) || expires.After(date.AddDate(9, 0, 0)) {
		return text // "0", or one of nginx's constants
	}
	return expires.Sub(date).String() + " from now"
}

func nearly(a, b string) bool {
	from, errA := time.ParseDuration(strings.TrimSuffix(a, " from now"))
	to, errB := time.ParseDuration(strings.TrimSuffix(b, " from now"))
	if errA != nil || errB != nil {
		return a == b
	}
	return (from - to).Abs() <= 2*time.Second
}

func outcome(r *answer) string {
	if r.err != nil {
		return r.err.Error()
	}
	return fmt.Sprintf("answers %d", r.status)
}

func shownValue(v string) string {
	const most = 100
	switch {
	case v == "":
		return "none"
	case len(v) > most:
		return fmt.Sprintf("%.100q... (%d bytes)", v, len(v))
	}
	return fmt.Sprintf("%q", v)
}

// bodyDifference shows where two bodies part.
func bodyDifference(nginx, seawall pair) difference {
	n, s, when := nginx[0].body, seawall[0].body, ""
	if bytes.Equal(n, s) {
		n, s, when = nginx[1].body, seawall[1].body, " the second time"
	}
	at := 0
	for at < min(len(n), len(s)) && n[at] == s[at] {
		at++
	}
	const excerpt = 32
	show := func(b []byte) string {
		return fmt.Sprintf("%d bytes, %q from byte %d on", len(b), b[at:min(len(b), at+excerpt)], at)
	}
	return difference{"body", show(n) + when, show(s)}
}

// intersect keeps what differs in both: a difference must show twice, or else it was a coincidence of time.
func intersect(first, second []difference) []difference {
	return slices.DeleteFunc(slices.Clone(first), func(d difference) bool {
		return !slices.ContainsFunc(second, func(e difference) bool { return e.what == d.what })
	})
}
