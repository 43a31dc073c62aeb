package app

import (
	"context"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

// serveDashboard offers the page on address, "" for nowhere.
func (a *App) serveDashboard(address string) error {
	password, err := web.LoadPassword(a.opts.Config.DataDir)
	if err != nil {
		a.opts.Log.Warn().Err(err).Msg("the dashboard has another password after the next start")
	}
	return a.web.ServeDashboard(web.Dashboard{
		Address: address, World: a.world, Password: password,
		NewPassword: func() (secret.Value, error) { return web.NewPassword(a.opts.Config.DataDir) },
		Wishes:      wishes{a.watchdog}, Logins: owner{a.desk, a},
	})
}

// world is what the dashboard shows now.
func (a *App) world(ctx context.Context, _ bool) page.World {
	now := time.Now()
	s := a.Status(ctx)
	return page.World{
		Now: now, Host: hostname(), Status: s.Status, Detail: s.Gateway.Detail, Warnings: s.Warnings, Logins: s.Logins,
		Why: a.watchdog.Why().Pools, Policy: a.parts.current().cfg.Policy, History: web.History(ctx, a.journal, now),
	}
}

// tellPages has open dashboards look again.
func (a *App) tellPages() {
	if a.web != nil {
		a.web.Changed()
	}
}
