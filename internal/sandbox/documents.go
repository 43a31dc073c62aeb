package sandbox

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// Version is the OpenClaw release that the stand-in plays.
const Version = "2026.9.6"

// credential is one profile as authProfiles.store has it.
type credential struct {
	Type      string `json:"type"`
	Provider  string `json:"provider"`
	Email     string `json:"email,omitempty"`
	Access    string `json:"access,omitempty"`
	Refresh   string `json:"refresh,omitempty"`
	AccountID string `json:"accountId,omitempty"`
	Plan      string `json:"chatgptPlanType,omitempty"` // since a login of 2026.9
	Token     string `json:"token,omitempty"`
	Key       string `json:"key,omitempty"`
	Expires   int64  `json:"expires,omitempty"` // epoch ms
}

// credentials is the content of authProfiles.store. The caller holds w.mu, or
// has w for itself.
func (w *World) credentials() map[string]any {
	doc := map[string]any{}
	for _, a := range w.accounts {
		doc[a.Profile] = a.stored()
	}
	return doc
}

// stored is where a credential leaves for OpenClaw's own store.
func (a *account) stored() credential {
	c := credential{Type: a.Type, Provider: a.Provider}
	token := a.credential.Reveal()
	switch a.Type {
	case "api_key":
		c.Key = token
	case "token":
		c.Token, c.Expires = token, a.expires.UnixMilli()
	default:
		c.Email, c.AccountID, c.Plan = a.email(), a.AccountID, a.plan
		c.Access, c.Refresh, c.Expires = token, a.refresh.Reveal(), a.expires.UnixMilli()
	}
	return c
}

// usageStats is what OpenClaw recorded of one profile; times are epoch ms.
type usageStats struct {
	ErrorCount             int            `json:"errorCount"`
	FailureCounts          map[string]int `json:"failureCounts,omitempty"`
	LastFailureAt          int64          `json:"lastFailureAt,omitempty"`
	LastProbeAt            int64          `json:"lastProbeAt,omitempty"`
	BlockedUntil           int64          `json:"blockedUntil,omitempty"`
	BlockedReason          string         `json:"blockedReason,omitempty"`
	BlockedSource          string         `json:"blockedSource,omitempty"`
	CooldownUntil          int64          `json:"cooldownUntil,omitempty"`
	CooldownReason         string         `json:"cooldownReason,omitempty"`
	CooldownClassification string         `json:"cooldownClassification,omitempty"`
	DisabledUntil          int64          `json:"disabledUntil,omitempty"`
	DisabledReason         string         `json:"disabledReason,omitempty"`
}

// writeConfig writes openclaw.json, which holds the gateway's port and token.
func (w *World) writeConfig() error {
	_, port, err := net.SplitHostPort(w.gateway.address())
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	agents := map[string]any{}
	for _, id := range w.agents {
		agents[id] = map[string]any{}
	}
	roster := map[string]any{"entries": agents}
	if len(w.agents) > 1 {
		roster["ownership"] = "explicit" // 2026.9 refuses several agents without
	}
	config := map[string]any{
		"gateway": map[string]any{
			"mode": "local", "port": number, "bind": "loopback",
			"auth": map[string]any{"mode": "token", "token": w.token.Reveal()},
		},
		"agents": roster,
		"meta":   map[string]any{"lastTouchedVersion": Version},
	}
	if len(w.opts.ConfigOrder) > 0 {
		config["auth"] = map[string]any{"order": w.opts.ConfigOrder}
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return fmt.Errorf("sandbox: encode openclaw.json: %w", err)
	}
	return os.WriteFile(filepath.Join(w.StateDir(), "openclaw.json"), text, 0o600)
}
