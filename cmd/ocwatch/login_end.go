package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/notify/text"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// sayNewProvider keeps a slip from becoming a pool of its own unnoticed: OpenClaw
// stores a key for every name.
func sayNewProvider(t app.Target) string {
	if len(t.Pool.Profiles) > 0 || len(t.Known) == 0 {
		return ""
	}
	return fmt.Sprintf("note: agent %s has no profile of %s yet; it has some of %s", t.Agent, t.Provider, strings.Join(t.Known, ", "))
}

// conclude says what a login brought. One that brought nothing is an error.
func (s loginSession) conclude(t app.Target, r login.Result, out app.Outcome) error {
	switch {
	case out.Told == nil && r.Profile == "":
		return errors.New("openclaw says the login is done, and its store does not show which profile it is; see ocwatch check")
	case out.Told == nil:
		s.screen.printf("\n%s is stored, and whether it works is not known yet%s. See ocwatch check.\n", r.Profile, because(out.Reason))
	case out.Told.Type == event.LoginFailed:
		return fmt.Errorf("the login as %s is of no use: %s. Log out at the provider in that browser, or open the link in a private window, and run this again", r.Profile, out.Told.Data.Reason)
	default:
		s.screen.printf("\n%s\n", text.Of(*out.Told, text.English, time.Local))
	}
	s.screen.printf("%s\n", sayOrder(t, r.Profile, out))
	return nil
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// sayOrder says whether OpenClaw uses the profile now.
func sayOrder(t app.Target, profile string, out app.Outcome) string {
	if out.Told == nil && !out.Watched {
		return "No watchdog is running (ocwatch run), and the order was left as it is."
	}
	who := "The watchdog"
	if !out.Watched {
		who = "No watchdog is running (ocwatch run); this command"
	}
	switch {
	case len(out.Order) == 0:
		return "There is no order to set."
	case out.Order[0] == profile:
		return who + " puts it first."
	case len(t.Pool.Order) > 0 && t.Pool.Order[0] == out.Order[0]:
		return who + " keeps " + out.Order[0] + " first."
	}
	return who + " puts " + out.Order[0] + " first, which comes before it in the order."
}
