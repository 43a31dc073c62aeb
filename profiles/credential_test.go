package profiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

const (
	fenced       = `openclaw-oauth-refresh-fence:v1:00112233445566778899aabbccddeeff:access:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff`
	fencedFailed = `openclaw-oauth-refresh-fence:v1:00112233445566778899aabbccddeeff:failed:access:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff`
)

func TestStatus(t *testing.T) {
	future, past := millis(noon.Add(time.Hour)), millis(noon.Add(-time.Hour))
	oauth := func(fields string) string { return `{"type":"oauth","provider":"openai",` + fields + `}` }
	token := func(fields string) string { return `{"type":"token","provider":"anthropic",` + fields + `}` }
	key := func(fields string) string { return `{"type":"api_key","provider":"openai",` + fields + `}` }
	for name, tc := range map[string]struct {
		entry  string
		stats  string
		want   Status
		reason string // part of Reason
		fix    string // part of Fix; "" wants none
	}{
		"oauth":                      {entry: oauth(`"access":"at","refresh":"rt","expires":` + future), want: Usable},
		"oauth of unknown end":       {entry: oauth(`"access":"at","refresh":"rt"`), want: Usable},
		"oauth of absurd end":        {entry: oauth(`"access":"at","refresh":"rt","expires":"soon"`), want: Usable},
		"oauth at its end":           {entry: oauth(`"access":"at","refresh":"rt","expires":` + millis(noon)), want: Stale, reason: "OpenClaw refreshes it"},
		"oauth past its end":         {entry: oauth(`"access":"at","refresh":"rt","expires":` + past), want: Stale, reason: "2026-11-22 11:00 UTC"},
		"past its end, no refresh":   {entry: oauth(`"access":"at","expires":` + past), want: Stale, reason: "no refresh token", fix: "openclaw models auth login --provider openai"},
		"refreshing":                 {entry: oauth(`"access":"` + fenced + `","refresh":"` + strings.Replace(fenced, "access", "refresh", 1) + `","expires":1`), want: Refreshing},
		"refreshing, a later form":   {entry: oauth(`"access":"openclaw-oauth-refresh-fence:v2:zz","expires":1`), want: Refreshing},
		"refreshing, only refresh":   {entry: oauth(`"access":"at","refresh":"` + fenced + `","expires":` + future), want: Refreshing},
		"refresh failed":             {entry: oauth(`"access":"` + fencedFailed + `","refresh":"` + fencedFailed + `","expires":1`), want: LoginRequired, reason: "gave it up", fix: "models auth login"},
		"auth_permanent":             {entry: oauth(`"access":"at","expires":` + future), stats: `{"disabledUntil":` + future + `,"disabledReason":"auth_permanent"}`, want: LoginRequired, reason: "auth_permanent", fix: "models auth login"},
		"auth_permanent, over":       {entry: oauth(`"access":"at","expires":` + future), stats: `{"disabledUntil":` + past + `,"disabledReason":"auth_permanent"}`, want: Usable},
		"billing":                    {entry: oauth(`"access":"at","expires":` + future), stats: `{"disabledUntil":` + future + `,"disabledReason":"billing"}`, want: Usable},
		"wham says dead":             {entry: oauth(`"access":"at","expires":` + future), stats: `{"cooldownUntil":` + future + `,"cooldownReason":"auth_permanent","cooldownClassification":"wham_account_dead"}`, want: Usable},
		"sealed file":                {entry: oauth(`"oauthRef":{"source":"openclaw-credentials","id":"x"}`), want: Unreadable, reason: "oauthRef"},
		"no token":                   {entry: oauth(`"refresh":"rt","expires":` + future), want: Unreadable, reason: "no token in the store", fix: "models auth login"},
		"blank token":                {entry: oauth(`"access":"  ","expires":` + future), want: Unreadable, reason: "no token in the store", fix: "models auth login"},
		"token of another type":      {entry: oauth(`"access":17`), want: Unreadable, reason: "no token in the store", fix: "models auth login"},
		"token with a line break":    {entry: oauth(`"access":"at\nx"`), want: Unreadable, reason: "is no token", fix: "models auth login"},
		"inactive":                   {entry: oauth(`"access":"at","setup":{"replacement":true,"modelRef":"m","configJson":"{}"}`), want: Unreadable, reason: "inactive", fix: "models auth login"},
		"set-up done":                {entry: oauth(`"access":"at","setup":{"replacement":false}`), want: Usable},
		"setup-token":                {entry: token(`"token":"tok"`), want: Usable},
		"setup-token with an end":    {entry: token(`"token":"tok","expires":` + future), want: Usable},
		"setup-token past its end":   {entry: token(`"token":"tok","expires":` + past), want: LoginRequired, reason: "nothing refreshes it", fix: "paste-token --provider anthropic --profile-id a:b"},
		"setup-token, end is no end": {entry: token(`"token":"tok","expires":0`), want: LoginRequired, reason: "is no date", fix: "paste-token"},
		"setup-token, end is null":   {entry: token(`"token":"tok","expires":null`), want: LoginRequired, reason: "is no date", fix: "paste-token"},
		"setup-token, end too far":   {entry: token(`"token":"tok","expires":9e99`), want: LoginRequired, reason: "is no date", fix: "paste-token"},
		"tokenRef":                   {entry: token(`"tokenRef":{"source":"env","provider":"default","id":"T"}`), want: Unreadable, reason: "SecretRef"},
		"tokenRef beside a token":    {entry: token(`"token":"old","tokenRef":{"source":"env","provider":"default","id":"T"}`), want: Unreadable, reason: "SecretRef"},
		"reference in place":         {entry: token(`"token":{"source":"file","provider":"vault","id":"/t"}`), want: Unreadable, reason: "SecretRef"},
		"reference by template":      {entry: token(`"token":"${ANTHROPIC_TOKEN}"`), want: Unreadable, reason: "SecretRef"},
		"api key":                    {entry: key(`"key":"k"`), want: Usable},
		"api key does not expire":    {entry: key(`"key":"k","expires":` + past), want: Usable},
		"api key by its other names": {entry: `{"mode":"api_key","provider":"openai","apiKey":"k"}`, want: Usable},
		"api key by the config's":    {entry: `{"type":"apiKey","provider":"openai","key":"k"}`, want: Usable},
		"keyRef":                     {entry: key(`"keyRef":{"source":"env","provider":"default","id":"K"}`), want: Unreadable, reason: "SecretRef"},
		"keyRef is null":             {entry: key(`"key":"k","keyRef":null`), want: Usable},
		"no key":                     {entry: key(`"metadata":{}`), want: Unreadable, reason: "no token", fix: "paste-api-key --provider openai --profile-id a:b"},
		"unknown type":               {entry: `{"type":"passkey","provider":"openai"}`, want: Unreadable, reason: "no type that OpenClaw knows", fix: "models auth login"},
		"no provider":                {entry: `{"type":"token","token":"t"}`, want: Unreadable, reason: "names no provider", fix: "paste-token --provider a"},
		"no object":                  {entry: `"gone"`, want: Unreadable, reason: "not a JSON object", fix: "models auth login --provider a"},
		"null":                       {entry: `null`, want: Unreadable, reason: "not a JSON object", fix: "models auth login --provider a"},
	} {
		t.Run(name, func(t *testing.T) {
			state := ""
			if tc.stats != "" {
				state = `{"usageStats":{"a:b":` + tc.stats + `}}`
			}
			c := mustDecode(t, documents(openclaw.SharedDatabase, profilesDoc(`"a:b":`+tc.entry), state), openclaw.Config{})
			p := find(t, c.pools(noon), "a:b")
			if p.Status != tc.want || !strings.Contains(p.Reason, tc.reason) {
				t.Errorf("status %s (%s), want %s (…%s…)", p.Status, p.Reason, tc.want, tc.reason)
			}
			if (p.Status == Usable) != (p.Reason == "") {
				t.Errorf("status %s with reason %q: a reason is for what is not usable", p.Status, p.Reason)
			}
			if !strings.Contains(p.Fix, tc.fix) || (tc.fix == "") != (p.Fix == "") {
				t.Errorf("fix %q, want %q", p.Fix, tc.fix)
			}
		})
	}
}

