package sandbox

import (
	"slices"
	"time"
)

// Via says by which way an order was written.
type Via string

// The ways.
const (
	ViaRPC  Via = "rpc"
	ViaCLI  Via = "cli"
	ViaHand Via = "hand" // SetOrderByHand
)

// Write is one order that was written; a nil Order was a removal.
type Write struct {
	At              time.Time
	Via             Via
	Agent, Provider string
	Order           []string
}

func (w *World) wrote(x Write) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x.At = time.Now()
	w.writes = append(w.writes, x)
}

// Writes lists the orders that were written since the start.
func (w *World) Writes() []Write {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.writes)
}
