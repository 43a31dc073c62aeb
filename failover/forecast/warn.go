package forecast

import (
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// Told is what was told of a pool's gap. The caller keeps it from one call of
// Warnings to the next, as JSON.
type Told struct {
	// Since is since when a gap worth telling is in sight, zero: none is.
	Since time.Time `json:"since,omitzero"`
	// At is when it was told, zero: it was not. Back is when it is to end.
	At   time.Time `json:"at,omitzero"`
	Back time.Time `json:"back,omitzero"`
	// Clear is since when nothing is left of what was told.
	Clear time.Time `json:"clear,omitzero"`
}

const (
	// leadLeast and leadMost bound how long ahead a gap is told: as long as it is
	// itself, since a long one takes more to fill, and what is further ahead is
	// less sure.
	leadLeast = 30 * time.Minute
	leadMost  = 6 * time.Hour
	// held is how long a gap must have been in sight: one reading is no trend.
	held = 10 * time.Minute
	// clearFor is how long nothing may be left of it until another may be told.
	clearFor = time.Hour
	// roughly is what times ahead are rounded to.
	roughly = 10 * time.Minute
)

// Warnings says whether to tell the owner now that the pool runs dry: once for
// each gap, only with high confidence, and only if it is as long as worth (the
// owner's login_after: a shorter one is waited out). A window that is about to
// pass its threshold while another account takes over is no news: nobody has to
// do anything about it.
//
// The event is profile.low of the profile that serves last, with the time of the
// gap; what else is known of the pool is the caller's to fill in. An episode is
// over once the gap that was told is, or once it was out of sight for an hour: a
// login, or less demand.
func Warnings(now time.Time, f Forecast, worth time.Duration, t Told) (Told, []event.Event) {
	t = t.notAhead(now)
	tell := f.tells(now, worth)
	if !t.At.IsZero() {
		return t.follow(now, f, tell), nil
	}
	if !tell {
		return Told{}, nil
	}
	if t.Since.IsZero() {
		t.Since = now
	}
	if now.Sub(t.Since) < held && f.Dry.Sub(now) > leadLeast/2 {
		return t, nil
	}
	t.At, t.Back = now, f.Back
	dry := f.about(now)
	e := event.Event{Type: event.ProfileLow, Timestamp: now, Data: event.Data{Profile: f.Last, Reason: f.say(now), RunsDryAt: &dry}}
	if !f.Back.IsZero() {
		back := f.Back.Round(time.Second)
		e.Data.RecoversAt, e.Data.FirstBack = &back, f.First
	}
	return t, []event.Event{e}
}

// tells reports whether a gap is in sight that is worth telling now.
func (f Forecast) tells(now time.Time, worth time.Duration) bool {
	if f.Confidence != High || f.Dry.IsZero() || !f.Dry.After(now) {
		return false
	}
	return (f.Back.IsZero() || f.Gap() >= worth) && f.Dry.Sub(now) <= f.lead()
}

// lead is how long ahead the gap is told.
func (f Forecast) lead() time.Duration {
	if f.Back.IsZero() {
		return leadMost
	}
	return min(max(f.Gap(), leadLeast), leadMost)
}

// follow takes what was told to its end.
func (t Told) follow(now time.Time, f Forecast, tell bool) Told {
	if !t.Back.IsZero() && !now.Before(t.Back) && f.Serving != "" {
		return Told{}
	}
	if tell || f.Serving == "" || f.Confidence == Unknown {
		t.Clear = time.Time{}
		return t
	}
	if t.Clear.IsZero() {
		t.Clear = now
	}
	if now.Sub(t.Clear) >= clearFor {
		return Told{}
	}
	return t
}

// notAhead brings back what a clock that was ahead noted.
func (t Told) notAhead(now time.Time) Told {
	for _, at := range []*time.Time{&t.Since, &t.At, &t.Clear} {
		if at.After(now) {
			*at = now
		}
	}
	return t
}

// about is Dry as exactly as it can be told.
func (f Forecast) about(now time.Time) time.Time { return later(f.Dry.Round(roughly), now) }

// say tells the gap in one sentence.
func (f Forecast) say(now time.Time) string {
	dry := clock(now, f.about(now))
	clauses := []string{fmt.Sprintf("the pool runs dry about %s", dry)}
	if f.Paid != "" {
		clauses[0] = fmt.Sprintf("the subscriptions run dry about %s", dry)
	}
	if f.Back.IsZero() {
		clauses = append(clauses, "nobody knows when the first account is back")
	} else {
		clauses = append(clauses, fmt.Sprintf("%s is back first, at %s: a gap of %s", f.First, clock(now, f.Back), lasts(f.Gap())))
	}
	if f.Paid != "" {
		clauses = append(clauses, fmt.Sprintf("meanwhile %s serves, billed for every token", f.Paid))
	}
	return strings.Join(clauses, "; ")
}

// clock names the day where it is not within the next.
func clock(now, t time.Time) string {
	if t.Sub(now) >= day {
		return t.UTC().Format("2006-01-02 15:04 UTC")
	}
	return t.UTC().Format("15:04 UTC")
}

func lasts(d time.Duration) string {
	if d < 3*time.Hour {
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
}
