package failover

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

const day = 24 * time.Hour

// notices are how many days before its end a long-lived token is told of.
var notices = []int{30, 7, 1}

// tellExpiry warns of long-lived tokens that end soon. Nothing renews those: a
// pool that runs on them stops without a word otherwise.
func (d *decision) tellExpiry() {
	for _, a := range d.plan.Profiles {
		c, pm := d.candidate(a.ID), d.m.Profiles[a.ID]
		if a.State == Dead || !pm.Expiry.due(d.now, c.ExpiresAt) {
			continue
		}
		pm.Expiry.Days, pm.Expiry.ToldAt = notice(d.now, c.ExpiresAt), d.now
		d.m.Profiles[a.ID] = pm
		p := profileOf(a)
		p.Until = timePtr(c.ExpiresAt)
		d.add(event.ProfileExpiring, event.Data{
			Profile: a.ID, Reason: "nothing renews this token", Profiles: []event.Profile{p}, Login: d.loginOf(a),
		})
	}
}

// notice is the smallest number of days that the end at is within; 0: none.
func notice(now, at time.Time) int {
	within := 0
	for _, days := range notices {
		if !at.IsZero() && at.After(now) && at.Sub(now) <= time.Duration(days)*day {
			within = days
		}
	}
	return within
}

// due reports whether a notice is to be given for the token that ends at. One
// that was given counts for all that came before it.
func (e Expiry) due(now, at time.Time) bool {
	days := notice(now, at)
	return days > 0 && (e.Days == 0 || days < e.Days)
}

// track starts afresh with a new token, and where the notice was given by a
// clock that was ahead then.
func (e *Expiry) track(now, at time.Time) {
	switch {
	case at.IsZero(): // not known now, which is no new token
	case !e.At.Equal(at), e.ToldAt.After(now.Add(day)):
		*e = Expiry{At: at.UTC()}
	}
}

// nextLook is when time alone brings something to tell of c's profile.
func (pm ProfileMemory) nextLook(c Candidate) time.Time {
	var next time.Time
	if pm.Login.pending() {
		next = pm.Login.At.Add(loginPatience)
	}
	if c.ExpiresAt.IsZero() {
		return next
	}
	for _, days := range slices.Backward(notices) {
		at := c.ExpiresAt.Add(-time.Duration(days) * day)
		if (pm.Expiry.Days == 0 || days < pm.Expiry.Days) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// forgetAhead brings back what a clock that was ahead noted.
func (pm *ProfileMemory) forgetAhead(now time.Time) {
	if pm.Login.At.After(now) {
		pm.Login.At = now
	}
}
