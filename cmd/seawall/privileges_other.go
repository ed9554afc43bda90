//go:build !linux

package main

import "golang.org/x/sys/unix"

// setUserKeepingBind is plain setuid: these systems have no right to low ports that could be kept.
func (a account) setUserKeepingBind() error { return a.setUser() }

func setPriority(nice int) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, nice) }
