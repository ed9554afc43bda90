package main

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setUserKeepingBind is setuid that keeps CAP_NET_BIND_SERVICE and nothing else (capabilities(7)). Capabilities belong
// to threads, hence AllThreadsSyscall; a cgo build has no such call and then simply gives the right up.
func (a account) setUserKeepingBind() error {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0)
	kept := errno == 0
	if err := a.setUser(); err != nil {
		return err
	}
	if !kept {
		return nil
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	data[0].Permitted = 1 << unix.CAP_NET_BIND_SERVICE
	data[0].Effective = data[0].Permitted
	_, _, errno = syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 && !errors.Is(errno, unix.EPERM) {
		return &systemError{fmt.Sprintf("capset() for %s", a.name), errno}
	}
	if errno != 0 { // a container without that right: give up all
		data[0] = unix.CapUserData{}
		if _, _, errno = syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0); errno != 0 {
			return &systemError{fmt.Sprintf("capset() for %s", a.name), errno}
		}
	}
	return nil
}

// setPriority is worker_priority for all threads; those to come inherit it.
func setPriority(nice int) error {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uintptr(nice))
	if errno == unix.ENOTSUP { // cgo build: this thread's children at least
		return unix.Setpriority(unix.PRIO_PROCESS, 0, nice)
	}
	if errno != 0 {
		return errno
	}
	return nil
}
