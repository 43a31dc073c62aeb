package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/say"
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
	_, err := io.WriteString(w, poolsText(s, look, now)+noticesText(s, look, now))
	return err
}

// poolsText are the accounts.
func poolsText(s app.Status, look look, now time.Time) string {
	var b strings.Builder
	if s.Paused {
		look.notice(&b, pausedText(s.PausedUntil, s.PausedReason, now))
		b.WriteByte('\n')
	}
	for i, p := range s.Pools {
		if i > 0 {
			b.WriteByte('\n')
		}
		look.say(&b, fmt.Sprintf("%s / %s: %s. %s", printable(p.Agent), printable(p.Provider), look.paint(string(p.State), poolColour(p.State)), printable(say.Sentence(p.Reason))))
		if p.Pinned != nil {
			look.notice(&b, fmt.Sprintf("%s is pinned%s; ocwatch switch %[1]s --auto ends it.", p.Pinned.Profile, untilText(p.Pinned.Until, now)))
		}
		if ahead := say.AheadOf(p, now.Local()); ahead != "" {
			look.notice(&b, ahead)
		}
		writePool(&b, p, look, now)
	}
	switch {
	case len(s.Pools) > 0:
	case s.At.IsZero():
		look.notice(&b, "nothing is known yet: the first round is under way")
	case len(s.Problems) == 0:
		look.notice(&b, "no auth profiles found: log in with ocwatch login")
	}
	return b.String()
}

// noticesText is what a person should know besides.
func noticesText(s app.Status, look look, now time.Time) string {
	var b strings.Builder
	if text := gatewayText(s.Gateway); text != "" {
		look.notice(&b, text)
	}
	for _, text := range loginTexts(s.Logins) {
		look.notice(&b, text)
	}
	for _, text := range s.Warnings {
		look.notice(&b, "warning: "+text)
	}
	for _, p := range s.Problems {
		look.notice(&b, "problem: "+p.What+fix(p.Fix))
	}
	for _, e := range s.Notify {
		if e.Disabled || e.Dead > 0 || e.Pending > 0 {
			look.notice(&b, fmt.Sprintf("endpoint %s: %d waiting, %d given up%s",
				e.Endpoint, e.Pending, e.Dead, lastDead(e.LastDead, now)+disabled(e.Disabled)+lastError(e)))
		}
	}
	return b.String()
}

// notice writes what others had a part in.
func (l look) notice(b *strings.Builder, text string) { l.say(b, printable(text)) }

// say writes a line, and on a terminal as many as it takes.
func (l look) say(b *strings.Builder, text string) {
	if l.width == 0 {
		b.WriteString(text + "\n")
		return
	}
	wrap(b, l.textWidth(), "", "  ", text)
}

// gatewayText says what is wrong with the gateway, "" where all is well.
func gatewayText(g app.Gateway) string {
	switch {
	case g.Detail == "":
		return ""
	case g.Healthy:
		return fmt.Sprintf("gateway %s: live, but cannot be asked: %s", g.URL, g.Detail)
	default:
		return fmt.Sprintf("gateway %s: not live: %s", g.URL, g.Detail)
	}
}

func lastDead(m *journal.DeadMessage, now time.Time) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf(" (the newest: %s of %s: %s)", cmp.Or(m.Event, "a message"), say.Clock(m.At, now.Local()), m.Error)
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
