package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// Status is the document of status --json: what the watchdog knows, what its
// owner should look at, and the state of the outbox.
type Status struct {
	watchdog.Status
	Gateway  Gateway                  `json:"gateway"`
	Warnings []string                 `json:"warnings"`
	Notify   []journal.EndpointStatus `json:"notify"`
	Logins   []relogin.Status         `json:"logins"`
}

// Gateway is the running gateway, and why it cannot be asked.
type Gateway struct {
	watchdog.GatewayStatus
	Detail string `json:"detail,omitempty"`
}

// Status is what the watchdog knows now.
func (a *App) Status(ctx context.Context) Status {
	s := a.install.status(a.watchdog.Status(), a.parts.current().cfg)
	outbox, err := a.journal.Outbox(ctx)
	if err != nil {
		a.opts.Log.Warn().Err(err).Msg("the outbox's state cannot be read")
	}
	if err := a.journal.Trouble(); err != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("what ocwatch remembers is lost when it stops: %v", err))
	}
	s.Notify = append(s.Notify, outbox...)
	s.Logins = a.desk.List()
	return s
}

// statusFor is the status as it may be shown: whoever has a code can add an
// account of theirs to this OpenClaw, so only the owner sees it.
func (a *App) statusFor(ctx context.Context, owner bool) any {
	s := a.Status(ctx)
	for i := range s.Logins {
		if !owner {
			s.Logins[i].URL, s.Logins[i].Code = "", ""
		}
	}
	return s
}

// status adds to s what only the wiring knows.
func (i *install) status(s watchdog.Status, cfg *config.Config) Status {
	out := Status{Status: s, Gateway: Gateway{GatewayStatus: s.Gateway}, Warnings: []string{}, Notify: []journal.EndpointStatus{}, Logins: []relogin.Status{}}
	if s.At.IsZero() {
		return out
	}
	if err := i.gatewayTrouble(); err != nil {
		out.Gateway.Detail = err.Error()
		out.Warnings = append(out.Warnings, i.powerless(err)...)
	}
	if len(s.Problems) == 0 {
		out.Warnings = append(out.Warnings, strangers(cfg, s.Pools)...)
	}
	return out
}

// powerless says what err means for setting an order. A gateway that is down
// is the business of its own event, as long as the command can stand in.
func (i *install) powerless(err error) []string {
	_, missing := exec.LookPath(i.Command)
	switch {
	case missing != nil:
		return []string{fmt.Sprintf("no order can be set: the gateway cannot be asked, and %v", &openclaw.CommandNotFoundError{Command: i.Command, Err: missing})}
	case errors.Is(err, openclaw.ErrUnauthorized):
		return []string{"the gateway does not let ocwatch in, so orders are set by the slower openclaw command: set openclaw.gateway.token_file to a file with its token"}
	}
	return nil
}

// strangers are preferences and reserves for profiles that no watched agent has:
// a slip of the pen would otherwise do nothing without a word.
func strangers(cfg *config.Config, pools []watchdog.PoolStatus) []string {
	known := map[string]bool{}
	for _, p := range pools {
		for _, pr := range p.Profiles {
			known[quota.Canonical(p.Provider)+" "+pr.ID] = true
		}
	}
	var out []string
	for _, provider := range slices.Sorted(maps.Keys(cfg.Failover.Pools)) {
		named := func(key string, ids []string) {
			for _, id := range ids {
				if !known[quota.Canonical(provider)+" "+id] {
					out = append(out, fmt.Sprintf("failover.pools.%s.%s names %s, which no watched agent has as a profile of %s", provider, key, id, provider))
				}
			}
		}
		pool := cfg.Failover.Pools[provider]
		named("prefer", pool.Prefer)
		named("keep", slices.Sorted(maps.Keys(pool.Keep)))
	}
	return out
}

// Health remembers why the gateway is not live, for the status.
func (i *install) Health(ctx context.Context) openclaw.Health {
	h := i.Install.Health(ctx)
	if !h.Live && ctx.Err() == nil {
		i.setTrouble(errors.New(h.Detail))
	}
	return h
}

func (i *install) gatewayTrouble() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.trouble
}

func (i *install) setTrouble(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.trouble = err
}
