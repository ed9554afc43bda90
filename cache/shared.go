package cache

import (
	"sync"
	"weak"
)

// sharedObjects finds the large bodies that are in the heap already, by the
// serial of their pieces, so that ten loops or a thousand slow clients reading
// one of 100 MB hold it once. It keeps nothing alive.
type sharedObjects struct {
	mu      sync.Mutex
	objects map[uint64]weak.Pointer[Object]
	sweepAt int
}

func (s *sharedObjects) get(serial uint64) *Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[serial].Value()
}

func (s *sharedObjects) put(o *Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = make(map[uint64]weak.Pointer[Object])
	}
	s.objects[o.serial] = weak.Make(o)
	if len(s.objects) < max(s.sweepAt, 64) {
		return
	}
	for serial, p := range s.objects {
		if p.Value() == nil {
			delete(s.objects, serial)
		}
	}
	s.sweepAt = 2 * len(s.objects)
}
