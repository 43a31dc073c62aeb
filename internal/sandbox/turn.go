package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Turn is one turn that OpenClaw tried to serve.
type Turn struct {
	At       time.Time
	Session  string
	ServedBy string   // "" where the turn failed
	Refused  []string // profiles that the provider refused before
}

// ErrTurnFailed is wrapped by the error of a turn that nobody served.
var ErrTurnFailed = errors.New("no profile served the turn")

// maxAttempts is one profile and one rotation: what OpenClaw does on a rate
// limit when a model fallback is configured, before it leaves the provider.
const maxAttempts = 2

// halfOpen is how often OpenClaw asks the usage endpoint again about a profile
// that it has blocked.
const halfOpen = 5 * time.Minute

// Turn serves one turn of the first account's provider by the main agent, as
// `openclaw agent` does: no pin, the first usable profile of the order that
// the gateway has in memory, one rotation. It returns the profile that served
// it.
func (w *World) Turn(ctx context.Context, session string) (servedBy string, err error) {
	turn, err := w.play(ctx, session, w.opts.TurnCost)
	return turn.ServedBy, err
}

func (w *World) play(ctx context.Context, session string, cost float64) (Turn, error) {
	now := time.Now()
	turn := Turn{At: now, Session: session}
	if !w.gateway.up() {
		return turn, fmt.Errorf("%w: the gateway is not running", ErrTurnFailed)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := false
	for _, a := range w.candidates(now) {
		if len(turn.Refused) == maxAttempts {
			break
		}
		if err := w.refreshIfDue(ctx, a, now); err != nil {
			return turn, err
		}
		if w.attempt(a, cost, now) {
			turn.ServedBy = a.Profile
			changed = w.succeeded(a) || changed
			break
		}
		turn.Refused = append(turn.Refused, a.Profile)
		changed = true
	}
	w.turns = append(w.turns, turn)
	if changed {
		if err := w.store.saveUsage(ctx, w.memory.usage); err != nil {
			return turn, err
		}
	}
	if turn.ServedBy == "" {
		return turn, fmt.Errorf("%w; refused: %s", ErrTurnFailed, strings.Join(turn.Refused, ", "))
	}
	return turn, nil
}

// Turns lists the turns so far.
func (w *World) Turns() []Turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.turns)
}

// candidates are the usable profiles, first the one to try. A profile that the
// order leaves out is none.
func (w *World) candidates(now time.Time) []*account {
	provider, agent := w.accounts[0].Provider, w.agents[0]
	order := w.memory.order[agent][provider]
	if order == nil {
		order = w.opts.ConfigOrder[provider]
	}
	if order == nil {
		order = w.byType(provider)
	}
	var list []*account
	for _, id := range order {
		if a, err := w.account(id); err == nil && w.admitted(a, now) {
			list = append(list, a)
		}
	}
	return list
}

// byType is OpenClaw's order where nobody set one.
func (w *World) byType(provider string) []string {
	var ids []string
	for _, kind := range []string{"oauth", "token", "api_key"} {
		for _, a := range w.accounts {
			if a.Provider == provider && a.Type == kind {
				ids = append(ids, a.Profile)
			}
		}
	}
	return ids
}

// admitted reports whether OpenClaw would try the profile: no block is active,
// or one of its own re-checks shows that the quota is back.
func (w *World) admitted(a *account, now time.Time) bool {
	stats := w.memory.usage[a.Profile]
	if !stats.unusable(now) {
		return true
	}
	if stats.BlockedSource != "wham" || now.Sub(time.UnixMilli(stats.LastProbeAt)) < halfOpen {
		return false
	}
	_, spent := a.meter.spentUntil(now)
	return !spent && a.fault == NoFault
}

func (s usageStats) unusable(now time.Time) bool {
	return now.UnixMilli() < max(s.BlockedUntil, s.CooldownUntil, s.DisabledUntil)
}

// attempt is one request to the provider; a refusal is recorded.
func (w *World) attempt(a *account, cost float64, now time.Time) bool {
	if a.fault.refusesInference() {
		w.memory.usage[a.Profile] = w.memory.usage[a.Profile].refused(a.fault, now)
		return false
	}
	if until, spent := a.meter.spentUntil(now); spent {
		w.memory.usage[a.Profile] = w.memory.usage[a.Profile].limited(a, until, now)
		return false
	}
	a.meter.spend(cost, now)
	return true
}

// succeeded clears what was recorded of failures and reports whether there was
// anything.
func (w *World) succeeded(a *account) bool {
	stats, ok := w.memory.usage[a.Profile]
	if !ok || stats.ErrorCount == 0 {
		return false
	}
	w.memory.usage[a.Profile] = usageStats{LastProbeAt: stats.LastProbeAt}
	return true
}
