package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/say"
)

// lane is one line of a pool's timeline: when a profile was first, or when
// quota was gone.
type lane struct {
	Name  string
	Class string // first, gone, blind, before
	Path  template.HTMLAttr
	Label string // the same in words
}

// The lanes are drawn laneWide by laneHigh; narrowest is what an eye still sees.
const (
	laneWide  = 1000
	laneHigh  = 10
	narrowest = 2
	// mostLanes is how many accounts have one of their own.
	mostLanes = 10
)

// stretch is from one time to another.
type stretch struct{ from, to time.Time }

// lanes are a pool's: one for each profile that was first within the timeline,
// in the order in force, then the former ones, as far as there is room; then
// what was amiss.
func lanes(p watchdog.PoolStatus, w World) []lane {
	since, days := Since(w.Now), newAxis(w.Now)
	first := firstOf(p, w.History, since, w.Now)
	var out []lane
	add := func(name, class, what string, list []stretch) {
		if len(list) > 0 {
			out = append(out, lane{Name: name, Class: class, Path: days.drawn(list), Label: what + " " + total(list)})
		}
	}
	names := slices.Clone(p.Order)
	for _, s := range first {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	var others []stretch
	for _, name := range names {
		var list []stretch
		for _, s := range first {
			if s.name == name {
				list = append(list, s.stretch)
			}
		}
		if len(out) < mostLanes {
			add(name, "first", "first for", list)
			continue
		}
		others = append(others, list...)
	}
	add("others", "first", "first for", others)
	gone := lasted(w.History.Episodes, journal.EpisodeDepleted, p, since, w.Now)
	add("no quota", "gone", "no account could serve for", gone)
	known := w.History.Known
	if len(gone) == 0 {
		never := "never"
		if known.After(since) {
			never += " since " + say.Clock(known, w.Now)
		}
		out = append(out, lane{Name: "no quota", Class: "gone", Label: never, Path: `d=""`})
	}
	if known.After(since) {
		add("not watched", "before", "before ocwatch watched, for", []stretch{{since, known}})
	}
	add("not seen", "blind", "nothing could be learned for", lasted(w.History.Episodes, journal.EpisodeBlind, p, since, w.Now))
	return out
}

// holder is who was first from one time to another.
type holder struct {
	name string
	stretch
}

// firstOf is who was first when. Before the first switch that was who it
// replaced; without one it is who is first now.
func firstOf(p watchdog.PoolStatus, h History, since, now time.Time) []holder {
	from := since
	if h.Known.After(from) {
		from = h.Known
	}
	var list []holder
	name, named := "", false
	for _, s := range h.Switches {
		if s.Agent != p.Agent || s.Provider != p.Provider || s.At.After(now) {
			continue
		}
		if !named {
			name, named = s.From, true
		}
		if s.To == name {
			continue
		}
		list = append(list, holder{name, stretch{from, s.At}})
		name, from = s.To, s.At
	}
	if !named && len(p.Order) > 0 {
		name = p.Order[0]
	}
	list = append(list, holder{name, stretch{from, now}})
	return slices.DeleteFunc(list, func(x holder) bool { return x.name == "" || !x.to.After(x.from) })
}

// lasted are the episodes of p and of a kind. Where the end was not seen, only
// the beginning is known.
func lasted(all []journal.Episode, kind journal.EpisodeKind, p watchdog.PoolStatus, since, now time.Time) []stretch {
	var list []stretch
	for _, e := range all {
		if e.Kind != kind || e.Provider != "" && (e.Agent != p.Agent || e.Provider != p.Provider) {
			continue
		}
		s := stretch{e.Since, e.Until}
		switch {
		case e.Lost && e.Until.IsZero():
			s.to = e.Since.Add(time.Minute)
		case e.Until.IsZero():
			s.to = now
		}
		if s.from.Before(since) {
			s.from = since
		}
		if s.to.After(s.from) {
			list = append(list, s)
		}
	}
	return list
}

// axis are the midnights from the first day to the end of the last. Days are of
// the same width, also one that is an hour longer for its clocks.
type axis [days + 1]time.Time

func newAxis(now time.Time) (a axis) {
	for i := range a {
		a[i] = midnight(now, i+1-days)
	}
	return a
}

// place is where t is on it, from 0 to laneWide.
func (a axis) place(t time.Time) int {
	for i := range days {
		if t.Before(a[i+1]) {
			day := float64(t.Sub(a[i])) / float64(a[i+1].Sub(a[i]))
			return max(0, int(laneWide*(float64(i)+day)/days))
		}
	}
	return laneWide
}

// drawn is the path of a lane.
func (a axis) drawn(list []stretch) template.HTMLAttr {
	var b strings.Builder
	b.WriteString(`d="`)
	for _, s := range list {
		x := min(a.place(s.from), laneWide-narrowest)
		wide := max(narrowest, a.place(s.to)-x)
		fmt.Fprintf(&b, "M%d 0h%dv%dh-%dz", x, wide, laneHigh, wide)
	}
	b.WriteByte('"')
	return template.HTMLAttr(b.String()) //nolint:gosec // numbers alone
}

// total is how long a list is, and how often.
func total(list []stretch) string {
	var sum time.Duration
	for _, s := range list {
		sum += s.to.Sub(s.from)
	}
	if len(list) == 1 {
		return say.Span(sum)
	}
	return fmt.Sprintf("%s, in %d stretches", say.Span(sum), len(list))
}
