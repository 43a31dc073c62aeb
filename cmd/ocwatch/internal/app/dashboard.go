package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

// serveDashboard offers the page on address, "" for nowhere.
func (a *App) serveDashboard(ctx context.Context, address string) error {
	password, err := web.LoadPassword(a.opts.Config.DataDir)
	if err != nil {
		a.opts.Log.Warn().Err(err).Msg("the dashboard has another password after the next start")
	}
	a.past = &past{journal: a.journal, began: firstReading(ctx, a.journal)}
	return a.web.ServeDashboard(web.Dashboard{
		Address: address, World: a.world, Password: password, Wishes: wishes{a.watchdog}, Logins: owner{a.desk, a},
	})
}

// world is what the dashboard shows now.
func (a *App) world(ctx context.Context, _ bool) page.World {
	now := time.Now()
	s := a.Status(ctx)
	return page.World{
		Now: now, Host: hostname(), Status: s.Status, Detail: s.Gateway.Detail, Warnings: s.Warnings, Logins: s.Logins,
		Why: a.watchdog.Why().Pools, Policy: a.parts.current().cfg.Policy, History: a.past.get(ctx, now),
	}
}

// tellPages has open dashboards look again.
func (a *App) tellPages() {
	if a.web != nil {
		a.web.Changed()
	}
}

// pastAge is how old what a page shows of the past may be: many pages ask at
// the same moment, and the journal has other things to do.
const pastAge = time.Second

// past is the history that pages show.
type past struct {
	journal *journal.Journal
	began   time.Time

	mu   sync.Mutex
	read time.Time
	last page.History
}

func (p *past) get(ctx context.Context, now time.Time) page.History {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := now.Sub(p.read); age >= 0 && age < pastAge {
		return p.last
	}
	h, err := p.readSince(ctx, page.Since(now))
	if err != nil {
		h.Trouble = err.Error()
	}
	if ctx.Err() == nil {
		p.last, p.read = h, now
	}
	return h
}

func (p *past) readSince(ctx context.Context, since time.Time) (page.History, error) {
	switches, err1 := p.journal.SwitchesSince(ctx, since)
	episodes, err2 := p.journal.Episodes(ctx, since)
	restarts, err3 := p.journal.Restarts(ctx, since)
	logins, err4 := p.journal.Logins(ctx, since)
	return page.History{Known: p.began, Switches: switches, Episodes: episodes, Restarts: restarts, Logins: logins}, errors.Join(err1, err2, err3, err4)
}

// firstReading is since when ocwatch has watched: the oldest of what one
// account's readings of the last days tell, else now.
func firstReading(ctx context.Context, j *journal.Journal) time.Time {
	now := time.Now()
	accounts, err := j.Accounts(ctx)
	if err != nil || len(accounts) == 0 {
		return now
	}
	readings, err := j.Readings(ctx, slices.Min(accounts), page.Since(now))
	if err != nil || len(readings) == 0 {
		return now
	}
	return readings[0].At
}
