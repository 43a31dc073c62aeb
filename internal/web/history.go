package web

import (
	"cmp"
	"context"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

// History reads what a page made at now shows of the past. What cannot be read
// is told by the page itself.
func History(ctx context.Context, j *journal.Journal, now time.Time) page.History {
	since := page.Since(now)
	var h page.History
	var errs [5]error
	h.Known, errs[0] = j.Begun(ctx)
	h.Switches, errs[1] = j.FirstsSince(ctx, since)
	h.Episodes, errs[2] = j.Episodes(ctx, since)
	h.Restarts, errs[3] = j.Restarts(ctx, since)
	h.Logins, errs[4] = j.Logins(ctx, since)
	if h.Known.IsZero() {
		h.Known = now
	}
	if err := cmp.Or(errs[:]...); err != nil { // one cause has them all fail
		h.Trouble = err.Error()
	}
	return h
}
