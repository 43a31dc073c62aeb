package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

func (w *World) restartPreflight(context.Context, json.RawMessage) (any, *rpcError) {
	return w.gateway.preflight(), nil
}

func (g *gateway) preflight() map[string]any {
	g.mu.Lock()
	active := g.active
	g.mu.Unlock()
	blockers, summary := []any{}, "safe to restart now"
	if active > 0 {
		message := fmt.Sprintf("%d active embedded run(s)", active)
		blockers = append(blockers, map[string]any{"kind": "embedded-run", "count": active, "message": message})
		summary = "restart deferred: " + message
	}
	return map[string]any{
		"safe": active == 0,
		"counts": map[string]int{
			"queueSize": 0, "pendingReplies": 0, "embeddedRuns": active, "cronRuns": 0,
			"backgroundExecSessions": 0, "rootRequests": 0, "activeTasks": 0, "totalActive": active,
		},
		"blockers": blockers, "summary": summary,
	}
}

func (w *World) restartRequest(_ context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct {
		Reason       string `json:"reason"`
		SkipDeferral bool   `json:"skipDeferral"`
	}
	if len(params) > 0 && json.Unmarshal(params, &p) != nil {
		return nil, invalid("invalid gateway.restart.request params")
	}
	return w.gateway.requestRestart(p.Reason, p.SkipDeferral), nil
}

func (g *gateway) requestRestart(reason string, skipDeferral bool) map[string]any {
	if reason == "" {
		reason = "gateway.restart.safe"
	}
	preflight := g.preflight()
	g.mu.Lock()
	joins := g.underway || g.deferred
	g.mu.Unlock()
	status := "scheduled"
	switch {
	case joins && !skipDeferral:
		status = "coalesced"
	case preflight["safe"] == false && !skipDeferral:
		status = "deferred"
	}
	return map[string]any{
		"ok": true, "status": status, "preflight": preflight,
		"restart": map[string]any{
			"ok": true, "pid": os.Getpid(), "signal": "SIGUSR2", "reason": reason, "mode": "emit",
			"cooldownMsApplied": 0, "delayMs": 0, "coalesced": status == "coalesced", "emitHooksQueued": false,
		},
	}
}

// restartIfDue starts the restart that answer promised, or leaves it to the end
// of the active work.
func (g *gateway) restartIfDue(answer any) {
	promised, _ := answer.(map[string]any)
	g.mu.Lock()
	now := promised["status"] == "scheduled" || g.active == 0
	g.deferred = g.deferred || !now
	g.mu.Unlock()
	if now {
		g.restart()
	}
}
