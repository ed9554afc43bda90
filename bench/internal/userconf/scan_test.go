//go:build linux

package userconf

import (
	"slices"
	"strings"
	"testing"
)

func parsed(t *testing.T, text string) []*statement {
	t.Helper()
	list, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWordsAreThoseOfNginx(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`a b;`, []string{"a", "b"}},
		{"a\tb\r\n  c;", []string{"a", "b", "c"}},
		{`a "b c" 'd;"e';`, []string{"a", "b c", `d;"e`}},
		{`a "b\"c" 'd\'e' f\;g;`, []string{"a", `b"c`, `d'e`, `f\;g`}},
		{`a "x\n\t\d";`, []string{"a", "x\n\t\\d"}},
		{`a ${b}c;`, []string{"a", "${b}c"}},
		{`a b#c; # d;`, []string{"a", "b#c"}},
		{"# x;\na # y; {\n b;", []string{"a", "b"}},
		{`a "";`, []string{"a", ""}},
		{`a x"y;`, []string{"a", `x"y`}},
	} {
		list := parsed(t, c.text)
		var got []string
		for _, w := range list[0].words {
			got = append(got, w.text)
		}
		if len(list) != 1 || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestStatementsKnowTheirLines(t *testing.T) {
	list := parsed(t, "a\n  b;\nc {\n  d 'x\ny';\n  e { }\n}\n")
	if len(list) != 2 || list[0].line != 2 || list[1].line != 3 || list[1].closeLine != 7 {
		t.Fatalf("%+v %+v", list[0], list[1])
	}
	if d, e := list[1].block[0], list[1].block[1]; d.line != 5 || e.line != 6 || e.closeLine != 6 || !e.isBlock {
		t.Errorf("%+v %+v", d, e)
	}
}

func TestBrokenFilesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a {":       `line 1: unexpected end of file, expecting "}"`,
		"a;\n}":     `line 2: unexpected "}"`,
		";":         `line 1: unexpected ";"`,
		"a":         `unexpected end of file`,
		"a 'b":      "in a string",
		`a "b"c;`:   `unexpected "c"`,
		"a { b } c": `unexpected "}"`,
	} {
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("http { server { listen 80; location ~ \"a{2}\" { return 200 'x\\'y'; } } } # end")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parse([]byte(text))
		if err != nil {
			return
		}
		var check func(list []*statement, from, to int)
		check = func(list []*statement, from, to int) {
			for _, s := range list {
				if s.start < from || s.end > to || s.words[0].start != s.start {
					t.Fatalf("%q: statement %d-%d lies outside %d-%d", text, s.start, s.end, from, to)
				}
				at := s.start
				for _, w := range s.words {
					if w.start < at || w.end < w.start {
						t.Fatalf("%q: word %d-%d", text, w.start, w.end)
					}
					at = w.end
				}
				check(s.block, s.inside, s.end)
				from = s.end
			}
		}
		check(list, 0, len(text))
	})
}
