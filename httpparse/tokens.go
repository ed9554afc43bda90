package httpparse

// EqualFold compares ASCII text regardless of letter case.
func EqualFold(a, b []byte) bool { panic("skeleton") }

// AppendLower appends s with ASCII capitals made small.
func AppendLower(dst, s []byte) []byte { panic("skeleton") }

// TrimOWS cuts spaces and tabs off both ends.
func TrimOWS(b []byte) []byte { panic("skeleton") }

// HasToken reports whether a comma-separated list has this token, in any case.
func HasToken(list, token []byte) bool { panic("skeleton") }

// NextElement cuts the first non-empty element off a comma-separated list (RFC
// 9110 section 5.6.1); commas in quoted strings do not separate. ok is false at the end.
func NextElement(list []byte) (elem, rest []byte, ok bool) { panic("skeleton") }

// NextDirective cuts the first name[=value] off a list such as Cache-Control's;
// a quoted value comes without its quotes. hasValue tells `a=` from `a`.
func NextDirective(list []byte) (name, value, rest []byte, hasValue, ok bool) { panic("skeleton") }

// ParseUint reads a non-negative decimal of digits only, that fits an int64.
func ParseUint(b []byte) (n int64, ok bool) { panic("skeleton") }
