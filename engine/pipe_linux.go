package engine

import "golang.org/x/sys/unix"

// sysPipe makes a pipe of size bytes, or of what the kernel allows the user (fs.pipe-user-pages-soft) if that is least
// at least.
func sysPipe(size, least int) (r, w int, no unix.Errno) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return -1, -1, errnoOf(err)
	}
	if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, size); err != nil {
		if has, err := unix.FcntlInt(uintptr(fds[1]), unix.F_GETPIPE_SZ, 0); err != nil || has < least {
			_ = unix.Close(fds[0])
			_ = unix.Close(fds[1])
			return -1, -1, unix.ENOBUFS
		}
	}
	return fds[0], fds[1], 0
}
