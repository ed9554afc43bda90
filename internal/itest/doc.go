// Package itest tests the real binary from outside, at byte level.
//
// Its parts: a World (one server process, seawall or nginx, with a generated configuration in a prefix directory of its
// own, and the scripted origins behind it), a raw scripted client, and the comparison of two worlds. A parity Suite is one
// configuration and a table of cases; every case is run against Debian's nginx (the oracle) and against the subject, and the
// two transcripts (what the client read, what the origins received, which log lines were written) must be equal byte for
// byte but for the exceptions that normalise.go names and those that the case itself names.
//
// A deliberate difference is a case with Differs set to the name of an entry in docs/differences.md. Such a case fails when
// the difference is gone, so that the list cannot go stale.
//
// Environment: ITEST_SUBJECT=nginx runs nginx against nginx (checks the tests, not the product); ITEST_SUBJECT=/path runs
// another binary; without it cmd/seawall is built once per run. ITEST_RACE=1 builds it with the race detector.
package itest
