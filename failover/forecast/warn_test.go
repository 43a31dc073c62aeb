package forecast

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
)

// gap is a forecast of a pool that is dry so long after noon, for so long; 0:
// nobody knows.
func gap(dry, long time.Duration, c Confidence) Forecast {
	f := Forecast{Serving: "alice", Last: "bob", Dry: noon.Add(dry), Confidence: c}
	if long > 0 {
		f.Back, f.First = f.Dry.Add(long), "carol"
	}
	return f
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	fine := Forecast{Serving: "alice", Confidence: High}
	dry := func(back time.Duration) Forecast {
		return Forecast{Dry: noon, Back: noon.Add(back), First: "carol", Confidence: High}
	}
	type step struct {
		at   time.Duration // after noon
		f    Forecast
		tell string
	}
	const told = "the pool runs dry about 13:00 UTC; carol is back first, at 14:10 UTC: a gap of 70 min"
	tests := map[string][]step{
		"in time": {{0, gap(60*m, 70*m, High), ""}, {5 * m, gap(60*m, 70*m, High), ""}, {10 * m, gap(60*m, 70*m, High), told}},
		"once": {
			{0, gap(60*m, 70*m, High), ""},
			{10 * m, gap(60*m, 70*m, High), told},
			{20 * m, gap(60*m, 70*m, High), ""},
			{30 * m, gap(55*m, 90*m, High), ""},
		},
		"at once where there is little time": {{0, gap(12*m, 70*m, High), "the pool runs dry about 12:10 UTC; carol is back first, at 13:22 UTC: a gap of 70 min"}},
		"a blip":                             {{0, gap(60*m, 70*m, High), ""}, {5 * m, fine, ""}, {10 * m, gap(60*m, 70*m, High), ""}},
		"too far ahead":                      {{0, gap(90*m, 70*m, High), ""}, {15 * m, gap(90*m, 70*m, High), ""}},
		"far ahead, and long": {
			{0, gap(5*time.Hour, 50*time.Hour, High), ""},
			{10 * m, gap(5*time.Hour, 50*time.Hour, High), "the pool runs dry about 17:00 UTC; carol is back first, at 2026-11-24 19:00 UTC: a gap of 50 h"},
		},
		"without an end":     {{0, gap(5*time.Hour, 0, High), ""}, {10 * m, gap(5*time.Hour, 0, High), "the pool runs dry about 17:00 UTC; nobody knows when the first account is back"}},
		"short":              {{0, gap(60*m, 9*m, High), ""}, {15 * m, gap(60*m, 9*m, High), ""}},
		"doubtful":           {{0, gap(60*m, 70*m, Low), ""}, {15 * m, gap(60*m, 70*m, Low), ""}},
		"nothing known":      {{0, Forecast{}, ""}, {15 * m, Forecast{}, ""}},
		"dry already":        {{0, dry(70 * m), ""}, {15 * m, dry(70 * m), ""}},
		"the clock set back": {{0, gap(60*m, 70*m, High), ""}, {10 * m, gap(60*m, 70*m, High), told}, {-time.Hour, gap(60*m, 70*m, High), ""}},
		"again after the gap": {
			{0, gap(60*m, 70*m, High), ""},
			{10 * m, gap(60*m, 70*m, High), told},
			{70 * m, dry(130 * m), ""},
			{131 * m, fine, ""},
			{400 * m, gap(410*m, 70*m, High), "the pool runs dry about 18:50 UTC; carol is back first, at 20:00 UTC: a gap of 70 min"},
		},
		"again after a login": {
			{0, gap(60*m, 70*m, High), ""},
			{10 * m, gap(60*m, 70*m, High), told},
			{20 * m, fine, ""},
			{80 * m, fine, ""},
			{90 * m, gap(100*m, 70*m, High), "the pool runs dry about 13:40 UTC; carol is back first, at 14:50 UTC: a gap of 70 min"},
		},
		"not again after a lull": {
			{0, gap(60*m, 70*m, High), ""},
			{10 * m, gap(60*m, 70*m, High), told},
			{20 * m, fine, ""},
			{60 * m, gap(70*m, 70*m, High), ""},
			{90 * m, fine, ""},
			{100 * m, gap(110*m, 30*m, High), ""},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var memory Told
			for _, s := range steps {
				var events []event.Event
				memory, events = Warnings(noon.Add(s.at), s.f, 10*m, memory)
				got := ""
				if len(events) > 0 {
					got = events[0].Data.Reason
				}
				if got != s.tell || len(events) > 1 {
					t.Fatalf("at %s: %q, want %q", s.at, got, s.tell)
				}
				if got != "" && (events[0].Type != event.ProfileLow || events[0].Data.Profile != "bob") {
					t.Errorf("%+v", events[0])
				}
				doc, err := json.Marshal(memory)
				var read Told
				if err != nil || json.Unmarshal(doc, &read) != nil || !reflect.DeepEqual(read, memory) {
					t.Fatalf("what was told is not kept: %s", doc)
				}
			}
		})
	}
}

// TestWarningsAreFew: however forecasts jump about, a minute apart, the owner
// hears of another gap only once the one that was told is over, or was out of
// sight for an hour.
func TestWarningsAreFew(t *testing.T) {
	if testing.Short() {
		t.Skip("weeks take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var memory Told
		var last, back time.Time
		for i := range 600 {
			now := noon.Add(time.Duration(i) * time.Minute)
			f := gap(time.Duration(i+rapid.IntRange(-5, 500).Draw(t, "dry"))*time.Minute, time.Duration(rapid.IntRange(0, 1000).Draw(t, "gap"))*time.Minute,
				rapid.SampledFrom([]Confidence{High, High, High, Low, Unknown}).Draw(t, "confidence"))
			if rapid.IntRange(0, 3).Draw(t, "fine") == 0 {
				f = Forecast{Serving: "alice", Confidence: High}
			}
			var events []event.Event
			memory, events = Warnings(now, f, 10*time.Minute, memory)
			if len(events) == 0 {
				continue
			}
			if f.Confidence != High || !f.Dry.After(now) {
				t.Fatalf("told %+v", f)
			}
			if !last.IsZero() && now.Sub(last) < clearFor && now.Before(back) {
				t.Fatalf("told again after %s", now.Sub(last))
			}
			last, back = now, f.Back
		}
	})
}
