package profiles

import (
	"errors"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// problem says what kept one agent's profiles from being read.
func problem(agent string, err error) Problem {
	var store *openclaw.StoreError
	var access *openclaw.AccessError
	switch {
	case errors.As(err, &store):
		return Problem{Agent: agent, What: withoutFix(err, store.Fix), Fix: store.Fix, Reason: kinds[store.Kind]}
	case errors.As(err, &access):
		return Problem{Agent: agent, What: withoutFix(err, access.Fix), Fix: access.Fix, Reason: NotPermitted}
	case errors.Is(err, errVersion):
		return Problem{Agent: agent, What: err.Error(), Fix: "update ocwatch to a release that knows this OpenClaw", Reason: UnknownSchema}
	case errors.Is(err, errNotObject), errors.Is(err, errProfiles):
		return Problem{Agent: agent, What: "the auth profiles are malformed: " + err.Error(), Fix: "openclaw doctor --fix", Reason: Corrupt}
	default:
		return Problem{Agent: agent, What: err.Error(), Fix: "it is tried again by itself", Reason: Busy}
	}
}

// withoutFix is what err says before its last words, which mend it: a Problem
// gives those apart.
func withoutFix(err error, fix string) string {
	what, ok := strings.CutSuffix(err.Error(), fix)
	if !ok || fix == "" {
		return err.Error()
	}
	return strings.TrimRight(what, ":; ")
}

var kinds = map[openclaw.StoreErrorKind]ProblemKind{
	openclaw.NeedsMigration: NeedsMigration,
	openclaw.UnknownSchema:  UnknownSchema,
	openclaw.Corrupt:        Corrupt,
	openclaw.NotPermitted:   NotPermitted,
	openclaw.Busy:           Busy,
}
