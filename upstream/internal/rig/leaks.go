package rig

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"
)

// Main runs a package's tests and fails when goroutines or descriptors are left
// of them.
func Main(m *testing.M) {
	// The runtime keeps what it opens for its first socket, and the goroutine of
	// its first signal.Notify, which fuzzing calls.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	signal.Stop(interrupts)
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close()
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if code == 0 {
		if text := leaks(goroutines, files); text != "" {
			fmt.Fprintln(os.Stderr, text)
			code = 1
		}
	}
	os.Exit(code)
}

// leaks says what is left, after giving goroutines that are ending the time to.
func leaks(goroutines, files int) string {
	for end := time.Now().Add(3 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(end) {
			buf := make([]byte, 64<<10)
			return fmt.Sprintf("%d goroutines are left\n%s", runtime.NumGoroutine()-goroutines, buf[:runtime.Stack(buf, true)])
		}
	}
	if n := openFiles(); n > files {
		return fmt.Sprintf("%d descriptors are left", n-files)
	}
	return ""
}

// openFiles is the number of open descriptors, 0 where that cannot be told.
func openFiles() int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
