package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/internal/event"
)

// loginTexts list the logins under way, so that whoever looks can approve them.
func loginTexts(logins []relogin.Status) []string {
	var out []string
	for _, l := range logins {
		out = append(out, fmt.Sprintf("login to %s for agent %s waits to be approved%s", l.Provider, l.Agent, howTo(l.URL, l.Code, l.ExpiresAt, l.Paste)))
	}
	return out
}

// howTo says in one line how a login is approved, "" where that is hidden.
func howTo(url, code string, expires *time.Time, paste bool) string {
	switch {
	case url == "":
		return ""
	case paste:
		return ": open " + url + " and hand over the address that the browser ends on, with ocwatch login --paste -"
	}
	text := ": open " + url
	if code != "" {
		text += " and type " + code
	}
	if expires != nil {
		text += ", until " + expires.UTC().Format("15:04 UTC")
	}
	return text
}

// wantsLogins reports whether anybody hears of a login that was begun.
func wantsLogins(c *config.Config) bool {
	wants := func(events []event.Type) bool {
		return len(events) == 0 || slices.Contains(events, event.LoginStarted)
	}
	for _, w := range c.Notify.Webhooks {
		if wants(w.Events) {
			return true
		}
	}
	for _, ch := range c.Notify.Channels {
		if wants(ch.Events) {
			return true
		}
	}
	return false
}
