package watchdog

import (
	"context"
	"errors"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// reread has the running gateway take up logins that were made with OpenClaw's
// own command. The command of 2026.9, which keeps its profiles in the shared
// database, tells the gateway itself; an older gateway would refuse the new
// account a turn that the order gives it. What the gateway reads are the
// credentials of all agents, so that once is enough; once only, too: where it
// cannot, it goes on with the next turn or with its restart.
func (w *Watchdog) reread(ctx context.Context, snap profiles.Snapshot, agents []string) {
	older := snap.Layout == openclaw.AgentDatabase || snap.Layout == openclaw.JSONFiles
	if w.Reread == nil || len(agents) == 0 || !older {
		return
	}
	log := w.Log.With().Str("agent", agents[0]).Logger()
	switch method, err := w.Reread(ctx, agents[0]); {
	case method != "":
		log.Info().Str("by", method).Msg("the running gateway has read a login that somebody made with openclaw")
	case errors.Is(err, openclaw.ErrGatewayDown):
		log.Debug().Msg("no gateway runs that would have to read a login that somebody made with openclaw")
	default:
		log.Warn().Err(err).
			Msg("the running gateway could not be told of a login that somebody made with openclaw: it may serve one more turn without it; restart it if it serves more")
	}
}
