package failover

import (
	"fmt"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// tell adds the events of what changed since it was last told.
func (d *decision) tell() {
	d.tellBlind()
	d.tellLogins()
	if d.plan.State == PoolBlind {
		return
	}
	for _, a := range d.plan.Profiles {
		d.tellProfile(a)
	}
	d.tellExpiry()
	d.tellDepleted()
}

func (d *decision) add(t event.Type, data event.Data) {
	data.Agent, data.Provider = d.pool.Agent, d.pool.Provider
	d.plan.Events = append(d.plan.Events, event.Event{Type: t, Timestamp: d.now, Data: data})
}

func (d *decision) tellProfile(a Assessment) {
	pm := d.m.Profiles[a.ID]
	was := pm.Announced
	if !a.Sure || a.State == Unknown || a.State == was {
		return
	}
	pm.Announced = a.State
	d.m.Profiles[a.ID] = pm
	t := profileEvent(was, a.State)
	if t == "" {
		return
	}
	data := event.Data{
		Profile: a.ID, Reason: a.Reason, RecoversAt: timePtr(a.Until),
		Profiles: []event.Profile{profileOf(a)},
	}
	if t == event.ProfileLoginRequired {
		data.Login = d.loginOf(a)
	}
	d.add(t, data)
}

// profileEvent is the event for a profile that was told to be in state was
// and is in state is; "" where there is nothing to tell.
func profileEvent(was, is State) event.Type {
	spent := was == Exhausted || was == Dead
	switch is {
	case Exhausted:
		return event.ProfileExhausted
	case Dead:
		return event.ProfileLoginRequired
	case Low:
		if spent {
			return event.ProfileRecovered
		}
		return event.ProfileLow
	case Available:
		if spent || was == Low {
			return event.ProfileRecovered
		}
	case Unknown:
	}
	return ""
}

// tellBlind waits for unreachableRise failures, so that a blip is no event.
func (d *decision) tellBlind() {
	if d.plan.State != PoolBlind {
		if e := d.m.Blind; e != nil && e.Announced {
			d.add(event.WatchdogStarted, event.Data{
				Ends: event.WatchdogBlind, Reason: "the quota of " + d.pool.Provider + " can be seen again", Profiles: profilesOf(d.plan.Profiles),
			})
		}
		d.m.Blind = nil
		return
	}
	if d.m.Blind == nil {
		d.m.Blind = &Episode{Since: d.now}
	}
	if d.m.Blind.Announced || d.fewestFailures() < unreachableRise {
		return
	}
	d.m.Blind.Announced = true
	d.add(event.WatchdogBlind, event.Data{Reason: d.plan.Reason, Profiles: profilesOf(d.plan.Profiles)})
}

func (d *decision) fewestFailures() int {
	fewest := -1
	for _, c := range d.pool.Candidates {
		if d.as[c.ID].Unreachable && (fewest < 0 || c.Failures < fewest) {
			fewest = c.Failures
		}
	}
	return fewest
}

func (d *decision) tellDepleted() {
	e := d.m.Depleted
	if d.plan.State != PoolDepleted {
		if e != nil && (d.plan.State == PoolOK || d.plan.State == PoolWarning) {
			d.m.Depleted = nil
			d.add(event.PoolRecovered, event.Data{
				Ends: event.PoolDepleted, To: head(d.plan.Order), Reason: d.plan.Reason, Order: d.plan.Order, Profiles: profilesOf(d.plan.Profiles),
			})
		}
		return
	}
	if e == nil {
		e = &Episode{Since: d.now}
		d.m.Depleted = e
	}
	action := d.action()
	asks := action == event.ActionLogin && !e.LoginAsked
	reminds := e.LoginAsked && action == event.ActionLogin && d.policy.RemindEvery > 0 && !d.now.Before(e.RemindAt)
	if e.Announced && !asks && !reminds {
		return
	}
	e.Announced = true
	if action == event.ActionLogin {
		e.LoginAsked, e.RemindAt = true, d.now.Add(d.policy.RemindEvery)
	}
	d.add(event.PoolDepleted, d.depletedData(action, reminds && !asks))
}

// action is what helps a depleted pool soonest.
func (d *decision) action() string {
	if at := d.plan.RecoversAt; !at.IsZero() && at.Sub(d.now) < d.policy.LoginAfter {
		return event.ActionWait
	}
	for _, id := range d.allowed(d.pool.current()) {
		if d.as[id].Hiccup {
			return event.ActionWait // this one has quota and a login: it is an outage
		}
	}
	return event.ActionLogin
}

func (d *decision) depletedData(action string, reminder bool) event.Data {
	data := d.plan.Describe(event.Data{Action: action, Reminder: reminder, Paused: d.pool.Paused})
	if action == event.ActionLogin {
		data.Login = d.login()
	}
	return data
}

func profilesOf(as []Assessment) []event.Profile {
	out := make([]event.Profile, len(as))
	for i, a := range as {
		out[i] = profileOf(a)
	}
	return out
}

func profileOf(a Assessment) event.Profile {
	return event.Profile{ID: a.ID, State: string(a.State), Reason: a.Reason, Until: timePtr(a.Until), Refused: a.Hiccup, Paid: a.Paid, Key: a.Key && !a.Paid}
}

func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// sayWhy explains the step from cur to want in one sentence.
func (d *decision) sayWhy(cur, want []string) string {
	if len(cur) == 0 {
		return "no profile"
	}
	first, next := d.as[cur[0]], d.as[want[0]]
	switch {
	case d.plan.State == PoolDepleted:
		return d.sayDepleted()
	case head(d.inUse()) != first.ID:
		return fmt.Sprintf("paid profiles are left out (paid: never); next is %s%s", next.ID, because(next))
	case first.ID != next.ID && d.pinned(next.ID):
		return d.sayPinned(first, next)
	case first.ID != next.ID && d.better(first, next):
		return d.sayBetter(first, next)
	case first.ID != next.ID:
		return fmt.Sprintf("%s is %s%s; next is %s%s", first.ID, condition(first), because(first), next.ID, because(next))
	case len(d.inUse()) > len(cur):
		return "paid profiles are left out (paid: never)"
	case !slices.Equal(cur, want) && cur[1] != want[1] && d.as[want[1]].Serves():
		return d.saySecond(first, d.as[cur[1]], d.as[want[1]])
	case !slices.Equal(cur, want):
		return fmt.Sprintf("%s stays first; spent profiles go behind those that can serve", first.ID)
	case d.pinned(first.ID):
		return d.sayPinned(first, next)
	default:
		return fmt.Sprintf("%s is first and %s%s", first.ID, condition(first), because(first))
	}
}

// better reports that next is wanted for itself, not for want of first.
func (d *decision) better(first, next Assessment) bool {
	usable := first.State == Available && !first.Shunned || first.State == Unknown && !first.Sure
	spills := d.pool.paidAmongFree(first.ID) && !next.Paid
	return usable && !spills && next.State == Available
}

// sayBetter names what the strategy goes by.
func (d *decision) sayBetter(first, next Assessment) string {
	switch d.policy.Strategy {
	case MostRemaining:
		return fmt.Sprintf("%s has more left than %s%s", next.ID, first.ID, because(next))
	case SoonestReset:
		return fmt.Sprintf("%s resets before %s, so its quota is used first%s", next.ID, first.ID, because(next))
	case Priority, Sticky:
	}
	return fmt.Sprintf("%s is %s and preferred%s", next.ID, next.State, because(next))
}

// saySecond explains another second place: OpenClaw tries that one when the
// first fails, and no third.
func (d *decision) saySecond(first, second, next Assessment) string {
	if second.Serves() && d.candidate(second.ID).Account == d.candidate(first.ID).Account {
		return fmt.Sprintf("%s stays first; second is %s%s in place of %s, which bills the same account",
			first.ID, next.ID, because(next), second.ID)
	}
	return fmt.Sprintf("%s stays first; second is %s%s in place of %s, which is %s%s",
		first.ID, next.ID, because(next), second.ID, condition(second), because(second))
}

func (d *decision) sayDepleted() string {
	dead, refused, all := 0, 0, len(d.plan.Profiles)
	for _, a := range d.plan.Profiles {
		switch {
		case a.State == Dead:
			dead++
		case a.Hiccup:
			refused++
		}
	}
	s := fmt.Sprintf("all %d profiles are spent", all)
	switch {
	case dead == all && all == 1:
		s = "the only profile needs a login"
	case dead == all:
		s = fmt.Sprintf("all %d profiles need a login", dead)
	case refused > 0:
		s = fmt.Sprintf("no profile can serve: spent %d, login needed %d, refused by OpenClaw after errors %d", all-dead-refused, dead, refused)
	case dead > 0:
		s = fmt.Sprintf("no profile can serve: spent %d, login needed %d", all-dead, dead)
	case all == 1:
		s = "the only profile is spent"
	}
	for _, a := range d.plan.Profiles {
		if !a.Until.IsZero() && a.Until.Equal(d.plan.RecoversAt) {
			return fmt.Sprintf("%s; first back is %s at %s", s, a.ID, clock(a.Until))
		}
	}
	return s
}

func (d *decision) sayKept(why string) string {
	return why + "; the order is kept"
}

func condition(a Assessment) string {
	if a.Paid && a.State == Available {
		return "paid"
	}
	return string(a.State)
}

func because(a Assessment) string {
	if a.Reason == "" {
		return ""
	}
	return " (" + a.Reason + ")"
}
