package conf

import "slices"

// Nearest is the one of names that a mistyped name probably means, "" if none is near.
func Nearest(name string, names []string) string {
	slices.Sort(names)
	near, best := "", min(1+len(name)/4, 3)+1
	for _, n := range names {
		if d := editDistance(name, n, best); d < best {
			near, best = n, d
		}
	}
	return near
}
