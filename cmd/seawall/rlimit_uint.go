//go:build !freebsd

package main

import "syscall"

func setBoth(l *syscall.Rlimit, n int64) { l.Cur, l.Max = uint64(n), uint64(n) }
