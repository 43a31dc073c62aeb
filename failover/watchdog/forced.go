package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
)

const pinPrefix = "pin/"

// pinKey is where a pool's pin is journalled: it outlives ocwatch.
func pinKey(poolKey string) string { return pinPrefix + strings.TrimPrefix(poolKey, poolPrefix) }

// Forced is what became of a request to put a profile first.
type Forced struct {
	Agent    string `json:"agent"`
	Provider string `json:"provider"`
	// Was is the profile that was pinned until then, "" for none.
	Was string `json:"was"`
	// At is when the request was taken; a status of after that shows it.
	At time.Time `json:"at"`
}

// Force pins profile to the first place of its pool until a time or, where that
// is zero, until Release. agent may be empty where it is clear. The next round
// follows at once and sets the order.
func (w *Watchdog) Force(ctx context.Context, agent, profile string, until time.Time) (Forced, error) {
	return w.pin(ctx, agent, profile, func(now time.Time) failover.Pin {
		return failover.Pin{Profile: profile, Since: now, Until: until.UTC().Round(0)}
	})
}

// Release ends the pin of the pool that has profile.
func (w *Watchdog) Release(ctx context.Context, agent, profile string) (Forced, error) {
	return w.pin(ctx, agent, profile, func(time.Time) failover.Pin { return failover.Pin{} })
}

func (w *Watchdog) pin(ctx context.Context, agent, profile string, pin func(now time.Time) failover.Pin) (Forced, error) {
	w.round.Lock()
	defer w.round.Unlock()
	p, err := w.poolWith(agent, profile)
	if err != nil {
		return Forced{}, err
	}
	now := time.Now().UTC()
	next := pin(now)
	if err := w.refusePin(p, next); err != nil {
		return Forced{}, err
	}
	was := p.plan.Pin.Profile
	p.plan.Pin = next
	rd := journal.Round{At: now, State: map[string]json.RawMessage{}}
	w.rememberPin(&rd, p)
	w.commit(ctx, rd)
	w.Wake()
	return Forced{Agent: p.now.Agent, Provider: p.now.Provider, Was: was, At: now}, nil
}

// poolWith finds the pool that a profile is in: of the agent that is named, else
// of main, else of the only one that has it.
func (w *Watchdog) poolWith(agent, profile string) (*pool, error) {
	var found []*pool
	var known []string
	for _, p := range w.sortedPools() {
		for _, a := range p.plan.Profiles {
			if p.listed && (agent == "" || agent == p.now.Agent) {
				known = append(known, a.ID)
				if a.ID == profile {
					found = append(found, p)
				}
			}
		}
	}
	i := slices.IndexFunc(found, func(p *pool) bool { return p.now.Agent == "main" })
	switch {
	case len(known) == 0 && agent != "":
		return nil, fmt.Errorf("no profile of an agent %q is known; ocwatch status lists agents and profiles", agent)
	case len(known) == 0:
		return nil, errors.New("no profile is known yet; try again after the first round")
	case len(found) == 0:
		slices.Sort(known)
		return nil, fmt.Errorf("openclaw has no profile %q: it is one of %s", profile, strings.Join(slices.Compact(known), ", "))
	case i >= 0:
		return found[i], nil
	case len(found) > 1:
		return nil, fmt.Errorf("several agents have %s: say which with --agent", profile)
	}
	return found[0], nil
}

// refusePin says why a profile cannot be put first.
func (w *Watchdog) refusePin(p *pool, pin failover.Pin) error {
	for _, a := range p.plan.Profiles {
		switch {
		case a.ID != pin.Profile:
		case a.State == failover.Dead:
			return fmt.Errorf("%s needs a login (%s): %s", a.ID, a.Reason, failover.LoginCommand(p.now.Agent, p.now.Provider))
		case !slices.Contains(p.plan.Order, a.ID):
			return fmt.Errorf("%s is paid, and paid profiles are left out: set failover.paid to last", a.ID)
		}
	}
	return nil
}

// rememberPin journals what is left of a pool's pin.
func (w *Watchdog) rememberPin(rd *journal.Round, p *pool) {
	key := pinKey(poolKey(p.now.Agent, p.now.Provider))
	if p.plan.Pin.Profile == "" {
		w.forget(rd, key)
		return
	}
	w.remember(rd, key, p.plan.Pin)
}

func pinStatus(p failover.Pin) *PinStatus {
	if p.Profile == "" {
		return nil
	}
	return &PinStatus{Profile: p.Profile, Since: p.Since, Until: timePtr(p.Until)}
}
