package profiles

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// The documents are those of real installs, written by OpenClaw itself.
func TestRealDocuments(t *testing.T) {
	at := time.UnixMilli(1795350600000)
	for layout, tc := range map[openclaw.Layout]struct {
		credentials, state []string
		provider           string
		order              string
		source             OrderSource
		profiles           string
	}{
		openclaw.SharedDatabase: {
			[]string{"shared-store.json"},
			[]string{"shared-state.json", "agent-state.json"},
			"openai",
			"openai:bob@example.com openai:carol@example.com openai:backup openai:alice@example.com", OrderStored,
			"openai:backup openai:alice@example.com openai:bob@example.com openai:carol@example.com",
		},
		openclaw.AgentDatabase: {
			[]string{"store.json"},
			[]string{"state.json"},
			"openai",
			"openai:carol@example.com openai:bob@example.com", OrderStored,
			"openai:backup openai:alice@example.com openai:bob@example.com openai:carol@example.com",
		},
		openclaw.JSONFiles: {
			[]string{"auth-profiles.json"},
			[]string{"auth-profiles.json", "auth-state.json"},
			"openai-codex",
			"openai-codex:alice@example.com", OrderStored,
			"openai-codex:alice@example.com openai-codex:bob@example.com openai-codex:carol@example.com",
		},
	} {
		t.Run(string(layout), func(t *testing.T) {
			d := openclaw.Documents{Agent: "main", Layout: layout}
			for _, f := range tc.credentials {
				d.Credentials = append(d.Credentials, read(t, string(layout), f))
			}
			for _, f := range tc.state {
				d.State = append(d.State, read(t, string(layout), f))
			}
			pools := mustDecode(t, d, openclaw.Config{}).pools(at)
			var p Pool
			n := 0
			for _, pool := range pools {
				n += len(pool.Profiles)
				if pool.Provider == tc.provider {
					p = pool
				}
				for _, pr := range pool.Profiles {
					if pr.Status != Usable {
						t.Errorf("%s is %s: %s", pr.ID, pr.Status, pr.Reason)
					}
				}
			}
			if n != 6 || ids(p) != tc.profiles {
				t.Errorf("%d profiles, of %s: %s; want 6, %s", n, tc.provider, ids(p), tc.profiles)
			}
			if p.Agent != "main" || strings.Join(p.Order, " ") != tc.order || p.Source != tc.source {
				t.Errorf("order %v (%s) of agent %s, want %s (%s)", p.Order, p.Source, p.Agent, tc.order, tc.source)
			}
			alice := find(t, pools, tc.provider+":alice@example.com")
			if alice.AccountID != "acct-alice" || alice.Account != "acct-39cd40f6abf7d081" || alice.Plan != "plus" || alice.Email != "alice@example.com" {
				t.Errorf("alice is %+v", alice)
			}
			if bob := find(t, pools, tc.provider+":bob@example.com"); bob.Block.Active(at) != (layout == openclaw.SharedDatabase) {
				t.Errorf("bob's block is %+v", bob.Block)
			}
		})
	}
}

func oauthEntry(id string) string {
	provider, _, _ := strings.Cut(id, ":")
	return fmt.Sprintf(`%q:{"type":"oauth","provider":%q,"access":"at","refresh":"rt"}`, id, provider)
}

func keyEntry(id string) string {
	provider, _, _ := strings.Cut(id, ":")
	return fmt.Sprintf(`%q:{"type":"api_key","provider":%q,"key":"k"}`, id, provider)
}

