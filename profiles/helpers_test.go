package profiles

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// noon is the moment that the tests are at where they choose it.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Credentials that must never come up in any text.
const (
	setupToken = "sk-ant-oat01-leak-me-not-0000000000000000"
	apiKey     = "sk-proj-leak-me-not-00000000000000000000"
	refreshed  = "rt_leak-me-not-000000000000000000000000"
)

// jwt makes an unsigned access token.
func jwt(tb testing.TB, payload map[string]any) string {
	tb.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		tb.Fatal(err)
	}
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(raw) + ".c2ln"
}

// access is an OpenAI access token for one account.
func access(tb testing.TB, account, email string) string {
	tb.Helper()
	return jwt(tb, map[string]any{
		"exp":                            noon.Add(240 * time.Hour).Unix(),
		"https://api.openai.com/auth":    map[string]any{"chatgpt_account_id": account, "chatgpt_plan_type": "plus"},
		"https://api.openai.com/profile": map[string]any{"email": email},
	})
}

func millis(t time.Time) string { return fmt.Sprint(t.UnixMilli()) }

// documents builds what the transport hands over for one agent.
func documents(layout openclaw.Layout, credentials, state string) openclaw.Documents {
	d := openclaw.Documents{Layout: layout}
	if credentials != "" {
		d.Credentials = []json.RawMessage{json.RawMessage(credentials)}
	}
	if state != "" {
		d.State = []json.RawMessage{json.RawMessage(state)}
	}
	return d
}

// profilesDoc wraps entries ("id":{…}) into a profile document.
func profilesDoc(entries ...string) string {
	return `{"version":1,"profiles":{` + strings.Join(entries, ",") + `}}`
}

func read(tb testing.TB, parts ...string) json.RawMessage {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, parts...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func mustDecode(tb testing.TB, d openclaw.Documents, cfg openclaw.Config) content {
	tb.Helper()
	c, err := decode(d, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func ids(p Pool) string {
	var out []string
	for _, pr := range p.Profiles {
		out = append(out, pr.ID)
	}
	return strings.Join(out, " ")
}

func find(tb testing.TB, pools []Pool, id string) Profile {
	tb.Helper()
	for _, pool := range pools {
		for _, p := range pool.Profiles {
			if p.ID == id {
				return p
			}
		}
	}
	tb.Fatalf("no profile %s in %d pools", id, len(pools))
	return Profile{}
}

// install is an OpenClaw install in memory.
type install struct {
	mu      sync.Mutex
	cfg     openclaw.Config
	cfgErr  error
	agents  []string
	listErr error
	docs    map[string]openclaw.Documents
	errs    map[string]error
	reads   int
	block   chan struct{} // reads wait for it, if set
}

func (i *install) Config() (openclaw.Config, error) { return i.cfg, i.cfgErr }

func (i *install) Agents() ([]string, error) { return i.agents, i.listErr }

func (i *install) Documents(ctx context.Context, agent string) (openclaw.Documents, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.reads++
	if i.block != nil {
		select {
		case <-i.block:
		case <-ctx.Done():
			return openclaw.Documents{}, ctx.Err()
		}
	}
	return i.docs[agent], i.errs[agent]
}

// setOrder is OpenClaw writing the order of agent main.
func (i *install) setOrder(provider string, list []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	raw, err := json.Marshal(map[string]any{"version": 1, "order": map[string][]string{provider: list}})
	if err != nil {
		panic(err)
	}
	d := i.docs["main"]
	d.State = append(slices.Clip(d.State), raw)
	i.docs["main"] = d
}
