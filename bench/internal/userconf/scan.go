//go:build linux

package userconf

import (
	"errors"
	"fmt"
)

// The user's files are edited in place, span by span, so that every line keeps its number and every message its meaning.
// That takes byte offsets, which crossplane's lexer does not give.

// word is one word or string of a file: what it means, and the bytes it takes, quotes included.
type word struct {
	text       string
	start, end int
}

// statement is one directive of a file as it is written.
type statement struct {
	words     []word // the name and its arguments
	start     int    // first byte
	end       int    // behind its ";" or "}"
	line      int    // of its ";" or "{": the line that nginx and Seawall name
	inside    int    // of a block: behind its "{"
	isBlock   bool
	block     []*statement
	closeLine int // of a block: the line of its "}"
}

func (s *statement) name() string { return s.words[0].text }

// arg is argument i, counted from 0, or "".
func (s *statement) arg(i int) string {
	if i+1 < len(s.words) {
		return s.words[i+1].text
	}
	return ""
}

func (s *statement) args() []word { return s.words[1:] }

// scanner takes a file apart by the rules of nginx's ngx_conf_read_token.
type scanner struct {
	text []byte
	at   int
	line int
}

// parse returns the statements of a file. Errors are left to nginx to word: it reads the same file.
func parse(text []byte) ([]*statement, error) {
	s := scanner{text: text, line: 1}
	list, closed, err := s.block()
	if err == nil && closed {
		err = errors.New(`unexpected "}"`)
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", s.line, err)
	}
	return list, nil
}

// block reads statements up to the "}" that closes the block, or to the end of the file.
func (s *scanner) block() (list []*statement, closed bool, err error) {
	var words []word
	for {
		s.skipGap()
		if s.at == len(s.text) {
			if len(words) > 0 {
				return nil, false, errors.New(`unexpected end of file, expecting ";" or "}"`)
			}
			return list, false, nil
		}
		switch s.text[s.at] {
		case '}':
			if len(words) > 0 {
				return nil, false, errors.New(`unexpected "}"`)
			}
			s.at++
			return list, true, nil
		case ';', '{':
			if len(words) == 0 {
				return nil, false, fmt.Errorf("unexpected %q", s.text[s.at:s.at+1])
			}
			st := &statement{words: words, start: words[0].start, line: s.line, isBlock: s.text[s.at] == '{'}
			words = nil
			s.at++
			if st.inside = s.at; st.isBlock {
				var closed bool
				if st.block, closed, err = s.block(); err != nil {
					return nil, false, err
				}
				if !closed {
					return nil, false, errors.New(`unexpected end of file, expecting "}"`)
				}
				st.closeLine = s.line
			}
			st.end = s.at
			list = append(list, st)
		default:
			w, err := s.word()
			if err != nil {
				return nil, false, err
			}
			words = append(words, w)
		}
	}
}

// skipGap goes over blanks and comments.
func (s *scanner) skipGap() {
	for comment := false; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\n':
			s.line++
			comment = false
		case comment || c == ' ' || c == '\t' || c == '\r':
		case c == '#':
			comment = true
		default:
			return
		}
	}
}

// word reads a word or a string.
func (s *scanner) word() (word, error) {
	w := word{start: s.at}
	quote := s.text[s.at]
	if quote == '"' || quote == '\'' {
		s.at++
	} else {
		quote = 0
	}
	var text []byte
	afterDollar := false
	for ; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		if c == '\n' && quote != 0 {
			s.line++
		}
		switch {
		case c == '\\' && s.at+1 < len(s.text):
			s.at++
			afterDollar = false
			text = append(text, escaped(s.text[s.at])...)
			if s.text[s.at] == '\n' {
				s.line++
			}
			continue
		case quote != 0 && c == quote:
			s.at++
			if s.at < len(s.text) && !isOneOf(s.text[s.at], " \t\r\n;{)") {
				return w, fmt.Errorf("unexpected %q", s.text[s.at:s.at+1])
			}
			w.text, w.end = string(text), s.at
			return w, nil
		case quote == 0 && (isOneOf(c, " \t\r\n;") || c == '{' && !afterDollar):
			w.text, w.end = string(text), s.at
			return w, nil
		}
		text = append(text, c)
		afterDollar = c == '$' || c == '{' && afterDollar
	}
	if quote != 0 {
		return w, errors.New("unexpected end of file in a string")
	}
	w.text, w.end = string(text), s.at
	return w, nil
}

// escaped is what a byte behind a backslash means.
func escaped(c byte) []byte {
	switch c {
	case '"', '\'', '\\':
		return []byte{c}
	case 't':
		return []byte{'\t'}
	case 'r':
		return []byte{'\r'}
	case 'n':
		return []byte{'\n'}
	}
	return []byte{'\\', c}
}

func isOneOf(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}
