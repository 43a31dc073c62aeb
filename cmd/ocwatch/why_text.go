package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/say"
)

// whyText explains for a person, columns wide.
func whyText(why watchdog.Why, columns int, now time.Time) string {
	var b strings.Builder
	tell := func(head, indent, text string) { wrap(&b, columns, head, indent, printable(text)) }
	if why.Paused {
		tell("", "", pausedText(why.PausedUntil, why.PausedReason, now))
	}
	if len(why.Pools) == 0 {
		b.WriteString("nothing is known there: no auth profiles, or the first round is under way\n")
	}
	for i, p := range why.Pools {
		if i > 0 || why.Paused {
			b.WriteByte('\n')
		}
		tell("", "  ", fmt.Sprintf("%s / %s: %s. %s", p.Agent, p.Provider, p.State, say.Sentence(p.Reason)))
		tell("  ", "    ", "Order: "+strings.Join(p.Order, ", ")+".")
		tell("  ", "    ", setBy(p, now))
		if p.Pinned != nil {
			tell("  ", "    ", p.Pinned.Profile+" is pinned by a person"+untilText(p.Pinned.Until, now)+".")
		}
		if ahead := say.AheadOfWhy(p, now.Local()); ahead != "" {
			tell("  ", "    ", ahead)
		}
		for _, pr := range p.Profiles {
			b.WriteByte('\n')
			writeProfileWhy(&b, columns, pr, now)
		}
	}
	return b.String()
}

func pausedText(until *time.Time, reason string, now time.Time) string {
	text := "paused" + untilText(until, now)
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text + ": nothing is changed; ocwatch resume ends it"
}

func setBy(p watchdog.PoolWhy, now time.Time) string {
	c := p.LastChange
	if c == nil {
		return cmp.Or(say.OrderSource(p.OrderSource), "It was there when ocwatch first looked.")
	}
	by := map[string]string{
		journal.ByOcwatch: "ocwatch", journal.ByPerson: "a person, with ocwatch switch",
		journal.ByOpenClaw: "OpenClaw, after a login", journal.ByOther: "somebody else, past ocwatch",
	}[c.By]
	if c.By == journal.ByOther {
		return fmt.Sprintf("Last changed %s by %s: it is the preference now.", agoText(now.Sub(c.At)), by)
	}
	return fmt.Sprintf("Last changed %s by %s: %s", agoText(now.Sub(c.At)), by, say.Sentence(c.Reason))
}

func writeProfileWhy(b *strings.Builder, columns int, p watchdog.ProfileWhy, now time.Time) {
	line := func(name, text string) {
		if text != "" {
			wrap(b, columns, fmt.Sprintf("    %-11s ", name), strings.Repeat(" ", 16), printable(text))
		}
	}
	fmt.Fprintf(b, "  %s: %s\n", printable(p.ID), p.State)
	line("place", p.Rule)
	line("changes", p.Change)
	if p.Usage == nil {
		line("usage", "never read")
	} else {
		line("usage", readingText(*p.Usage, now))
	}
	if p.Probe != nil {
		line("last asked", readingText(*p.Probe, now))
	}
	if p.Block != nil {
		line("openclaw", fmt.Sprintf("%s until %s %s", p.Block.Kind, backCell(&p.Block.Until, now), p.Block.Reason))
	}
	line("credential", strings.TrimSpace(string(p.Credential.Status)+" "+p.Credential.Reason))
	if p.OpenUntil != nil {
		line("breaker", "open until "+backCell(p.OpenUntil, now))
	}
	if p.Live != nil {
		line("real ones", liveText(*p.Live, now))
	}
	switch {
	case p.AsksNext == nil:
	case !p.AsksNext.After(now):
		line("looks again", "with the next round")
	default:
		line("looks again", "in "+tookText(p.AsksNext.Sub(now)))
	}
}

// readingText is what a provider said, from where and how long ago.
func readingText(r watchdog.ReadingWhy, now time.Time) string {
	var parts []string
	for _, w := range r.Windows {
		used, known := w.Used()
		if !known {
			continue
		}
		text := fmt.Sprintf("%s %.0f %% used", strings.TrimSpace(w.Scope+" "+w.Name), used)
		if at, ok := w.Reset(); ok {
			text += ", resets " + backCell(&at, now)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 && r.Reason != "" {
		parts = append(parts, r.Reason)
	}
	text := string(r.Verdict)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, "; ")
	}
	return fmt.Sprintf("%s (%s, from %s)", text, agoText(now.Sub(r.At)), r.Source)
}

// agoText is how long ago something was. A clock that was set back since, and
// milliseconds, are nothing to a person.
func agoText(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}
	return tookText(d) + " ago"
}
