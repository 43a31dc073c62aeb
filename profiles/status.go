package profiles

import (
	"strings"
	"time"
)

// condition is what can be said of a credential at one moment.
type condition struct {
	status Status
	reason string
	fix    string
}

// examine says whether c can be used to ask its provider anything. until is
// when its token ends, zero where that is not known; dead is OpenClaw's own
// record that the login is.
func examine(c credential, until time.Time, dead bool, now time.Time) condition {
	switch {
	case c.ignored != "":
		return condition{Unreadable, c.ignored + ", so OpenClaw does not use it", loginCommand(c)}
	case c.inactive:
		return condition{Unreadable, "the saved sign-in is inactive: a set-up in OpenClaw replaces it", loginCommand(c)}
	case c.fence == failedFence:
		return condition{LoginRequired, "OpenClaw could not refresh the login and gave it up", loginCommand(c)}
	case dead:
		return condition{LoginRequired, "OpenClaw recorded that the provider refused the login for good (auth_permanent)", loginCommand(c)}
	case c.fence == pendingFence:
		return condition{Refreshing, "OpenClaw is refreshing the token", ""}
	case c.ref != "":
		return condition{Unreadable, c.ref, ""}
	case c.token.Empty():
		return condition{Unreadable, "there is no token in the store", loginCommand(c)}
	case !sendable(c.token.Reveal()):
		return condition{Unreadable, "what the store holds is no token: it has spaces or control characters", loginCommand(c)}
	default:
		return examineExpiry(c, until, now)
	}
}

// examineExpiry tells the two kinds of expiry apart. OpenClaw refreshes an
// OAuth access token when it next needs it, so its end means nothing. Nothing
// refreshes a pasted token: once it ended, or where its end makes no sense,
// OpenClaw passes the profile over until somebody pastes a new one.
func examineExpiry(c credential, until, now time.Time) condition {
	over := !until.IsZero() && !now.Before(until)
	switch {
	case c.kind == Token && c.expiry == invalidExpiry:
		return condition{LoginRequired, "the token's expiry is no date, so OpenClaw does not use it", loginCommand(c)}
	case c.kind == Token && over:
		return condition{LoginRequired, "the token expired at " + clock(until) + ", and nothing refreshes it", loginCommand(c)}
	case c.kind == OAuth && over && !c.refresh:
		return condition{Stale, "the access token expired at " + clock(until) + ", and there is no refresh token in the store", loginCommand(c)}
	case c.kind == OAuth && over:
		return condition{Stale, "the access token expired at " + clock(until) + "; OpenClaw refreshes it when it next needs it", ""}
	default:
		return condition{status: Usable}
	}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// loginCommand is what a person runs to renew c.
func loginCommand(c credential) string {
	base := "openclaw models auth "
	provider, id := shellWord(c.provider), shellWord(c.id)
	switch c.kind {
	case Token:
		return base + "paste-token --provider " + provider + " --profile-id " + id
	case APIKey:
		return base + "paste-api-key --provider " + provider + " --profile-id " + id
	case OAuth:
	}
	return base + "login --provider " + provider
}

// LoginCommand is what a person runs to renew the profile's login.
func (p Profile) LoginCommand() string {
	return loginCommand(credential{id: p.ID, provider: p.Provider, kind: p.Type})
}

// shellWord quotes what a person will paste into a shell: ids come from a file.
func shellWord(s string) string {
	plain := !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:@._+/-", r)
	})
	if plain && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
