package engine

// Timer is an intrusive timer: embed it, no allocation. The zero value is ready. It must not be copied or dropped while
// armed.
type Timer struct{}

// Armed says whether the timer waits.
func (t *Timer) Armed() bool { panic("engine: being built") }
