//go:build profile

package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// startProfile records a CPU profile into the file that SEAWALL_CPUPROFILE
// names, between two USR2 signals. Only in builds with the tag "profile":
// tools/pgo.sh makes default.pgo with it, by which ordinary builds are laid out.
func startProfile() {
	path := os.Getenv("SEAWALL_CPUPROFILE")
	if path == "" {
		return
	}
	toggle := make(chan os.Signal, 1)
	signal.Notify(toggle, syscall.SIGUSR2)
	go func() {
		<-toggle
		f, err := os.Create(path)
		if err != nil {
			return
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return
		}
		<-toggle
		pprof.StopCPUProfile()
		f.Close()
	}()
}
