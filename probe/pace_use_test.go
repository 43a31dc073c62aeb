package probe

import (
	"cmp"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// account readings for the tables: at so many minutes before noon, so much used
// of the five-hour window.
type usedAt struct {
	ago  time.Duration
	used float64
}

func history(name, scope string, steps ...usedAt) []quota.Reading {
	var list []quota.Reading
	for _, s := range steps {
		list = append(list, quota.Reading{At: noon.Add(-s.ago), Verdict: quota.OK, Windows: []quota.Window{
			{Name: name, Scope: scope, UsedPercent: quota.Percent(s.used)},
		}})
	}
	return list
}

func TestPacer(t *testing.T) {
	t.Parallel()
	m := time.Minute
	five := func(steps ...usedAt) []quota.Reading { return history(quota.FiveHour, "", steps...) }
	with := func(list []quota.Reading, change func(r *quota.Reading)) []quota.Reading {
		change(&list[len(list)-1])
		return list
	}
	tests := map[string]struct {
		provider string
		past     []quota.Reading
		watch    Watch
		want     time.Duration // the longest, after noon
	}{
		"openai, far from any limit":    {"openai", five(usedAt{0, 10}), Watch{}, 10 * m},
		"openai, half way":              {"openai", five(usedAt{0, 87}), Watch{}, 6 * m},
		"openai, near":                  {"openai", five(usedAt{0, 94}), Watch{}, 108 * time.Second},
		"openai, near and fast":         {"openai", five(usedAt{2 * m, 88}, usedAt{0, 94}), Watch{}, m},
		"openai, a threshold of 80":     {"openai", five(usedAt{0, 79}), Watch{SwitchAt: 80}, 108 * time.Second},
		"openai, fast from afar":        {"openai", five(usedAt{5 * m, 60}, usedAt{0, 80}), Watch{}, 17 * m / 6},
		"openai, the week":              {"openai", history(quota.Weekly, "", usedAt{0, 94}), Watch{}, 6 * m},
		"openai, a model nobody listed": {"openai", history(quota.FiveHour, "opus", usedAt{0, 94}), Watch{}, 10 * m},
		"openai, a model that counts":   {"openai", history(quota.FiveHour, "opus", usedAt{0, 94}), Watch{Models: []string{"opus"}}, 108 * time.Second},
		"openai, use unknown": {"openai", with(five(usedAt{0, 0}), func(r *quota.Reading) {
			r.Windows[0].UsedPercent = nil
		}), Watch{}, 10 * m},
		"openai, an answer without windows": {"openai", with(five(usedAt{0, 0}), func(r *quota.Reading) {
			r.Windows = nil
		}), Watch{}, 66 * time.Second},
		"openai, beyond and at rest":      {"openai", five(usedAt{5 * m, 96}, usedAt{0, 96}), Watch{}, 10 * m},
		"openai, beyond and still in use": {"openai", five(usedAt{5 * m, 96}, usedAt{0, 97}), Watch{}, 3 * m},
		"openai, beyond, back soon": {"openai", with(five(usedAt{0, 96}), func(r *quota.Reading) {
			r.Windows[0].ResetsAt = noon.Add(2 * m)
		}), Watch{}, 2*m + 30*time.Second},
		"openai, beyond, back at once": {"openai", with(five(usedAt{0, 96}), func(r *quota.Reading) {
			r.Windows[0].ResetsAt = noon.Add(time.Second)
		}), Watch{}, m},
		"openai, faster than the default":   {"openai", five(usedAt{0, 10}), Watch{Every: 30 * time.Second}, 33 * time.Second},
		"openai, slower than the default":   {"openai", five(usedAt{0, 94}), Watch{Every: 5 * m}, 5 * m},
		"openai, slower and far":            {"openai", five(usedAt{0, 10}), Watch{Every: 5 * m}, 50 * m},
		"openai, once a day":                {"openai", five(usedAt{0, 10}), Watch{Every: 24 * time.Hour}, 24 * time.Hour},
		"anthropic, far from any limit":     {"anthropic", five(usedAt{0, 10}), Watch{}, 15 * m},
		"anthropic, near and at rest":       {"anthropic", five(usedAt{0, 94}), Watch{}, 3 * m},
		"anthropic, near and moving":        {"anthropic", five(usedAt{3 * m, 93}, usedAt{0, 94}), Watch{}, 108 * time.Second},
		"anthropic, near and fast":          {"anthropic", five(usedAt{3 * m, 85}, usedAt{0, 94}), Watch{}, m},
		"anthropic, moved half an hour ago": {"anthropic", five(usedAt{30 * m, 80}, usedAt{15 * m, 94}, usedAt{0, 94}), Watch{}, 3 * m},
		"anthropic, reset between":          {"anthropic", five(usedAt{3 * m, 94}, usedAt{0, 1}), Watch{}, 15 * m},
		"anthropic, rushed enough": {"anthropic", five(usedAt{10 * m, 90}, usedAt{8 * m, 91}, usedAt{6 * m, 92},
			usedAt{4 * m, 93}, usedAt{0, 94}), Watch{}, 108 * time.Second},
		"anthropic, rushed too much": {"anthropic", five(usedAt{10 * m, 90}, usedAt{8 * m, 91}, usedAt{6 * m, 92},
			usedAt{4 * m, 93}, usedAt{2 * m, 93}, usedAt{0, 94}), Watch{}, 3 * m},
		"an unknown provider, far": {"gemini", five(usedAt{0, 10}), Watch{}, 15 * m},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, a := NewPacer(), Account{Key: "acct-1", Provider: tt.provider, Type: "oauth"}
			var latest, earliest time.Time
			for _, r := range tt.past {
				r.Provider = tt.provider
				latest = p.Next(r.At, a, r, tt.watch, 0)
				earliest = p.Next(r.At, a, r, tt.watch, 0.999)
			}
			if earliest.After(latest) {
				earliest, latest = latest, earliest
			}
			if got := latest.Sub(noon); got.Round(time.Second) != tt.want.Round(time.Second) {
				t.Errorf("after %s, want %s", got, tt.want)
			}
			if latest.Sub(earliest) > latest.Sub(noon)/4 {
				t.Errorf("anything between %s and %s", earliest.Sub(noon), latest.Sub(noon))
			}
		})
	}
}

