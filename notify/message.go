package notify

import (
	"cmp"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// Text tells e to a person, in English, short enough for a phone. Times are
// in UTC and seen from e's own timestamp. It is what data.message holds.
func Text(e event.Event, _ Language, _ *time.Location) string {
	d := e.Data
	switch e.Type {
	case event.ProfileLow, event.ProfileExhausted, event.ProfileRecovered, event.ProfileLoginRequired, event.ProfileExpiring:
		return profileText(e)
	case event.PoolSwitched:
		return switchedText(d)
	case event.PoolPaid:
		return sentences(because(pool(d)+" now runs on "+cmp.Or(served(d), "a paid profile")+", which is billed for every token", d.Reason),
			backAt("The first free one is back", e))
	case event.PoolDepleted:
		return depletedText(e)
	case event.PoolRecovered:
		return pool(d) + " is back: " + cmp.Or(served(d), "an account") + " can serve again."
	case event.LoginStarted, event.LoginCompleted, event.LoginFailed:
		return loginEventText(e)
	case event.GatewayRestarted:
		return because("The OpenClaw gateway"+on(d)+" was restarted and is healthy", d.Reason)
	case event.GatewayDown:
		return because("The OpenClaw gateway"+on(d)+" needs a look", d.Reason)
	case event.WatchdogBlind:
		return sentences(because("ocwatch cannot see the quota of any "+account(d)+"account", d.Reason), "Nothing is changed until it can.")
	case event.WatchdogStarted:
		return "ocwatch is watching" + on(d) + "."
	case event.WatchdogStopped:
		return "ocwatch has stopped" + on(d) + "; nobody is watching the quota now."
	case event.Test:
		return "This is a test from ocwatch" + on(d) + ". Nothing has happened."
	}
	return because(string(e.Type), d.Reason)
}

func profileText(e event.Event) string {
	d := e.Data
	who := cmp.Or(d.Profile, "A profile") + ofAgent(d)
	switch e.Type { //nolint:exhaustive // called for profile events only
	case event.ProfileLow:
		return sentences(because(who+" is running low", d.Reason), backAt("It starts afresh", e))
	case event.ProfileExhausted:
		return sentences(because(who+" is spent", d.Reason), cmp.Or(backAt("Back", e), "Nobody said when it is back."))
	case event.ProfileRecovered:
		return because(who+" can serve again", d.Reason)
	case event.ProfileLoginRequired:
		return sentences(because(who+" needs a fresh login", d.Reason), loginText(e))
	}
	return sentences(because("The login of "+who+" expires "+cmp.Or(when(expiry(d), e), "soon"), d.Reason), loginText(e))
}

// switchedText lets the reason speak for itself where it names both profiles.
func switchedText(d event.Data) string {
	if d.To != "" && strings.Contains(d.Reason, d.To) && strings.Contains(d.Reason, d.From) {
		return because(pool(d), d.Reason)
	}
	text := pool(d) + " now runs on " + cmp.Or(d.To, "another profile")
	if d.From != "" {
		text += " instead of " + d.From
	}
	return because(text, d.Reason)
}

func loginEventText(e event.Event) string {
	d := e.Data
	switch e.Type { //nolint:exhaustive // called for login events only
	case event.LoginStarted:
		return sentences(because("A fresh "+account(d)+"login is waiting for you", d.Reason), loginText(e))
	case event.LoginCompleted:
		return because("The "+account(d)+"login is done: "+cmp.Or(d.Profile, "the profile")+" can serve", d.Reason)
	}
	return sentences(because("The "+account(d)+"login failed", d.Reason), loginText(e))
}

// loginText says how to log in: link and code where there are any, and the
// command that does the same by hand.
func loginText(e event.Event) string {
	l := e.Data.Login
	switch {
	case l == nil:
		return ""
	case l.URL == "":
		return ifAny("Log in with: ", l.Command)
	}
	text := "Log in at " + l.URL
	if l.Code != "" {
		text += " with the code " + l.Code
	}
	if l.ExpiresAt != nil {
		text += " (valid until " + clock(*l.ExpiresAt, e.Timestamp) + ")"
	}
	return text + ifAny(", or run: ", l.Command)
}

// pool names the pool at the start of a sentence. The agent is only told where
// it is not the one that everyone has.
func pool(d event.Data) string {
	return cmp.Or(d.Provider, "The pool") + ofAgent(d)
}

func ofAgent(d event.Data) string {
	if d.Agent == "" || d.Agent == "main" {
		return ""
	}
	return " (agent " + d.Agent + ")"
}

// served is the profile that serves after a change of the pool.
func served(d event.Data) string {
	if d.To == "" && d.Profile == "" && len(d.Order) > 0 {
		return d.Order[0]
	}
	return cmp.Or(d.To, d.Profile)
}

// account is the provider as an adjective: "openai ".
func account(d event.Data) string {
	if d.Provider == "" {
		return ""
	}
	return d.Provider + " "
}

func on(d event.Data) string { return ifAny(" on ", d.Host) }

func ifAny(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// because ends a sentence with its reason, which may be a sentence itself.
func because(text, reason string) string {
	return text + ifAny(": ", strings.TrimRight(strings.TrimSpace(reason), ".")) + "."
}

// sentences joins what there is; a command at the end stays free of a full
// stop, so that it can be copied.
func sentences(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		switch {
		case p == "":
			continue
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "."):
			b.WriteString("\n")
		case b.Len() > 0:
			b.WriteString(" ")
		}
		b.WriteString(p)
	}
	return b.String()
}

// expiry is when the profile of a profile.expiring event expires.
func expiry(d event.Data) *time.Time {
	if len(d.Profiles) == 0 {
		return nil
	}
	return d.Profiles[0].Until
}

// backAt tells when quota comes back, "" where nobody knows.
func backAt(text string, e event.Event) string {
	return endIfAny(text+" ", when(e.Data.RecoversAt, e))
}

func endIfAny(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s + "."
}

// when is "at 18:40 UTC", with the date where that is not today; "" for nil.
func when(t *time.Time, e event.Event) string {
	if t == nil {
		return ""
	}
	text := clock(*t, e.Timestamp)
	if sameDay(*t, e.Timestamp) {
		return "at " + text
	}
	return "on " + text
}

// clock is "18:40 UTC", "Tue 24 Nov 08:00 UTC" or "3 Jan 2027 08:00 UTC".
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case sameDay(t, now):
		return t.Format("15:04 UTC")
	case t.Year() == now.Year() || t.Sub(now).Abs() < 7*24*time.Hour:
		return t.Format("Mon 2 Jan 15:04 UTC")
	}
	return t.Format("2 Jan 2006 15:04 UTC")
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Format(time.DateOnly) == b.UTC().Format(time.DateOnly)
}
