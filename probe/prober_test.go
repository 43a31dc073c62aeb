package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const loopbackUsage = "http://127.0.0.1:1/usage"

func TestSettingsOfOpenAIServeItsOldName(t *testing.T) {
	t.Parallel()
	both := map[string]Settings{"openai": {Every: time.Hour, URL: "https://a.example.com/"}, "openai-codex": {Every: time.Minute, URL: "https://b.example.com/"}}
	tests := map[string]struct {
		settings map[string]Settings
		provider string
		host     string
		every    time.Duration
	}{
		"own":             {both, "openai-codex", "b.example.com", time.Minute},
		"openai":          {both, "openai", "a.example.com", time.Hour},
		"inherited":       {map[string]Settings{"openai": both["openai"]}, "openai-codex", "a.example.com", time.Hour},
		"not the reverse": {map[string]Settings{"openai-codex": both["openai-codex"]}, "openai", "chatgpt.com", time.Minute},
		"none":            {nil, "openai-codex", "chatgpt.com", time.Minute},
		"anthropic":       {nil, "anthropic", "api.anthropic.com", 5 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var host string
			p := New(Options{Providers: tt.settings, Transport: transport(func(r *http.Request) (*http.Response, error) {
				host = r.URL.Host
				return reply(200, `{}`, isJSON), nil
			})})
			a := account(tt.provider, "oauth")
			p.Probe(t.Context(), a)
			if host != tt.host || p.Every(a) != tt.every {
				t.Errorf("asked %s every %s, want %s every %s", host, p.Every(a), tt.host, tt.every)
			}
		})
	}
}

func TestAccountEndpointBeatsSettings(t *testing.T) {
	t.Parallel()
	var asked []string
	p := New(Options{
		Providers: map[string]Settings{"openai": {URL: "https://settings.example.com/usage"}},
		Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			return reply(200, `{}`, isJSON), nil
		}),
	})
	for _, kind := range []string{"oauth", "api_key"} {
		a := account("openai", kind)
		p.Probe(t.Context(), a)
		a.Endpoint = loopbackUsage
		p.Probe(t.Context(), a)
	}
	want := []string{
		"https://settings.example.com/usage", loopbackUsage,
		"https://settings.example.com/v1/models", "http://127.0.0.1:1/v1/models",
	}
	if fmt.Sprint(asked) != fmt.Sprint(want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

func TestNothingIsSentToABadEndpoint(t *testing.T) {
	t.Parallel()
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL)
		return nil, errors.New("no")
	})})
	for _, endpoint := range []string{"http://chatgpt.com/usage", "https://u:p@example.com/", "::", "ftp://127.0.0.1/"} {
		a := account("openai", "oauth")
		a.Endpoint = endpoint
		if r := p.Probe(t.Context(), a); r.Verdict != quota.Unknown || r.Reason == "" {
			t.Errorf("%s: %+v", endpoint, r)
		}
	}
}

// A Func that goes astray is stopped at the guard.
func TestNoFuncCanSendInTheClear(t *testing.T) {
	t.Parallel()
	p := New(Options{
		Table: map[string]Func{"astray": func(ctx context.Context, _ Account, c *http.Client) (quota.Reading, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.com/", nil)
			if err != nil {
				return quota.Reading{}, err
			}
			resp, err := c.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			return quota.Reading{}, err
		}},
		Transport: transport(func(*http.Request) (*http.Response, error) {
			t.Error("it was sent")
			return nil, errors.New("no")
		}),
	})
	if r := p.Probe(t.Context(), account("astray", "oauth")); r.Verdict != quota.Unreachable {
		t.Errorf("%+v", r)
	}
}

// source is a TokenSource in the test's own words.
type source func() (*oauth2.Token, error)

func (s source) Token() (*oauth2.Token, error) { return s() }

// credentialError is what profiles returns for a token that must not be used.
type credentialError struct{ verdict quota.Verdict }

func (e credentialError) Error() string          { return "access token expired at 10:00" }
func (e credentialError) Verdict() quota.Verdict { return e.verdict }

func TestCredentialsThatCannotBeSent(t *testing.T) {
	t.Parallel()
	failing := func(err error) oauth2.TokenSource {
		return source(func() (*oauth2.Token, error) { return nil, err })
	}
	token := func(tok oauth2.Token) oauth2.TokenSource {
		return source(func() (*oauth2.Token, error) { return &tok, nil })
	}
	tests := map[string]struct {
		source oauth2.TokenSource
		want   quota.Verdict
		reason string
	}{
		"stale, says the store":    {failing(fmt.Errorf("profile: %w", credentialError{quota.Stale})), quota.Stale, "access token expired at 10:00"},
		"unknown, says the store":  {failing(credentialError{quota.Unknown}), quota.Unknown, "access token expired at 10:00"},
		"revoked, says the store":  {failing(credentialError{quota.Revoked}), quota.Revoked, "access token expired at 10:00"},
		"nonsense is not believed": {failing(credentialError{quota.OK}), quota.Unknown, "access token expired at 10:00"},
		"a foreign error":          {failing(errors.New("body: " + secretToken)), quota.Unknown, "the stored credential could not be read"},
		"none":                     {nil, quota.Unknown, "the profile has no readable credential"},
		"nil token":                {source(func() (*oauth2.Token, error) { return nil, nil }), quota.Unknown, "the profile has no readable credential"},
		"empty":                    {static(""), quota.Unknown, "the profile has no readable credential"},
		"line feed":                {static("a\nb"), quota.Unknown, "the stored credential is not a token"},
		"not ascii":                {static("tökén"), quota.Unknown, "the stored credential is not a token"},
		"expired":                  {token(oauth2.Token{AccessToken: "x", Expiry: time.Unix(1, 0)}), quota.Stale, "access token expired; OpenClaw refreshes it when it next needs it"},
		"panics":                   {source(func() (*oauth2.Token, error) { panic(secretToken) }), quota.Unknown, "the probe failed within ocwatch at prober_test.go:"},
	}
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL.Host)
		return nil, errors.New("no")
	})})
	for name, tt := range tests {
		for _, provider := range []string{"openai", "anthropic"} {
			for _, kind := range []string{"oauth", "api_key"} {
				a := account(provider, kind)
				a.Token = tt.source
				r := p.Probe(t.Context(), a)
				if r.Verdict != tt.want || !strings.HasPrefix(r.Reason, tt.reason) {
					t.Errorf("%s, %s %s: %s (%s)", name, provider, kind, r.Verdict, r.Reason)
				}
			}
		}
	}
}

