package replace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// begin finds out where things stand, and refuses what cannot be carried to its
// end before anything is changed.
func (c *change) begin(ctx context.Context) (err error) {
	if c.progress, err = load(c.Dir, c.Agent, c.Old); err != nil {
		return err
	}
	if !c.progress.fresh(time.Now()) {
		c.progress = progress{Service: c.progress.Service, WritesBack: c.progress.WritesBack}
	}
	snap, pools, err := c.look(ctx)
	if err != nil {
		return err
	}
	if err := c.find(pools); err != nil {
		return err
	}
	c.before = c.Install.Health(ctx)
	c.state.running = !c.before.Down
	if snap.Layout == openclaw.JSONFiles {
		if err := c.findWay(ctx); err != nil {
			return err
		}
		version, err := c.Install.Version(ctx)
		if err != nil && ctx.Err() != nil {
			return err
		}
		c.state.writesBack = writesBack(snap.Layout, version) || c.progress.WritesBack
	}
	return c.findService(ctx)
}

// findWay finds out how the old profile can be removed. It runs a command, for
// which nobody has to wait before the login unless the gateway may have to be
// stopped.
func (c *change) findWay(ctx context.Context) (err error) {
	if c.state.way == "" {
		c.state.way, err = c.Remover.Way(ctx, c.Agent)
	}
	return err
}

// look reads the agent's pools.
func (c *change) look(ctx context.Context) (profiles.Snapshot, []profiles.Pool, error) {
	snap, err := c.Store.Snapshot(ctx)
	if err != nil {
		return snap, nil, err
	}
	for _, p := range snap.Problems {
		if p.Agent == c.Agent || p.Agent == "" {
			return snap, nil, fmt.Errorf("openclaw's store cannot be read: %s; %s", p.What, p.Fix)
		}
	}
	pools := slices.DeleteFunc(slices.Clone(snap.Pools), func(p profiles.Pool) bool { return p.Agent != c.Agent })
	return snap, pools, nil
}

// find looks for the old profile, and for what an interrupted run has done.
func (c *change) find(pools []profiles.Pool) error {
	pool, old, there := lookup(pools, c.Old)
	switch {
	case there:
		c.provider = old.Provider
	case c.progress.New != "":
		c.provider, c.state.removed = c.progress.Provider, true
	default:
		return &UnknownProfileError{Agent: c.Agent, Profile: c.Old, Known: ids(pools)}
	}
	c.result.Provider = c.provider
	if c.progress.New == "" && len(c.progress.Before) > 0 {
		c.progress.New = landed(c.progress.Before, c.pool(pools))
	}
	_, _, there = lookup(pools, c.progress.New)
	switch {
	case there:
		c.state.loggedIn, c.result.Resumed, c.result.New = true, true, c.progress.New
		c.state.inPlace = c.progress.New == c.Old
	case c.state.removed:
		return &UnknownProfileError{Agent: c.Agent, Profile: c.Old, Known: ids(pools)}
	default:
		c.progress.Before = identities(append(c.pool(pools), pool.Profiles...))
		c.progress.New = ""
	}
	return nil
}

// findService finds out whether and how the gateway can be stopped, where it has
// to be.
func (c *change) findService(ctx context.Context) error {
	if !c.state.running {
		// Down by our doing, if an earlier run was killed in between.
		c.service, c.state.stopped = c.progress.Service, c.progress.Service.Running()
		return nil
	}
	c.progress.Service = restart.Service{}
	if !c.state.writesBack && c.state.way != profiles.RemoveByFile {
		return nil
	}
	service, err := c.Gateway.Service(ctx)
	if errors.Is(err, restart.ErrForeground) && !c.state.writesBack {
		c.state.way, c.byHand = profiles.RemoveByOrder, true
		return nil
	}
	if err != nil {
		return fmt.Errorf("nothing was changed: this release of OpenClaw needs its gateway stopped for this: %w", err)
	}
	c.service = service
	return nil
}

// pool lists the profiles that a login for the provider may be about: an older
// release has two names for OpenAI.
func (c *change) pool(pools []profiles.Pool) []profiles.Profile {
	var all []profiles.Profile
	for _, p := range pools {
		if quota.Canonical(p.Provider) == quota.Canonical(c.provider) {
			all = append(all, p.Profiles...)
		}
	}
	return all
}

func lookup(pools []profiles.Pool, id string) (profiles.Pool, profiles.Profile, bool) {
	for _, pool := range pools {
		for _, p := range pool.Profiles {
			if p.ID == id {
				return pool, p, true
			}
		}
	}
	return profiles.Pool{}, profiles.Profile{}, false
}

func ids(pools []profiles.Pool) []string {
	var out []string
	for _, pool := range pools {
		for _, p := range pool.Profiles {
			out = append(out, p.ID)
		}
	}
	return out
}

func identities(list []profiles.Profile) map[string]identity {
	out := map[string]identity{}
	for _, p := range list {
		out[p.ID] = identify(p)
	}
	return out
}

// landed names the one profile that is new or has become another account since
// before, "" where there is none or more than one.
func landed(before map[string]identity, now []profiles.Profile) string {
	var found []string
	for _, p := range now {
		was, known := before[p.ID]
		if !known || compare(was, identify(p)) == Different {
			found = append(found, p.ID)
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
