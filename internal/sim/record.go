package sim

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Record is what was kept of one pool.
type Record struct {
	Provider string
	From, To time.Time
	// Accounts are the pool's profiles, in the order of preference.
	Accounts []RecordedAccount
	// Order is the order in force at From.
	Order []string
	// First says who was first from when on, oldest first; the first of them
	// is not after From.
	First []Stretch
}

// RecordedAccount is one profile with the readings of its account.
type RecordedAccount struct {
	ID   string
	Paid bool
	// Readings are oldest first. One from before From tells what was left then.
	Readings []quota.Reading
}

// Stretch is a time from which on a profile was first.
type Stretch struct {
	At time.Time
	ID string
}

// Past is what happened, by the record.
type Past struct {
	// Unusable is how long the first account was known to be spent, Dry how
	// long all were but those that are paid per call, PaidFirst how long one
	// of these was first.
	Unusable, Dry, PaidFirst time.Duration
	Switches                 int
	// Unwatched is how long no account was asked at all.
	Unwatched time.Duration
	Readings  int
}

// unwatched is the gap between two readings from which on nobody looked:
// readings are kept every 15 minutes, and idle accounts asked as often.
const unwatched = time.Hour

// Happened looks at the record minute by minute.
func (r *Record) Happened() Past {
	var p Past
	for at := r.From; at.Before(r.To); at = at.Add(sample) {
		p.look(r, at)
	}
	for i, s := range r.First[1:] {
		if s.ID != r.First[i].ID {
			p.Switches++
		}
	}
	for _, a := range r.Accounts {
		p.Readings += len(a.Readings)
	}
	return p
}

// look adds what the record says of the minute from at on.
func (p *Past) look(r *Record, at time.Time) {
	free, seen, first := false, false, r.firstAt(at)
	for i := range r.Accounts {
		a := &r.Accounts[i]
		spent := a.spentAt(at)
		free, seen = free || !a.Paid && !spent, seen || a.seenAt(at)
		switch {
		case a.ID != first:
		case spent:
			p.Unusable += sample
		case a.Paid:
			p.PaidFirst += sample
		}
	}
	if !free {
		p.Dry += sample
	}
	if !seen {
		p.Unwatched += sample
	}
}

func (r *Record) firstAt(at time.Time) string {
	i, found := slices.BinarySearchFunc(r.First, at, func(s Stretch, at time.Time) int { return s.At.Compare(at) })
	if !found {
		i--
	}
	return r.First[max(i, 0)].ID
}

// newest is the index of the newest reading up to at, -1 for none.
func (a *RecordedAccount) newest(at time.Time) int {
	i, found := slices.BinarySearchFunc(a.Readings, at, func(r quota.Reading, at time.Time) int { return r.At.Compare(at) })
	if found {
		return i
	}
	return i - 1
}

// spentAt goes by the newest reading that told something of the account.
func (a *RecordedAccount) spentAt(at time.Time) bool {
	for i := a.newest(at); i >= 0; i-- {
		r := a.Readings[i]
		switch {
		case !r.Verdict.Conclusive():
			continue
		case r.Verdict != quota.Exhausted:
			return r.Verdict != quota.OK
		}
		return r.Until.IsZero() || at.Before(r.Until)
	}
	return false
}

func (a *RecordedAccount) seenAt(at time.Time) bool {
	i := a.newest(at)
	return i >= 0 && (at.Sub(a.Readings[i].At) < unwatched || i+1 < len(a.Readings) && a.Readings[i+1].At.Sub(a.Readings[i].At) < unwatched)
}
