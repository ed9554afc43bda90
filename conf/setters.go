package conf

import (
	"time"
)

// The setters here are made from a function that points at the field; each refuses its argument in the words of nginx's
// slot function of the same kind.

func setFlag(field func(*level) *bool) setter {
	return func(l *level, s *stmt) error {
		on, ok := parseFlag(s.args[0])
		if !ok {
			return s.badFlag(s.args[0])
		}
		*field(l) = on
		return nil
	}
}

func setSize(field func(*level) *int64) setter { return setBytes(field, false) }

// setOffset is setSize with "g" allowed, for what nginx counts in off_t.
func setOffset(field func(*level) *int64) setter { return setBytes(field, true) }

func setBytes(field func(*level) *int64, giga bool) setter {
	return func(l *level, s *stmt) error {
		n, ok := parseSize(s.args[0], giga)
		if !ok {
			return s.wrong("invalid value")
		}
		*field(l) = n
		return nil
	}
}

func setTime(field func(*level) *time.Duration) setter { return setDuration(field, false) }

func setDuration(field func(*level) *time.Duration, long bool) setter {
	return func(l *level, s *stmt) error {
		d, ok := parseTime(s.args[0], long)
		if !ok {
			return s.wrong("invalid value")
		}
		*field(l) = d
		return nil
	}
}

func setNumber(field func(*level) *int) setter {
	return func(l *level, s *stmt) error {
		n, ok := parseNumber(s.args[0])
		if !ok {
			return s.wrong("invalid number")
		}
		*field(l) = n
		return nil
	}
}

func setText(field func(*level) *string) setter {
	return func(l *level, s *stmt) error {
		*field(l) = s.args[0]
		return nil
	}
}

func setTemplate(field func(*level) *Template) setter {
	return func(l *level, s *stmt) error {
		t, err := s.template(0)
		*field(l) = t
		return err
	}
}

func setOptionalTemplate(field func(*level) **Template) setter {
	return func(l *level, s *stmt) error {
		t, err := s.template(0)
		*field(l) = &t
		return err
	}
}

func setTemplates(field func(*level) *[]Template) setter {
	return func(l *level, s *stmt) error {
		list, err := s.templates()
		if l.first(s.name) {
			*field(l) = nil
		}
		*field(l) = append(*field(l), list...)
		return err
	}
}

// setSizeTemplate is for sizes that may have variables.
func setSizeTemplate(field func(*level) *Size) setter {
	return func(l *level, s *stmt) error {
		t, err := s.template(0)
		if err != nil {
			return err
		}
		size := Size{Template: t}
		if t.IsStatic() {
			var ok bool
			if size.Value, ok = parseSize(s.args[0], false); !ok {
				return s.wrong("invalid value")
			}
		}
		*field(l) = size
		return nil
	}
}

func setBuffers(field func(*level) *Buffers) setter {
	return func(l *level, s *stmt) error {
		n, ok := parseNumber(s.args[0])
		size, ok2 := parseSize(s.args[1], false)
		if !ok || !ok2 || n == 0 || size == 0 {
			return s.wrong("invalid value")
		}
		*field(l) = Buffers{Num: n, Size: size}
		return nil
	}
}

// named is a word with its meaning.
type named[T any] struct {
	name  string
	value T
}

func setEnum[T any](field func(*level) *T, words ...named[T]) setter {
	return func(l *level, s *stmt) error {
		for _, w := range words {
			if w.name == s.args[0] {
				*field(l) = w.value
				return nil
			}
		}
		return s.errorf(`invalid value "%s"`, s.args[0])
	}
}

// setMask is for sets of words; a word of value 0 (off, none) stands for the empty set. base is always in.
func setMask[T ~uint8 | ~uint16 | ~uint32](field func(*level) *T, base T, words ...named[T]) setter {
	return func(l *level, s *stmt) error {
		f := field(l)
		if l.first(s.name) {
			*f = base
		}
	args:
		for _, arg := range s.args {
			for _, w := range words {
				if w.name != arg {
					continue
				}
				if w.value != 0 && *f&w.value != 0 && base&w.value == 0 {
					l.b.warn(s.pos, `duplicate value "%s"`, arg)
				}
				*f |= w.value
				continue args
			}
			return s.errorf(`invalid value "%s"`, arg)
		}
		return nil
	}
}

// setTempPath is for a directory with the widths of its levels of subdirectories (ngx_conf_set_path_slot).
func setTempPath(field func(*level) *TempPath) setter {
	return func(l *level, s *stmt) error {
		p := TempPath{Path: l.b.fullPath(s.args[0])}
		sum := 0
		for _, arg := range s.args[1:] {
			n, ok := parseNumber(arg)
			if sum += n; !ok || n == 0 || sum > 10 {
				return s.wrong("invalid value")
			}
			p.Levels = append(p.Levels, n)
		}
		*field(l) = p
		return nil
	}
}

// Checks of arguments that mean nothing here: a mistake in them is one all the same.
func anyValue(*level, *stmt) error { return nil }

func aFlag(l *level, s *stmt) error   { return setFlag(func(*level) *bool { return new(bool) })(l, s) }
func aSize(l *level, s *stmt) error   { return setSize(func(*level) *int64 { return new(int64) })(l, s) }
func aNumber(l *level, s *stmt) error { return setNumber(func(*level) *int { return new(int) })(l, s) }
func aTime(l *level, s *stmt) error {
	return setTime(func(*level) *time.Duration { return new(time.Duration) })(l, s)
}
