// Package forecast says when windows reach their threshold, when a pool runs
// dry, and when the first account is back. It is pure: readings go in, times
// come out.
//
// # The estimate
//
// Demand belongs to the pool: its accounts are used one after the other, so what
// was used of all of them together is what the first in order will have to bear.
// That use is laid end to end over resets, account changes and gaps between
// readings (a curve), and never looked at as the slope of one window: a slope by
// least squares or of Theil and Sen takes every step of a provider that rounds,
// every reset and every change of account for news about the rate, and weighs
// busy times by how many readings the journal happened to keep of them. What was
// used between two times is exact whatever lies between. Replay measures the
// difference: on simulated demand half the error of such a slope, and a quarter of
// the thresholds that it does not see coming.
//
// Two rates come from it: the recent one, over the last hours with weights that
// halve every recentHalf, and the long-run one, over up to a week of whole days.
// The first holds now, and the second in the long run; between them the forecast
// goes over exponentially with a session's length:
//
//	use(t) = long·t + (recent − long)·session·(1 − exp(−t/session))
//
// which is the best linear forecast for a rate that returns to its mean. The
// recent rate alone takes a busy hour for a week; the mean alone takes a busy
// morning for a night. Both are taken once more from shorter and longer looks
// back, for a fast and a slow course. Where these come to times further apart
// than a factor of two, or where there is a lull, whose end is in no reading, the
// forecast is not to be relied upon.
//
// # What it does not believe
//
// Reset times jitter by seconds: a reset counts once its time has passed, not
// because it moved. A percentage that falls a little within a window corrects
// those before it. Times at which every account was spent, which providers show
// as a plateau at 99 or 100 %, tell of no demand and are left out. A reading
// that does not know a percentage is passed over. What was not read for an hour
// is not forecast.
package forecast

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Account is one account of a pool.
type Account struct {
	// ID is what the account is called in the forecast: the id of its first
	// profile in the order.
	ID string
	// Readings are its own, oldest first, of the last week where there are as
	// many.
	Readings []quota.Reading
	// Dead: it needs a login, and serves nobody.
	Dead bool
}

// Pool is what a forecast is made of.
type Pool struct {
	// Accounts are listed in the order in which they are used. The first that is
	// below its threshold is in use, else the first that has anything left.
	Accounts []Account
	// SwitchAt is the used percentage at which an account is left, 0 to 100.
	SwitchAt float64
	// Models are those whose own windows count as the account's.
	Models []string
	// Paid is who serves when none of the accounts can, billed for every token;
	// "" where nobody does. It is none of Accounts.
	Paid string
}

// Confidence is how far a forecast can be relied upon.
type Confidence string

// The levels of confidence.
const (
	// Unknown: there is no forecast; its times are zero.
	Unknown Confidence = "unknown"
	// Low: the demand of late was too uneven. Fit to be shown, not to be acted on.
	Low Confidence = "low"
	// High: looks back of different length agree within a factor of two.
	High Confidence = "high"
)

// Window is the forecast of one counting window of an account.
type Window struct {
	Account string
	Name    string
	Scope   string
	// Used is the newest percentage, 0 to 100.
	Used float64
	// Rate is how fast it fills at present, in percent an hour; 0 for an account
	// that is not in use.
	Rate float64
	// At is when it reaches the threshold; zero where it is beyond it already,
	// where its reset comes first, and where that is unknown.
	At time.Time
	// Earliest and Latest are At with the fastest and the slowest of the rates.
	// Latest is zero where the slowest does not reach it before the reset.
	Earliest, Latest time.Time
	// ResetsAt is zero where it is unknown or the window has not started.
	ResetsAt   time.Time
	Confidence Confidence
}

// Forecast is what lies ahead of a pool.
type Forecast struct {
	// Windows are those of every account, in the pool's order.
	Windows []Window
	// Serving is the account in use; "": none can serve.
	Serving string
	// Last is the account that serves last before the pool runs dry; "" where it
	// does not.
	Last string
	// Dry is when no account can serve any more; zero: not within a week, or
	// unknown. Now, where that is so already.
	Dry time.Time
	// Back is when the first account serves again after Dry, and First its name.
	// Zero: there is no Dry, or no reset time is known.
	Back  time.Time
	First string
	// Paid is the pool's.
	Paid string
	// Confidence is that of Dry, zero or not.
	Confidence Confidence
}

// Gap is how long nobody can serve; 0: there is no gap, or its end is unknown.
func (f Forecast) Gap() time.Duration {
	if f.Dry.IsZero() || f.Back.IsZero() {
		return 0
	}
	return f.Back.Sub(f.Dry)
}

const (
	// fresh is how old a reading may be to be built upon: the longest that an
	// account is left unasked, with a throttle in between.
	fresh = time.Hour
	// ahead is how far a pool's forecast looks.
	ahead = 7 * 24 * time.Hour
	// spentAt is from where a window counts as spent: some providers show 99 %
	// until the next reset.
	spentAt = 99
	// agreed is the factor within which looks back must agree.
	agreed = 2
)

// Of makes the forecast of p at now. It never tells of a time before now.
func Of(now time.Time, p Pool) Forecast {
	states, d := statesOf(now, p), demandOf(now, p)
	f := Forecast{Confidence: Unknown, Paid: p.Paid}
	if i := serving(states, p.SwitchAt); i >= 0 {
		f.Serving = states[i].id
	}
	foreseen := foreseeable(states, d)
	seen := make([]bool, len(states))
	for i := range states {
		seen[i] = states[i].foreseeable(d)
		// What is not known of an account cannot be counted upon.
		states[i].dead = states[i].dead || !seen[i]
	}
	likely := drain(now, p, states, d, func(d demand) rates { return d.likely })
	fast := drain(now, p, states, d, func(d demand) rates { return d.fast })
	slow := drain(now, p, states, d, func(d demand) rates { return d.slow })
	for i, s := range states {
		for j, w := range s.windows {
			out := Window{Account: s.id, Name: w.key.name, Scope: w.key.scope, Used: w.used, ResetsAt: w.reset, Confidence: Unknown}
			if s.id == f.Serving {
				out.Rate = d[w.key].likely.recent
			}
			if w.known && (w.used >= p.SwitchAt || seen[i]) {
				at := place{i, j}
				out.At, out.Earliest, out.Latest = likely.reached[at], fast.reached[at], slow.reached[at]
				out.Confidence = confidence(now, out.At, out.Earliest, out.Latest)
				if out.Confidence == High && d[w.key].lull {
					out.Confidence = Low
				}
			}
			f.Windows = append(f.Windows, out)
		}
	}
	if !foreseen {
		return f
	}
	f.Dry, f.Back, f.Last, f.First = likely.dry, likely.back, likely.last, likely.first
	f.Confidence = confidence(now, likely.dry, fast.dry, slow.dry)
	if f.Confidence == High && (mixed(states) || lull(d)) {
		f.Confidence = Low // a percent of one plan is not a percent of the other
	}
	return f
}

// confidence compares the three looks: all see it about the same time, or none
// sees it.
func confidence(now, at, earliest, latest time.Time) Confidence {
	switch {
	case at.IsZero() && earliest.IsZero():
		return High
	case at.IsZero() || latest.IsZero():
		return Low
	case latest.Sub(now) <= agreed*earliest.Sub(now)+slack:
		return High
	}
	return Low
}

// slack keeps what is only minutes away from being doubted for a minute.
const slack = 10 * time.Minute

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
