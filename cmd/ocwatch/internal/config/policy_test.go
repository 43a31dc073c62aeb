package config

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
)

// TestDefaultPolicy keeps the two places that know the defaults in step.
func TestDefaultPolicy(t *testing.T) {
	if got, want := Default().Policy("openai"), failover.DefaultPolicy(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPolicy(t *testing.T) {
	c := loadText(t, `
probe:
  providers:
    anthropic: {models: [claude-opus]}
    deepseek: {every: 10m}
failover:
  strategy: soonest-reset
  switch_at: 90
  paid: never
  pools:
    openai: {prefer: [openai:work, openai:home], switch_at: 85, return_below: 60, min_dwell: 1m, paid: last, strategy: sticky, keep: {"openai:work": 10}}
    anthropic: {return_below: 50}
notify: {login_after: 20m, remind_every: 0}
`)
	base := failover.Policy{
		Strategy: failover.SoonestReset, SwitchAt: 90, ReturnBelow: 80, MinDwell: 5 * time.Minute,
		Paid: failover.PaidNever, LoginAfter: 20 * time.Minute,
	}
	openai := base
	openai.Prefer = []string{"openai:work", "openai:home"}
	openai.SwitchAt, openai.ReturnBelow, openai.MinDwell, openai.Paid = 85, 60, time.Minute, failover.PaidLast
	openai.Strategy, openai.Keep = failover.Sticky, map[string]float64{"openai:work": 10}
	anthropic := base
	anthropic.ReturnBelow, anthropic.Models = 50, []string{"claude-opus"}
	for provider, want := range map[string]failover.Policy{
		"openai": openai, "openai-codex": openai, "anthropic": anthropic, "deepseek": base,
	} {
		if got := c.Policy(provider); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", provider, got, want)
		}
	}
}

func TestFormerNameKeepsItsOwnSettings(t *testing.T) {
	c := loadText(t, `
probe: {providers: {openai-codex: {every: 3m}}}
failover: {pools: {openai: {switch_at: 85}, openai-codex: {switch_at: 70, return_below: 50}}}
`)
	if got := c.Policy("openai-codex").SwitchAt; got != 70 {
		t.Errorf("switch_at %g, want its own 70", got)
	}
	if got := c.Probe.For("openai-codex").Every; got != 3*time.Minute {
		t.Errorf("every %v, want its own 3m", got)
	}
}

func TestPace(t *testing.T) {
	c := loadText(t, "probe: {providers: {openai: {url: https://example.com/usage}, deepseek: {every: 10m}}}")
	for provider, want := range map[string]Provider{
		"openai":       {Every: time.Minute, URL: "https://example.com/usage"},
		"openai-codex": {Every: time.Minute, URL: "https://example.com/usage"},
		"anthropic":    {Every: 5 * time.Minute},
		"deepseek":     {Every: 10 * time.Minute},
		"zai":          {Every: 5 * time.Minute},
	} {
		if got := c.Probe.For(provider); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", provider, got, want)
		}
	}
}

func loadText(tb testing.TB, text string) *Config {
	tb.Helper()
	_, env := world(tb)
	file := filepath.Join(tb.TempDir(), "config.yaml")
	write(tb, file, []byte(text), 0o600)
	c, err := Load(file, env)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
