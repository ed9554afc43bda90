package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"seawall/conf"
)

// account is whom the process becomes after it listens. The zero account is nobody else.
type account struct {
	name     string
	uid, gid int
	groups   []int
}

func (a account) given() bool { return a.name != "" }

// accountOf finds the account that a configuration names. Not to find it is an error of its text.
func accountOf(cfg *conf.Config) (account, error) {
	a, err := lookUpAccount(cfg.Main.User, cfg.Main.Group)
	if err != nil {
		err = &conf.Error{File: cfg.Main.UserPos.File, Line: cfg.Main.UserPos.Line, Text: err.Error()}
	}
	return a, err
}

// lookUpAccount finds the user directive's account; like nginx it counts only for a process started by root.
func lookUpAccount(name, group string) (account, error) {
	if name == "" || os.Geteuid() != 0 {
		return account{}, nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("getpwnam(%q) failed", name)
	}
	a := account{name: name}
	if a.uid, err = strconv.Atoi(found.Uid); err != nil {
		return account{}, fmt.Errorf("getpwnam(%q) failed", name)
	}
	if group == "" {
		group = name // nginx: a group of the user's name
	}
	foundGroup, err := user.LookupGroup(group)
	if err != nil {
		return account{}, fmt.Errorf("getgrnam(%q) failed", group)
	}
	if a.gid, err = strconv.Atoi(foundGroup.Gid); err != nil {
		return account{}, fmt.Errorf("getgrnam(%q) failed", group)
	}
	a.groups = []int{a.gid}
	memberships, err := found.GroupIds()
	if err != nil {
		return account{}, fmt.Errorf("initgroups(%s, %d) failed (%w)", name, a.gid, err)
	}
	for _, text := range memberships {
		if id, err := strconv.Atoi(text); err == nil && id != a.gid {
			a.groups = append(a.groups, id)
		}
	}
	return a, nil
}

// become makes the whole process (all threads: package syscall sees to it) that account for good. On Linux the right
// to bind ports below 1024 is kept, so that a reload can add `listen 443`: there is no privileged master process.
func (a account) become() error {
	if !a.given() {
		return nil
	}
	if err := syscall.Setgroups(a.groups); err != nil {
		return &systemError{fmt.Sprintf("initgroups(%s, %d)", a.name, a.gid), err}
	}
	if err := syscall.Setgid(a.gid); err != nil {
		return &systemError{fmt.Sprintf("setgid(%d)", a.gid), err}
	}
	return a.setUserKeepingBind()
}

func (a account) setUser() error {
	if err := syscall.Setuid(a.uid); err != nil {
		return &systemError{fmt.Sprintf("setuid(%d)", a.uid), err}
	}
	return nil
}
