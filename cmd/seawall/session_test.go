package main

import "golang.org/x/sys/unix"

// getSession is the session that process pid belongs to.
func getSession(pid int) (int, error) { return unix.Getsid(pid) }
