//go:build !slowdown

package server

// slowDown is empty and inlined: see slowdown_on.go.
func slowDown() {}
