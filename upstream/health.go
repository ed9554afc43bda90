package upstream

type health struct{}

type local struct{}

// NewGroup makes a group for loops event loops. Health and counters of peers
// that prev has by the same name survive. prev may be nil.
func NewGroup(cfg GroupConfig, loops int, prev *Group) *Group { panic("skeleton") }
