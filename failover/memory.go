package failover

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// author is who changed the order since it was last seen.
type author int

const (
	nobody   author = iota // or ocwatch itself
	somebody               // a person, another program
	aLogin                 // OpenClaw, which puts the profile of a fresh login first
)

// reconcile compares the order that was read with what ocwatch remembers, and
// says what happened in between: nothing, a change of our own that a crash or
// a slow gateway kept from being confirmed, or an order by somebody else.
func (m *Memory) reconcile(now time.Time, p Policy, pool Pool) ([]event.Event, author) {
	m.forgetGone(now, pool)
	m.forgetAhead(now, p)
	if !slices.Equal(m.Prefer, p.Prefer) {
		m.Prefer, m.ByPerson, m.Chosen, m.Held = slices.Clone(p.Prefer), false, "", ""
	}
	switch {
	case m.Intent != nil && slices.Equal(pool.Order, m.Intent.Order):
		return m.confirm(now, pool), nobody
	case !m.Known:
		m.Known, m.Seen = true, slices.Clone(pool.Order)
		m.Preferred = slices.Clone(pool.Order)
		if len(p.Prefer) == 0 && pool.paidAmongFree(head(pool.Order)) {
			m.Chosen = pool.Order[0]
		}
		return nil, nobody
	case slices.Equal(pool.Order, m.Seen):
		return nil, nobody
	case slices.Equal(pool.Order, existing(m.Seen, pool)):
		// A profile was removed, and OpenClaw dropped it from the order.
		m.Seen = slices.Clone(pool.Order)
		return nil, nobody
	case m.promoted(now, pool):
		m.takeOver(now, pool)
		m.prefersLogin(pool)
		return nil, aLogin
	}
	m.takeOver(now, pool)
	m.Preferred = slices.Clone(pool.Order)
	m.ByPerson, m.Chosen, m.Held = len(pool.Order) > 0, head(pool.Order), head(pool.Order)
	return nil, somebody
}

// takeOver accepts an order that ocwatch did not set for the one in force.
func (m *Memory) takeOver(now time.Time, pool Pool) {
	if head(pool.Order) != head(m.Seen) {
		m.SwitchedAt = now
	}
	m.Seen, m.Ours, m.Paid = slices.Clone(pool.Order), false, false
	m.RetryAt, m.Attempts, m.Intent = time.Time{}, 0, nil
}

// confirm records that the intended order is in force, and returns the events
// that tell it.
func (m *Memory) confirm(now time.Time, pool Pool) []event.Event {
	in := *m.Intent
	m.Intent, m.RetryAt, m.Attempts = nil, time.Time{}, 0
	m.Seen, m.Ours = slices.Clone(in.Order), true
	m.Writes = append(m.Writes, now)
	to := head(in.Order)
	if to == in.From {
		return nil
	}
	m.SwitchedAt, m.Chosen, m.Held = now, "", ""
	evs := []event.Event{{Type: event.PoolSwitched, Timestamp: now, Data: event.Data{
		Agent: pool.Agent, Provider: pool.Provider, From: in.From, To: to, Reason: in.Reason, Order: in.Order,
	}}}
	wasPaid := m.Paid
	m.Paid = pool.paidAmongFree(to)
	if m.Paid && !wasPaid {
		evs = append(evs, event.Event{Type: event.PoolPaid, Timestamp: now, Data: event.Data{
			Agent: pool.Agent, Provider: pool.Provider, Profile: to, To: to, Reason: in.Reason, Order: in.Order,
			RecoversAt: timePtr(in.RecoversAt),
		}})
	}
	return evs
}

// Confirm is called once plan's order was set and read back. It returns the
// memory to keep and the events that tell of the switch.
func Confirm(now time.Time, plan Plan, pool Pool) (Memory, []event.Event) {
	m := plan.Memory.clone()
	if m.Intent == nil {
		return m, nil
	}
	return m, m.confirm(now, pool)
}

// Failed is called when plan's order could not be set or was not seen in
// force. The next attempt waits, doubling from retryFirst to retryMost.
func Failed(now time.Time, plan Plan) Memory {
	m := plan.Memory.clone()
	pause := retryFirst << min(m.Attempts, 8)
	m.Attempts++
	m.RetryAt = now.Add(min(pause, retryMost))
	return m
}

func (m *Memory) forgetGone(now time.Time, pool Pool) {
	ids := pool.ids()
	for id := range m.Profiles {
		if !slices.Contains(ids, id) {
			delete(m.Profiles, id)
		}
	}
	for _, id := range []*string{&m.Chosen, &m.Held} {
		if !slices.Contains(ids, *id) {
			*id = ""
		}
	}
	m.Writes = slices.DeleteFunc(m.Writes, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
}

// forgetAhead drops what lies ahead by more than any wait: the clock was wrong
// then and was set back since, and nothing may wait for years to come again.
func (m *Memory) forgetAhead(now time.Time, p Policy) {
	if m.SwitchedAt.After(now) {
		m.SwitchedAt = now
	}
	if m.RetryAt.After(now.Add(retryMost)) {
		m.RetryAt = time.Time{}
	}
	m.Writes = slices.DeleteFunc(m.Writes, func(t time.Time) bool { return t.After(now) })
	for id, pm := range m.Profiles {
		pm.forgetAhead(now)
		m.Profiles[id] = pm
	}
	if e := m.Depleted; e != nil && e.RemindAt.After(now.Add(p.RemindEvery)) {
		e.RemindAt = now.Add(p.RemindEvery)
	}
}

// preference is the complete list of the pool's profiles, most wanted first.
// Where nobody ever set an order, it is as OpenClaw lists them: older releases
// take turns there, and that is no reason to write.
func (m *Memory) preference(p Policy, pool Pool) []string {
	lists := [][]string{p.Prefer, m.Preferred}
	if m.ByPerson {
		slices.Reverse(lists)
	}
	lists = append(lists, pool.ids())
	var out []string
	for _, id := range slices.Concat(lists...) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return existing(out, pool)
}

// current is the order in force with the omitted profiles behind it.
func (p Pool) current() []string {
	out := existing(p.Order, p)
	for _, id := range p.ids() {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (p Pool) paidAmongFree(id string) bool {
	paid, free := false, false
	for _, c := range p.Candidates {
		paid = paid || c.Paid && c.ID == id
		free = free || !c.Paid
	}
	return paid && free
}

func existing(ids []string, p Pool) []string {
	all := p.ids()
	var out []string
	for _, id := range ids {
		if slices.Contains(all, id) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func head(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}
