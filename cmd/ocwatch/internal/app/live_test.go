package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

// loaded is the config that a file with this text makes.
func loaded(t *testing.T, text string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestRealRequestsAreTheWatchdogsAlone, and the owner's wish: a check has no
// memory to bound them with.
func TestRealRequestsAreTheWatchdogsAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"nobody asked for them": {"", nil},
		"one profile":           {`probe: {live: ["anthropic:server"]}`, []string{"anthropic:server"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := loaded(t, tc.text)
			prober := newProber(cfg, "test", nil)
			defer prober.Close()
			if got := watchdogConfig(cfg, prober, defaultPace(cfg)).Live; !slices.Equal(got, tc.want) {
				t.Errorf("the watchdog may ask %v", got)
			}
			if got := checkConfig(cfg, prober).Live; got != nil {
				t.Errorf("a check may ask %v", got)
			}
		})
	}
}

// TestConfigReachesTheProber: what the file says of a provider is what is asked,
// and where.
func TestConfigReachesTheProber(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Api-Key"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"left":0.25}`)
	}))
	defer server.Close()
	cfg := loaded(t, `
probe:
  providers:
    acme:
      url: `+server.URL+`/v1/quota
      generic:
        header: "X-Api-Key: {token}"
        windows: [{name: weekly, remaining: left, unit: fraction, want: 90}]
        sample: '{"left":0.1}'
`)
	prober := newProber(cfg, "test", nil)
	defer prober.Close()
	r := prober.Probe(t.Context(), probe.Account{
		Key: "a", Provider: "acme", Type: "api_key", Token: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token-of-acme"}),
	})
	if r.Verdict != quota.OK || len(r.Windows) != 1 || *r.Windows[0].UsedPercent != 75 {
		t.Errorf("%+v", r)
	}
	if !slices.Equal(seen, []string{"GET /v1/quota token-of-acme"}) {
		t.Errorf("asked %q", seen)
	}
}
