package probe

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestPaceOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		provider, profileType string
		every                 time.Duration
	}{
		{"openai", "oauth", time.Minute},
		{"openai-codex", "oauth", time.Minute},
		{"openai", "api_key", 5 * time.Minute},
		{"anthropic", "oauth", 5 * time.Minute},
		{"anthropic", "token", 5 * time.Minute},
		{"anthropic", "api_key", 5 * time.Minute},
		{"gemini", "oauth", 5 * time.Minute},
	}
	for _, tt := range tests {
		got := PaceOf(tt.provider, tt.profileType)
		if got.Every != tt.every || got.Rush <= 0 || got.Rush > got.Min || got.Min > got.Every || got.Every > got.Idle {
			t.Errorf("%s %s: %+v", tt.provider, tt.profileType, got)
		}
	}
}

// The middle of the jitter is 0.5, at which ordinary intervals are exact.
func TestNext(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	used := func(p float64, scope string) []quota.Window {
		return []quota.Window{{Name: quota.FiveHour, Scope: scope, UsedPercent: quota.Percent(p)}}
	}
	tests := map[string]struct {
		last  quota.Reading // At is noon unless said otherwise
		every time.Duration
		rand  float64
		want  time.Duration
	}{
		"ok":                         {quota.Reading{Verdict: quota.OK}, time.Minute, 0.5, time.Minute},
		"ok, earliest":               {quota.Reading{Verdict: quota.OK, Provider: "openai"}, 2 * time.Minute, 0, 108 * time.Second},
		"ok, latest":                 {quota.Reading{Verdict: quota.OK}, time.Minute, 1, 66 * time.Second},
		"ok, the owner's interval":   {quota.Reading{Verdict: quota.OK}, time.Hour, 0.5, time.Hour},
		"ok, the default interval":   {quota.Reading{Verdict: quota.OK, Provider: "openai"}, 0, 0.5, time.Minute},
		"nearly spent":               {quota.Reading{Verdict: quota.OK, Windows: used(92, "")}, 10 * time.Minute, 0.5, 10 * time.Minute},
		"stale":                      {quota.Reading{Verdict: quota.Stale}, time.Minute, 0.5, time.Minute},
		"unknown":                    {quota.Reading{Verdict: quota.Unknown}, 2 * time.Minute, 0.5, 2 * time.Minute},
		"revoked":                    {quota.Reading{Verdict: quota.Revoked}, time.Minute, 0.5, 5 * time.Minute},
		"billing":                    {quota.Reading{Verdict: quota.Billing}, 10 * time.Minute, 0.5, 10 * time.Minute},
		"unsupported":                {quota.Reading{Verdict: quota.Unsupported}, time.Minute, 0.5, day},
		"exhausted for days":         {quota.Reading{Verdict: quota.Exhausted, Until: at(50 * time.Hour)}, time.Minute, 0, 5 * time.Minute},
		"exhausted, latest":          {quota.Reading{Verdict: quota.Exhausted, Until: at(50 * time.Hour)}, time.Minute, 1, 270 * time.Second},
		"exhausted, nobody knows":    {quota.Reading{Verdict: quota.Exhausted}, time.Hour, 0, 5 * time.Minute},
		"exhausted, back soon":       {quota.Reading{Verdict: quota.Exhausted, Until: at(2 * time.Minute)}, time.Hour, 0.5, 2*time.Minute + 15*time.Second},
		"exhausted, watched closely": {quota.Reading{Verdict: quota.Exhausted, Until: at(4 * time.Second)}, time.Second, 0.5, 4*time.Second + 50*time.Millisecond},
		"below the least, by choice": {quota.Reading{Verdict: quota.OK, Provider: "anthropic"}, time.Second, 0.5, time.Second},
		"exhausted, back at once":    {quota.Reading{Verdict: quota.Exhausted, Provider: "anthropic", Until: at(time.Second)}, time.Hour, 0, 3 * time.Minute},
		"throttled until":            {quota.Reading{Verdict: quota.Throttled, Until: at(time.Hour)}, time.Minute, 0, time.Hour},
		"throttled until, later":     {quota.Reading{Verdict: quota.Throttled, Until: at(time.Hour)}, time.Minute, 0.5, 63 * time.Minute},
		"throttled for a moment":     {quota.Reading{Verdict: quota.Throttled, Until: at(time.Second)}, 5 * time.Minute, 0, 5 * time.Minute},
		"throttled, first":           {quota.Reading{Verdict: quota.Throttled, Repeats: 1}, time.Minute, 0, 5 * time.Minute},
		"throttled, third":           {quota.Reading{Verdict: quota.Throttled, Repeats: 3}, time.Minute, 0, 20 * time.Minute},
		"throttled, hundredth":       {quota.Reading{Verdict: quota.Throttled, Repeats: 100}, time.Minute, 0, time.Hour},
		"unreachable, first":         {quota.Reading{Verdict: quota.Unreachable, Repeats: 1}, time.Hour, 0.5, time.Minute},
		"unreachable, uncounted":     {quota.Reading{Verdict: quota.Unreachable}, time.Hour, 0.5, time.Minute},
		"unreachable, second":        {quota.Reading{Verdict: quota.Unreachable, Repeats: 2}, time.Hour, 0.5, 2 * time.Minute},
		"unreachable, tenth":         {quota.Reading{Verdict: quota.Unreachable, Repeats: 10}, time.Hour, 0.5, 5 * time.Minute},
		"unreachable, breaker open":  {quota.Reading{Verdict: quota.Unreachable, Repeats: 1, Until: at(3 * time.Minute)}, time.Hour, 0.5, 3 * time.Minute},
		"unreachable, anthropic":     {quota.Reading{Verdict: quota.Unreachable, Provider: "anthropic", Repeats: 1}, time.Hour, 0.5, 3 * time.Minute},
		"a verdict of tomorrow":      {quota.Reading{Verdict: "new"}, 2 * time.Minute, 0.5, 2 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.last.At = noon
			if got := Next(noon, tt.last, tt.every, tt.rand); !got.Equal(at(tt.want)) {
				t.Errorf("after %s, want %s", got.Sub(noon), tt.want)
			}
		})
	}
}

