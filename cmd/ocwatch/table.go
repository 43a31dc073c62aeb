package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// The exit codes of check and status, by the convention of monitoring plugins.
const (
	codeOK       = 0
	codeWarning  = 1
	codeDepleted = 2
	codeUnknown  = 3
)

// codeOf sums a status up: what needs a person most decides.
func codeOf(s app.Status) int {
	code := codeOK
	switch {
	case len(s.Problems) > 0 || len(s.Pools) == 0:
		code = codeUnknown
	case len(s.Warnings) > 0:
		code = codeWarning
	}
	for _, p := range s.Pools {
		switch p.State {
		case failover.PoolDepleted:
			return codeDepleted
		case failover.PoolBlind, failover.PoolUnknown:
			code = codeUnknown
		case failover.PoolWarning:
			if code == codeOK {
				code = codeWarning
			}
		case failover.PoolOK:
		}
	}
	return code
}

// writeTable prints a status for a person.
func writeTable(w io.Writer, s app.Status, look look, now time.Time) error {
	var b strings.Builder
	if s.Paused {
		b.WriteString(printable(pausedText(s.PausedUntil, s.PausedReason, now)) + "\n\n")
	}
	for i, p := range s.Pools {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s / %s: %s. %s\n", printable(p.Agent), printable(p.Provider), look.paint(string(p.State), poolColour(p.State)), printable(stop(p.Reason)))
		if p.Pinned != nil {
			fmt.Fprintf(&b, "%s is pinned%s; ocwatch switch %s --auto ends it.\n", printable(p.Pinned.Profile), untilText(p.Pinned.Until, now), printable(p.Pinned.Profile))
		}
		b.WriteString(aheadOf(p, now))
		writePool(&b, p, look, now)
	}
	switch {
	case len(s.Pools) > 0:
	case s.At.IsZero():
		b.WriteString("nothing is known yet: the first round is under way\n")
	case len(s.Problems) == 0:
		b.WriteString("no auth profiles found: log in with ocwatch login\n")
	}
	writeGateway(&b, s.Gateway)
	writeLogins(&b, s.Logins)
	for _, text := range s.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", printable(text))
	}
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "problem: %s\n", printable(p.What+fix(p.Fix)))
	}
	for _, e := range s.Notify {
		if e.Disabled || e.Dead > 0 || e.Pending > 0 {
			fmt.Fprintf(&b, "endpoint %s: %d waiting, %d given up%s\n",
				printable(e.Endpoint), e.Pending, e.Dead, printable(lastDead(e.LastDead, now)+disabled(e.Disabled)+lastError(e)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeGateway says what is wrong with the gateway, and nothing where all is
// well.
func writeGateway(b *strings.Builder, g app.Gateway) {
	switch {
	case g.Detail == "":
	case g.Healthy:
		fmt.Fprintf(b, "gateway %s: live, but cannot be asked: %s\n", printable(g.URL), printable(g.Detail))
	default:
		fmt.Fprintf(b, "gateway %s: not live: %s\n", printable(g.URL), printable(g.Detail))
	}
}

func writePool(b *strings.Builder, p watchdog.PoolStatus, look look, now time.Time) {
	names := windowNames(p)
	heads := make([]string, len(names))
	for i, n := range names {
		heads[i] = look.paint(strings.ToUpper(n), plain)
	}
	var rows strings.Builder
	tw := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(tw, "  \tPROFILE\t%s\t%sBACK\tASKED\tNOTE\n", look.paint("STATE", plain), joinTabs(heads))
	for i, pr := range p.Profiles {
		cells := make([]string, len(names))
		for j, n := range names {
			cells[j] = look.window(pr, n)
		}
		_, _ = fmt.Fprintf(tw, "  %d\t%s\t%s\t%s%s\t%s\t%s\n", i+1, printable(pr.ID), look.paint(stateCell(pr), stateColour(pr.State)), joinTabs(cells),
			backCell(pr.Until, now), askedCell(pr.ProbedAt, now), printable(noteCell(pr)))
	}
	_ = tw.Flush()
	for line := range strings.Lines(rows.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
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
		return fmt.Sprintf("%.0f %%", used)
	}
	return "-"
}

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
	switch {
	case until == nil:
		return "-"
	case until.Sub(now) < 20*time.Hour:
		return until.Local().Format("15:04")
	default:
		return until.Local().Format("Mon 2 Jan 15:04")
	}
}

func askedCell(at *time.Time, now time.Time) string {
	if at == nil {
		return "never"
	}
	return now.Sub(*at).Round(time.Second).String() + " ago"
}

func noteCell(pr watchdog.ProfileStatus) string {
	if pr.State == failover.Available && strings.HasSuffix(pr.Reason, "% used") {
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

func lastDead(m *journal.DeadMessage, now time.Time) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf(" (the newest: %s of %s: %s)", cmp.Or(m.Event, "a message"), pastCell(m.At, now), m.Error)
}

// pastCell is a time in the past, with the date where that is not clear.
func pastCell(at, now time.Time) string {
	if now.Sub(at) < 20*time.Hour {
		return at.Local().Format("15:04")
	}
	return at.Local().Format("Mon 2 Jan 15:04")
}

func disabled(d bool) string {
	if d {
		return ", disabled since it answered that it wants no more"
	}
	return ""
}

// lastError leaves out what is the newest dead message's own.
func lastError(e journal.EndpointStatus) string {
	if e.LastError == "" || e.LastDead != nil && e.LastDead.Error == e.LastError {
		return ""
	}
	return ", last error: " + e.LastError
}

func joinTabs(cells []string) string {
	if len(cells) == 0 {
		return ""
	}
	return strings.Join(cells, "\t") + "\t"
}
