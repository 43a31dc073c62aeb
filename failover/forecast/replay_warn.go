package forecast

import (
	"slices"
	"time"
)

// Warned is how the warnings over a recorded or simulated history turned out.
type Warned struct {
	// Gaps are those that were worth telling, Told those that were told before
	// they came.
	Gaps, Told int
	// Messages are what an owner would have got, False those without a gap
	// within Judged.
	Messages, False int
	// Ahead is how long before their gaps, all told ones together.
	Ahead time.Duration
}

// Missed counts the gaps that nobody was told of.
func (w Warned) Missed() int { return w.Gaps - w.Told }

// Add adds what another history brought.
func (w *Warned) Add(o Warned) {
	w.Gaps, w.Told, w.Messages, w.False, w.Ahead = w.Gaps+o.Gaps, w.Told+o.Told, w.Messages+o.Messages, w.False+o.False, w.Ahead+o.Ahead
}

// ReplayWarnings lets Warnings go through the readings of p from their second
// day on, every so often, and compares with when nobody could serve. worth is
// as in Warnings.
func ReplayWarnings(p Pool, every, worth time.Duration) Warned {
	begin, end := extent(p)
	begin = begin.Add(day)
	gaps := p.gaps(begin, end, worth)
	out := Warned{Gaps: len(gaps)}
	told := make([]bool, len(gaps))
	var memory Told
	for now := begin; now.Before(end); now = now.Add(every) {
		m, events := Warnings(now, Of(now, p.before(now)), worth, memory)
		memory = m
		if len(events) == 0 {
			continue
		}
		out.Messages++
		next := slices.IndexFunc(gaps, func(g step) bool { return g.from.After(now) })
		switch {
		case next < 0 && now.After(end.Add(-Judged)):
			out.Messages-- // what comes of it is beyond the readings
		case next < 0 || gaps[next].from.Sub(now) > Judged:
			out.False++
		case !told[next]:
			told[next] = true
			out.Told++
			out.Ahead += gaps[next].from.Sub(now)
		}
	}
	return out
}

// gaps are the times, worth or longer, at which no account could serve. Two with
// less than twenty minutes between are one.
func (p Pool) gaps(from, to time.Time, worth time.Duration) []step {
	var out []step
	for _, s := range drySpans(to, p) {
		switch n := len(out); {
		case s.from.Before(from):
		case n > 0 && s.from.Sub(out[n-1].to) < 20*time.Minute:
			out[n-1].to = s.to
		default:
			out = append(out, s)
		}
	}
	return slices.DeleteFunc(out, func(s step) bool { return s.to.Sub(s.from) < worth })
}
