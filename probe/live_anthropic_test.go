package probe

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// liveAccount is an account that may be asked with real requests.
func liveAccount(profileType string) Account {
	a := account("anthropic", profileType)
	a.Live = true
	return a
}

// headersOf makes the rate-limit headers of an answer out of "name: value; …".
func headersOf(text string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			h.Set("anthropic-ratelimit-unified-"+name, value)
		}
	}
	return h
}

func TestUnifiedHeaders(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ headers, want string }{
		"allowed": {
			"status: allowed; 5h-status: allowed; 5h-utilization: 0.04; 5h-reset: 1800009000; 7d-utilization: 0.06; 7d-reset: 1800435600",
			"ok | 5h 4 % +2h30m0s | weekly 6 % +121h0m0s",
		},
		"near the end": {
			"status: allowed_warning; 5h-utilization: 0.96; 5h-reset: 1800009000; 5h-surpassed-threshold: 0.9; representative-claim: five_hour",
			"ok | 5h 96 % +2h30m0s",
		},
		"five hours spent, and the whole's reset is another's": {
			"status: rejected; reset: 1800435600; representative-claim: five_hour; 5h-status: rejected; 5h-utilization: 1.0; 5h-reset: 1800009000;" +
				"7d-status: allowed; 7d-utilization: 0.5; 7d-reset: 1800435600",
			"exhausted until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s spent | weekly 50 % +121h0m0s",
		},
		"both spent": {
			"status: rejected; 5h-status: rejected; 5h-utilization: 1.02; 5h-reset: 1800009000; 7d-status: rejected; 7d-utilization: 1; 7d-reset: 1800435600",
			"exhausted until +121h0m0s: 5h window 100 % used, weekly window 100 % used | 5h 100 % +2h30m0s spent | weekly 100 % +121h0m0s spent",
		},
		"a model's week spent": {
			"status: rejected; 5h-status: allowed; 5h-utilization: 0.0; 5h-reset: 1800009000; 7d-status: allowed_warning; 7d-utilization: 0.94;" +
				"7d-reset: 1800435600; 7d_oi-status: rejected; 7d_oi-utilization: 1.0; representative-claim: seven_day_overage_included",
			"ok | 5h 0 % +2h30m0s | weekly 94 % +121h0m0s | overage_included weekly 100 % spent",
		},
		"only the claim says which": {
			"status: rejected; representative-claim: seven_day; 7d-utilization: 0.99; 7d-reset: 1800435600",
			"exhausted until +121h0m0s: weekly window 99 % used | weekly 99 % +121h0m0s spent",
		},
		"nothing says which": {
			"status: rejected; reset: 1800435600", "exhausted: the provider refuses use without naming the limit",
		},
		"overage spent": {
			"status: rejected; representative-claim: overage; overage-status: rejected; overage-utilization: 1.0",
			"billing: the provider reports no credit, or a spend limit reached | credits spend 100 % spent",
		},
		"full, and overage serves": {
			"status: allowed; 5h-status: rejected; 5h-utilization: 1.1; 5h-reset: 1800009000; overage-status: allowed; overage-utilization: 0.25; overage-in-use: true",
			"ok | 5h 100 % +2h30m0s spent | credits spend 25 %",
		},
		"overage was never bought": {
			"status: allowed; 5h-utilization: 0.5; 5h-reset: 1800009000; overage-status: rejected; overage-disabled-reason: org_level_disabled",
			"ok | 5h 50 % +2h30m0s",
		},
		"spent without a reset":    {"status: rejected; 5h-status: rejected; 5h-utilization: 1", "exhausted: 5h window 100 % used | 5h 100 % spent"},
		"milliseconds":             {"status: allowed; 5h-utilization: 0.5; 5h-reset: 1800009000000", "ok | 5h 50 %"},
		"a reset that passed":      {"status: rejected; 5h-status: rejected; 5h-utilization: 1; 5h-reset: 1799999000", "exhausted: 5h window 100 % used | 5h 100 % -16m40s suspect spent"},
		"percent for a fraction":   {"status: allowed; 5h-utilization: 40; 5h-reset: 1800009000", "ok | 5h 4000 % suspect +2h30m0s"},
		"negative":                 {"status: allowed; 5h-utilization: -0.5", "ok | 5h -50 % suspect"},
		"words for numbers":        {`status: allowed; 5h-utilization: "half"; 5h-reset: soon`, "unknown: the answer names no limit of this account"},
		"a status nobody knows":    {"status: pondering; 5h-utilization: 0.5; 5h-reset: 1800009000", "ok | 5h 50 % +2h30m0s"},
		"no status, a full window": {"5h-utilization: 1; 5h-reset: 1800009000", "exhausted until +2h30m0s: 5h window 100 % used | 5h 100 % +2h30m0s"},
		"nothing":                  {"", "unknown: the answer names no limit of this account"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(parseUnified(limitHeaders(headersOf(tt.headers)), clock{now: noon}), noon); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The request is held to the letter: it is the only one that costs anything.
func TestAnthropicLiveRequest(t *testing.T) {
	t.Parallel()
	for _, profileType := range []string{"token", "oauth"} {
		var got *http.Request
		var body []byte
		p := New(Options{UserAgent: "ocwatch/1.2.3", Transport: transport(func(r *http.Request) (*http.Response, error) {
			got = r
			body, _ = io.ReadAll(r.Body)
			return reply(200, `{"type":"message"}`, isJSON, "anthropic-ratelimit-unified-status: allowed", "anthropic-ratelimit-unified-5h-utilization: 0.25"), nil
		})})
		r := p.Probe(t.Context(), liveAccount(profileType))
		if r.Verdict != quota.OK || r.Source != quota.FromLive || show(r, noon) != "ok | 5h 25 %" {
			t.Fatalf("%+v", r)
		}
		if got.Method != http.MethodPost || got.URL.String() != "https://api.anthropic.com/v1/messages" {
			t.Errorf("%s %s", got.Method, got.URL)
		}
		if want := `{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"quota"}]}`; string(body) != want {
			t.Errorf("sent %s", body)
		}
		want := http.Header{
			"Authorization": {"Bearer " + secretToken}, "Anthropic-Beta": {"oauth-2025-04-20"}, "Anthropic-Version": {"2023-06-01"},
			"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"ocwatch/1.2.3"},
		}
		if fmt.Sprint(got.Header) != fmt.Sprint(want) {
			t.Errorf("headers %v", got.Header)
		}
	}
}

func TestAnthropicLiveRefusals(t *testing.T) {
	t.Parallel()
	const limit = `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit. Please try again later."}}`
	said := func(kind, message string) string {
		return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%q}}`, kind, message)
	}
	tests := map[string]struct {
		profileType string
		status      int
		body        string
		headers     string
		want        quota.Verdict
	}{
		"a window is spent":         {"token", 429, limit, "status: rejected; 5h-status: rejected; 5h-utilization: 1", quota.Exhausted},
		"too many requests":         {"token", 429, limit, "", quota.Throttled},
		"429, and still allowed":    {"token", 429, limit, "status: allowed; 5h-utilization: 0.5", quota.Throttled},
		"overloaded":                {"token", 529, said("overloaded_error", "Overloaded"), "", quota.Unreachable},
		"token expired":             {"token", 401, said("authentication_error", "OAuth token has expired."), "", quota.Revoked},
		"login's token expired":     {"oauth", 401, said("authentication_error", "OAuth token has expired."), "", quota.Stale},
		"401":                       {"token", 401, said("authentication_error", "Invalid bearer token"), "", quota.Stale},
		"revoked":                   {"token", 403, said("permission_error", "OAuth token has been revoked"), "", quota.Revoked},
		"not for this organization": {"token", 403, said("permission_error", "OAuth authentication is currently not allowed for this organization."), "", quota.Revoked},
		"403":                       {"token", 403, said("permission_error", "no"), "", quota.Unknown},
		"out of extra usage":        {"token", 400, said("invalid_request_error", "You're out of extra usage. Add more and keep going."), "", quota.Billing},
		"payment":                   {"token", 402, said("billing_error", "pay"), "", quota.Billing},
		"the model is gone":         {"token", 404, said("not_found_error", "model: claude-haiku-4-5"), "", quota.Unsupported},
		"404 of a proxy":            {"token", 404, `{}`, "", quota.Unreachable},
		"a bad request":             {"token", 400, said("invalid_request_error", "x"), "", quota.Unknown},
		"a page":                    {"token", 200, portal, "status: allowed; 5h-utilization: 0.5", quota.Unreachable},
		"no headers":                {"token", 200, `{"type":"message"}`, "", quota.Unknown},
		"a key":                     {"api_key", 200, `{}`, "", quota.Unsupported},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Transport: transport(func(*http.Request) (*http.Response, error) {
				kind := isJSON
				if tt.body == portal {
					kind = "Content-Type: text/html"
				}
				resp := reply(tt.status, tt.body, kind)
				maps.Copy(resp.Header, headersOf(tt.headers))
				return resp, nil
			})})
			for range 4 { // four in a row are no different
				r := p.Probe(t.Context(), liveAccount(tt.profileType))
				if r.Verdict != tt.want || r.Source != quota.FromLive {
					t.Errorf("%s (%s), from %s; want %s", r.Verdict, r.Reason, r.Source, tt.want)
				}
				mustNotLeak(t, r)
			}
		})
	}
}

// A proxy that the owner named gets the real request too, and a relay that
// OpenClaw uses gets nothing.
func TestAnthropicLiveGoesWhereItMay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ endpoint, base, want string }{
		"usual":                   {"", "", "https://api.anthropic.com/v1/messages"},
		"openclaw says the usual": {"", "https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"},
		"the owner's proxy":       {"http://127.0.0.1:1234/api/oauth/usage", "", "http://127.0.0.1:1234/v1/messages"},
		"in the clear":            {"http://proxy.example.com/usage", "", ""},
		"a relay":                 {"", "https://relay.example.com/v1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
				asked = r.URL.String()
				return reply(200, `{}`, isJSON), nil
			})})
			a := liveAccount("token")
			a.Endpoint, a.BaseURL = tt.endpoint, tt.base
			p.Probe(t.Context(), a)
			if asked != tt.want {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

func TestAnthropicLiveHostile(t *testing.T) {
	t.Parallel()
	for name, handler := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // a server hears of the client's end only then
				handler(w, r)
			}))
			t.Cleanup(server.Close)
			d := &dials{addrs: map[string]int{}}
			tr := newTransport()
			tr.DialContext = d.dial
			t.Cleanup(tr.CloseIdleConnections)
			p := New(Options{Transport: tr, Timeout: 500 * time.Millisecond})
			a := liveAccount("token")
			a.Endpoint = server.URL + "/usage"
			r := p.Probe(t.Context(), a)
			if r.Verdict != quota.Unreachable && r.Verdict != quota.Unknown {
				t.Errorf("%s (%s)", r.Verdict, r.Reason)
			}
			mustNotLeak(t, r)
			if len(d.addrs) != 1 || d.addrs[server.Listener.Addr().String()] == 0 {
				t.Errorf("connected to %v", d.addrs)
			}
		})
	}
}

// freePosts are the questions that are asked with POST and cost nothing.
var freePosts = []string{"cloudcode-pa.googleapis.com"}

// Without Account.Live nothing is asked that could cost anything: whatever the
// answers are, no conversation is begun with any provider.
func TestOnlyFreeQuestionsWithoutTheOptIn(t *testing.T) {
	t.Parallel()
	for _, w := range everyFunc {
		for _, status := range []int{200, 401, 403, 429, 500} {
			var mu sync.Mutex
			p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				for _, paid := range []string{"/messages", "/completions", "/responses", "/generate", ":generateContent", ":streamGenerateContent"} {
					if strings.Contains(r.URL.Path, paid) {
						t.Errorf("%s %s: asked %s", w.provider, w.profileType, r.URL)
					}
				}
				if r.Method != http.MethodGet && !slices.Contains(freePosts, r.URL.Host) {
					t.Errorf("%s %s: %s %s", w.provider, w.profileType, r.Method, r.URL)
				}
				return reply(status, scopeMissing, isJSON), nil
			})})
			for range 4 {
				p.Probe(t.Context(), account(w.provider, w.profileType))
			}
		}
	}
}

func FuzzUnified(f *testing.F) {
	f.Add("allowed", "0.04", "1800009000", "rejected", "five_hour")
	f.Add("rejected", "1e308", "-1", "", "overage")
	f.Add("rejected", "NaN", "1e400", "\"", "seven_day_opus")
	f.Fuzz(func(t *testing.T, status, utilization, reset, window, claim string) {
		h := http.Header{}
		for _, known := range unifiedWindows {
			h[unifiedPrefix+http.CanonicalHeaderKey(known.header+"-utilization")] = []string{utilization}
			h[unifiedPrefix+http.CanonicalHeaderKey(known.header+"-reset")] = []string{reset}
			h[unifiedPrefix+http.CanonicalHeaderKey(known.header+"-status")] = []string{window}
		}
		h[unifiedPrefix+"Status"], h[unifiedPrefix+"Representative-Claim"] = []string{status}, []string{claim}
		mustBeSane(t, parseUnified(limitHeaders(h), clock{now: noon}))
	})
}
