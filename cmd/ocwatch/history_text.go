package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/say"
)

// historyText prints entries for a person: a heading for each day, times of
// this machine, columns wide.
func historyText(entries []historyEntry, columns int, now time.Time) string {
	var b strings.Builder
	day := ""
	for _, e := range entries {
		if d := e.At.Local().Format("Monday 2 January 2006"); d != day {
			if day != "" {
				b.WriteByte('\n')
			}
			day = d
			b.WriteString(d + "\n")
		}
		head := fmt.Sprintf("  %s  %-8s ", e.At.Local().Format("15:04:05"), e.Kind)
		indent := strings.Repeat(" ", len(head))
		for _, line := range e.lines(now) {
			if line != "" {
				wrap(&b, columns, head, indent, printable(line))
				head = indent
			}
		}
	}
	return b.String()
}

// lines says what happened, and below it why.
func (e historyEntry) lines(now time.Time) []string {
	var lines []string
	switch e.Kind {
	case kindSwitch:
		lines = e.switched()
	case kindRestart:
		lines = e.restarted()
	case kindLogin:
		lines = e.loggedIn()
	default:
		lines = []string{e.lasted(now), say.Sentence(e.Reason)}
	}
	if e.Provider != "" {
		lines[0] = e.Agent + " / " + e.Provider + ": " + lines[0]
	}
	return lines
}

func (e historyEntry) switched() []string {
	what := cmp.Or(say.First(journal.Switch{From: e.From, To: e.To}), "the order is "+strings.Join(e.Order, ", "))
	if e.By != journal.ByOther {
		return []string{what + e.how() + ".", say.Sentence(e.Reason)}
	}
	lines := []string{what + ", set by somebody else: it is the preference now."}
	if len(e.Before) > 1 && len(e.Order) > 1 {
		lines = append(lines, "Before: "+strings.Join(e.Before, ", ")+".", "Now: "+strings.Join(e.Order, ", ")+".")
	}
	return lines
}

// how is by which way, and how long it took.
func (e historyEntry) how() string {
	if e.TookMS == nil || *e.TookMS <= 0 || e.Via == "" {
		return ""
	}
	return " (via " + e.Via + ", " + tookText(time.Duration(*e.TookMS)*time.Millisecond) + ")"
}

func (e historyEntry) restarted() []string {
	if e.OK != nil && *e.OK {
		return []string{"the gateway was restarted" + e.how() + ".", say.Sentence(e.Reason)}
	}
	return []string{"the gateway could not be restarted" + e.how() + ": " + say.Sentence(e.Error), "Wanted since: " + say.Sentence(e.Reason)}
}

func (e historyEntry) loggedIn() []string {
	what := e.Outcome
	if e.Profile != "" {
		what += " for " + e.Profile
	}
	if e.Via == journal.ByOther {
		what += ", made in OpenClaw"
	}
	if e.Outcome == string(journal.LoginExpired) || e.Outcome == string(journal.LoginCancelled) {
		return []string{what + "."}
	}
	return []string{what + ".", say.Sentence(e.Reason)}
}

func (e historyEntry) lasted(now time.Time) string {
	what := e.Episode
	if e.Provider == "" {
		what = "all pools: " + what
	}
	switch {
	case e.Until != nil:
		return fmt.Sprintf("%s for %s, until %s.", what, tookText(e.Until.Sub(e.At)), clockText(*e.Until, e.At))
	case e.Ongoing:
		return fmt.Sprintf("%s since then, for %s so far.", what, tookText(now.Sub(e.At)))
	default:
		return what + "; its end was not seen."
	}
}

// clockText leaves the date out where it is that of the entry.
func clockText(t, of time.Time) string {
	if t.Local().Format(time.DateOnly) == of.Local().Format(time.DateOnly) {
		return t.Local().Format("15:04:05")
	}
	return t.Local().Format("Mon 2 Jan 15:04")
}

// tookText is how long something took, which may be under a second.
func tookText(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", max(0, d.Milliseconds()))
	}
	return say.Span(d)
}
