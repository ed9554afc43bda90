package server

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"seawall/conf"
)

func TestLogEscapes(t *testing.T) {
	const raw = "a\"b\\c\n\r\t\b\f\x00\x1f\x7f\x80ü~"
	for how, want := range map[conf.LogEscape]string{
		conf.EscapeDefault: `a\x22b\x5Cc\x0A\x0D\x09\x08\x0C\x00\x1F\x7F\x80\xC3\xBC~`,
		conf.EscapeJSON:    `a\"b\\c\n\r\t\b\f\u0000\u001F` + "\x7f\x80ü~",
	} {
		line := escapeTail([]byte("kept\""+raw), len("kept\""), how)
		if got := string(line); got != "kept\""+want {
			t.Errorf("%v: %q", how, got)
		}
	}
	if needsEscape([]byte("plain ~"), conf.EscapeDefault) || !needsEscape([]byte("\x7f"), conf.EscapeDefault) || needsEscape([]byte("\x7f"), conf.EscapeJSON) {
		t.Error("needsEscape")
	}
}

func FuzzLogEscapeJSON(f *testing.F) {
	f.Add("a\"\\\x00\n")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		var back string
		line := escapeTail([]byte(`"`+s), 1, conf.EscapeJSON)
		if err := json.Unmarshal(append(line, '"'), &back); err != nil || back != s {
			t.Errorf("%q: %q, %v", s, back, err)
		}
	})
}
