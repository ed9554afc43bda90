package conf

import (
	"os"
	"strings"
	"testing"
)

func TestLex(t *testing.T) {
	const word, semicolon, open, closing = tokenWord, tokenSemicolon, tokenOpen, tokenClose
	for text, want := range map[string][]token{
		"":                       {{"", 1, tokenEnd}},
		"a b;\n":                 {{"a", 1, word}, {"b", 1, word}, {"", 1, semicolon}, {"", 2, tokenEnd}},
		"a{b;}":                  {{"a", 1, word}, {"", 1, open}, {"b", 1, word}, {"", 1, semicolon}, {"", 1, closing}, {"", 1, tokenEnd}},
		`"a b" 'c"d';`:           {{"a b", 1, word}, {`c"d`, 1, word}, {"", 1, semicolon}, {"", 1, tokenEnd}},
		`"\n\t\r\"\'\\\q" \n\q;`: {{"\n\t\r\"'\\\\q", 1, word}, {"\n\\q", 1, word}, {"", 1, semicolon}, {"", 1, tokenEnd}},
		"'' \"\";":               {{"", 1, word}, {"", 1, word}, {"", 1, semicolon}, {"", 1, tokenEnd}},
		"a#b #c;\nd;":            {{"a#b", 1, word}, {"d", 2, word}, {"", 2, semicolon}, {"", 2, tokenEnd}},
		"a${b}c{":                {{"a${b}c", 1, word}, {"", 1, open}, {"", 1, tokenEnd}},
		"\xff\xe9\x00\u00a0 b;":  {{"\xff\xe9\x00\u00a0", 1, word}, {"b", 1, word}, {"", 1, semicolon}, {"", 1, tokenEnd}},
		"a\r\nb\r\n;":            {{"a", 1, word}, {"b", 2, word}, {"", 3, semicolon}, {"", 3, tokenEnd}},
		"'a\r\nb';":              {{"a\r\nb", 1, word}, {"", 2, semicolon}, {"", 2, tokenEnd}},
		"a\\\nb\nc;":             {{"a\\\nb", 1, word}, {"c", 3, word}, {"", 3, semicolon}, {"", 3, tokenEnd}},
		"'a'\nb;":                {{"a", 1, word}, {"b", 2, word}, {"", 2, semicolon}, {"", 2, tokenEnd}},
		"'a'b;":                  {{"a", 1, word}, {`unexpected "b"`, 1, tokenError}},
		"a \"b":                  {{"a", 1, word}, {"b", 1, word}, {"", 1, tokenEnd}},
		"a \\":                   {{"a", 1, word}, {"\\", 1, word}, {"", 1, tokenEnd}},
	} {
		same(t, text, lex([]byte(text)), want)
	}
}

func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile("../examples/microcache/nginx.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, c := range wholeFileCases {
		f.Add(c.text)
	}
	for _, c := range httpCases {
		f.Add("events {} http {\n" + c.text + "\n}")
	}
	f.Add("events { include inc; } http { include inc*; types { include inc; } }")
	f.Fuzz(func(t *testing.T, text string) {
		from := tree{"/etc/nginx.conf": text, "/etc/inc": text}.files()
		cfg, err := load("/etc/nginx.conf", Options{Prefix: "/srv", Globals: text}, from)
		if (cfg == nil) == (err == nil) {
			t.Fatal("neither a configuration nor an error, or both")
		}
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Fatal("an error without text")
		}
		tokens := lex([]byte(text))
		if last := tokens[len(tokens)-1].kind; last != tokenEnd && last != tokenError {
			t.Fatalf("the last token is %d", last)
		}
	})
}
