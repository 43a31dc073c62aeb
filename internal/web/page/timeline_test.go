package page

import (
	"reflect"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

func TestFirstOf(t *testing.T) {
	t.Parallel()
	since := Since(noon)
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	to := func(hours int, from, name string) journal.Switch {
		return journal.Switch{At: at(hours), Agent: "main", Provider: "openai", From: from, To: name}
	}
	elsewhere := to(-3, "x", "y")
	elsewhere.Agent = "work"
	for name, tc := range map[string]struct {
		order    []string
		known    time.Time
		switches []journal.Switch
		want     []holder
	}{
		"no switch":                 {[]string{"a", "b"}, time.Time{}, nil, []holder{{"a", stretch{since, noon}}}},
		"known for an hour":         {[]string{"a", "b"}, at(-1), nil, []holder{{"a", stretch{at(-1), noon}}}},
		"one switch":                {[]string{"b", "a"}, time.Time{}, []journal.Switch{to(-5, "a", "b")}, []holder{{"a", stretch{since, at(-5)}}, {"b", stretch{at(-5), noon}}}},
		"there and back":            {[]string{"a"}, at(-9), []journal.Switch{to(-5, "a", "b"), to(-2, "b", "a")}, []holder{{"a", stretch{at(-9), at(-5)}}, {"b", stretch{at(-5), at(-2)}}, {"a", stretch{at(-2), noon}}}},
		"behind the first":          {[]string{"a"}, at(-9), []journal.Switch{to(-5, "a", "a")}, []holder{{"a", stretch{at(-9), noon}}}},
		"cleared":                   {nil, at(-9), []journal.Switch{to(-5, "a", "")}, []holder{{"a", stretch{at(-9), at(-5)}}}},
		"out of nothing":            {[]string{"b"}, at(-9), []journal.Switch{to(-5, "", "b")}, []holder{{"b", stretch{at(-5), noon}}}},
		"another pool's":            {[]string{"a"}, at(-9), []journal.Switch{elsewhere}, []holder{{"a", stretch{at(-9), noon}}}},
		"no order":                  {nil, at(-9), nil, nil},
		"of a clock since put back": {[]string{"a"}, at(-9), []journal.Switch{to(5, "a", "b")}, []holder{{"a", stretch{at(-9), noon}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := watchdog.PoolStatus{Agent: "main", Provider: "openai", Order: tc.order}
			got := firstOf(p, History{Known: tc.known, Switches: tc.switches}, since, noon)
			if len(got) != len(tc.want) || len(got) > 0 && !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %v\nwant %v", got, tc.want)
			}
		})
	}
}

func TestLasted(t *testing.T) {
	t.Parallel()
	since := Since(noon)
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	gone := func(from time.Time, until time.Time) journal.Episode {
		return journal.Episode{Kind: journal.EpisodeDepleted, Agent: "main", Provider: "openai", Since: from, Until: until}
	}
	lost := gone(at(-5), time.Time{})
	lost.Lost = true
	other := gone(at(-5), at(-4))
	other.Provider = "anthropic"
	whole := gone(at(-5), at(-4))
	whole.Agent, whole.Provider = "", ""
	blind := gone(at(-5), at(-4))
	blind.Kind = journal.EpisodeBlind
	for name, tc := range map[string]struct {
		e    journal.Episode
		want []stretch
	}{
		"over":                 {gone(at(-5), at(-4)), []stretch{{at(-5), at(-4)}}},
		"goes on":              {gone(at(-5), time.Time{}), []stretch{{at(-5), noon}}},
		"end not seen":         {lost, []stretch{{at(-5), at(-5).Add(time.Minute)}}},
		"began before":         {gone(since.Add(-time.Hour), at(-4)), []stretch{{since, at(-4)}}},
		"over before":          {gone(since.Add(-2*time.Hour), since.Add(-time.Hour)), nil},
		"another provider's":   {other, nil},
		"of all pools":         {whole, []stretch{{at(-5), at(-4)}}},
		"another kind":         {blind, nil},
		"ends before it began": {gone(at(-4), at(-5)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := watchdog.PoolStatus{Agent: "main", Provider: "openai"}
			if got := lasted([]journal.Episode{tc.e}, journal.EpisodeDepleted, p, since, noon); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %v\nwant %v", got, tc.want)
			}
		})
	}
}

func TestDrawn(t *testing.T) {
	t.Parallel()
	since := Since(noon)
	end := since.AddDate(0, 0, days)
	day := func(n float64) time.Time { return since.Add(time.Duration(n * float64(24*time.Hour))) }
	got := drawn([]stretch{{day(0), day(0.7)}, {day(3.5), day(3.5).Add(time.Second)}, {day(6.3), day(7)}}, since, end)
	if want := `d="M0 0h100v10h-100zM500 0h2v10h-2zM900 0h100v10h-100z"`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	if got := Since(noon); !got.Equal(time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)) {
		t.Error(got)
	}
}

// TestQR: the path has every square of the code, and no other.
func TestQR(t *testing.T) {
	t.Parallel()
	const address = "https://auth.example.com/codex/device?user_code=ABCD-1234"
	v := newQR(address)
	code, err := qr.Encode(address, qr.L)
	if v == nil || err != nil {
		t.Fatal(v, err)
	}
	black := squares(t, string(v.Path))
	for y := range code.Size {
		for x := range code.Size {
			if black[[2]int{x + quiet, y + quiet}] != code.Black(x, y) {
				t.Fatalf("the square %d, %d is of the wrong colour", x, y)
			}
			delete(black, [2]int{x + quiet, y + quiet})
		}
	}
	if len(black) > 0 {
		t.Errorf("squares outside: %v", black)
	}
	if newQR("") != nil || newQR(string(make([]byte, 601))) != nil {
		t.Error("a code of nothing, or of too much")
	}
}
