package watchdog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// Where alarms are journalled: one that was raised is raised once, and its end
// is told, whatever becomes of ocwatch in between.
const (
	downKey   = "alarm/gateway"
	unreadKey = "alarm/unreadable"
)

// alarm is one that somebody was told of.
type alarm struct {
	Since time.Time `json:"since"`
}

// lasted is how long a lasted by now, in words.
func (a *alarm) lasted(now time.Time) string {
	switch d := now.Sub(a.Since); {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
}

// raise notes an alarm, unless it is raised already.
func (w *Watchdog) raise(rd *journal.Round, key string, a **alarm) {
	if *a == nil {
		*a = &alarm{Since: rd.At}
	}
	w.remember(rd, key, *a)
}

// lower notes that an alarm is over.
func (w *Watchdog) lower(rd *journal.Round, key string, a **alarm) {
	*a = nil
	w.forget(rd, key)
}

// unreadWatch counts the rounds in a row in which OpenClaw's state could not be
// read.
type unreadWatch struct {
	rounds int
	alarm  *alarm
}

// blindFall is how many rounds OpenClaw's state must be unreadable to be told
// of: an update replaces files under a running gateway.
const blindFall = 3

// tellUnreadable says once that ocwatch watches nothing. ctx may be over: then
// it is not OpenClaw that could not be read. News of logins that need nothing
// of OpenClaw's state are told all the same: a code does not wait.
func (w *Watchdog) tellUnreadable(ctx context.Context, news []loginNews) {
	if ctx.Err() != nil {
		return
	}
	rd := journal.Round{At: time.Now().UTC(), State: map[string]json.RawMessage{}}
	w.tellLoginNews(&rd, news)
	if w.unread.rounds++; w.unread.rounds >= blindFall && w.unread.alarm == nil {
		w.raise(&rd, unreadKey, &w.unread.alarm)
		recordUnreadable(&rd, rd.At, time.Time{}, "OpenClaw's state cannot be read: "+w.snapErr)
		w.route(&rd, map[string]bool{}, event.Event{
			Type: event.WatchdogBlind, Timestamp: rd.At,
			Data: event.Data{Reason: "OpenClaw's state cannot be read: " + w.snapErr},
		})
	}
	if len(rd.Messages) > 0 || len(rd.State) > 0 || len(rd.Logins) > 0 {
		w.commit(ctx, rd)
	}
}

// tellReadable says that ocwatch sees again, to whom it said that it did not.
func (w *Watchdog) tellReadable(rd *journal.Round) {
	if w.unread.alarm == nil {
		return
	}
	w.route(rd, map[string]bool{}, event.Event{Type: event.WatchdogStarted, Timestamp: rd.At, Data: event.Data{
		Ends: event.WatchdogBlind, Reason: "OpenClaw's state can be read again, after " + w.unread.alarm.lasted(rd.At),
	}})
	recordUnreadable(rd, w.unread.alarm.Since, rd.At, "")
	w.lower(rd, unreadKey, &w.unread.alarm)
}

// gatewayWatch counts rounds in which the gateway did not answer.
type gatewayWatch struct {
	down  int
	since time.Time // the first of them
	alarm *alarm
	live  bool
	// version is empty while the gateway was never reached.
	version string
}

// gatewayFall is how many rounds the gateway must be down to be told of: its
// own restart takes half a minute.
const gatewayFall = 3

func (w *Watchdog) watchGateway(ctx context.Context, rd *journal.Round) {
	h := w.Gateway.Health(ctx)
	g := &w.gateway
	g.live = h.Live
	if h.Live {
		g.down = 0
		g.version = w.Gateway.Version(ctx)
		w.tellUp(rd)
		return
	}
	if g.down++; g.down == 1 {
		g.since = rd.At
	}
	if g.down >= gatewayFall && g.alarm == nil && !w.restarts.underWay() {
		g.alarm = &alarm{Since: g.since}
		w.gatewayDown(rd, "it is down ("+cmp.Or(h.Detail, "no answer from /healthz")+")")
	}
}

// tellUp says that the gateway is well again. One that answers and still needs
// a restart is not: the restart that works tells it.
func (w *Watchdog) tellUp(rd *journal.Round) {
	g := &w.gateway
	if g.alarm == nil || w.restarts.underWay() || w.restarts.pending != nil && w.restarts.pending.Told {
		return
	}
	w.route(rd, map[string]bool{}, event.Event{Type: event.GatewayRestarted, Timestamp: rd.At, Data: event.Data{
		Ends: event.GatewayDown, Reason: "it answers again, after " + g.alarm.lasted(rd.At),
	}})
	w.lower(rd, downKey, &g.alarm)
}

func (w *Watchdog) gatewayDown(rd *journal.Round, why string) {
	w.raise(rd, downKey, &w.gateway.alarm)
	w.alert(rd, why)
}

// alert asks somebody to look at the gateway.
func (w *Watchdog) alert(rd *journal.Round, why string) {
	w.route(rd, map[string]bool{}, event.Event{Type: event.GatewayDown, Timestamp: rd.At, Data: event.Data{Reason: why}})
}