func TestMalformedDocuments(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want error
	}{
		"cut short":           {`{"version":1,"profiles":{"a:b":{"type":"token","token":"` + setupToken, errNotObject},
		"a list":              {`[]`, errNotObject},
		"nothing":             {``, errNotObject},
		"profiles are a list": {`{"version":1,"profiles":["` + setupToken + `"]}`, errProfiles},
		"a later version":     {`{"version":2,"profiles":{}}`, errVersion},
		"version in words":    {`{"version":"` + setupToken + `","profiles":{}}`, errVersion},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeCredentials(json.RawMessage(tc.doc))
			if !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if strings.Contains(err.Error(), "leak-me-not") {
				t.Error("the error quotes the document")
			}
		})
	}
	for name, doc := range map[string]string{"no profiles": `{"version":1}`, "null": `{"profiles":null}`, "empty": `{"profiles":{}}`} {
		if list, err := decodeCredentials(json.RawMessage(doc)); err != nil || len(list) != 0 {
			t.Errorf("%s: %v, %v; want no profile and no error", name, list, err)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"openai:a.b+c@example.com": "openai:a.b+c@example.com",
		"a b":                      "'a b'",
		"$(id)":                    "'$(id)'",
		"it's":                     `'it'\''s'`,
		"":                         "''",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

// Whatever an entry holds, it comes back as one profile, with a status and
// without its secret in any form of print.
func TestNoProfileVanishes(t *testing.T) {
	value := rapid.OneOf(
		rapid.Just(`"`+setupToken+`"`), rapid.Just(`"`+apiKey+`"`), rapid.Just(`"`+fenced+`"`), rapid.Just(`"oauth"`), rapid.Just(`"token"`),
		rapid.Just(`"api_key"`), rapid.Just(`"openai"`), rapid.Just(`"openrouter"`), rapid.Just(`null`), rapid.Just(`{}`), rapid.Just(`[]`), rapid.Just(`true`),
		rapid.Map(rapid.Float64Range(-1e20, 1e20), func(f float64) string { return fmt.Sprint(f) }),
		rapid.Map(rapid.Int64(), func(n int64) string { return fmt.Sprint(n) }),
	)
	name := rapid.SampledFrom([]string{
		"type", "mode", "provider", "access", "refresh", "token", "key", "apiKey", "keyRef", "tokenRef", "oauthRef", "expires", "email", "accountId",
		"setup", "blockedUntil", "cooldownUntil", "disabledUntil", "lastUsed", "lastFailureAt", "cooldownReason", "cooldownModel",
	})
	object := rapid.Map(rapid.MapOfN(name, value, 0, 8), func(m map[string]string) string {
		var parts []string
		for k, v := range m {
			parts = append(parts, fmt.Sprintf("%q:%s", k, v))
		}
		return "{" + strings.Join(parts, ",") + "}"
	})
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.OneOf(object, value), 0, 6).Draw(t, "entries")
		var creds, stats []string
		for i, e := range list {
			creds = append(creds, fmt.Sprintf(`"p:%d":%s`, i, e))
			stats = append(stats, fmt.Sprintf(`"p:%d":%s`, i, object.Draw(t, "stats")))
		}
		d := documents(rapid.SampledFrom([]openclaw.Layout{openclaw.SharedDatabase, openclaw.JSONFiles}).Draw(t, "layout"),
			profilesDoc(creds...), `{"usageStats":{`+strings.Join(stats, ",")+`}}`)
		c, err := decode(d, openclaw.Config{})
		if err != nil {
			t.Fatalf("odd entries made the document unreadable: %v", err)
		}
		pools, n := c.pools(noon), 0
		for _, pool := range pools {
			n += len(pool.Profiles)
			for _, p := range pool.Profiles {
				if p.Status == "" || p.Account == "" || p.Provider == "" {
					t.Fatalf("profile without status, account or provider: %+v", p)
				}
			}
		}
		if n != len(list) {
			t.Fatalf("%d entries became %d profiles", len(list), n)
		}
		doc, err := json.Marshal(pools)
		if err != nil {
			t.Fatalf("the pools have no JSON: %v", err)
		}
		for _, text := range []string{string(doc), fmt.Sprintf("%+v", pools), fmt.Sprintf("%#v %+v %v %+v", c, c, &c, c.credentials)} {
			// Fields that are no credential may hold anything, so only the
			// credential fields are looked for where they were put there.
			if n > 0 && strings.Contains(text, setupToken) && !echoed(list, setupToken) {
				t.Fatalf("a credential shows: %s", text)
			}
		}
	})
}

