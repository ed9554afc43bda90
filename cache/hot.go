package cache

// HotTable is level (a): complete objects of any zones, for one event loop. Not
// safe for concurrent use. A hit allocates nothing and takes no lock.
type HotTable struct {
	last *HotEntry
}

// NewHotTable makes a table of at most this many entries and body+head bytes.
// Bytes are counted per table though loops share the objects they stored.
func NewHotTable(entries int, bytes int64) *HotTable { panic("skeleton") }

// HotEntry is a slot of a HotTable.
type HotEntry struct {
	Object *Object
	// Rendered is the consumer's ready form of Object (say a head to be written
	// as it stands). Its owner is the loop; it is dropped with the entry.
	Rendered any
}

// Entry is the slot of the object that the last Lookup or Store through this
// table returned or put in; nil when it was not admitted. Valid until the next
// call that gets this table.
func (h *HotTable) Entry() *HotEntry { return h.last }

// Len and Bytes are the entries held and their size.
func (h *HotTable) Len() int     { panic("skeleton") }
func (h *HotTable) Bytes() int64 { panic("skeleton") }

// Clear drops everything.
func (h *HotTable) Clear() { panic("skeleton") }