func TestReadingIsComplete(t *testing.T) {
	t.Parallel()
	p := New(Options{Transport: replying(200, `{"rate_limit":{"allowed":true}}`, isJSON)})
	before := time.Now()
	r := p.Probe(t.Context(), account("openai", "oauth"))
	if r.Account != "acct-1" || r.Provider != "openai" || r.Source != quota.FromUsage || r.Repeats != 1 {
		t.Errorf("%+v", r)
	}
	if r.At.Before(before.Round(0)) || r.At.Location() != time.UTC || r.At != r.At.Round(0) {
		t.Errorf("at %v", r.At)
	}
}

func TestCancelledProbeLearnsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})})
	for range 2 { // during, and before
		if r := p.Probe(ctx, account("openai", "oauth")); r.Verdict != quota.Unknown || r.Reason != "the probe was cancelled" {
			t.Errorf("%+v", r)
		}
	}
}

func TestSilentEndpointTimesOut(t *testing.T) {
	t.Parallel()
	tests := map[string]http.HandlerFunc{
		"no header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half a body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"rate_limit":`))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"a byte a second": func(w http.ResponseWriter, r *http.Request) {
			for tick := time.NewTicker(time.Second); ; {
				select {
				case <-tick.C:
					_, _ = w.Write([]byte(" "))
					_ = http.NewResponseController(w).Flush()
				case <-r.Context().Done():
					tick.Stop()
					return
				}
			}
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr, _ := serve(t, handler)
				p := New(Options{Transport: tr, Timeout: 10 * time.Second})
				a := account("openai", "oauth")
				a.Endpoint = loopbackUsage
				start := time.Now()
				r := p.Probe(t.Context(), a)
				if r.Verdict != quota.Unreachable || r.Reason != "no answer in time" {
					t.Errorf("%+v", r)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestThrottleIsDatedAndBacksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		retry := "700"
		tr, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retry)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		p := New(Options{Transport: tr})
		a := account("anthropic", "oauth")
		a.Endpoint = loopbackUsage
		ask := func() time.Duration {
			r := p.Probe(t.Context(), a)
			if r.Verdict != quota.Throttled {
				t.Fatalf("%+v", r)
			}
			return r.Until.Sub(r.At)
		}
		if got := ask(); got != 700*time.Second {
			t.Errorf("named: %s", got)
		}
		retry = "0"
		for _, minutes := range []int{10, 20, 40, 60, 60} {
			want := time.Duration(minutes) * time.Minute
			if got := ask(); got != want {
				t.Errorf("not named: %s, want %s", got, want)
			}
		}
	})
}

func TestProbeAllIsConcurrentAndBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int32
		tr, net := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n := underWay.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer underWay.Add(-1)
			select { // the latency of the network
			case <-time.After(50 * time.Millisecond):
			case <-r.Context().Done():
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"account_id":%q,"rate_limit":{"allowed":true}}`, r.Header.Get("ChatGPT-Account-Id"))
		}))
		p := New(Options{Transport: tr})
		accounts := make([]Account, 1000)
		for i := range accounts {
			accounts[i] = account("openai", "oauth")
			accounts[i].Key, accounts[i].ID = fmt.Sprint("key-", i), fmt.Sprint("acct-", i)
			accounts[i].Endpoint = loopbackUsage
		}
		start := time.Now()
		readings := p.ProbeAll(t.Context(), accounts, 40)
		if took := time.Since(start); took > 25*50*time.Millisecond+time.Second {
			t.Errorf("took %s", took)
		}
		if most.Load() != 40 || net.dialed["127.0.0.1:1"] > 40 {
			t.Errorf("%d at once over %d connections", most.Load(), net.dialed["127.0.0.1:1"])
		}
		for i, r := range readings {
			if r.Account != accounts[i].Key || r.Verdict != quota.OK {
				t.Fatalf("reading %d: %+v", i, r)
			}
		}
	})
}

func TestProbeAllEdges(t *testing.T) {
	t.Parallel()
	p := New(Options{Transport: replying(200, `{"rate_limit":{"allowed":true}}`, isJSON)})
	if got := p.ProbeAll(t.Context(), nil, 0); len(got) != 0 {
		t.Errorf("no accounts: %v", got)
	}
	if got := p.ProbeAll(t.Context(), []Account{account("openai", "oauth")}, -1); len(got) != 1 || got[0].Verdict != quota.OK {
		t.Errorf("one account: %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range p.ProbeAll(ctx, make([]Account, 100), 3) {
		if r.Verdict == quota.OK {
			t.Errorf("cancelled: %+v", r)
		}
	}
}
