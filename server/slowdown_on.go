//go:build slowdown

package server

import "runtime"

// slowDownSteps is how much is burnt: about 2 us on the machine of BENCHMARKS.md, a fifth of what a cache hit of 1 KB costs
// there.
const slowDownSteps = 1600

// slowDown makes every request dearer. It is there to test the load test: `bench ci` must find a build with the tag
// "slowdown" to be slower, or nobody knows what its silence is worth. No other build has it.
func slowDown() {
	x := uint64(slowDownSteps)
	for range slowDownSteps {
		x = x*6364136223846793005 + 1442695040888963407 // needs the step before: the processor cannot do two at once
	}
	runtime.KeepAlive(x) // else the compiler leaves it all out
}
