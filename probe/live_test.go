package probe

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestLiveDecisions(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	last := func(v quota.Verdict, at, until time.Time) quota.Reading {
		return quota.Reading{Verdict: v, At: at, Until: until}
	}
	tests := map[string]struct {
		state LiveState
		wait  LiveWait
		at    time.Time
	}{
		"used just now":                  {LiveState{Unsupported: true, Used: ago(time.Minute)}, NoWait, time.Time{}},
		"its usage can be read":          {LiveState{Used: ago(time.Minute)}, WaitReadable, time.Time{}},
		"never used":                     {LiveState{Unsupported: true}, WaitUse, time.Time{}},
		"used a while ago":               {LiveState{Unsupported: true, Used: ago(LiveUse)}, WaitUse, time.Time{}},
		"to be used in the future":       {LiveState{Unsupported: true, Used: in(time.Minute)}, WaitUse, time.Time{}},
		"the window is known to run":     {LiveState{Unsupported: true, Reset: in(time.Second)}, NoWait, time.Time{}},
		"the window just ended":          {LiveState{Unsupported: true, Reset: noon}, WaitUse, time.Time{}},
		"ended after the last use":       {LiveState{Unsupported: true, Reset: ago(time.Minute), Used: ago(2 * time.Minute)}, WaitUse, time.Time{}},
		"ended before the last use":      {LiveState{Unsupported: true, Reset: ago(2 * time.Minute), Used: ago(time.Minute)}, NoWait, time.Time{}},
		"asked a moment ago":             {LiveState{Unsupported: true, Asked: ago(time.Minute), Reset: in(time.Hour)}, WaitInterval, in(29 * time.Minute)},
		"asked half an hour ago":         {LiveState{Unsupported: true, Asked: ago(LiveEvery), Reset: in(time.Hour)}, NoWait, time.Time{}},
		"asked, and nothing was heard":   {LiveState{Unsupported: true, Asked: ago(29 * time.Minute), Used: ago(time.Minute)}, WaitInterval, in(time.Minute)},
		"spent until the week is over":   {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Exhausted, ago(time.Hour), in(day)), Reset: in(time.Hour)}, WaitVerdict, in(day)},
		"spent, and nobody knows":        {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Exhausted, ago(time.Hour), time.Time{}), Used: ago(time.Minute)}, NoWait, time.Time{}},
		"throttled":                      {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Throttled, ago(time.Hour), in(time.Hour)), Used: ago(0)}, WaitVerdict, in(time.Hour)},
		"revoked an hour ago":            {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Revoked, ago(time.Hour), time.Time{}), Used: ago(0)}, WaitVerdict, in(23 * time.Hour)},
		"revoked a day ago":              {LiveState{Unsupported: true, Asked: ago(day), Last: last(quota.Revoked, ago(day), time.Time{}), Used: ago(0)}, NoWait, time.Time{}},
		"the model is gone":              {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Unsupported, ago(time.Hour), time.Time{}), Used: ago(0)}, WaitVerdict, in(23 * time.Hour)},
		"billing":                        {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Billing, ago(time.Hour), time.Time{}), Used: ago(0)}, WaitVerdict, in(23 * time.Hour)},
		"unreachable an hour ago":        {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Unreachable, ago(time.Hour), time.Time{}), Used: ago(0)}, NoWait, time.Time{}},
		"a spent one that is back since": {LiveState{Unsupported: true, Asked: ago(time.Hour), Last: last(quota.Exhausted, ago(time.Hour), ago(time.Minute)), Reset: ago(time.Minute), Used: ago(time.Second)}, NoWait, time.Time{}},
	}
	for name, tt := range tests {
		got := tt.state.Decide(noon)
		if got.Wait != tt.wait || !got.At.Equal(tt.at) || got.May() != (tt.wait == NoWait) {
			t.Errorf("%s: %q at %s, want %q at %s", name, got.Wait, got.At, tt.wait, tt.at)
		}
	}
}

// Whatever happens, two real requests lie half an hour apart, and none is made
// while an account is idle: not used for LiveUse, or not since the window ended
// that the last answer told of.
func TestLiveNeverTwiceAndNeverIdle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		s := LiveState{Unsupported: true}
		var asked []time.Time
		steps := rapid.IntRange(1, 300).Draw(t, "steps")
		for range steps {
			now = now.Add(time.Duration(rapid.IntRange(1, 40*60).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 3).Draw(t, "used") == 0 {
				s.Used = now.Add(-time.Duration(rapid.IntRange(-300, 3600).Draw(t, "ago")) * time.Second)
			}
			d := s.Decide(now)
			if !d.May() {
				if !d.At.IsZero() && !d.At.After(now) {
					t.Fatalf("waits for %s, and it is %s", d.At, now)
				}
				continue
			}
			if n := len(asked); n > 0 && now.Sub(asked[n-1]) < 30*time.Minute {
				t.Fatalf("asked at %s and %s", asked[n-1], now)
			}
			running := s.Reset.After(now)
			used := !s.Used.After(now) && now.Sub(s.Used) < LiveUse && s.Used.After(s.Reset)
			if !running && !used {
				t.Fatalf("asked at %s: used %s, reset %s", now, s.Used, s.Reset)
			}
			asked = append(asked, now)
			s.Asked = now
			if rapid.Bool().Draw(t, "heard") {
				s.Last = quota.Reading{At: now, Verdict: rapid.SampledFrom([]quota.Verdict{quota.OK, quota.Exhausted, quota.Throttled, quota.Unreachable}).Draw(t, "verdict")}
				s.Last.Until = now.Add(time.Duration(rapid.IntRange(-60, 600).Draw(t, "minutes")) * time.Minute)
				s.Reset = now.Add(time.Duration(rapid.IntRange(-60, 300).Draw(t, "reset")) * time.Minute)
			}
		}
	})
}

func TestLiveReset(t *testing.T) {
	t.Parallel()
	at := noon.Add(time.Hour)
	for name, tt := range map[string]struct {
		window quota.Window
		want   time.Time
	}{
		"running":          {quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(4), ResetsAt: at}, at},
		"not begun":        {quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(0), ResetsAt: at}, time.Time{}},
		"use is not known": {quota.Window{Name: quota.FiveHour, ResetsAt: at}, time.Time{}},
		"not believable":   {quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(4), ResetsAt: at, SuspectReset: true}, time.Time{}},
		"of a model":       {quota.Window{Name: quota.FiveHour, Scope: "opus", UsedPercent: quota.Percent(4), ResetsAt: at}, time.Time{}},
		"the week":         {quota.Window{Name: quota.Weekly, UsedPercent: quota.Percent(4), ResetsAt: at}, time.Time{}},
	} {
		if got := LiveReset(quota.Reading{Windows: []quota.Window{tt.window}}); !got.Equal(tt.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestWhoHasALiveProbe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		provider, profileType string
		want                  bool
	}{
		{"anthropic", "token", true},
		{"Anthropic", "oauth", true},
		{"anthropic", "api_key", false},
		{"openai", "token", false},
		{"acme", "oauth", false},
		{"", "", false},
	} {
		if got := HasLive(tt.provider, tt.profileType); got != tt.want {
			t.Errorf("%s %s: %v", tt.provider, tt.profileType, got)
		}
	}
	for _, id := range LiveProviders() {
		if _, known := providers[id]; !known {
			t.Errorf("%s is not in the table", id)
		}
	}
}
