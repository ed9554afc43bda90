package engine

import "golang.org/x/sys/unix"

// sysPages makes a file in memory, without a name, with the bytes of chunks. Written by calls that the scheduler knows of:
// the kernel has to find and clear the pages, which takes longer than copying.
func sysPages(chunks [][]byte) (int, unix.Errno) {
	fd, err := unix.MemfdCreate("seawall", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, errnoOf(err)
	}
	for _, p := range chunks {
		for len(p) > 0 {
			n, err := unix.Write(fd, p[:min(len(p), ioLimit)])
			switch {
			case err == unix.EINTR:
			case err != nil:
				_ = unix.Close(fd)
				return -1, errnoOf(err)
			}
			p = p[max(n, 0):]
		}
	}
	return fd, 0
}
