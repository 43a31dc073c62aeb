package watchdog

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// route queues an event once a round: agents that share a profile see the same
// change, and one message tells it.
func (w *Watchdog) route(rd *journal.Round, told map[string]bool, e event.Event) {
	subject := e.Data.Agent
	if e.Data.Profile != "" {
		subject = e.Data.Profile + " " + w.billed(e.Data)
	}
	if e.Data.RunsDryAt != nil {
		subject += " runs dry" // which is more than that the profile is low
	}
	key := fmt.Sprint(e.Type, " ", e.Data.Provider, " ", subject)
	if told[key] {
		return
	}
	told[key] = true
	w.recordLogin(rd, e)
	w.Log.Info().Str("event", string(e.Type)).Fields(known(e.Data)).Msg(cmp.Or(e.Data.Reason, string(e.Type)))
	msgs, err := w.Notifier.Route(e)
	if err != nil {
		w.Log.Error().Err(err).Str("event", string(e.Type)).Msg("event could not be queued")
	}
	rd.Messages = append(rd.Messages, msgs...)
}

// known are the fields of d that say something, for a log line.
func known(d event.Data) map[string]any {
	fields := map[string]any{}
	for name, value := range map[string]string{
		"agent": d.Agent, "provider": d.Provider, "profile": d.Profile, "action": d.Action,
	} {
		if value != "" {
			fields[name] = value
		}
	}
	return fields
}

// billed is the account behind the profile that d is about: two agents may have
// different ones under the same name.
func (w *Watchdog) billed(d event.Data) string {
	if p := w.pools[poolKey(d.Agent, d.Provider)]; p != nil {
		for _, pr := range p.now.Profiles {
			if pr.ID == d.Profile {
				return pr.Account
			}
		}
	}
	return d.Agent
}

func (w *Watchdog) logPlan(before, p failover.Plan) {
	if p.State == before.State && p.Reason == before.Reason && !p.Change {
		return
	}
	level := zerolog.DebugLevel
	if p.State != before.State {
		level = zerolog.InfoLevel
	}
	w.Log.WithLevel(level).Str("agent", p.Agent).Str("provider", p.Provider).Str("state", string(p.State)).
		Strs("order", p.Order).Msg(p.Reason)
	if p.Adopted {
		w.Log.Info().Str("agent", p.Agent).Str("provider", p.Provider).Strs("order", p.Order).
			Msg("somebody else set the order: it is the preference now")
	}
	if p.Promoted {
		w.Log.Info().Str("agent", p.Agent).Str("provider", p.Provider).Strs("order", p.Order).
			Msg("openclaw put the profile of a fresh login first")
	}
}

func adopted(now time.Time, before, p failover.Plan) journal.Switch {
	reason, by := "set by somebody else", journal.ByOther
	if p.Promoted {
		by = journal.ByOpenClaw
		reason = "OpenClaw put the profile of a fresh login first"
	}
	return journal.Switch{
		At: now, Agent: p.Agent, Provider: p.Provider, From: first(before.Memory.Seen), To: first(p.Memory.Seen),
		Order: p.Memory.Seen, Before: before.Memory.Seen, Reason: reason, Via: "other", By: by,
	}
}
