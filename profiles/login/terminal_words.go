package login

import (
	"fmt"
	"strings"
)

// failure turns the last words of a login command that failed into an error.
// They may quote what was typed, or the provider's answer to it.
func failure(last string, code int, typed []string) error {
	for _, secret := range typed {
		if secret != "" {
			last = strings.ReplaceAll(last, secret, "…")
		}
	}
	said := inWords(strings.TrimPrefix(last, "Error: "))
	for _, f := range failures {
		for _, sign := range f.signs {
			if strings.Contains(strings.ToLower(said), sign) {
				return f.err
			}
		}
	}
	switch {
	case code < 0:
		return &FailedError{What: "openclaw's command was ended from outside", Fix: "see whether this machine ran out of memory, and try again"}
	case said == "":
		return &FailedError{What: fmt.Sprintf("openclaw ended with exit code %d and said nothing", code), Fix: "run openclaw models auth login to see why"}
	default:
		return refusal(said)
	}
}

// failures are what OpenClaw says, in lower case, and what it means.
var failures = []struct {
	signs []string
	err   error
}{
	{[]string{"unknown auth method", "not enabled for this server"}, errNoCodes},
	{[]string{"unknown provider", "no provider plugins found"}, ErrNotOffered},
	{[]string{"state mismatch"}, &FailedError{What: "openclaw was given the address of another login", Fix: "start it again, and paste the address that the new link ends on"}},
	{[]string{"missing authorization code"}, &FailedError{What: "openclaw was given an address without a code", Fix: "start it again, and paste the whole address"}},
	{[]string{"unsupported_region", "unsupported_country"}, &FailedError{What: "the provider serves no logins from this machine's country or network", Fix: "set the proxy that OpenClaw shall use"}},
	{[]string{"token exchange failed", "authorization code is not valid", "invalid_grant"}, &FailedError{What: "the provider did not take the code", Fix: "start it again: a code is good once, and for a few minutes"}},
	{[]string{"enotfound", "eai_again", "econnrefused", "econnreset", "etimedout", "fetch failed", "token exchange error", "prerequisites", "timed out after 30000ms"}, &FailedError{What: "openclaw could not reach the provider", Fix: "check this machine's network, names and proxy, then try again"}},
	{[]string{"unknown agent id"}, &FailedError{What: "openclaw has no agent of this name", Fix: "see openclaw agents list"}},
	{[]string{"store lock", "store is busy"}, &FailedError{What: "openclaw could not store the login: its store was busy", Fix: "try again in a minute"}},
	{[]string{"interactive tty"}, ErrNotOffered},
}