func TestNextWithoutAReadingIsNow(t *testing.T) {
	t.Parallel()
	if got := Next(noon, quota.Reading{}, time.Hour, 0.7); !got.Equal(noon) {
		t.Errorf("%s", got)
	}
}

func TestNextAlways(t *testing.T) {
	t.Parallel()
	verdicts := []quota.Verdict{
		quota.OK, quota.Exhausted, quota.Throttled, quota.Stale, quota.Revoked, quota.Billing,
		quota.Unsupported, quota.Unreachable, quota.Unknown,
	}
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(label string, from, to int) time.Duration {
			return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Second
		}
		last := quota.Reading{
			Verdict:  rapid.SampledFrom(verdicts).Draw(t, "verdict"),
			Provider: rapid.SampledFrom([]string{"openai", "openai-codex", "anthropic", "other"}).Draw(t, "provider"),
			At:       noon.Add(-seconds("age", 0, 100_000)),
			Repeats:  rapid.IntRange(0, 1000).Draw(t, "repeats"),
		}
		if rapid.Bool().Draw(t, "dated") {
			last.Until = last.At.Add(seconds("until", -100_000, 86_400))
		}
		every := seconds("every", 30, 7200)
		next := Next(noon, last, every, rapid.Float64Range(0, 0.999).Draw(t, "rand"))
		if next.Before(noon) {
			t.Fatalf("%s before now", noon.Sub(next))
		}
		if next.Sub(last.At) < min(PaceOf(last.Provider, "").Min, every) {
			t.Fatalf("only %s after the last one", next.Sub(last.At))
		}
		if last.Verdict == quota.Throttled && next.Before(last.Until) {
			t.Fatalf("%s before the throttle ends", last.Until.Sub(next))
		}
		if last.Verdict == quota.Exhausted && next.After(noon) && next.Sub(last.At) > recheck {
			t.Fatalf("exhausted, and not asked for %s", next.Sub(last.At))
		}
		if limit := max(26*time.Hour+24*time.Minute, every*11/10); next.After(noon.Add(limit)) {
			t.Fatalf("asked only in %s", next.Sub(noon))
		}
	})
}
