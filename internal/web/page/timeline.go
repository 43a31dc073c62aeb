package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// lane is one line of a pool's timeline: when a profile was first, or when
// quota was gone.
type lane struct {
	Name  string
	Class string // first, gone, blind
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
	since := Since(w.Now)
	end := since.AddDate(0, 0, days)
	first := firstOf(p, w.History, since, w.Now)
	var out []lane
	add := func(name, class, what string, list []stretch) {
		if len(list) > 0 {
			out = append(out, lane{Name: name, Class: class, Path: drawn(list, since, end), Label: what + " " + total(list)})
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
	if len(gone) == 0 {
		out = append(out, lane{Name: "no quota", Class: "gone", Label: "never", Path: `d=""`})
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

// drawn is the path of a lane.
func drawn(list []stretch, since, end time.Time) template.HTMLAttr {
	var b strings.Builder
	scale := func(t time.Time) int { return int(laneWide * float64(t.Sub(since)) / float64(end.Sub(since))) }
	b.WriteString(`d="`)
	for _, s := range list {
		x := max(0, scale(s.from))
		wide := max(narrowest, min(laneWide, scale(s.to))-x)
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
		return span(sum)
	}
	return fmt.Sprintf("%s, in %d stretches", span(sum), len(list))
}
