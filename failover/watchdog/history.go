package watchdog

import (
	"errors"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// recordEpisodes journals that the pool became depleted or blind, or is no more.
func recordEpisodes(rd *journal.Round, before failover.Memory, p failover.Plan) {
	recordEpisode(rd, journal.EpisodeDepleted, before.Depleted, p.Memory.Depleted, p)
	recordEpisode(rd, journal.EpisodeBlind, announced(before.Blind), announced(p.Memory.Blind), p)
}

// announced leaves out blindness of a moment, which nobody was told of.
func announced(e *failover.Episode) *failover.Episode {
	if e == nil || !e.Announced {
		return nil
	}
	return e
}

func recordEpisode(rd *journal.Round, kind journal.EpisodeKind, before, now *failover.Episode, p failover.Plan) {
	e := journal.Episode{Kind: kind, Agent: p.Agent, Provider: p.Provider, Reason: p.Reason}
	switch {
	case before == nil && now != nil:
		e.Since = now.Since
	case before != nil && now == nil:
		e.Since, e.Until = before.Since, rd.At
	default:
		return
	}
	rd.Episodes = append(rd.Episodes, e)
}

// endEpisodes ends those of a pool that OpenClaw does not have any more. It may
// never have been decided on in this life of ocwatch.
func endEpisodes(rd *journal.Round, key string, before failover.Memory) {
	agent, provider, _ := strings.Cut(strings.TrimPrefix(key, poolPrefix), "/")
	recordEpisodes(rd, before, failover.Plan{Agent: agent, Provider: provider})
}

// recordUnreadable journals the time in which nothing of OpenClaw could be
// read: since when, and until when where that is over.
func recordUnreadable(rd *journal.Round, since, until time.Time, reason string) {
	rd.Episodes = append(rd.Episodes, journal.Episode{Kind: journal.EpisodeBlind, Since: since, Until: until, Reason: reason})
}

// recordLogin journals what a decision found a login to have brought.
func (w *Watchdog) recordLogin(rd *journal.Round, e event.Event) {
	outcome := map[event.Type]journal.LoginOutcome{event.LoginCompleted: journal.LoginCompleted, event.LoginFailed: journal.LoginFailed}[e.Type]
	if outcome == "" || e.Data.Profile == "" {
		return
	}
	l := journal.Login{
		At: e.Timestamp, Agent: e.Data.Agent, Provider: e.Data.Provider, Profile: e.Data.Profile, Via: journal.ByOther,
		Outcome: outcome, Reason: e.Data.Reason,
	}
	if w.pool(poolKey(l.Agent, l.Provider)).plan.Memory.Profiles[l.Profile].Login.Named {
		l.Via = journal.ByOcwatch
	}
	rd.Logins = append(rd.Logins, l)
}

// recordVain journals a login that came to nothing.
func recordVain(rd *journal.Round, n loginNews) {
	l := journal.Login{
		At: n.at, Agent: n.agent, Provider: n.provider, Via: journal.ByOcwatch, Outcome: journal.LoginFailed, Reason: faultOf(n.err),
	}
	switch {
	case errors.Is(n.err, login.ErrCancelled):
		l.Outcome = journal.LoginCancelled
	case errors.Is(n.err, login.ErrExpired):
		l.Outcome = journal.LoginExpired
	}
	rd.Logins = append(rd.Logins, l)
}
