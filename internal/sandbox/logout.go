package sandbox

import (
	"context"
	"encoding/json"
	"slices"
)

// authLogout removes the profiles that are named, or all of the provider.
func (w *World) authLogout(ctx context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct {
		Provider, AgentID string
		ProfileIDs        *[]string
	}
	err := json.Unmarshal(params, &p)
	switch {
	case p.Provider == "":
		return nil, invalid("provider is required")
	case err != nil, p.ProfileIDs != nil && (len(*p.ProfileIDs) == 0 || slices.Contains(*p.ProfileIDs, "")):
		return nil, invalid("profileIds must be a non-empty string array")
	}
	agent, failure := w.pickAgent(p.AgentID)
	if failure != nil {
		return nil, failure
	}
	available := w.Profiles(p.Provider)
	removed := available
	if p.ProfileIDs != nil {
		removed = *p.ProfileIDs
	}
	for _, id := range removed {
		if !slices.Contains(available, id) {
			return nil, invalid("profileIds contain unavailable auth profiles")
		}
	}
	if w.removeProfiles(ctx, p.Provider, removed) != nil {
		return nil, &rpcError{Code: "UNAVAILABLE", Message: "Saved credentials could not be removed. Wait a moment and retry."}
	}
	answer := map[string]any{"provider": p.Provider, "removedProfiles": removed, "abortedRunIds": []string{}}
	return answer, w.reread(ctx, agent)
}

// removeProfiles takes the profiles out of the store and of every order.
func (w *World) removeProfiles(ctx context.Context, provider string, ids []string) error {
	gone := func(id string) bool { return slices.Contains(ids, id) }
	for _, agent := range w.agents {
		stored, err := w.store.order(ctx, agent)
		if err != nil {
			return err
		}
		order, there := stored[provider]
		if !there || !slices.ContainsFunc(order, gone) {
			continue
		}
		order = slices.DeleteFunc(order, gone)
		if len(order) == 0 {
			order = nil // an empty order would mean none at all
		}
		if err := w.store.setOrder(ctx, agent, provider, order); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts = slices.DeleteFunc(w.accounts, func(a *account) bool { return a.Provider == provider && gone(a.Profile) })
	for _, id := range ids {
		delete(w.memory.usage, id)
	}
	return w.store.saveProfiles(ctx, w.credentials())
}
