package probe

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// nothingSaid is what is made of an answer without a limit in it.
const nothingSaid = "unknown: the answer names no limit of this account"

func TestGeminiAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "google-gemini-cli", parseGoogleModels, map[string]string{
		"absurd":                              nothingSaid + " | gemini-3.5-pro window -50 % suspect +3h15m30s | gemini-3.5-flash window 120 % suspect +3h15m30s",
		"buckets-are-no-list":                 nothingSaid,
		"every-fraction-left-out":             nothingSaid + " | gemini-3.5-pro window +3h15m30s | gemini-3.5-flash window +3h15m30s",
		"every-model-spent":                   "exhausted until +3h30m0s: the quota of every model is spent | gemini-3.5-pro window 100 % +19h0m0s | gemini-3.5-flash window 100 % +3h30m0s",
		"every-model-spent-one-reset-unknown": "exhausted until +3h30m0s: the quota of every model is spent | gemini-3.5-pro window 100 % | gemini-3.5-flash window 100 % +3h30m0s",
		"fraction-left-out":                   "ok | gemini-3.5-pro window +3h15m30s | gemini-3.5-flash window 10 % +3h15m30s",
		"hostile-array":                       "ok | gemini-3.5-pro window 50 %",
		"not-started":                         "ok | gemini-3.5-pro window 0 %",
		"nothing":                             nothingSaid,
		"nulls":                               nothingSaid,
		"numbers-as-strings":                  "ok | gemini-3.5-pro window 25 % +3h15m30s",
		"one-model-spent":                     "ok | gemini-3.5-pro window 100 % +3h15m30s | gemini-3.5-flash window 75 % +24h0m0s",
		"per-model":                           "ok | gemini-3.5-pro window 38.17 % +3h15m30s | gemini-3.5-flash window 0 % | tab_flash window 0 %",
		"placeholder":                         nothingSaid,
		"reset-in-milliseconds":               "ok | gemini-3.5-pro window 50 % +2h30m0s | gemini-3.5-flash window 50 % +2h30m0s",
		"spent-beside-left-out":               "unknown: the answer leaves out what some models have left | gemini-3.5-pro window 100 % +3h15m30s | gemini-3.5-flash window +3h15m30s",
		"spent-but-passed":                    nothingSaid + " | gemini-3.5-pro window 100 % -30m0s suspect",
		"spent-reset-years-away":              "exhausted: the quota of every model is spent | gemini-3.5-pro window 100 % +631151h30m0s suspect",
		"two-token-types":                     "ok | gemini-3.5-pro window 60 % +4h0m0s",
		"wrong-types":                         nothingSaid,
	})
}

func TestAntigravityAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "google-antigravity", parseAntigravity, map[string]string{
		"both-groups-spent": "exhausted until +4h0m0s: the quota of every model is spent | Gemini Models weekly 100 % +123h0m0s" +
			" | Gemini Models 5h 100 % +2h10m0s | Claude and GPT models weekly 10 % +147h0m0s | Claude and GPT models 5h 100 % +4h0m0s",
		"fraction-left-out":       nothingSaid + " | Gemini Models 5h +2h10m0s | Claude and GPT models 5h +4h0m0s",
		"nothing":                 nothingSaid,
		"odd-windows":             "ok | other window 87.5 % | other 24h 50 % +15h0m0s",
		"one-group-spent":         "ok | Gemini Models weekly 100 % +123h0m0s | Gemini Models 5h 50 % +2h10m0s | Claude and GPT models weekly 10 % +147h0m0s",
		"placeholder":             nothingSaid,
		"reset-beyond-the-window": "exhausted: the quota of every model is spent | Gemini Models 5h 100 % +17546h10m0s suspect",
		"two-groups":              "ok | Gemini Models weekly 26.88 % +123h0m0s | Gemini Models 5h 96 % +2h10m0s | Claude and GPT models weekly 0 % | Claude and GPT models 5h 0 %",
		"wrong-types":             nothingSaid,
	})
}