// echoed reports whether the generator put the secret into a field that is
// meant to be shown.
func echoed(entries []string, secret string) bool {
	for _, e := range entries {
		o := object(json.RawMessage(e))
		for _, f := range []string{"provider", "email", "accountId"} {
			if strings.EqualFold(o.text(f), secret) {
				return true
			}
		}
	}
	return false
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"profiles":{}}`), []byte(`{}`))
	for _, files := range [][2]string{
		{"shared-database/shared-store.json", "shared-database/shared-state.json"},
		{"agent-database/store.json", "agent-database/state.json"},
		{"json-files/auth-profiles.json", "json-files/auth-state.json"},
	} {
		f.Add([]byte(read(f, files[0])), []byte(read(f, files[1])))
	}
	f.Fuzz(func(t *testing.T, credentials, state []byte) {
		d := openclaw.Documents{Layout: openclaw.JSONFiles, Credentials: []json.RawMessage{credentials}, State: []json.RawMessage{state}}
		c, err := decode(d, openclaw.Config{})
		if err != nil {
			if s := err.Error(); s != errNotObject.Error() && s != errProfiles.Error() && s != errVersion.Error() {
				t.Fatalf("the error may quote the document: %s", s)
			}
			return
		}
		var doc struct {
			Profiles map[string]json.RawMessage `json:"profiles"`
		}
		n := 0
		for _, pool := range c.pools(noon) {
			n += len(pool.Profiles)
		}
		if json.Unmarshal(object(credentials)["profiles"], &doc.Profiles) == nil && n < len(doc.Profiles) {
			t.Fatalf("%d profiles became %d", len(doc.Profiles), n)
		}
	})
}
