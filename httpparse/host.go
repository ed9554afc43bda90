package httpparse

// SplitHost checks a Host value as nginx does and cuts it into the name (no
// trailing dot, case as given, an IPv6 literal with its brackets) and the port
// ("" if none). ok is false for an invalid or empty one. The results alias host.
func SplitHost(host []byte) (name, port []byte, ok bool) { panic("skeleton") }
