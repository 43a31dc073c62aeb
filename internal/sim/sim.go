// Package sim plays weeks of demand on a few accounts behind a model of
// OpenClaw, under different ways of deciding which account goes first, and
// counts what its users feel. Everything is drawn from a seed before the week
// begins: the same seed gives the same week, whoever decides in it.
//
// What it assumes is in Assumptions. The model of OpenClaw is Gateway; a test
// in test/e2e holds it against the real one.
package sim

import (
	"slices"
	"time"
)

// Controller decides on the order of the accounts while a week passes.
type Controller interface {
	// Act looks at the world at now, sets an order where it wants another one,
	// and says when it wants to look again; zero is never.
	Act(now time.Time, v View) time.Time
}

// Reactor is a controller that notices changes in OpenClaw's store.
type Reactor interface {
	// React is when it looks at what was recorded at now.
	React(now time.Time) time.Time
}

// Result is what one week was like.
type Result struct {
	// Turns are those that were asked for outside of outages.
	Turns int
	// Unusable is how long no account would have answered that OpenClaw tries
	// first; Avoidable is how much of it another account had quota.
	Unusable, Avoidable time.Duration
	// Dry is how long no account had quota but those that are paid per call,
	// PaidFirst how long one of these was the first to be tried.
	Dry, PaidFirst time.Duration
	// Refused are turns whose first call was refused, or that no account was
	// tried for. Failed are turns that nobody answered.
	Refused, Failed int
	// Switches counts orders with another first account, Moved the turns that
	// found their session at another account than before.
	Switches, Moved int
	// Paid are calls that were answered by an account billed per call.
	Paid int
	// Restarts are those of the gateway, Asked are questions to usage
	// endpoints by the controller.
	Restarts, Asked int
}

// sample is how often it is looked at who would answer.
const sample = time.Minute

// Play plays the week w under c; nil leaves OpenClaw alone.
func Play(w *World, c Controller) Result {
	r := newRun(w)
	look := time.Time{}
	if c != nil {
		look = w.Start
	}
	reactor, reacts := c.(Reactor)
	turns, others := w.turns, w.elsewhere
	end := w.Start.Add(w.Length)
	for at := w.Start; at.Before(end); at = at.Add(sample) {
		next := at.Add(sample)
		for {
			turn, other, watch := due(turns, next), due(others, next), !look.IsZero() && look.Before(next)
			switch {
			case watch && (!turn || !turns[0].at.Before(look)) && (!other || !others[0].at.Before(look)):
				look = c.Act(look, View{r})
				continue
			case other && (!turn || others[0].at.Before(turns[0].at)):
				r.elsewhere(others[0])
				others = others[1:]
				continue
			case turn:
				if recorded := r.turn(turns[0]); recorded && reacts {
					look = earlier(look, reactor.React(turns[0].at))
				}
				turns = turns[1:]
				continue
			}
			break
		}
		r.sample(next)
	}
	return r.result
}

func due(list []arrival, before time.Time) bool { return len(list) > 0 && list[0].at.Before(before) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// run is one week under way.
type run struct {
	*World
	gateway  *Gateway
	meters   map[string]*meter
	tokens   map[string]time.Time // when the access token ends
	served   map[string]string    // by session: the account of its last turn
	downTill time.Time            // the gateway restarts
	refused  bool                 // the first account refused a call since it was last asked about
	cost     float64              // of the turn under way
	result   Result
}

func newRun(w *World) *run {
	r := &run{World: w, meters: map[string]*meter{}, tokens: map[string]time.Time{}, served: map[string]string{}}
	for _, a := range w.Accounts {
		m := a.meter
		m.resets = slices.Clone(m.resets)
		r.meters[a.ID], r.tokens[a.ID] = &m, a.token
	}
	r.gateway = NewGateway(w.ids(), w.Models)
	if w.order != nil {
		r.gateway.SetOrder(w.order)
	}
	return r
}

// turn plays one turn, and reports whether OpenClaw recorded something new.
func (r *run) turn(a arrival) (recorded bool) {
	outage := within(r.outages, a.at)
	if a.at.Before(r.downTill) {
		r.result.Turns++
		r.result.Failed++
		return false
	}
	before := r.gateway.Records()
	r.cost = a.cost
	t := r.gateway.Turn(a.at, a.session, r)
	recorded = r.gateway.Records() != before
	if outage {
		return recorded // what nobody could answer says nothing of who decides
	}
	r.result.Turns++
	if len(t.Calls) == 0 || t.Calls[0] != t.Served {
		r.result.Refused++
	}
	r.refused = r.refused || len(t.Calls) > 0 && t.Calls[0] == r.gateway.Order()[0] && t.Calls[0] != t.Served
	switch was := r.served[a.session]; {
	case t.Served == "":
		r.result.Failed++
		return recorded
	case a.session != "" && was != "" && was != t.Served:
		r.result.Moved++
	}
	if a.session != "" {
		r.served[a.session] = t.Served
	}
	if r.meters[t.Served].paid {
		r.result.Paid++
	}
	return recorded
}

// elsewhere is use of an account outside of OpenClaw.
func (r *run) elsewhere(a arrival) {
	if m := r.meters[a.session]; !m.spent(a.at) {
		m.use(a.at, a.cost)
	}
}

// Call implements Provider.
func (r *run) Call(now time.Time, profile string) Answer {
	m := r.meters[profile]
	switch {
	case within(r.outages, now):
		return Unavailable
	case m.spent(now):
		r.refresh(now, profile)
		return Limited
	}
	r.refresh(now, profile)
	m.use(now, r.cost)
	return Answered
}

// refresh is what OpenClaw does with a token that it is about to use.
func (r *run) refresh(now time.Time, profile string) {
	if !now.Before(r.tokens[profile]) {
		r.tokens[profile] = now.Add(tokenLife)
	}
}

// Limit implements Provider: what OpenClaw's own question to the usage
// endpoint brings.
func (r *run) Limit(now time.Time, profile string) (until time.Time, known bool) {
	if m := r.meters[profile]; r.readable() && !m.paid && !within(r.outages, now) {
		return m.until(now), true
	}
	return time.Time{}, false
}

// sample looks at who would answer at now.
func (r *run) sample(now time.Time) {
	if within(r.outages, now) {
		return
	}
	first := r.gateway.First(now)
	free, paid := false, false
	for _, m := range r.meters {
		free, paid = free || !m.paid && !m.spent(now), paid || m.paid
	}
	if !free {
		r.result.Dry += sample
	}
	switch {
	case first == "" || r.meters[first].spent(now):
		r.result.Unusable += sample
		if free || paid {
			r.result.Avoidable += sample
		}
	case r.meters[first].paid:
		r.result.PaidFirst += sample
	}
}
