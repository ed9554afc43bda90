package conf

import (
	"math"
	"strings"
	"time"
)

// parseNumber reads a decimal number as ngx_atoi does.
func parseNumber(s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		digit := int(s[i]) - '0'
		if digit < 0 || digit > 9 || n > (math.MaxInt-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, true
}

// parseSize reads a size in bytes: digits with k, m or, where giga is true (sizes of files and bodies), g behind.
func parseSize(s string, giga bool) (int64, bool) {
	if s == "" {
		return 0, false
	}
	shift := 0
	switch s[len(s)-1] {
	case 'k', 'K':
		shift = 10
	case 'm', 'M':
		shift = 20
	case 'g', 'G':
		if !giga {
			return 0, false
		}
		shift = 30
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, ok := parseNumber(s)
	if !ok || int64(n) > math.MaxInt64>>shift {
		return 0, false
	}
	return int64(n) << shift, true
}

// timeUnit is a unit of parseTime; units must come in descending order, each at most once.
var timeUnits = []struct {
	suffix string
	scale  time.Duration
}{
	{"y", 365 * 24 * time.Hour},
	{"M", 30 * 24 * time.Hour},
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// parseTime reads a time as ngx_parse_time does: "1h 30m", "90", "500ms". Milliseconds are allowed everywhere (nginx
// refuses them where it counts in seconds); years and months only where long is true, as nginx does.
func parseTime(s string, long bool) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	var total time.Duration
	step := -1 // the last unit used
	if !long {
		step = 1
	}
	for s != "" {
		digits := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 0 {
			digits = len(s)
		}
		value, ok := parseNumber(s[:digits])
		if !ok {
			return 0, false
		}
		s = s[digits:]
		unit, length := 6, 0 // seconds
		switch {
		case strings.HasPrefix(s, "ms"):
			unit, length = 7, 2
		case s != "" && s[0] != ' ':
			unit, length = -1, 1
			for i, u := range timeUnits[:7] {
				if u.suffix == s[:1] {
					unit = i
				}
			}
		}
		if unit <= step {
			return 0, false
		}
		step = unit
		scale := timeUnits[unit].scale
		if int64(value) > (math.MaxInt64-int64(total))/int64(scale) {
			return 0, false
		}
		total += time.Duration(value) * scale
		s = strings.TrimLeft(s[length:], " ")
	}
	return total, true
}

// parseFlag reads on or off.
func parseFlag(s string) (on, ok bool) {
	switch strings.ToLower(s) {
	case "on":
		return true, true
	case "off":
		return false, true
	}
	return false, false
}

// badFlag is what nginx says of a flag that is none.
func (s *stmt) badFlag(value string) error {
	return s.errorf(`invalid value "%s" in "%s" directive, it must be "on" or "off"`, value, s.name)
}
