package app

import (
	"context"
	"slices"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/web"
)

// wishes hands what the owner asks for over the socket to the watchdog.
type wishes struct{ watchdog *watchdog.Watchdog }

// Pause serves the socket.
func (w wishes) Pause(ctx context.Context, r web.PauseRequest) {
	w.watchdog.Pause(ctx, r.Until, r.Reason)
}

// Resume serves the socket.
func (w wishes) Resume(ctx context.Context) bool { return w.watchdog.Resume(ctx) }

// Switch serves the socket.
func (w wishes) Switch(ctx context.Context, r web.SwitchRequest) (web.Switched, error) {
	var f watchdog.Forced
	var err error
	if r.Auto {
		f, err = w.watchdog.Release(ctx, r.Agent, r.Profile)
	} else {
		f, err = w.watchdog.Force(ctx, r.Agent, r.Profile, r.Until)
	}
	return web.Switched{Agent: f.Agent, Provider: f.Provider, Was: f.Was, At: f.At}, err
}

// lastChanges is how many switches are looked through for each pool's newest.
const lastChanges = 1000

// why is the explanation that the socket serves, with what only the journal
// knows.
func (a *App) why(ctx context.Context) any {
	out := a.watchdog.Why()
	switches, err := a.journal.Switches(ctx, lastChanges)
	if err != nil {
		a.opts.Log.Warn().Err(err).Msg("the newest change of the order cannot be read")
		return out
	}
	for i, p := range out.Pools {
		n := slices.IndexFunc(switches, func(s journal.Switch) bool { return s.Agent == p.Agent && s.Provider == p.Provider })
		if n >= 0 {
			s := switches[n]
			out.Pools[i].LastChange = &watchdog.Change{At: s.At, By: s.By, Reason: s.Reason}
		}
	}
	return out
}