const fresh = `{"buckets":[{"resetTime":"2099-01-15T11:15:30Z","modelId":"gemini-3.5-pro","remainingFraction":0.6}],"groups":[]}`

// asks is a stand-in for Code Assist: an answer for each method, and what it
// was asked for.
type asks struct {
	answers map[string]string
	got     []string
}

func (a *asks) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, method, _ := strings.Cut(r.URL.Path, ":")
	a.got = append(a.got, r.Method+" "+r.URL.Host+" "+method+" "+string(body))
	return reply(200, a.answers[method], isJSON), nil
}

// Who the account is to Code Assist is asked only where the project is not
// known, and ends the probe where Google does not serve the account.
func TestGeminiLearnsItsProject(t *testing.T) {
	t.Parallel()
	const (
		load = `POST cloudcode-pa.googleapis.com loadCodeAssist {"metadata":{"ideType":"GEMINI_CLI","pluginType":"GEMINI"}}`
		ask  = `POST cloudcode-pa.googleapis.com retrieveUserQuota `
	)
	tests := map[string]struct {
		project, loaded string
		asked           []string
		want            string
	}{
		"known":       {"quiet-tea-7", `{}`, []string{ask + `{"project":"quiet-tea-7"}`}, "ok"},
		"learned":     {"", `{"cloudaicompanionProject":"quiet-tea-7","currentTier":{"id":"standard-tier"}}`, []string{load, ask + `{"project":"quiet-tea-7"}`}, "ok standard-tier"},
		"an object":   {"", `{"cloudaicompanionProject":{"id":"quiet-tea-7"},"currentTier":{"id":"free-tier","name":"Free"}}`, []string{load, ask + `{"project":"quiet-tea-7"}`}, "ok Free"},
		"paid tier":   {"", `{"currentTier":{"id":"free-tier"},"paidTier":{"id":"g1-pro","name":"Pro"}}`, []string{load, ask + `{}`}, "ok Pro"},
		"none":        {"", `{}`, []string{load, ask + `{}`}, "ok"},
		"wrong types": {"", `{"cloudaicompanionProject":7,"currentTier":[],"ineligibleTiers":"all"}`, []string{load, ask + `{}`}, "ok"},
		"other tiers closed": {
			"", `{"currentTier":{"id":"free-tier"},"ineligibleTiers":[{"reasonCode":"INELIGIBLE_ACCOUNT"}]}`,
			[]string{load, ask + `{}`},
			"ok free-tier",
		},
		"ineligible": {
			"", `{"ineligibleTiers":[{"reasonCode":"UNSUPPORTED_CLIENT","reasonMessage":"words"}]}`,
			[]string{load},
			"unsupported: the provider does not serve this account by this kind of login",
		},
		"to be validated": {
			"", `{"ineligibleTiers":[{"reasonCode":"DASHER_USER"},{"reasonCode":"VALIDATION_REQUIRED","validationUrl":"https://example.com/"}]}`,
			[]string{load},
			"billing: the provider wants a person to validate this account",
		},
		"inner error": {"", `{"error":{"code":500}}`, []string{load}, "unreachable: the answer is not usage"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			google := &asks{answers: map[string]string{"loadCodeAssist": tt.loaded, "retrieveUserQuota": fresh}}
			p := New(Options{Transport: google})
			a := account("google-gemini-cli", oauthType)
			a.Project = tt.project
			r := p.Probe(t.Context(), a)
			r.Windows = nil
			if got := show(r, noon); got != tt.want || r.Source != quota.FromUsage {
				t.Errorf("got  %s (%s)\nwant %s", got, r.Source, tt.want)
			}
			if got, want := strings.Join(google.got, "\n"), strings.Join(tt.asked, "\n"); got != want {
				t.Errorf("asked\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Antigravity is asked once: its answer needs no project.
func TestAntigravityRequest(t *testing.T) {
	t.Parallel()
	google := &asks{answers: map[string]string{"retrieveUserQuotaSummary": `{"groups":[{"displayName":"Gemini Models","buckets":[{"window":"5h","remainingFraction":0.5}]}]}`}}
	p := New(Options{Transport: google})
	a := account("google-antigravity", oauthType)
	for _, a.Project = range []string{"", "quiet-tea-7"} {
		if r := p.Probe(t.Context(), a); r.Verdict != quota.OK {
			t.Errorf("%+v", r)
		}
	}
	const ask = "POST cloudcode-pa.googleapis.com retrieveUserQuotaSummary "
	if got := strings.Join(google.got, "\n"); got != ask+"{}\n"+ask+`{"project":"quiet-tea-7"}` {
		t.Errorf("asked\n%s", got)
	}
}

// Where the owner sends the probe the first question goes, too; and a login
// that OpenClaw gives to a relay is sent nowhere.
func TestGoogleLoginsGoToOneHost(t *testing.T) {
	t.Parallel()
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		writes(200, "application/json", fresh)(w, r)
	}))
	t.Cleanup(server.Close)
	p := New(Options{})
	t.Cleanup(p.Close)
	a := account("google-gemini-cli", oauthType)
	a.Endpoint = server.URL + "/quota"
	if r := p.Probe(t.Context(), a); r.Verdict != quota.OK || strings.Join(paths, " ") != "/v1internal:loadCodeAssist /quota" {
		t.Errorf("%+v, asked %v", r, paths)
	}
	for _, provider := range []string{"google-gemini-cli", "google-antigravity"} {
		a := account(provider, oauthType)
		a.BaseURL = "https://relay.example.com/"
		relayed := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
			t.Errorf("%s asked %s", provider, r.URL)
			return reply(200, fresh, isJSON), nil
		})})
		if r := relayed.Probe(t.Context(), a); r.Verdict != quota.Unsupported {
			t.Errorf("%s: %+v", provider, r)
		}
	}
}

func TestGoogleKeyRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = r
		return reply(200, `{"models":[{"name":"models/gemini-3.5-flash"}],"nextPageToken":"x"}`, isJSON), nil
	})})
	r := p.Probe(t.Context(), account("google", keyType))
	if r.Verdict != quota.OK || r.Source != quota.FromValidity {
		t.Errorf("%+v", r)
	}
	if got.Method != http.MethodGet || got.URL.String() != "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1" ||
		got.Header.Get("X-Goog-Api-Key") != secretToken || got.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
}

// Google says in the body how long a throttle lasts.
func TestGoogleThrottles(t *testing.T) {
	t.Parallel()
	info := func(reason, retry string) string {
		return `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"cloudcode-pa.googleapis.com","reason":"` +
			reason + `"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":` + retry + `}]}}`
	}
	tests := map[string]struct {
		body string
		want string
	}{
		"a minute":            {info("RATE_LIMIT_EXCEEDED", `"61.5s"`), "throttled until +1m2s"},
		"longer than a day":   {info("QUOTA_EXHAUSTED", `"900000s"`), "throttled until +24h0m0s"},
		"negative":            {info("QUOTA_EXHAUSTED", `"-3s"`), "throttled"},
		"no duration":         {info("MODEL_CAPACITY_EXHAUSTED", `"soon"`), "throttled"},
		"no string":           {info("INSUFFICIENT_G1_CREDITS_BALANCE", `60`), "throttled"},
		"per day, no end":     {`{"error":{"details":[{"violations":[{"quotaId":"GenerateRequestsPerDay"}]}]}}`, "throttled"},
		"details of no list":  {`{"error":{"status":"RESOURCE_EXHAUSTED","details":{"retryDelay":"9s"}}}`, "throttled until +9s"},
		"milliseconds":        {info("RATE_LIMIT_EXCEEDED", `"1500ms"`), "throttled until +2s"},
		"details of anything": {`{"error":{"details":["x",null,7,[]]}}`, "throttled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := classify(account("google-gemini-cli", oauthType), usageOf, googleRules, answer{
				status: 429, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(tt.body), now: noon,
			})
			r.Until = r.Until.Round(time.Second)
			if got, _, _ := strings.Cut(show(r, noon), ":"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// Codes stand in the details of Google's errors.
func TestGoogleRefusals(t *testing.T) {
	t.Parallel()
	info := func(reason string) string {
		return `{"error":{"code":403,"message":"words","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + reason + `"}]}}`
	}
	const bare = `{"error":{"code":401,"status":"UNAUTHENTICATED"}}`
	tests := map[string]struct {
		provider, profileType string
		status                int
		body                  string
		want                  quota.Verdict
	}{
		"to be validated":              {"google-gemini-cli", oauthType, 403, info("VALIDATION_REQUIRED"), quota.Billing},
		"to be validated, antigravity": {"google-antigravity", oauthType, 403, info("VALIDATION_REQUIRED"), quota.Billing},
		"no longer served":             {"google-gemini-cli", oauthType, 403, info("UNSUPPORTED_CLIENT"), quota.Unsupported},
		"no word why":                  {"google-gemini-cli", oauthType, 403, info("SOMETHING_NEW"), quota.Unknown},
		"a page":                       {"google-gemini-cli", oauthType, 403, "<html>", quota.Unreachable},
		"stale":                        {"google-gemini-cli", oauthType, 401, bare, quota.Stale},
		"stale, antigravity":           {"google-antigravity", oauthType, 401, bare, quota.Stale},
		"not there":                    {"google-antigravity", oauthType, 404, `{"error":{"code":404}}`, quota.Unreachable},
		"overloaded":                   {"google-antigravity", oauthType, 503, `{"error":{"code":503,"status":"UNAVAILABLE"}}`, quota.Unreachable},
		"validated on a throttle":      {"google-antigravity", oauthType, 429, info("VALIDATION_REQUIRED"), quota.Throttled},
		"key":                          {"google", keyType, 200, `{"models":[]}`, quota.OK},
		"key, no list":                 {"google", keyType, 200, `{}`, quota.Unknown},
		"key, bad":                     {"google", keyType, 400, `{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}`, quota.Revoked},
		"key, another 400":             {"google", keyType, 400, `{"error":{"code":400,"status":"INVALID_ARGUMENT"}}`, quota.Unknown},
		"key, without billing":         {"google", keyType, 400, `{"error":{"code":400,"message":"Please enable billing on the project.","status":"FAILED_PRECONDITION"}}`, quota.Billing},
		"key, login's codes":           {"google", keyType, 403, info("VALIDATION_REQUIRED"), quota.Unknown},
		"type that cannot be asked":    {"google-gemini-cli", keyType, 200, `{}`, quota.Unsupported},
		"type without quota":           {"google", oauthType, 200, `{}`, quota.Unsupported},
		"antigravity's key":            {"google-antigravity", keyType, 200, `{}`, quota.Unsupported},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := isJSON
			if tt.body == "<html>" {
				header = isHTML
			}
			p := New(Options{Transport: replying(tt.status, tt.body, header)})
			if r := p.Probe(t.Context(), account(tt.provider, tt.profileType)); r.Verdict != tt.want || r.Verdict != quota.OK && r.Reason == "" {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Reason, tt.want)
			}
		})
	}
}

func FuzzGoogle(f *testing.F) {
	for _, provider := range []string{"google-gemini-cli", "google-antigravity"} {
		seed(f, provider)
	}
	f.Add([]byte(`{"ineligibleTiers":[{"reasonCode":"VALIDATION_REQUIRED"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, ok := parseObject(body)
		if !ok {
			return
		}
		mustBeSane(t, parseGoogleModels(o, clock{now: noon}))
		mustBeSane(t, parseAntigravity(o, clock{now: noon}))
		r := parseCodeAssist(o)
		mustBeShowable(t, r.Plan, r.Reason)
	})
}
