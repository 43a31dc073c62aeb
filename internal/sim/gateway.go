package sim

import (
	"slices"
	"time"
)

// Answer is what became of one call.
type Answer int

// The answers.
const (
	Answered    Answer = iota
	Limited            // 429: the account's quota is spent
	Unavailable        // the provider answers nobody, after all retries
)

// Provider answers the gateway's calls.
type Provider interface {
	// Call has a profile answer.
	Call(now time.Time, profile string) Answer
	// Limit is what the usage endpoint tells OpenClaw of a profile: when a
	// spent one is back, zero for one that is not spent; known is false where
	// it tells nothing.
	Limit(now time.Time, profile string) (until time.Time, known bool)
}

// Turn is what the gateway did for one turn.
type Turn struct {
	// Calls are the profiles that were called, in order.
	Calls []string
	// Served is the last of them, "" where none answered.
	Served string
}

// Gateway is a model of how OpenClaw 2026.9 chooses among the profiles of one
// provider. It holds what its store does, and never looks ahead.
type Gateway struct {
	order   []string
	models  int
	stats   map[string]*stats
	pins    map[string]string // by session
	records int
}

// NewGateway returns a gateway with an explicit order, and that many models to
// fall back on, one after the other, all of the same provider; 1 is none but
// the first.
func NewGateway(order []string, models int) *Gateway {
	g := &Gateway{order: slices.Clone(order), models: max(1, models), stats: map[string]*stats{}, pins: map[string]string{}}
	for _, id := range order {
		g.stats[id] = &stats{}
	}
	return g
}

// Order is the order in force.
func (g *Gateway) Order() []string { return g.order }

// SetOrder takes effect from the next turn on; sessions with a pin keep it.
func (g *Gateway) SetOrder(ids []string) { g.order = slices.Clone(ids) }

// Records counts what was written down of failures and recoveries: the store
// changes whenever it does.
func (g *Gateway) Records() int { return g.records }

// First is the profile that a new session would try at now, "" for none.
func (g *Gateway) First(now time.Time) string {
	for model := range g.models {
		for _, id := range g.order {
			if !g.stats[id].unusable(now, model) {
				return id
			}
		}
	}
	return ""
}

// Turn plays one turn of a session, "" for one that is never pinned.
func (g *Gateway) Turn(now time.Time, session string, p Provider) Turn {
	g.lookAgain(now, p)
	var t Turn
	for model := range g.models {
		if g.tryModel(now, session, model, p, &t) {
			break
		}
	}
	return t
}

// tryModel calls one profile after the other. On a rate limit it rotates, but
// with a model to fall back on only once; the refusal that ends it then is not
// even written down.
func (g *Gateway) tryModel(now time.Time, session string, model int, p Provider, t *Turn) bool {
	rotated := false
	for _, id := range g.candidates(now, session, model) {
		t.Calls = append(t.Calls, id)
		switch p.Call(now, id) {
		case Answered:
			g.succeeded(id)
			t.Served = id
			if session != "" {
				g.pins[session] = id
			}
			return true
		case Limited:
			if rotated && g.models > 1 {
				return false
			}
			rotated = true
			g.limited(now, id, model, p)
		case Unavailable:
			g.stats[id].unavailable(now)
			g.records++
		}
	}
	return false
}

// candidates are the usable profiles, the session's own before the others
// unless one that is wanted more came back from a limit.
func (g *Gateway) candidates(now time.Time, session string, model int) []string {
	var ids []string
	for _, id := range g.order {
		if !g.stats[id].unusable(now, model) {
			ids = append(ids, id)
		}
	}
	pin := slices.Index(ids, g.pins[session])
	if session == "" || pin < 0 || slices.ContainsFunc(ids[:pin], func(id string) bool { return g.stats[id].limits > 0 }) {
		return ids
	}
	own := ids[pin]
	return slices.Insert(slices.Delete(ids, pin, pin+1), 0, own)
}

func (g *Gateway) succeeded(id string) {
	if s := g.stats[id]; *s != (stats{probed: s.probed}) {
		*s = stats{probed: s.probed}
		g.records++
	}
}

// lookAgain asks about blocks that still run, each at most every five minutes.
func (g *Gateway) lookAgain(now time.Time, p Provider) {
	for _, id := range g.order {
		s := g.stats[id]
		if !now.Before(s.blocked) || now.Sub(s.probed) < halfOpen {
			continue
		}
		s.probed = now
		until, known := p.Limit(now, id)
		if known && !until.Equal(s.blocked) {
			s.blocked = until
			g.records++
		}
	}
}
