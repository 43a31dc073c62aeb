package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// method is one RPC method: the scope it needs and what it does, for anybody
// or for one connection.
type method struct {
	scope string
	call  func(*World, context.Context, json.RawMessage) (any, *rpcError)
	own   func(*conn, context.Context, json.RawMessage) (any, *rpcError)
}

func methods() map[string]method {
	return map[string]method{
		"models.authStatus":         {scope: "operator.read", call: (*World).authStatus},
		"models.authOrderSet":       {scope: "operator.admin", call: (*World).authOrderSet},
		"models.authRefresh":        {scope: "operator.admin", call: (*World).authRefresh},
		"models.authLogin":          {scope: "operator.admin", own: (*conn).authLogin},
		"models.authLogout":         {scope: "operator.admin", call: (*World).authLogout},
		"secrets.reload":            {scope: "operator.admin", call: (*World).secretsReload},
		"gateway.restart.preflight": {scope: "operator.read", call: (*World).restartPreflight},
		"gateway.restart.request":   {scope: "operator.admin", call: (*World).restartRequest},
		"wizard.next":               {scope: "operator.admin", own: (*conn).wizardNext},
		"wizard.cancel":             {scope: "operator.admin", own: (*conn).wizardCancel},
	}
}

// mutating lists the methods after which the gateway tells every client that
// the models changed. The event comes between answers, at any time.
func mutating() []string { return []string{"models.authOrderSet", "models.authRefresh"} }

// methodNames lists what this gateway announces.
func (w *World) methodNames() []string {
	var names []string
	for name := range methods() {
		if !slices.Contains(w.opts.WithoutMethods, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *conn) call(ctx context.Context, req request) (any, *rpcError) {
	w := c.gen.world
	m, ok := methods()[req.Method]
	if !ok || slices.Contains(w.opts.WithoutMethods, req.Method) {
		return nil, invalid("unknown method: " + req.Method)
	}
	// Admin includes the rest.
	if !slices.Contains(c.scopes, m.scope) && !slices.Contains(c.scopes, "operator.admin") {
		return nil, &rpcError{
			Code: "FORBIDDEN", Message: "missing scope: " + m.scope,
			Details: map[string]any{"code": "MISSING_SCOPE", "missingScope": m.scope, "requiredScopes": []string{m.scope}},
		}
	}
	if m.own != nil {
		return m.own(c, ctx, req.Params)
	}
	return m.call(w, ctx, req.Params)
}

// pickAgent resolves the agentId parameter.
func (w *World) pickAgent(id string) (string, *rpcError) {
	switch {
	case id == "" && len(w.agents) > 1:
		return "", invalid("Multiple agents are configured, but model auth has no explicit owner. Pass agentId to select a configured agent.")
	case id == "":
		return w.agents[0], nil
	case !slices.Contains(w.agents, id):
		return "", &rpcError{
			Code: "INVALID_REQUEST", Message: fmt.Sprintf("unknown agent id %q", id),
			Details: map[string]any{"code": "UNKNOWN_AGENT_ID", "agentId": id},
		}
	}
	return id, nil
}

type orderParams struct {
	Provider   *string   `json:"provider"`
	AgentID    string    `json:"agentId"`
	ProfileIDs *[]string `json:"profileIds"`
}

func decodeOrder(params json.RawMessage) (orderParams, *rpcError) {
	var p orderParams
	var wrong []string
	err := json.Unmarshal(params, &p)
	if p.Provider == nil {
		wrong = append(wrong, "must have required property 'provider'")
	}
	if err != nil {
		wrong = append(wrong, "at /profileIds: must be array")
	}
	if p.ProfileIDs != nil && len(slices.Compact(slices.Sorted(slices.Values(*p.ProfileIDs)))) != len(*p.ProfileIDs) {
		wrong = append(wrong, "at /profileIds: must not have duplicate items")
	}
	if len(wrong) > 0 {
		return p, invalid("invalid models.authOrderSet params: " + strings.Join(wrong, "; "))
	}
	return p, nil
}

func (w *World) authOrderSet(ctx context.Context, params json.RawMessage) (any, *rpcError) {
	p, failure := decodeOrder(params)
	if failure != nil {
		return nil, failure
	}
	agent, failure := w.pickAgent(p.AgentID)
	if failure != nil {
		return nil, failure
	}
	var ids []string
	if p.ProfileIDs != nil {
		if failure := w.checkOrder(ctx, agent, *p.Provider, *p.ProfileIDs); failure != nil {
			return nil, failure
		}
		ids = *p.ProfileIDs
	}
	if err := w.store.setOrder(ctx, agent, *p.Provider, ids); err != nil {
		return nil, &rpcError{Code: "UNAVAILABLE", Message: "auth profile order is temporarily unavailable"}
	}
	w.wrote(Write{Via: ViaRPC, Agent: agent, Provider: *p.Provider, Order: ids})
	answer := map[string]any{"provider": *p.Provider, "profileIds": p.ProfileIDs}
	if w.opts.Stale != NotStale {
		answer["warning"] = "Profile priority saved. Live status is unavailable; refresh Models or restart the Gateway."
		return answer, nil
	}
	return answer, w.reread(ctx, agent)
}

// checkOrder refuses what the real method refuses, in its order.
func (w *World) checkOrder(ctx context.Context, agent, provider string, ids []string) *rpcError {
	stored, err := w.store.order(ctx, agent)
	if err != nil {
		return &rpcError{Code: "UNAVAILABLE", Message: "auth profile order is temporarily unavailable"}
	}
	if len(w.opts.ConfigOrder[provider]) > 0 && stored[provider] == nil {
		return invalid(fmt.Sprintf("profile priority for provider %s is controlled by auth configuration", provider))
	}
	available := w.Profiles(provider)
	for _, id := range ids {
		if !slices.Contains(available, id) {
			return invalid(fmt.Sprintf("profileId %s is unavailable for provider %s", id, provider))
		}
	}
	if len(ids) != len(available) {
		return invalid("profileIds must include every available profile for provider " + provider)
	}
	return nil
}

func (w *World) authRefresh(ctx context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct {
		Operation *string `json:"operation"`
		AgentID   string  `json:"agentId"`
	}
	if json.Unmarshal(params, &p) != nil || p.Operation == nil {
		return nil, invalid("invalid models.authRefresh params: must have required property 'operation'")
	}
	if !slices.Contains([]string{"login", "logout", "update"}, *p.Operation) {
		return nil, invalid("invalid models.authRefresh params: at /operation: must be equal to constant; at /operation: must match a schema in anyOf")
	}
	agent, failure := w.pickAgent(p.AgentID)
	if failure != nil {
		return nil, failure
	}
	if w.opts.Stale != UntilRestart {
		if failure := w.reread(ctx, agent); failure != nil {
			return nil, failure
		}
	}
	return map[string]any{"refreshed": true}, nil
}

func (w *World) secretsReload(context.Context, json.RawMessage) (any, *rpcError) {
	return map[string]any{"ok": true, "warningCount": 0}, nil
}
