package sim

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// ReplayAssumptions are what a replay cannot know, one sentence each.
func ReplayAssumptions() []string {
	return []string{
		"Demand follows the first profile: what an account was used while it was first would have been asked of whoever is first in the replay; what it was used otherwise stays with it.",
		"One percent of an account is worth one percent of another of the same plan; between plans the rates tell, at which each filled while it was first.",
		"What was refused left no trace: turns that nobody answered, and use of a profile that is paid per call, are not in the readings.",
		"Orders that a person set, logins and outages are not replayed; OpenClaw is a model of 2026.9 with one model and no chats that keep their account.",
	}
}

// Replay plays a record under another policy. Asked counts for nothing: the
// readings of the past do not say when the replay would have asked.
func Replay(r *Record, policy failover.Policy) Result {
	w := r.world()
	if len(policy.Prefer) == 0 {
		policy.Prefer = w.ids()
	}
	return Play(w, NewWatchdog(policy, 1))
}

// world makes a record playable.
func (r *Record) world() *World {
	w := &World{Start: r.From, Length: r.To.Sub(r.From), Provider: r.Provider, Models: 1, order: r.Order}
	sizes := r.sizes()
	for i := range r.Accounts {
		a := &r.Accounts[i]
		m := meter{paid: a.Paid, size: sizes[i], week: a.weekShare()}
		if start := a.newest(r.From); start >= 0 {
			m.begin(a.Readings[start])
		} else if len(a.Readings) > 0 {
			m.begin(a.Readings[0])
		}
		w.Accounts = append(w.Accounts, Account{ID: a.ID, Paid: a.Paid, Size: m.size, meter: m, token: r.To.Add(tokenLife)})
		r.spread(a, m.size, w)
	}
	slices.SortStableFunc(w.turns, byTime)
	slices.SortStableFunc(w.elsewhere, byTime)
	return w
}

// begin takes the meter over from a reading.
func (m *meter) begin(r quota.Reading) {
	for _, w := range r.Windows {
		used, _ := w.Used()
		ends, _ := w.Reset()
		switch {
		case w.Scope != "":
		case w.Name == quota.FiveHour:
			m.five, m.fiveEnds = used, ends
		case w.Name == quota.Weekly:
			m.weekly, m.weekEnds = used, ends
		}
	}
}

// piece is what an account was used between two readings, in percent of its
// five hours.
type piece struct {
	from, to time.Time
	percent  float64
}

// pieces are the account's use from one reading to the next. Where the window
// was reset between, what was used before that is not known.
func (a *RecordedAccount) pieces() []piece {
	var list []piece
	last := -1
	for i, r := range a.Readings {
		used, ok := usedOf(r, quota.FiveHour)
		if !ok {
			continue
		}
		if last >= 0 {
			was, _ := usedOf(a.Readings[last], quota.FiveHour)
			p := piece{a.Readings[last].At, r.At, used - was}
			if used < was {
				p.percent = used
			}
			if p.percent > 0 {
				list = append(list, p)
			}
		}
		last = i
	}
	return list
}

func usedOf(r quota.Reading, name string) (float64, bool) {
	for _, w := range r.Windows {
		if w.Name == name && w.Scope == "" {
			return w.Used()
		}
	}
	return 0, false
}

// spread turns an account's use into turns, a minute apart: into demand for
// the minutes in which it was first, else into use that stays with it.
func (r *Record) spread(a *RecordedAccount, size float64, w *World) {
	for _, p := range a.pieces() {
		var asFirst, all []time.Time
		for at := p.from; at.Before(p.to); at = at.Add(sample) {
			if at.Before(r.From) || !at.Before(r.To) {
				continue
			}
			all = append(all, at)
			if r.firstAt(at) == a.ID {
				asFirst = append(asFirst, at)
			}
		}
		into, minutes, session := &w.turns, asFirst, ""
		if len(asFirst) == 0 {
			into, minutes, session = &w.elsewhere, all, a.ID
		}
		for _, at := range minutes {
			*into = append(*into, arrival{at: at, session: session, cost: p.percent * size / float64(len(minutes))})
		}
	}
}

// usualWeekShare is a weekly percent per five-hour percent where the readings
// do not tell it.
const usualWeekShare = 0.15

// weekShare is how much of the week one percent of five hours was.
func (a *RecordedAccount) weekShare() float64 {
	five, week := 0.0, 0.0
	for i := 1; i < len(a.Readings); i++ {
		f0, ok0 := usedOf(a.Readings[i-1], quota.FiveHour)
		f1, ok1 := usedOf(a.Readings[i], quota.FiveHour)
		w0, ok2 := usedOf(a.Readings[i-1], quota.Weekly)
		w1, ok3 := usedOf(a.Readings[i], quota.Weekly)
		if ok0 && ok1 && ok2 && ok3 && f1 >= f0 && w1 >= w0 {
			five, week = five+f1-f0, week+w1-w0
		}
	}
	if five < 20 || week == 0 {
		return usualWeekShare
	}
	return week / five
}

// What makes the rate of an account believable: so long first, so much used.
const (
	rateTime    = 2 * time.Hour
	ratePercent = 10.0
)

// sizes are how much a percent of each account is worth. Accounts of one plan
// are alike; plans are told apart by how fast their accounts filled while they
// were first.
func (r *Record) sizes() []float64 {
	first, percent := map[string]time.Duration{}, map[string]float64{}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		for at := r.From; at.Before(r.To); at = at.Add(sample) {
			if r.firstAt(at) == a.ID && !a.spentAt(at) {
				first[a.plan()] += sample
			}
		}
		for _, p := range a.pieces() {
			if r.firstAt(p.from) == a.ID || r.firstAt(p.to) == a.ID {
				percent[a.plan()] += p.percent
			}
		}
	}
	// The plan that was first for longest is the measure, by name where two were.
	measure := ""
	for plan, d := range first {
		if d > first[measure] || d == first[measure] && plan < measure {
			measure = plan
		}
	}
	rate := func(plan string) float64 { return percent[plan] / first[plan].Hours() }
	known := func(plan string) bool { return first[plan] >= rateTime && percent[plan] >= ratePercent }
	sizes := make([]float64, len(r.Accounts))
	for i := range r.Accounts {
		plan := r.Accounts[i].plan()
		sizes[i] = 1
		if plan != measure && known(plan) && known(measure) {
			sizes[i] = rate(measure) / rate(plan)
		}
	}
	return sizes
}

func (a *RecordedAccount) plan() string {
	for _, r := range slices.Backward(a.Readings) {
		if r.Plan != "" {
			return r.Plan
		}
	}
	return ""
}
