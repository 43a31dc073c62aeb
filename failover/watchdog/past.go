package watchdog

import (
	"context"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

const (
	// pastSpan is how far back forecasts look.
	pastSpan = 7 * 24 * time.Hour
	// foreseeMost is the largest pool that is forecast: the readings of a week
	// are held in memory, some half a megabyte of a busy account.
	foreseeMost = 50
)

// past is what an account said in the last week, as the journal keeps it: so
// that a restart changes no forecast. The newest reading is there in any case.
type past struct {
	readings []quota.Reading
	// loose: the newest says no more than the one before, and gives way to the
	// next.
	loose bool
	// known: it was read from the journal, and is kept up since.
	known bool
}

// recall reads the past of the accounts that are to be forecast, once each. A
// journal that cannot be read is asked no more in this round, nor for these
// accounts again: a forecast builds on the last hours first.
func (w *Watchdog) recall(ctx context.Context, now time.Time, snap profiles.Snapshot, cfg Config) {
	failed := false
	for _, pl := range snap.Pools {
		if len(pl.Profiles) > foreseeMost {
			continue
		}
		for _, p := range pl.Profiles {
			a := w.account(p.Account, cfg)
			if a.past.known || ctx.Err() != nil {
				continue
			}
			a.past.known = true
			if failed {
				continue
			}
			list, err := w.Journal.Readings(ctx, p.Account, now.Add(-pastSpan))
			if failed = err != nil; failed {
				w.Log.Warn().Err(err).Msg("past readings cannot be read: the forecast begins anew")
			}
			for _, r := range list {
				a.past.add(r)
			}
		}
	}
}

// add takes r for the newest. What is not older than that was read by a clock
// that was ahead.
func (p *past) add(r quota.Reading) {
	if !p.known {
		return
	}
	list := p.readings
	if p.loose {
		list = list[:len(list)-1]
	}
	for n := len(list); n > 0 && !list[n-1].At.Before(r.At); n-- {
		list = list[:n-1]
	}
	old := 0
	for old < len(list) && r.At.Sub(list[old].At) > pastSpan {
		old++
	}
	list = list[old:]
	p.loose = len(list) > 0 && !journal.WorthKeeping(list[len(list)-1], r)
	p.readings = append(list, lean(r, list))
}

// lean leaves of r what forecasts go by. Names are shared with the reading
// before: of a week of ten accounts there are fifteen thousand.
func lean(r quota.Reading, before []quota.Reading) quota.Reading {
	out := quota.Reading{At: r.At, Verdict: r.Verdict, Until: r.Until, Plan: r.Plan, Windows: make([]quota.Window, len(r.Windows))}
	copy(out.Windows, r.Windows)
	if len(before) == 0 {
		return out
	}
	last := before[len(before)-1]
	share(&out.Verdict, last.Verdict)
	share(&out.Plan, last.Plan)
	for i := range min(len(out.Windows), len(last.Windows)) {
		share(&out.Windows[i].Name, last.Windows[i].Name)
		share(&out.Windows[i].Scope, last.Windows[i].Scope)
	}
	return out
}

func share[T ~string](s *T, known T) {
	if *s == known {
		*s = known
	}
}
