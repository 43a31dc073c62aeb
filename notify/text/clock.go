package text

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// clock tells times to a reader somewhere, at the time of an event.
type clock struct {
	now time.Time
	loc *time.Location
	w   *words
}

// moment is "18:40 UTC", and the reader's own time where that is another:
// "18:40 UTC (20:40 here)". The date is told where it is not today for the
// reader, and both dates where they differ then.
func (c clock) moment(t time.Time) string {
	utc, here := t.UTC(), t.In(c.loc)
	utcText, hereText := utc.Format("15:04"), here.Format("15:04")
	if !sameDay(here, c.now.In(c.loc)) {
		utcText = c.date(utc) + " " + utcText
		if !sameDay(utc, here) {
			hereText = c.date(here) + " " + hereText
		}
	}
	if _, offset := here.Zone(); offset == 0 {
		return fmt.Sprintf(c.w.utc, utcText)
	}
	return fmt.Sprintf(c.w.utcAndHere, utcText, hereText)
}

// date names the day by its weekday in the near, and by its year in another
// one that is not near.
func (c clock) date(t time.Time) string {
	if t.Year() != c.now.In(t.Location()).Year() && t.Sub(c.now).Abs() >= 7*day {
		return c.w.dateWithYear(t)
	}
	return c.w.date(t)
}

// at is moment as English has it in a sentence.
func (c clock) at(t time.Time) string {
	if sameDay(t.In(c.loc), c.now.In(c.loc)) {
		return fmt.Sprintf(c.w.at, c.moment(t))
	}
	return fmt.Sprintf(c.w.on, c.moment(t))
}

// sameDay compares dates as they stand on a calendar.
func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

// hint is how far ahead t is: ", in 3 h 20 min"; "" where it is not ahead.
func (c clock) hint(t time.Time) string {
	ahead := t.Sub(c.now).Round(time.Minute)
	if ahead <= 0 {
		return ""
	}
	return fmt.Sprintf(c.w.hint, c.w.span(spanOf(ahead)))
}

// days is how far ahead t is, in whole days where it is about one or more.
func (c clock) days(t *time.Time) string {
	if t == nil || !t.After(c.now) {
		return c.w.soon
	}
	ahead := max(t.Sub(c.now).Round(time.Minute), time.Minute)
	if ahead > day-time.Hour {
		ahead = ahead.Round(day)
	}
	return fmt.Sprintf(c.w.in, c.w.span(spanOf(ahead)))
}

// span is a length of time in two units at most.
type span struct{ days, hours, minutes int }

// spanOf leaves out what does not matter at such a distance.
func spanOf(d time.Duration) span {
	switch {
	case d >= 7*day:
		return span{days: int(d.Round(day) / day)}
	case d >= day:
		d = d.Round(time.Hour)
		return span{days: int(d / day), hours: int(d % day / time.Hour)}
	}
	return span{hours: int(d / time.Hour), minutes: int(d % time.Hour / time.Minute)}
}
