package restart

import (
	"context"
	"time"
)

const (
	lookTimeout = 3 * time.Second
	// lookPoll is below the shortest outage seen of a restart, 4 s, by enough
	// that none is missed.
	lookPoll   = 500 * time.Millisecond
	settlePoll = time.Second
	// missesGone in a row are an outage; fewer are a gateway that is busy.
	missesGone = 3
	// startSlack covers the way from the gateway's clock to ours.
	startSlack = 2 * time.Second
)

// sight is one look at the gateway.
type sight struct {
	at      time.Time
	live    bool
	answers bool      // something that listens on the gateway's port said something
	down    bool      // nobody listens there, for certain
	started time.Time // zero: not known
	detail  string
}

// startedAfter reports whether the gateway that was seen was surely started
// after t.
func (s sight) startedAfter(t time.Time) bool {
	return s.live && !s.started.IsZero() && s.started.After(t.Add(startSlack))
}

func (r *Restarter) look(ctx context.Context) sight {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	h := r.opts.Health.Health(ctx)
	s := sight{at: time.Now(), live: h.Live, answers: h.Answers || h.Live, down: h.Down, detail: h.Detail}
	if h.Live && h.Uptime > 0 {
		s.started = s.at.Add(-h.Uptime)
	}
	return s
}

// evidence is what was seen of the gateway since its restart was asked for. The
// old gateway goes on answering for a while, so an answer alone says nothing.
type evidence struct {
	asked   time.Time
	wasLive bool // it answered before the asking
	// gone: the old gateway no longer answers, or systemd runs a new process.
	gone   bool
	misses int    // looks in a row without an answer
	detail string // why the last look was not enough
}

// back reports whether s shows a gateway that was started after the asking.
// Where the gateway tells its uptime that decides, since one that is merely
// busy can miss a look too.
func (e *evidence) back(s sight) bool {
	if !s.live {
		e.misses++
		e.gone = e.gone || e.misses >= missesGone
		e.detail = "it does not answer"
		if s.detail != "" {
			e.detail = s.detail
		}
		return false
	}
	e.misses = 0
	fresh := e.gone
	if !s.started.IsZero() {
		// Never mistaken for the old one, which is up for MinUptime or more.
		fresh = s.started.After(e.asked.Add(-startSlack))
		e.gone = fresh
	}
	if !fresh {
		e.detail = "the old gateway still answers"
	}
	return fresh
}
