package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/say"
)

// layout is how much of a pool stands in one line for each profile.
type layout struct {
	bar    int  // width of the bars, 0 for none
	asked  bool // with the time since the account was asked
	inline bool // with the note, which otherwise has lines of its own
}

// layouts are tried from the widest, and the first that fits is taken. Where
// none does, each profile has a few lines.
func layouts() []layout {
	return []layout{
		{bar: 10, asked: true, inline: true},
		{bar: 10, asked: true},
		{bar: 6, asked: true},
		{bar: 4, asked: true},
		{bar: 4},
		{asked: true},
		{},
	}
}

// writePool lists the profiles of a pool. In a pipe each has one line, however
// long.
func writePool(b *strings.Builder, p watchdog.PoolStatus, look look, now time.Time) {
	if look.width == 0 {
		g := poolGrid(p, layout{asked: true, inline: true}, look, now)
		g.write(b, look)
		return
	}
	for _, l := range layouts() {
		if g := poolGrid(p, l, look, now); g.width() <= look.width {
			g.write(b, look)
			return
		}
	}
	for i, pr := range p.Profiles {
		writeCard(b, i+1, pr, look, now)
	}
}

// poolGrid lays a pool out.
func poolGrid(p watchdog.PoolStatus, l layout, look look, now time.Time) grid {
	names := windowNames(p)
	g := grid{}
	head := []string{"", "PROFILE", "STATE"}
	for _, n := range names {
		head = append(head, strings.ToUpper(n))
	}
	head = append(head, "BACK")
	if l.asked {
		head = append(head, "ASKED")
	}
	if l.inline {
		head = append(head, "NOTE")
	}
	g.add(head...)
	for i, pr := range p.Profiles {
		row := []string{fmt.Sprint(i + 1), printable(pr.ID), look.paint(stateCell(pr), stateColour(pr.State))}
		for _, n := range names {
			row = append(row, look.window(pr, n, l.bar))
		}
		row = append(row, backCell(pr.Until, now))
		if l.asked {
			row = append(row, askedCell(pr.ProbedAt, now))
		}
		if l.inline {
			g.add(append(row, printable(noteCell(pr)))...)
		} else {
			g.addNoted(belowOf(pr, names), row...)
		}
	}
	return g
}

// writeCard shows a profile on a screen too narrow for a table, a phone's say.
func writeCard(b *strings.Builder, place int, pr watchdog.ProfileStatus, look look, now time.Time) {
	fmt.Fprintf(b, "%3d  %s\n", place, printable(pr.ID))
	text := look.paint(stateCell(pr), stateColour(pr.State))
	if pr.Until != nil {
		text += ", back " + backCell(pr.Until, now)
	}
	wrap(b, look.textWidth(), indent, indent, text+", asked "+askedCell(pr.ProbedAt, now))
	names := windowNames(watchdog.PoolStatus{Profiles: []watchdog.ProfileStatus{pr}})
	widest := 0
	for _, n := range names {
		widest = max(widest, len(n))
	}
	for _, n := range names {
		bar := min(10, look.width-len(indent)-widest-len("  100 %"))
		b.WriteString(indent + pad(n, widest+1) + look.window(pr, n, max(0, bar)) + "\n")
	}
	belowOf(pr, names).write(b, look)
}

// note is what is said below a profile.
type note struct{ text, mend string }

// belowOf leaves out what a window that is shown says.
func belowOf(pr watchdog.ProfileStatus, shown []string) note {
	n := note{mend: pr.Fix}
	window, used, _ := strings.Cut(pr.Reason, " window ")
	if !slices.Contains(shown, window) || strings.Count(used, " ") != 2 || !strings.HasSuffix(used, "% used") {
		n.text = pr.Reason
	}
	return n
}

// write writes a note. A command is to be copied, and stays whole where it can.
func (n note) write(b *strings.Builder, look look) {
	if n.text != "" {
		wrap(b, look.textWidth(), indent, indent, printable(n.text))
	}
	if n.mend != "" {
		line, columns := printable("mend: "+n.mend), look.textWidth()
		if len(indent)+columnsOf(line) <= look.width {
			columns = look.width
		}
		wrap(b, columns, indent, indent, line)
	}
}

// windowNames are the pool's account-wide windows, shortest first as met.
func windowNames(p watchdog.PoolStatus) []string {
	var names []string
	for _, known := range []string{quota.FiveHour, quota.Weekly, quota.Monthly} {
		if slices.ContainsFunc(p.Profiles, func(pr watchdog.ProfileStatus) bool { return usedCell(pr, known) != "-" }) {
			names = append(names, known)
		}
	}
	return names
}

func usedCell(pr watchdog.ProfileStatus, name string) string {
	if used, ok := usedOf(pr, name); ok {
		return percentText(used)
	}
	return "-"
}

func percentText(percent float64) string { return fmt.Sprintf("%.0f %%", percent) }

func usedOf(pr watchdog.ProfileStatus, name string) (percent float64, known bool) {
	for _, w := range pr.Windows {
		if used, ok := w.Used(); ok && w.Name == name && w.Scope == "" {
			return used, true
		}
	}
	return 0, false
}

func stateCell(pr watchdog.ProfileStatus) string {
	if pr.Paid {
		return string(pr.State) + " (paid)"
	}
	return string(pr.State)
}

func backCell(until *time.Time, now time.Time) string {
	if until == nil {
		return "-"
	}
	return say.Clock(*until, now.Local())
}

// askedCell is how long ago an account was asked, in the largest unit. A clock
// that was set back since makes it no less than nothing.
func askedCell(at *time.Time, now time.Time) string {
	if at == nil {
		return "never"
	}
	d := max(0, now.Sub(*at))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	default:
		return fmt.Sprintf("%dd ago", d/(24*time.Hour))
	}
}

func noteCell(pr watchdog.ProfileStatus) string {
	if say.WindowsTell(pr) {
		return ""
	}
	return pr.Reason + fix(pr.Fix)
}

func fix(command string) string {
	if command == "" {
		return ""
	}
	return " (mend: " + command + ")"
}