func TestOrderInForce(t *testing.T) {
	abc := profilesDoc(oauthEntry("openai:a"), oauthEntry("openai:b"), oauthEntry("openai:c"))
	codex := profilesDoc(oauthEntry("openai-codex:a"), oauthEntry("openai-codex:b"), keyEntry("openai:k"))
	config := func(provider string, list ...string) openclaw.Config {
		return openclaw.Config{AuthOrder: map[string][]string{provider: list}}
	}
	for name, tc := range map[string]struct {
		credentials, state string
		cfg                openclaw.Config
		layout             openclaw.Layout // SharedDatabase unless set
		provider           string          // openai unless set
		want               string
		source             OrderSource
	}{
		"stored":                         {credentials: abc, state: `{"order":{"openai":["openai:b","openai:a"]}}`, cfg: config("openai", "openai:c"), want: "openai:b openai:a", source: OrderStored},
		"config":                         {credentials: abc, cfg: config("OpenAI", "openai:c", "openai:a"), want: "openai:c openai:a", source: OrderConfig},
		"none":                           {credentials: abc, source: OrderNone},
		"gone profiles and doubles":      {credentials: abc, state: `{"order":{"openai":["openai:x","openai:b","openai:b"]}}`, want: "openai:b", source: OrderStored},
		"all gone":                       {credentials: abc, state: `{"order":{"openai":["openai:x"]}}`, source: OrderNone},
		"left behind by the migration":   {credentials: abc, state: `{"order":{"openai-codex":["openai-codex:a"]}}`, source: OrderNone},
		"left behind, with current ids":  {credentials: abc, state: `{"order":{"openai-codex":["openai:a"]}}`, source: OrderNone},
		"an entry that cannot be read":   {credentials: profilesDoc(oauthEntry("openai:a"), `"openai:odd":7`, oauthEntry("openai:b")), state: `{"order":{"openai":["openai:b","openai:a"]}}`, want: "openai:b openai:a openai:odd", source: OrderStored},
		"old name, own order":            {credentials: codex, layout: openclaw.JSONFiles, provider: "openai-codex", state: `{"order":{"openai-codex":["openai-codex:b"],"openai":["openai:k"]}}`, want: "openai-codex:b", source: OrderStored},
		"old name, order of the new one": {credentials: codex, layout: openclaw.JSONFiles, provider: "openai-codex", cfg: config("openai", "openai-codex:b", "openai:k"), want: "openai-codex:b openai-codex:a", source: OrderConfig},
		"old name, order of other ids":   {credentials: codex, layout: openclaw.JSONFiles, provider: "openai-codex", cfg: config("openai", "openai:k"), source: OrderNone},
		"old name, later release":        {credentials: codex, provider: "openai-codex", cfg: config("openai", "openai-codex:b"), source: OrderNone},
	} {
		t.Run(name, func(t *testing.T) {
			layout, provider := tc.layout, tc.provider
			if layout == "" {
				layout = openclaw.SharedDatabase
			}
			if provider == "" {
				provider = "openai"
			}
			for _, p := range mustDecode(t, documents(layout, tc.credentials, tc.state), tc.cfg).pools(noon) {
				if p.Provider != provider {
					continue
				}
				if got := strings.Join(p.Order, " "); got != tc.want || p.Source != tc.source {
					t.Errorf("order %q (%s), want %q (%s)", got, p.Source, tc.want, tc.source)
				}
				return
			}
			t.Errorf("no pool of %s", provider)
		})
	}
}

// Without an order OpenClaw goes by type, then by what was unused for longest.
// Its own function, run on 400 random stores on each of 2026.5.28, 2026.6.11
// and 2026.9.6, gave the same in every case.
func TestRotation(t *testing.T) {
	later := millis(noon.Add(time.Hour))
	token := func(id string) string {
		return fmt.Sprintf(`%q:{"type":"token","provider":"p","token":"t"}`, id)
	}
	for name, tc := range map[string]struct {
		entries []string
		stats   string
		cfg     []string // auth.profiles
		layout  openclaw.Layout
		want    string
	}{
		"as listed":                 {entries: []string{oauthEntry("p:b"), oauthEntry("p:a")}, want: "p:b p:a"},
		"by type":                   {entries: []string{keyEntry("p:k"), token("p:t"), oauthEntry("p:o")}, want: "p:o p:t p:k"},
		"unused for longest":        {entries: []string{oauthEntry("p:a"), oauthEntry("p:b"), oauthEntry("p:c")}, stats: `"p:a":{"lastUsed":2},"p:b":{"lastUsed":1}`, want: "p:c p:b p:a"},
		"type before use":           {entries: []string{keyEntry("p:k"), oauthEntry("p:o")}, stats: `"p:o":{"lastUsed":9}`, want: "p:o p:k"},
		"blocked, soonest first":    {entries: []string{oauthEntry("p:a"), oauthEntry("p:b"), keyEntry("p:k")}, stats: `"p:a":{"blockedUntil":` + later + `1},"p:b":{"cooldownUntil":` + later + `}`, want: "p:k p:b p:a"},
		"a model's block is none":   {entries: []string{oauthEntry("p:a"), oauthEntry("p:b")}, stats: `"p:a":{"cooldownUntil":` + later + `,"cooldownReason":"rate_limit","cooldownModel":"m"}`, want: "p:a p:b"},
		"named in the config":       {entries: []string{oauthEntry("p:a"), oauthEntry("p:b"), keyEntry("p:k")}, cfg: []string{"p:k"}, want: "p:k p:a p:b"},
		"others named":              {entries: []string{oauthEntry("p:a"), oauthEntry("p:b")}, cfg: []string{"q:x"}, want: "p:a p:b"},
		"stale last, since 2026.9":  {entries: []string{`"p:a":{"type":"oauth","provider":"p","access":"t","refresh":"r","expires":5}`, oauthEntry("p:b")}, want: "p:b p:a"},
		"stale, before":             {entries: []string{`"p:a":{"type":"oauth","provider":"p","access":"t","refresh":"r","expires":5}`, oauthEntry("p:b")}, layout: openclaw.AgentDatabase, want: "p:a p:b"},
		"what OpenClaw cannot read": {entries: []string{`"p:x":1`, keyEntry("p:k")}, want: "p:k p:x"},
		"without a key":             {entries: []string{`"p:x":{"type":"oauth","provider":"p"}`, keyEntry("p:k")}, want: "p:k p:x"},
		"kept elsewhere":            {entries: []string{`"p:x":{"type":"token","provider":"p","tokenRef":{"source":"env","id":"T"}}`, keyEntry("p:k")}, want: "p:x p:k"},
		"past its end":              {entries: []string{`"p:t":{"type":"token","provider":"p","token":"t","expires":5}`, keyEntry("p:k")}, want: "p:k p:t"},
	} {
		t.Run(name, func(t *testing.T) {
			layout := tc.layout
			if layout == "" {
				layout = openclaw.SharedDatabase
			}
			cfg := openclaw.Config{AuthProfiles: map[string]openclaw.ConfigProfile{}}
			for _, id := range tc.cfg {
				cfg.AuthProfiles[id] = openclaw.ConfigProfile{}
			}
			pools := mustDecode(t, documents(layout, profilesDoc(tc.entries...), `{"usageStats":{`+tc.stats+`}}`), cfg).pools(noon)
			if len(pools) != 1 || ids(pools[0]) != tc.want {
				t.Fatalf("tried in the order %q, want %q", ids(pools[0]), tc.want)
			}
			for _, p := range pools[0].Profiles {
				_, named := cfg.AuthProfiles[p.ID]
				if want := tc.cfg != nil && tc.cfg[0] == "p:k" && !named; p.Excluded != want {
					t.Errorf("%s excluded is %v, want %v", p.ID, p.Excluded, want)
				}
			}
		})
	}
}

