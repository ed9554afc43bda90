package conf

import (
	"bytes"
	"strings"
	"unicode/utf8"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// crossplane's lexer splits well-behaved text as nginx does, but it reads runes where nginx reads bytes (a byte that is
// no UTF-8 is lost), takes any Unicode space for a space, drops carriage returns, keeps escapes as they are written,
// ends a word at "}", and does not mind text that follows a closing quote. So the text is armoured first: whatever is
// not a plain letter or digit inside a word or a string goes to crossplane as one private-use rune per byte, which
// no rule of its lexer can mistake, with nginx's escapes already resolved; the tokens are turned back afterwards.
const (
	armourBase rune = 0xE000 // armourBase+b stands for byte b
	armourLast rune = armourBase + 0xFF
)

// token is one word, string, or one of ; { } of a configuration file.
type token struct {
	text string
	line int
	kind tokenKind
}

type tokenKind uint8

const (
	tokenWord tokenKind = iota
	tokenSemicolon
	tokenOpen
	tokenClose
	tokenError // text is what nginx says; nothing follows
	tokenEnd
)

// lex splits text into tokens, the last one being tokenEnd or tokenError.
func lex(text []byte) []token {
	armoured, stop := armour(text)
	var tokens []token
	for t := range crossplane.Lex(strings.NewReader(armoured)) {
		if t.Error == nil {
			tokens = append(tokens, fromCrossplane(t))
			continue
		}
		// Missing braces at the end are the parser's to report: it knows what was expected.
		if e, ok := t.Error.(*crossplane.ParseError); ok && !strings.HasPrefix(e.What, "unexpected end of file") {
			return append(tokens, token{text: e.What, line: *e.Line, kind: tokenError})
		}
	}
	if stop != nil {
		return append(tokens, *stop)
	}
	return append(tokens, token{line: 1 + bytes.Count(text, []byte{'\n'}), kind: tokenEnd})
}

func fromCrossplane(t crossplane.NgxToken) token {
	if !t.IsQuoted {
		switch t.Value {
		case ";":
			return token{line: t.Line, kind: tokenSemicolon}
		case "{":
			return token{line: t.Line, kind: tokenOpen}
		case "}":
			return token{line: t.Line, kind: tokenClose}
		}
	}
	var b strings.Builder
	for _, r := range t.Value {
		if r >= armourBase && r <= armourLast {
			b.WriteByte(byte(r - armourBase))
		} else {
			b.WriteRune(r)
		}
	}
	return token{text: b.String(), line: t.Line}
}

// armour rewrites text for crossplane. Its states and their order are those of ngx_conf_read_token. stop is what ends
// the text early.
func armour(text []byte) (armoured string, stop *token) {
	const (
		inGap = iota
		inWord
		inString
		afterString
		inComment
	)
	out := make([]byte, 0, len(text)+len(text)/4)
	state, quote, line := inGap, byte(0), 1
	afterDollar := false
	swallowed := 0 // escaped line ends inside a word: crossplane gets them after it, to count lines
	hide := func(c byte) {
		if isAlnum(c) {
			out = append(out, c)
		} else {
			out = utf8.AppendRune(out, armourBase+rune(c))
		}
	}
	endWord := func() {
		for ; swallowed > 0; swallowed-- {
			out = append(out, '\n')
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\n' {
			line++
		}
		switch state {
		case inComment:
			if c == '\n' {
				out, state = append(out, c), inGap
			}
			continue
		case afterString:
			switch c {
			case ' ', '\t', '\r', '\n', ';', '{', ')':
				state = inGap
			default:
				return string(out), &token{text: "unexpected " + quoted(string([]byte{c})), line: line, kind: tokenError}
			}
		}
		if state == inGap {
			switch c {
			case ' ', '\t', '\n', ';', '{', '}':
				out = append(out, c)
				continue
			case '\r':
				out = append(out, ' ')
				continue
			case '#':
				state = inComment
				continue
			case '"', '\'':
				out, state, quote = append(out, c), inString, c
				continue
			}
			state, afterDollar = inWord, false
		}
		if c == '\\' && i+1 < len(text) {
			i++
			afterDollar = false
			switch n := text[i]; n {
			case '"', '\'', '\\':
				hide(n)
			case 't':
				hide('\t')
			case 'r':
				hide('\r')
			case 'n':
				hide('\n')
			default:
				hide('\\')
				hide(n)
				if n == '\n' {
					line++
					swallowed++
				}
			}
			continue
		}
		switch state {
		case inString:
			switch {
			case c == quote:
				out, state = append(out, c), afterString
				endWord()
			case c == '\n':
				out = append(out, c)
			default:
				hide(c)
			}
		case inWord:
			switch {
			case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '{' && !afterDollar:
				state = inGap
				endWord()
				if c == '\r' {
					c = ' '
				}
				out = append(out, c)
			default:
				hide(c)
			}
			afterDollar = c == '$' || c == '{' && afterDollar
		}
	}
	if state == inString {
		out = append(out, quote) // crossplane would lose an empty string that is not closed
	}
	return string(out), nil
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