func TestPacerHoldsBackAfterAThrottle(t *testing.T) {
	t.Parallel()
	p, a := NewPacer(), Account{Key: "acct-1", Provider: "anthropic", Type: "oauth"}
	say := func(ago time.Duration, v quota.Verdict, used float64) time.Duration {
		r := history(quota.FiveHour, "", usedAt{ago, used})[0]
		r.Verdict, r.Provider, r.Repeats = v, "anthropic", 1
		return p.Next(r.At, a, r, Watch{}, 0).Sub(r.At)
	}
	if got := say(90*time.Minute, quota.Throttled, 0); got != 5*time.Minute {
		t.Errorf("throttled: asked again after %s", got)
	}
	say(80*time.Minute, quota.OK, 90)
	if got := say(70*time.Minute, quota.OK, 94); got != 5*time.Minute {
		t.Errorf("20 minutes after a throttle: after %s", got)
	}
	if got := say(time.Minute, quota.OK, 94); got != 3*time.Minute {
		t.Errorf("more than an hour after it: after %s", got)
	}
}

func TestPacerForgets(t *testing.T) {
	t.Parallel()
	p := NewPacer()
	at := func(key string, d time.Duration) time.Time {
		r := quota.Reading{At: noon.Add(d), Verdict: quota.OK, Provider: "openai"}
		return p.Next(r.At, Account{Key: key, Provider: "openai"}, r, Watch{}, 0)
	}
	for i := range 200 {
		at("acct-1", time.Duration(i)*30*time.Second)
	}
	if n := len(p.past["acct-1"]); n > 120 {
		t.Errorf("%d readings of an hour are remembered", n)
	}
	if got := at("acct-1", -time.Hour); got.After(noon) {
		t.Errorf("the clock was set back, and the account waits for %s", got.Sub(noon))
	}
	at("acct-2", 72*time.Hour)
	if len(p.past) != 1 {
		t.Errorf("an account that is gone is remembered: %d", len(p.past))
	}
	if got := p.Next(noon, Account{Key: "new"}, quota.Reading{}, Watch{}, 0.5); !got.Equal(noon) {
		t.Errorf("an account without a reading is due at %s", got)
	}
}

// TestPacesKeepTheirBudgets lets readings be as alarming as they can be, and
// rounds take accounts along as early as they may: no hour goes over what the
// endpoint bears, or over what we promise where nobody knows that.
func TestPacesKeepTheirBudgets(t *testing.T) {
	if testing.Short() {
		t.Skip("weeks take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	worlds := map[string]func(i int, r *quota.Reading){
		"creeping up to the threshold": func(i int, r *quota.Reading) { set(r, 90+float64(i%5)) },
		"jumping about":                func(i int, r *quota.Reading) { set(r, float64(i*37%100)) },
		"about to be reset": func(_ int, r *quota.Reading) {
			set(r, 96)
			r.Windows[0].ResetsAt = r.At.Add(time.Second)
		},
		"spent, back at once": func(_ int, r *quota.Reading) { r.Verdict, r.Until = quota.Exhausted, r.At.Add(time.Second) },
		"spent":               func(_ int, r *quota.Reading) { r.Verdict = quota.Exhausted },
		"unreachable":         func(_ int, r *quota.Reading) { r.Verdict, r.Repeats = quota.Unreachable, 1 },
		"throttled":           func(_ int, r *quota.Reading) { r.Verdict, r.Repeats = quota.Throttled, 1 },
		"stale":               func(_ int, r *quota.Reading) { r.Verdict = quota.Stale },
		"everything in turn": func(i int, r *quota.Reading) {
			all := []quota.Verdict{quota.OK, quota.Stale, quota.Unreachable, quota.Exhausted, quota.Unknown}
			set(r, 90+float64(i%5))
			r.Verdict, r.Until = all[i%len(all)], r.At.Add(time.Second)
		},
	}
	for _, p := range Known() {
		budget := cmp.Or(p.Budget, p.Pace.Hourly)
		for name, world := range worlds {
			for _, rand01 := range []float64{0, 0.5, 0.999} {
				if got := busiestHour(p.ID, world, rand01); got > budget {
					t.Errorf("%s, %s: %d requests in an hour, of %d", p.ID, name, got, budget)
				}
			}
		}
	}
}

func set(r *quota.Reading, used float64) {
	r.Windows = []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(used)}}
}

// busiestHour asks an account for a day.
func busiestHour(provider string, world func(int, *quota.Reading), rand01 float64) int {
	p, a := NewPacer(), Account{Key: "acct-1", Provider: provider, Type: "oauth"}
	var asked []time.Time
	most := 0
	for i, now := 0, noon; now.Before(noon.Add(day)); i++ {
		asked = append(asked, now)
		for now.Sub(asked[0]) >= time.Hour {
			asked = asked[1:]
		}
		most = max(most, len(asked))
		m := metered{last: quota.Reading{At: now, Provider: provider, Verdict: quota.OK}}
		world(i, &m.last)
		m.next = p.Next(now, a, m.last, Watch{}, rand01)
		now = m.next.Add(-early(&m))
	}
	return most
}
