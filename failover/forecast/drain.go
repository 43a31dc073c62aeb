package forecast

import (
	"slices"
	"time"
)

// foreseeable: of every account that may serve it is known what is left, and how
// it is used.
func foreseeable(states []state, d map[key]demand) bool {
	for _, s := range states {
		if !s.dead && !s.foreseeable(d) {
			return false
		}
	}
	return len(states) > 0
}

// foreseeable: it is known what is left of s, and where it can be used, how fast.
func (s state) foreseeable(d map[key]demand) bool {
	for _, w := range s.windows {
		if s.serves() && (!w.known || !d[w.key].known) {
			return false
		}
	}
	return s.known
}

func mixed(states []state) bool {
	plan := ""
	for _, s := range states {
		if plan != "" && s.plan != "" && s.plan != plan {
			return true
		}
		if s.plan != "" {
			plan = s.plan
		}
	}
	return false
}

// outcome is what comes of draining a pool.
type outcome struct {
	dry, back   time.Time
	last, first string
	// reached is when the windows first reach the threshold, unless they are
	// reset before.
	reached map[place]time.Time
}

// place is one window of one account.
type place struct{ account, window int }

// stages bounds how often the account in use changes within a forecast: five-hour
// windows of many accounts make some hundred in a week.
const stages = 2000

// drain lets the pool be used until it is dry, for a week at most. The account
// in use changes where one is spent, passes its threshold or comes back.
func drain(now time.Time, p Pool, from []state, d map[key]demand, pick func(demand) rates) outcome {
	states := slices.Clone(from)
	for i := range states {
		states[i].windows = slices.Clone(from[i].windows)
	}
	out := outcome{reached: map[place]time.Time{}}
	at, returns := time.Duration(0), nextReturn(states, now)
	for range stages {
		t := now.Add(at)
		for i := range states {
			states[i].settle(t, at > 0)
		}
		i := serving(states, p.SwitchAt)
		if i < 0 {
			if out.dry.IsZero() {
				out.dry = t
				out.back, out.first = firstBack(states)
			}
			if at = returns(at); at >= ahead {
				break
			}
			continue
		}
		s := &states[i]
		if out.dry.IsZero() {
			out.last = s.id
		}
		s.begin(t, d)
		next := earliest(at, s.until(p.SwitchAt, at, d, pick), returns)
		if next >= ahead {
			break
		}
		for _, j := range s.use(at, next, d, pick, p.SwitchAt) {
			out.reached[place{i, j}] = now.Add(next)
		}
		at = next
	}
	if out.dry.IsZero() {
		out.last = ""
	}
	return out
}

// settle ends what is over at t.
func (s *state) settle(t time.Time, passed bool) {
	if s.out && !s.outUntil.IsZero() && !s.outUntil.After(t) {
		s.out = false
	}
	for i := range s.windows {
		if w := &s.windows[i]; !w.reset.IsZero() && !w.reset.After(t) {
			w.used, w.reset, w.renewed = 0, time.Time{}, w.renewed || passed
		}
	}
}

// until is when the account in use is left: the first of its windows passes the
// threshold, or where that is behind it, is spent.
func (s *state) until(switchAt float64, at time.Duration, d map[key]demand, pick func(demand) rates) time.Duration {
	limit := switchAt
	if s.most() >= switchAt || limit > spentAt {
		limit = spentAt
	}
	next := ahead
	for _, w := range s.windows {
		r := pick(d[w.key])
		if t, ok := r.reach(r.used(at) + limit - w.used); ok {
			next = min(next, t)
		}
	}
	return next
}

// begin starts the windows that start with use.
func (s *state) begin(t time.Time, d map[key]demand) {
	for i := range s.windows {
		w := &s.windows[i]
		if w.reset.IsZero() && w.used == 0 && w.length > 0 && d[w.key].likely != (rates{}) {
			w.reset = t.Add(w.length)
		}
	}
}

// use lets s be used from at to next, and returns the windows that this brings
// to the threshold for the first time.
func (s *state) use(at, next time.Duration, d map[key]demand, pick func(demand) rates, switchAt float64) []int {
	var reached []int
	for i := range s.windows {
		w := &s.windows[i]
		r := pick(d[w.key])
		was := w.used
		w.used = min(w.used+max(r.used(next)-r.used(at), 0), 100)
		if was < switchAt-rounding && w.used >= switchAt-rounding && !w.renewed {
			reached = append(reached, i)
		}
	}
	return reached
}

// rounding is what a sum of small steps may fall short of a threshold by.
const rounding = 0.01

// nextReturn is when the next window of any account is reset.
func nextReturn(states []state, now time.Time) func(after time.Duration) time.Duration {
	return func(after time.Duration) time.Duration {
		next := ahead
		take := func(t time.Time) {
			if d := t.Sub(now); !t.IsZero() && d > after {
				next = min(next, d)
			}
		}
		for _, s := range states {
			if s.dead {
				continue
			}
			if s.out {
				take(s.outUntil)
			}
			for _, w := range s.windows {
				take(w.reset)
			}
		}
		return next
	}
}

// earliest is the first of both after at, and by a second at least, so that
// rounding cannot hold the clock.
func earliest(at, until time.Duration, returns func(time.Duration) time.Duration) time.Duration {
	return max(min(until, returns(at)), at+time.Second)
}

func firstBack(states []state) (time.Time, string) {
	var best time.Time
	id := ""
	for _, s := range states {
		if back := s.back(); !back.IsZero() && (best.IsZero() || back.Before(best)) {
			best, id = back, s.id
		}
	}
	return best, id
}
