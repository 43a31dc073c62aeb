package profiles

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestBlocks(t *testing.T) {
	in := func(d time.Duration) string { return millis(noon.Add(d)) }
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	for name, tc := range map[string]struct {
		provider string // "openai" unless set
		kind     Type   // OAuth unless set
		stats    string
		want     Block
		models   []Block
	}{
		"none":                      {stats: `{"errorCount":0}`},
		"quota":                     {stats: `{"blockedUntil":` + in(time.Hour) + `,"blockedReason":"subscription_limit","blockedSource":"wham"}`, want: Block{Until: at(time.Hour), Kind: Blocked, Reason: "subscription_limit", Source: "wham"}},
		"quota of one model":        {stats: `{"blockedUntil":` + in(time.Hour) + `,"blockedSource":"codex_rate_limits","blockedModel":"m","blockedScope":"model"}`, models: []Block{{Until: at(time.Hour), Kind: Blocked, Source: "codex_rate_limits", Model: "m"}}},
		"quota, model only noted":   {stats: `{"blockedUntil":` + in(time.Hour) + `,"blockedModel":"m"}`, want: Block{Until: at(time.Hour), Kind: Blocked}},
		"quota, and when it failed": {stats: `{"blockedUntil":` + in(time.Hour) + `,"lastFailureAt":` + in(-time.Minute) + `}`, want: Block{Until: at(time.Hour), Kind: Blocked, Failed: at(-time.Minute)}},
		"over":                      {stats: `{"blockedUntil":` + in(-time.Second) + `,"cooldownUntil":` + in(0) + `}`},
		"cooldown":                  {stats: `{"cooldownUntil":` + in(time.Minute) + `,"cooldownReason":"auth"}`, want: Block{Until: at(time.Minute), Kind: Cooldown, Reason: "auth"}},
		"cooldown of one model":     {stats: `{"cooldownUntil":` + in(time.Minute) + `,"cooldownReason":"timeout","cooldownModel":"m"}`, models: []Block{{Until: at(time.Minute), Kind: Cooldown, Reason: "timeout", Model: "m"}}},
		"a model is not to blame":   {stats: `{"cooldownUntil":` + in(time.Minute) + `,"cooldownReason":"auth","cooldownModel":"m"}`, want: Block{Until: at(time.Minute), Kind: Cooldown, Reason: "auth"}},
		"billing":                   {stats: `{"disabledUntil":` + in(time.Minute) + `,"disabledReason":"billing"}`, want: Block{Until: at(time.Minute), Kind: Disabled, Reason: "billing"}},
		"the longest counts":        {stats: `{"blockedUntil":` + in(time.Minute) + `,"cooldownUntil":` + in(3*time.Minute) + `,"disabledUntil":` + in(2*time.Minute) + `}`, want: Block{Until: at(3 * time.Minute), Kind: Cooldown}},
		"account and model":         {stats: `{"blockedUntil":` + in(time.Hour) + `,"cooldownUntil":` + in(2*time.Hour) + `,"cooldownReason":"rate_limit","cooldownModel":"m"}`, want: Block{Until: at(time.Hour), Kind: Blocked}, models: []Block{{Until: at(2 * time.Hour), Kind: Cooldown, Reason: "rate_limit", Model: "m"}}},
		"classified":                {stats: `{"cooldownUntil":` + in(time.Hour) + `,"cooldownReason":"auth","cooldownClassification":"wham_token_expired"}`, want: Block{Until: at(time.Hour), Kind: Cooldown, Reason: "auth", Source: WhamTokenExpired}},
		"12 h, not said why":        {stats: `{"lastFailureAt":` + in(-time.Hour) + `,"cooldownUntil":` + in(11*time.Hour) + `,"cooldownReason":"rate_limit","cooldownModel":"m"}`, want: Block{Until: at(11 * time.Hour), Kind: Cooldown, Reason: "rate_limit", Source: WhamTokenExpired}},
		"24 h, not said why":        {provider: "openai-codex", stats: `{"lastFailureAt":` + in(0) + `,"cooldownUntil":` + in(24*time.Hour) + `,"failureCounts":{"auth":1}}`, want: Block{Until: at(24 * time.Hour), Kind: Cooldown, Source: WhamAccountDead}},
		"24 h of rate limits":       {stats: `{"lastFailureAt":` + in(0) + `,"cooldownUntil":` + in(24*time.Hour) + `,"failureCounts":{"rate_limit":13}}`, want: Block{Until: at(24 * time.Hour), Kind: Cooldown}},
		"12 h of another provider":  {provider: "anthropic", stats: `{"lastFailureAt":` + in(0) + `,"cooldownUntil":` + in(12*time.Hour) + `}`, want: Block{Until: at(12 * time.Hour), Kind: Cooldown}},
		"12 h of a key":             {kind: APIKey, stats: `{"lastFailureAt":` + in(0) + `,"cooldownUntil":` + in(12*time.Hour) + `}`, want: Block{Until: at(12 * time.Hour), Kind: Cooldown}},
		"never heeded":              {provider: "openrouter", stats: `{"blockedUntil":` + in(time.Hour) + `}`},
		"negative":                  {stats: `{"blockedUntil":-5,"cooldownUntil":-1e300}`},
		"in words":                  {stats: `{"blockedUntil":"` + in(time.Hour) + `","cooldownUntil":true}`},
		"with a fraction":           {stats: `{"blockedUntil":` + in(time.Hour) + `.75}`, want: Block{Until: at(time.Hour), Kind: Blocked}},
		"beyond all dates":          {stats: `{"blockedUntil":1e300,"disabledUntil":8640000000000001}`},
		"beyond the year 9999":      {stats: `{"blockedUntil":8640000000000000}`, want: Block{Until: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), Kind: Blocked}},
		"fields of wrong types":     {stats: `{"blockedUntil":` + in(time.Hour) + `,"blockedReason":7,"blockedScope":["model"],"blockedModel":{}}`, want: Block{Until: at(time.Hour), Kind: Blocked}},
	} {
		t.Run(name, func(t *testing.T) {
			c := credential{provider: "openai", kind: OAuth}
			if tc.provider != "" {
				c.provider = tc.provider
			}
			if tc.kind != "" {
				c.kind = tc.kind
			}
			got, models := blocks(c, object(json.RawMessage(tc.stats)), noon)
			if got != tc.want {
				t.Errorf("account-wide block %+v, want %+v", got, tc.want)
			}
			if fmt.Sprint(models) != fmt.Sprint(tc.models) {
				t.Errorf("blocks of models %+v, want %+v", models, tc.models)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Errorf("the block has no JSON: %v", err)
			}
		})
	}
}

func TestStateIsMergedByKey(t *testing.T) {
	s := decodeState([]json.RawMessage{
		json.RawMessage(`{"order":{"openai":["a","b"],"Anthropic ":["x"]},"usageStats":{"a":{"lastUsed":1},"b":{"lastUsed":2}}}`),
		json.RawMessage(`{"order":{"openai":[" b ","",7,"a"],"zai":"z","xai":[]},"usageStats":{"b":{"lastUsed":3},"c":"odd"}}`),
		json.RawMessage(`"odd"`),
	})
	if got := strings.Join(s.order["openai"], " "); got != "b a" {
		t.Errorf("order of openai is %q: the later document goes before the earlier", got)
	}
	if got := strings.Join(s.order["anthropic"], " "); got != "x" {
		t.Errorf("order of anthropic is %q: ids are compared in lower case", got)
	}
	if len(s.order) != 2 {
		t.Errorf("orders %v: what is no list of ids is no order", s.order)
	}
	if n, _ := s.usage["b"].number("lastUsed"); n != 3 || len(s.usage) != 2 {
		t.Errorf("usage %v, want b's of the later document and nothing odd", s.usage)
	}
}
