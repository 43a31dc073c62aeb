package watchdog

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// pauseKey is the pause in the journal: it outlives ocwatch.
const pauseKey = "pause"

// Pause is the owner's word that nothing is to be changed: no order, no
// restart, no login of ocwatch's own accord.
type Pause struct {
	Since time.Time `json:"since"`
	// Until is when it ends by itself; zero: with Resume alone.
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

func (p *Pause) over(now time.Time) bool { return !p.Until.IsZero() && !now.Before(p.Until) }

// Pause has the watchdog watch and tell, and change nothing, until a time or,
// where that is zero, until Resume. It waits for the round under way: once it
// returns nothing is changed any more. A restart of the gateway that was begun
// before goes on.
func (w *Watchdog) Pause(ctx context.Context, until time.Time, reason string) {
	w.round.Lock()
	defer w.round.Unlock()
	now := time.Now().UTC()
	w.paused = &Pause{Since: now, Until: until.UTC().Round(0), Reason: reason}
	rd := journal.Round{At: now, State: map[string]json.RawMessage{}}
	w.remember(&rd, pauseKey, w.paused)
	w.commit(ctx, rd)
	w.showPause()
	e := w.Log.Info().Str("reason", reason)
	if !until.IsZero() {
		e = e.Time("until", w.paused.Until)
	}
	e.Msg("paused: watching goes on, and nothing is changed")
	w.Wake()
}

// Resume ends a pause, and reports whether there was one.
func (w *Watchdog) Resume(ctx context.Context) (was bool) {
	w.round.Lock()
	defer w.round.Unlock()
	was = w.paused != nil
	rd := journal.Round{At: time.Now().UTC(), State: map[string]json.RawMessage{}}
	w.endPause(&rd, "on request")
	w.commit(ctx, rd)
	w.showPause()
	w.Wake()
	return was
}

// checkPause ends the pause when its time is over.
func (w *Watchdog) checkPause(rd *journal.Round) {
	if w.paused != nil && w.paused.over(rd.At) {
		w.endPause(rd, "its time is over")
	}
}

func (w *Watchdog) endPause(rd *journal.Round, why string) {
	if w.paused != nil {
		w.Log.Info().Str("why", why).Msg("resumed")
	}
	w.paused = nil
	w.forget(rd, pauseKey)
}

// showPause puts the pause into the status without waiting for a round.
func (w *Watchdog) showPause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.setPause(w.paused)
}

func (s *Status) setPause(p *Pause) {
	s.Paused, s.PausedUntil, s.PausedReason = p != nil, nil, ""
	if p != nil {
		s.PausedUntil, s.PausedReason = timePtr(p.Until), p.Reason
	}
}

// releaseAsks gives back what waits for the code of a login that a paused
// ocwatch does not begin. A code that is under way already is waited for.
func (w *Watchdog) releaseAsks(p *pool) []event.Event {
	if w.paused == nil || p.fetch != nil {
		return nil
	}
	var now []event.Event
	for _, a := range p.asks {
		a.Event.Data.Paused = true
		now = append(now, a.Event)
	}
	p.asks = nil
	return now
}
