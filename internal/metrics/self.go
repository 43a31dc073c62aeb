package metrics

import (
	"bytes"
	"time"
)

// writeSelf writes what ocwatch tells of itself and of the messages on their
// way.
func writeSelf(b *bytes.Buffer, snap Snapshot, now time.Time) {
	var p part
	since := snap.Status.At
	if since.IsZero() {
		since = snap.Started
	} else {
		// Nobody asked the gateway before the first round.
		p.family("ocwatch_gateway_up", "1 where the gateway said in the last round that it is live.").
			gauge(truth(snap.Status.Gateway.Healthy))
	}
	p.family("ocwatch_round_age_seconds", "Time since a round of the watchdog last came to a decision; since its start before the first.").
		gauge(age(now, since))
	if snap.Interval > 0 {
		p.family("ocwatch_round_interval_seconds", "Time from that round to the next one that the schedule asks for.").
			gauge(snap.Interval.Seconds())
	}
	p.family("ocwatch_paused", "1 while ocwatch pause is in force: it watches and changes nothing.").gauge(truth(snap.Status.Paused))
	p.family("ocwatch_problems", "Things that keep ocwatch from seeing; ocwatch status names them.").gauge(float64(len(snap.Status.Problems)))
	p.family("ocwatch_warnings", "Things that the owner should mend; ocwatch status names them.").gauge(float64(snap.Warnings))
	p.family("ocwatch_logins_pending", "Logins that wait for their approval.").gauge(float64(snap.Logins))
	p.family("ocwatch_journal_healthy", "1 where the journal can be read and written, 0 where memory and messages may be lost.").gauge(truth(snap.Journal))
	p.family("ocwatch_restart_budget_used", "Restarts of the gateway tried within the time of restart.budget.").gauge(float64(snap.Restarts.Used))
	p.family("ocwatch_restart_budget_limit", "Restarts of the gateway that restart.budget allows within its time.").gauge(float64(snap.Restarts.Limit))
	p.outbox(snap.Outbox, now)
	p.write(b)
}

func (p *part) outbox(queues []Queue, now time.Time) {
	pending := p.family("ocwatch_outbox_pending_messages", "Messages on their way to the endpoint.")
	dead := p.family("ocwatch_outbox_dead_messages", "Messages to the endpoint that were given up in the last 30 days.")
	oldest := p.family("ocwatch_outbox_oldest_age_seconds", "Age of the oldest message on its way to the endpoint, 0 where there is none.")
	delivered := p.family("ocwatch_outbox_delivered_timestamp_seconds", "When a message last reached the endpoint.")
	disabled := p.family("ocwatch_outbox_endpoint_disabled", "1 where the endpoint said that it wants nothing more.")
	for _, q := range queues {
		endpoint := labelled("endpoint", q.Endpoint)
		pending.gauge(float64(q.Pending), endpoint)
		dead.gauge(float64(q.Dead), endpoint)
		oldest.gauge(age(now, q.Oldest), endpoint)
		disabled.gauge(truth(q.Disabled), endpoint)
		delivered.instant(q.LastDelivered, endpoint)
	}
}
