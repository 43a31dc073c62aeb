package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// authStatus answers models.authStatus. It never tells of blocks.
func (w *World) authStatus(ctx context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct {
		AgentID string `json:"agentId"`
		Refresh bool   `json:"refresh"`
	}
	if len(params) > 0 && json.Unmarshal(params, &p) != nil {
		return nil, invalid("invalid models.authStatus params")
	}
	agent, failure := w.pickAgent(p.AgentID)
	if failure != nil {
		return nil, failure
	}
	order, err := w.shownOrder(ctx, agent, p.Refresh)
	if err != nil {
		return nil, &rpcError{Code: "UNAVAILABLE", Message: "auth state is temporarily unavailable"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	providers := []any{}
	for _, name := range w.providers() {
		providers = append(providers, w.providerStatus(name, order[name], now))
	}
	return map[string]any{"ts": now.UnixMilli(), "providers": providers, "providerCapabilities": w.capabilities()}, nil
}

// shownOrder gives what models.authStatus shows: after a direct write to the
// store that is the old order, until a refresh is asked for.
func (w *World) shownOrder(ctx context.Context, agent string, refresh bool) (map[string][]string, error) {
	w.mu.Lock()
	shown := w.memory.shown[agent]
	w.mu.Unlock()
	now := time.Now()
	if !refresh && now.Sub(shown.at) < statusAge {
		return shown.order, nil
	}
	order, err := w.store.order(ctx, agent)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.memory.shown[agent] = shownOrder{now, order}
	w.mu.Unlock()
	if refresh {
		return order, nil
	}
	return shown.order, nil
}

// providers lists the provider ids by name, as the answer does.
func (w *World) providers() []string {
	var names []string
	for _, a := range w.accounts {
		names = append(names, a.Provider)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (w *World) providerStatus(provider string, stored []string, now time.Time) map[string]any {
	mine := slices.Clone(w.accounts)
	mine = slices.DeleteFunc(mine, func(a *account) bool { return a.Provider != provider })
	slices.SortFunc(mine, func(a, b *account) int {
		if a.Profile < b.Profile {
			return -1
		}
		return 1
	})
	status, profiles := "static", []any{}
	var soonest time.Time
	for _, a := range mine {
		profiles = append(profiles, a.status(now))
		if a.Type == "api_key" {
			continue
		}
		if soonest.IsZero() || a.expires.Before(soonest) {
			soonest, status = a.expires, a.word(now)
		}
	}
	out := map[string]any{
		"provider": provider, "authProvider": provider, "displayName": displayName(provider),
		"status": status, "profiles": profiles,
	}
	if !soonest.IsZero() {
		out["expiry"] = expiry(soonest, now)
	}
	switch {
	case stored != nil:
		out["profileOrder"], out["profileOrderStored"] = stored, true
	case w.opts.ConfigOrder[provider] != nil:
		out["profileOrder"], out["profileOrderLocked"] = w.opts.ConfigOrder[provider], "auth-config"
	}
	return out
}

func (a *account) word(now time.Time) string {
	switch {
	case a.Type == "api_key":
		return "static"
	case !now.Before(a.expires):
		return "expired"
	}
	return "ok"
}

// status is one profile of the answer. It is "inherited": the agent has it
// from the shared store.
func (a *account) status(now time.Time) map[string]any {
	out := map[string]any{
		"profileId": a.Profile, "type": a.Type, "status": a.word(now), "source": "inherited", "logoutSupported": true,
	}
	if a.Type != "api_key" {
		out["expiry"] = expiry(a.expires, now)
	}
	if a.Type == "oauth" && a.email() != "" {
		out["email"] = a.email()
	}
	return out
}

func expiry(at, now time.Time) map[string]any {
	left := at.Sub(now)
	label := "0m"
	switch day := 24 * time.Hour; {
	case left >= day:
		label = fmt.Sprintf("%dd", int(left.Round(day)/day))
	case left >= time.Hour:
		label = fmt.Sprintf("%dh", int(left/time.Hour))
	case left > 0:
		label = fmt.Sprintf("%dm", int(left/time.Minute))
	}
	return map[string]any{"at": at.UnixMilli(), "remainingMs": left.Milliseconds(), "label": label}
}

func displayName(provider string) string {
	if provider == "anthropic" {
		return "Claude"
	}
	return provider
}

// capabilities says how a person can log in; only openai has device codes here.
func (w *World) capabilities() []any {
	all := []any{}
	for _, provider := range w.providers() {
		c := map[string]any{"provider": provider, "apiKeySupported": true, "quickApiKeySetup": true}
		if provider == "openai" {
			c["loginOptions"] = []any{map[string]any{
				"id": "openai/openai-device-code", "brandId": "openai", "label": "ChatGPT Device Pairing",
				"hint":       "Pair your ChatGPT account in browser with a device code",
				"groupLabel": "OpenAI", "kind": "device-code", "featured": true,
			}}
		}
		all = append(all, c)
	}
	return all
}
