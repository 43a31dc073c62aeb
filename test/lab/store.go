package lab

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// The lab reads OpenClaw's stores with code of its own: what ocwatch's reader
// gets wrong must not look right here.

// AuthDocuments returns everything OpenClaw keeps of credentials and order,
// as it is stored.
func (l *Lab) AuthDocuments(t *testing.T) string {
	t.Helper()
	return strings.Join(l.authDocuments(t), "\n")
}

// Blocked reports whether the main agent's store says that an account is not to
// be used now.
func (l *Lab) Blocked(t *testing.T, name string) bool {
	t.Helper()
	for _, line := range l.authDocuments(t) {
		var doc struct {
			UsageStats map[string]struct {
				BlockedUntil  float64 `json:"blockedUntil"`
				CooldownUntil float64 `json:"cooldownUntil"`
			} `json:"usageStats"`
		}
		if _, text, found := strings.Cut(line, ": "); !found || json.Unmarshal([]byte(text), &doc) != nil {
			continue
		}
		s := doc.UsageStats[l.ID(name)]
		if max(s.BlockedUntil, s.CooldownUntil) > float64(time.Now().UnixMilli()) {
			return true
		}
	}
	return false
}

// authDocuments are those, each after its name.
func (l *Lab) authDocuments(t *testing.T) []string {
	t.Helper()
	var docs []string
	agent := filepath.Join(l.StateDir, "agents", "main", "agent")
	for _, name := range []string{"auth-profiles.json", "auth-state.json"} {
		b, err := os.ReadFile(filepath.Join(agent, name))
		if err == nil {
			docs = append(docs, name+": "+string(b))
		} else if !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	for _, q := range []struct{ db, query string }{
		{filepath.Join(l.StateDir, "state", "openclaw.sqlite"), "SELECT state_key, value_json FROM config_machine_state WHERE state_key LIKE 'authProfiles.%' ORDER BY 1"},
		{filepath.Join(agent, "openclaw-agent.sqlite"), "SELECT store_key, store_json FROM auth_profile_store ORDER BY 1"},
		{filepath.Join(agent, "openclaw-agent.sqlite"), "SELECT state_key, state_json FROM auth_profile_state ORDER BY 1"},
	} {
		docs = append(docs, rows(t, q.db, q.query)...)
	}
	return docs
}

// StoredOrder is the order in OpenClaw's store for the main agent and OpenAI,
// nil where there is none.
func (l *Lab) StoredOrder(t *testing.T) []string {
	t.Helper()
	for line := range strings.SplitSeq(l.AuthDocuments(t), "\n") {
		_, text, found := strings.Cut(line, "primary: ")
		if !found {
			continue
		}
		if order := l.orderIn([]byte(text)); order != nil {
			return order
		}
	}
	var order []string
	for _, name := range []string{"auth-profiles.json", "auth-state.json"} { // the latter wins
		b, err := os.ReadFile(filepath.Join(l.StateDir, "agents", "main", "agent", name))
		if err != nil {
			continue
		}
		if o := l.orderIn(b); o != nil {
			order = o
		}
	}
	return order
}

func (l *Lab) orderIn(doc []byte) []string {
	var v struct {
		Order map[string][]string `json:"order"`
	}
	if json.Unmarshal(doc, &v) != nil {
		return nil
	}
	return v.Order[l.ProviderID()]
}

func rows(t *testing.T, path, query string) []string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	must(t, err)
	defer func() { _ = db.Close() }() // read only
	found, err := db.QueryContext(t.Context(), query)
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return nil // another layout
	}
	must(t, err)
	defer func() { _ = found.Close() }() // read to its end
	var out []string
	for found.Next() {
		var key, value string
		must(t, found.Scan(&key, &value))
		out = append(out, key+": "+value)
	}
	must(t, found.Err())
	return out
}
