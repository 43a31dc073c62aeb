package page

import (
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

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
	day := func(n float64) time.Time { return since.Add(time.Duration(n * float64(24*time.Hour))) }
	got := newAxis(noon).drawn([]stretch{{day(0), day(0.7)}, {day(3.5), day(3.5).Add(time.Second)}, {day(6.3), day(7)}, {day(7), day(7)}})
	if want := `d="M0 0h100v10h-100zM500 0h2v10h-2zM900 0h100v10h-100zM998 0h2v10h-2z"`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestDays: the timeline has seven days and their midnights are where the page
// draws them, whatever the clocks do.
func TestDays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		zone  string
		now   string
		since string
		first string
	}{
		"no change":                  {"UTC", "2026-11-22T12:00:00Z", "2026-11-16T00:00:00Z", "Mon 16"},
		"a day of 25 hours":          {"Europe/Berlin", "2026-10-28T12:00:00+01:00", "2026-10-22T00:00:00+02:00", "Thu 22"},
		"a day of 23 hours":          {"Europe/Berlin", "2026-03-31T12:00:00+02:00", "2026-03-25T00:00:00+01:00", "Wed 25"},
		"no midnight":                {"America/Santiago", "2026-09-12T12:00:00-03:00", "2026-09-06T01:00:00-03:00", "Sun 6"},
		"no midnight, the other way": {"Asia/Beirut", "2026-04-04T12:00:00+03:00", "2026-03-29T01:00:00+03:00", "Sun 29"},
		"half an hour off":           {"Asia/Kolkata", "2026-11-22T00:10:00+05:30", "2026-11-16T00:00:00+05:30", "Mon 16"},
		"over the turn of the year":  {"UTC", "2027-01-02T12:00:00Z", "2026-12-27T00:00:00Z", "Sun 27"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			at := func(text string) time.Time {
				when, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				return when.In(zone)
			}
			now := at(tc.now)
			if got := Since(now); !got.Equal(at(tc.since)) {
				t.Errorf("begins %s, want %s", got, tc.since)
			}
			w := world()
			w.Now = now
			if got := newView(w).Days; len(got) != 7 || got[0] != tc.first || got[6] != now.Format("Mon 2") {
				t.Errorf("days %q", got)
			}
			a := newAxis(now)
			for i := range 7 {
				if got, want := a.place(a[i]), laneWide*i/7; got != want {
					t.Errorf("midnight %d is at %d, want %d", i, got, want)
				}
				noon := time.Date(a[i].Year(), a[i].Month(), a[i].Day(), 12, 0, 0, 0, zone)
				if got, want := a.place(noon), laneWide*(2*i+1)/14; got < want-6 || got > want+6 {
					t.Errorf("noon %d is at %d, want about %d", i, got, want)
				}
			}
			if got := a.place(a[7]); got != laneWide {
				t.Errorf("the end is at %d", got)
			}
		})
	}
}

// TestNotWatched: what was before ocwatch is shown as that, and not as if there
// had been quota.
func TestNotWatched(t *testing.T) {
	t.Parallel()
	w := world()
	p := w.Status.Pools[0]
	find := func(h History) (gone, before *lane) {
		w.History = h
		for _, l := range lanes(p, w) {
			switch l.Name {
			case "no quota":
				gone = &l
			case "not watched":
				before = &l
			}
		}
		return gone, before
	}
	gone, before := find(History{Known: noon.AddDate(0, 0, -3)})
	if before == nil || before.Label != "before ocwatch watched, for 3 d 12 h" || !strings.HasPrefix(string(before.Path), `d="M0 0h500`) {
		t.Errorf("%+v", before)
	}
	if gone == nil || gone.Label != "never since Thu 19 Nov 12:00" {
		t.Errorf("%+v", gone)
	}
	if gone, before = find(History{Known: noon.AddDate(0, 0, -30)}); before != nil || gone == nil || gone.Label != "never" {
		t.Errorf("%+v %+v", gone, before)
	}
	if gone, before = find(History{Known: noon}); before == nil || gone == nil || gone.Label != "never since 12:00" {
		t.Errorf("an empty journal: %+v %+v", gone, before)
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
