package failover

import (
	"fmt"
	"slices"
	"time"
)

// Pin is a person's word that a profile is to be first. It is journalled as
// JSON.
type Pin struct {
	Profile string    `json:"profile"`
	Since   time.Time `json:"since"`
	// Until is when the pin ends by itself; zero: never.
	Until time.Time `json:"until,omitzero"`
}

// keepPin puts what is left of the pool's pin into the plan. It ends with its
// time, with its profile, and where somebody has put another one first since:
// the newer word counts.
func (d *decision) keepPin(by author) {
	pin := d.pool.Pin
	switch {
	case pin.Profile == "", !pin.Until.IsZero() && !d.now.Before(pin.Until), !slices.Contains(d.pool.ids(), pin.Profile),
		by == somebody && head(d.pool.Order) != pin.Profile:
		return
	case pin.Since.After(d.now): // the clock was set back since
		pin.Since = d.now
	}
	d.plan.Pin = pin
	d.consider(pin.Until)
}

// pinned reports whether the profile is to be first for being pinned. One that
// is spent is left like any other, and come back to.
func (d *decision) pinned(id string) bool {
	return id == d.plan.Pin.Profile && id != "" && d.as[id].Serves()
}

// asked reports whether the first profile was not changed since the pin: then a
// person waits for it. Later on the pin is come back to with the usual care.
func (d *decision) asked() bool {
	return d.plan.Pin.Profile != "" && d.plan.Pin.Since.After(d.m.SwitchedAt)
}

// sayPinned explains a first place that a person asked for.
func (d *decision) sayPinned(first, next Assessment) string {
	if first.ID == next.ID {
		return fmt.Sprintf("%s is first and pinned by a person%s", next.ID, because(next))
	}
	return fmt.Sprintf("%s is pinned by a person%s", next.ID, because(next))
}