func TestAnOrderBringsExcludedProfilesIn(t *testing.T) {
	cfg := openclaw.Config{AuthProfiles: map[string]openclaw.ConfigProfile{"openai:a": {}}}
	d := documents(openclaw.SharedDatabase, profilesDoc(oauthEntry("openai:a"), oauthEntry("openai:b")), `{"order":{"openai":["openai:b","openai:a"]}}`)
	for _, p := range mustDecode(t, d, cfg).pools(noon)[0].Profiles {
		if p.Excluded {
			t.Errorf("%s is excluded, though an order names it", p.ID)
		}
	}
}

func TestConfigThatContradictsTheStore(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg    openclaw.ConfigProfile
		entry  string
		want   Status
		reason string
	}{
		"same":                 {openclaw.ConfigProfile{Provider: "openai", Mode: "oauth"}, oauthEntry("openai:a"), Usable, ""},
		"not said":             {openclaw.ConfigProfile{}, oauthEntry("openai:a"), Usable, ""},
		"another mode":         {openclaw.ConfigProfile{Provider: "openai", Mode: "api_key"}, oauthEntry("openai:a"), Unreadable, "mode api_key"},
		"oauth takes a token":  {openclaw.ConfigProfile{Provider: "openai", Mode: "oauth"}, `"openai:a":{"type":"token","provider":"openai","token":"t"}`, Usable, ""},
		"token takes no oauth": {openclaw.ConfigProfile{Provider: "openai", Mode: "token"}, oauthEntry("openai:a"), Unreadable, "mode token"},
		"another provider":     {openclaw.ConfigProfile{Provider: "zai", Mode: "oauth"}, oauthEntry("openai:a"), Unreadable, "is for zai"},
		"the old name":         {openclaw.ConfigProfile{Provider: "openai-codex", Mode: "oauth"}, oauthEntry("openai:a"), Usable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := openclaw.Config{AuthProfiles: map[string]openclaw.ConfigProfile{"openai:a": tc.cfg}}
			p := find(t, mustDecode(t, documents(openclaw.SharedDatabase, profilesDoc(tc.entry), ""), cfg).pools(noon), "openai:a")
			if p.Status != tc.want || !strings.Contains(p.Reason, tc.reason) {
				t.Errorf("%s (%s), want %s (%s)", p.Status, p.Reason, tc.want, tc.reason)
			}
		})
	}
}

func TestTheAgentsOwnProfileGoesBeforeTheSharedOne(t *testing.T) {
	d := openclaw.Documents{Layout: openclaw.SharedDatabase, Credentials: []json.RawMessage{
		json.RawMessage(profilesDoc(keyEntry("openai:a"), oauthEntry("openai:b"))),
		json.RawMessage(profilesDoc(oauthEntry("openai:a"), keyEntry("zai:c"))),
	}}
	pools := mustDecode(t, d, openclaw.Config{}).pools(noon)
	if p := find(t, pools, "openai:a"); p.Type != OAuth || p.Paid() {
		t.Errorf("openai:a is of type %s, want the agent's own", p.Type)
	}
	if len(pools) != 2 || ids(pools[0]) != "openai:a openai:b" || ids(pools[1]) != "zai:c" {
		t.Errorf("pools %v", pools)
	}
}
