package main

import "syscall"

func setBoth(l *syscall.Rlimit, n int64) { l.Cur, l.Max = n, n }
