//go:build darwin || freebsd

package engine

import "golang.org/x/sys/unix"

// There is no memfd_create(2) here, or none that sendfile(2) takes: MakePages gives nil.

func sysSlab(int) (int, unix.Errno) { return -1, unix.ENOSYS }

func sysWriteAt(int, int64, [][]byte) unix.Errno { return unix.ENOSYS }

func sysSendfile(int, int, *int64, int) (int, unix.Errno) { return 0, unix.ENOSYS }

// Nor is there splice(2): WriteFrom gives ErrCopy.

func sysPipe(int, int) (r, w int, no unix.Errno) { return -1, -1, unix.ENOSYS }

func sysSplice(int, int, int) (int, unix.Errno) { return 0, unix.ENOSYS }
