package login

import (
	"context"
	"errors"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// reread has the running gateway take up what openclaw's command has stored. The
// command of 2026.9 does so itself; an older gateway would go on with the
// credentials and the order that it had.
func (s *Starter) reread(ctx context.Context, agent string) {
	if s.Dial == nil {
		return
	}
	gw := s.Dial()
	defer func() { _ = gw.Close() }() // nothing runs on it
	method, errs := profiles.Reread(ctx, gw, agent)
	switch err := errors.Join(errs...); {
	case method != "":
		s.Log.Info().Str("agent", agent).Str("by", method).Msg("the running gateway has read what was logged in")
	case errors.Is(err, openclaw.ErrGatewayDown):
		s.Log.Debug().Str("agent", agent).Msg("no gateway runs that would have to read what was logged in")
	default:
		s.Log.Warn().Err(err).Str("agent", agent).
			Msg("the running gateway could not be told of a login: it may serve one more turn without it; restart it if it serves more")
	}
}
