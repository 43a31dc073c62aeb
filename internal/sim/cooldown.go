package sim

import (
	"time"

	"github.com/ocwatch/ocwatch/failover"
)

const (
	// halfOpen is how often OpenClaw asks again about a profile it blocked.
	halfOpen = 5 * time.Minute
	// ladder doubles with every refusal until a call is answered: a profile
	// that was spent for long stays away for hours after its reset.
	ladder     = 30 * time.Second
	ladderMost = 24 * time.Hour
	// burst is the pause of a profile that the usage endpoint calls usable.
	burst = 15 * time.Second
	// hiccup is the pause after an error that is no limit.
	hiccup = 30 * time.Second
)

// stats are what OpenClaw keeps of a profile's failures.
type stats struct {
	blocked time.Time // by the provider's word of a reset
	cooled  time.Time
	limited bool // cooled for a rate limit, which counts for one model alone:
	model   int  // this one, unless
	all     bool // two were refused
	limits  int  // since the last answer
	probed  time.Time
}

func (s *stats) unusable(now time.Time, model int) bool {
	return now.Before(s.blocked) || now.Before(s.cooled) && (!s.limited || s.all || s.model == model)
}

// limited writes a refusal down: until the reset where the provider tells it,
// else up the ladder.
func (g *Gateway) limited(now time.Time, id string, model int, p Provider) {
	g.records++
	s := g.stats[id]
	s.limits++
	until, known := p.Limit(now, id)
	if known {
		s.probed = now
	}
	switch {
	case until.After(now):
		s.blocked, s.cooled = until, time.Time{}
	case known:
		s.cool(now, burst, model)
	default:
		s.cool(now, min(ladder<<min(s.limits-1, 20), ladderMost), model)
	}
}

// cool leaves a cooldown that still runs as it is, but for its scope.
func (s *stats) cool(now time.Time, d time.Duration, model int) {
	if now.Before(s.cooled) {
		s.all = s.all || s.model != model
		return
	}
	s.cooled, s.limited, s.model, s.all = now.Add(d), true, model, false
}

// unavailable is a cooldown for errors that are no limit. OpenClaw's ladder for
// them, 30 s, 1 m, 5 m, begins anew once a cooldown ran out, and nothing is
// called before.
func (s *stats) unavailable(now time.Time) {
	if !now.Before(s.cooled) {
		s.cooled, s.limited, s.all = now.Add(hiccup), false, false
	}
}

// Block is what a reader of OpenClaw's store sees of a profile.
func (g *Gateway) Block(now time.Time, id string) failover.Block {
	s := g.stats[id]
	switch {
	case now.Before(s.blocked):
		return failover.Block{Until: s.blocked, Reason: "subscription_limit"}
	case now.Before(s.cooled) && s.limited:
		return failover.Block{Until: s.cooled, Reason: "rate_limit", Transient: true}
	case now.Before(s.cooled):
		return failover.Block{Until: s.cooled, Reason: "timeout", Transient: true}
	}
	return failover.Block{}
}
