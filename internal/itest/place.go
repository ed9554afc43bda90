package itest

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"seawall/internal/freeport"
)

// deadPort gives a port that refuses connections for the life of the test: a socket is bound to it and never listens.
func deadPort(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	for range 20 {
		port := freeport.TCP(t)
		if syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) == nil {
			return port
		}
	}
	t.Fatal("cannot bind a dead port")
	return 0
}

// blackHole gives a port whose connections never complete: its accept queue is full and nobody accepts.
func blackHole(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	port := 0
	for range 20 {
		port = freeport.TCP(t)
		if syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) == nil {
			break
		}
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	// The queue holds one more than asked for; connections beyond it stay in SYN_SENT.
	for range 4 {
		c, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(c) })
		_ = syscall.Connect(c, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	return port
}

// places maps placeholder names to the values they have in one world: {{port}}, {{origin}}, {{prefix}} ...
type places map[string]string

// fill replaces every {{name}} of text; an unknown name is a mistake in the test.
func (p places) fill(t testing.TB, text string) string {
	t.Helper()
	out := text
	for name, value := range p {
		out = strings.ReplaceAll(out, "{{"+name+"}}", value)
	}
	if i := strings.Index(out, "{{"); i >= 0 {
		t.Fatalf("unknown placeholder in %.60q", out[i:])
	}
	return out
}

// hide is fill backwards: values that differ from world to world become their names again.
func (p places) hide(text string) string {
	for _, name := range p.byLength() {
		text = strings.ReplaceAll(text, p[name], "{{"+name+"}}")
	}
	return text
}

// byLength orders the names so that the longest values are replaced first (a path before a path that it begins with).
func (p places) byLength() []string {
	names := make([]string, 0, len(p))
	for name, value := range p {
		if len(value) >= 5 {
			names = append(names, name)
		}
	}
	for i := range names {
		for j := i + 1; j < len(names); j++ {
			a, b := p[names[i]], p[names[j]]
			if len(b) > len(a) || len(a) == len(b) && names[j] < names[i] {
				names[i], names[j] = names[j], names[i]
			}
		}
	}
	return names
}

func (p places) setPort(name string, port int) { p[name] = fmt.Sprint(port) }
