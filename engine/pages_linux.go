package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sysSlab makes a file in memory of size bytes, whole slabs, without a name, and asks for huge pages for it. Takes some
// 0.1 ms for each, most of it to clear them.
func sysSlab(size int) (int, unix.Errno) {
	fd, err := unix.MemfdCreate("seawall", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, errnoOf(err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		_ = unix.Close(fd)
		return -1, errnoOf(err)
	}
	collapse(fd, size)
	return fd, 0
}

// collapse makes huge pages of the file's memory, which needs them mapped for a moment, at an address of their own size.
// What cannot be had (Linux before 6.1, fragmented memory) stays as it was.
func collapse(fd, size int) {
	room := uintptr(size + slabBytes)
	at, err := unix.MmapPtr(-1, 0, nil, room, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return
	}
	skip := -uintptr(at) & (slabBytes - 1)
	p, err := unix.MmapPtr(fd, 0, unsafe.Add(at, skip), uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED)
	if err == nil {
		for from := 0; from < size; from += slabBytes { // a huge page grows around a small one; MADV_COLLAPSE alone is refused
			_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, from)), slabAlign), unix.MADV_POPULATE_WRITE)
		}
		_ = unix.Madvise(unsafe.Slice((*byte)(p), size), unix.MADV_COLLAPSE)
	}
	_ = unix.MunmapPtr(at, room)
}

// sysWriteAt writes chunks into the file, from off on. By calls that the scheduler knows of: where there are no huge
// pages, the kernel has to find and clear others, which takes longer than copying. Not through a mapping: memory that is
// not to be had would be a signal there, and is an error here. Few calls: after each, a worker may wait for its turn.
func sysWriteAt(fd int, off int64, chunks [][]byte) unix.Errno {
	skip := 0 // bytes of chunks[0] that are written
	for len(chunks) > 0 {
		var n int
		var err error
		if skip > 0 {
			n, err = unix.Pwrite(fd, chunks[0][skip:], off)
		} else {
			n, err = unix.Pwritev(fd, chunks[:min(len(chunks), maxVector)], off)
		}
		if err != nil && err != unix.EINTR {
			return errnoOf(err)
		}
		if n == 0 && err == nil {
			return unix.EIO
		}
		off += int64(max(n, 0))
		for skip += max(n, 0); len(chunks) > 0 && skip >= len(chunks[0]); chunks = chunks[1:] {
			skip -= len(chunks[0])
		}
	}
	return 0
}
