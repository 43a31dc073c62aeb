package profiles

import (
	"errors"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// problem says what kept one agent's profiles from being read.
func problem(agent string, err error) Problem {
	var store *openclaw.StoreError
	var access *openclaw.AccessError
	switch {
	case errors.As(err, &store):
		return Problem{Agent: agent, What: err.Error(), Fix: store.Fix, Reason: kinds[store.Kind]}
	case errors.As(err, &access):
		return Problem{Agent: agent, What: err.Error(), Fix: access.Fix, Reason: NotPermitted}
	case errors.Is(err, errVersion):
		return Problem{Agent: agent, What: err.Error(), Fix: "update ocwatch to a release that knows this OpenClaw", Reason: UnknownSchema}
	case errors.Is(err, errNotObject), errors.Is(err, errProfiles):
		return Problem{Agent: agent, What: "the auth profiles are malformed: " + err.Error(), Fix: "openclaw doctor --fix", Reason: Corrupt}
	default:
		return Problem{Agent: agent, What: err.Error(), Fix: "it is tried again by itself", Reason: Busy}
	}
}

var kinds = map[openclaw.StoreErrorKind]ProblemKind{
	openclaw.NeedsMigration: NeedsMigration,
	openclaw.UnknownSchema:  UnknownSchema,
	openclaw.Corrupt:        Corrupt,
	openclaw.NotPermitted:   NotPermitted,
	openclaw.Busy:           Busy,
}
