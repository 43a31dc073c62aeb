package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/profiles"
)

// load brings back what an earlier run remembered. A document that cannot be
// read is left out: its pool or account starts anew.
func (w *Watchdog) load(ctx context.Context) error {
	docs, err := w.Journal.State(ctx, "")
	if err != nil {
		return fmt.Errorf("load memory: %w", err)
	}
	cfg := w.config()
	var bad []error
	for key, doc := range docs {
		if err := w.loadOne(key, doc, cfg); err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", key, err))
			continue
		}
		w.saved[key] = string(doc)
	}
	return errors.Join(bad...)
}

func (w *Watchdog) loadOne(key string, doc []byte, cfg Config) error {
	switch {
	case strings.HasPrefix(key, poolPrefix):
		var m failover.Memory
		if err := json.Unmarshal(doc, &m); err != nil {
			return err
		}
		w.pool(key).plan.Memory = m
	case strings.HasPrefix(key, landedPrefix):
		var in failover.Intent
		if err := json.Unmarshal(doc, &in); err != nil {
			return err
		}
		w.pool(poolPrefix + strings.TrimPrefix(key, landedPrefix)).landed = &in
	case strings.HasPrefix(key, pinPrefix):
		var pin failover.Pin
		if err := json.Unmarshal(doc, &pin); err != nil {
			return err
		}
		w.pool(poolPrefix + strings.TrimPrefix(key, pinPrefix)).plan.Pin = pin
	case strings.HasPrefix(key, toldPrefix):
		var t forecast.Told
		if err := json.Unmarshal(doc, &t); err != nil {
			return err
		}
		w.pool(poolPrefix + strings.TrimPrefix(key, toldPrefix)).told = t
	case key == pauseKey:
		var pause Pause
		if err := json.Unmarshal(doc, &pause); err != nil {
			return err
		}
		w.paused = &pause
	case strings.HasPrefix(key, asksPrefix):
		var asks []ask
		if err := json.Unmarshal(doc, &asks); err != nil {
			return err
		}
		w.pool(poolPrefix + strings.TrimPrefix(key, asksPrefix)).asks = asks
	case strings.HasPrefix(key, startedPrefix):
		var m startedMark
		if err := json.Unmarshal(doc, &m); err != nil {
			return err
		}
		w.hear(loginNews{agent: m.Agent, provider: m.Provider, err: errStopped})
	case key == downKey:
		var at alarm
		if err := json.Unmarshal(doc, &at); err != nil {
			return err
		}
		w.gateway.alarm = &at
	case key == unreadKey:
		var at alarm
		if err := json.Unmarshal(doc, &at); err != nil {
			return err
		}
		w.unread.alarm = &at
	case strings.HasPrefix(key, "account/"):
		var d accountDoc
		if err := json.Unmarshal(doc, &d); err != nil {
			return err
		}
		w.accounts[strings.TrimPrefix(key, "account/")] = &account{
			breaker: failover.NewBreaker(key, d.Breaker, cfg.Breaker),
			latest:  d.Latest, usage: d.Usage, next: d.Next,
			onPlan: d.OnPlan, live: d.Live,
		}
	case key == restartKey:
		var p wanted
		if err := json.Unmarshal(doc, &p); err != nil {
			return err
		}
		w.restarts.pending = &p
	}
	return nil
}

func (w *Watchdog) pool(key string) *pool {
	p, ok := w.pools[key]
	if !ok {
		p = &pool{}
		w.pools[key] = p
	}
	return p
}

// remember adds v to the round where it differs from what is on disk.
func (w *Watchdog) remember(rd *journal.Round, key string, v any) {
	doc, err := json.Marshal(v)
	if err != nil {
		w.Log.Error().Err(err).Str("key", key).Msg("memory cannot be encoded")
		return
	}
	if w.saved[key] != string(doc) {
		rd.State[key] = doc
	}
}

func (w *Watchdog) forget(rd *journal.Round, key string) {
	if _, ok := w.saved[key]; ok {
		rd.State[key] = nil
	}
}

// rememberAccounts keeps every account of the snapshot and drops the others.
func (w *Watchdog) rememberAccounts(rd *journal.Round, snap profiles.Snapshot) {
	live := map[string]bool{}
	for _, pl := range snap.Pools {
		for _, p := range pl.Profiles {
			live[p.Account] = true
		}
	}
	for key, a := range w.accounts {
		a.listed = live[key]
		switch {
		case a.listed:
			w.remember(rd, "account/"+key, a.doc())
		case len(snap.Problems) == 0:
			delete(w.accounts, key)
			w.forget(rd, "account/"+key)
		}
	}
}

// owedMost bounds what is kept for a journal that cannot be written.
const owedMost = 1000

// owe takes rd over for the next commit. A round that could not be journalled
// is not told to anybody yet, while the memory has it as told.
func (w *Watchdog) owe(rd journal.Round) {
	o := &w.owed
	o.At = rd.At
	if o.State == nil {
		o.State = map[string]json.RawMessage{}
	}
	for key, doc := range rd.State {
		o.State[key] = doc
		if doc == nil {
			delete(w.saved, key)
		} else {
			w.saved[key] = string(doc)
		}
	}
	o.Readings = rd.Readings // a gap in the graphs is no loss
	o.Switches = newest(append(o.Switches, rd.Switches...))
	o.Restarts = newest(append(o.Restarts, rd.Restarts...))
	o.Logins = newest(append(o.Logins, rd.Logins...))
	o.Episodes = newest(append(o.Episodes, rd.Episodes...))
	o.Messages = newest(append(o.Messages, rd.Messages...))
}

func newest[T any](list []T) []T { return list[max(0, len(list)-owedMost):] }

// commit writes the round, and what earlier ones could not write. A journal
// that fails is said and never in the way: failing over matters more than
// remembering.
func (w *Watchdog) commit(ctx context.Context, rd journal.Round) {
	w.owe(rd)
	if err := w.Journal.Commit(ctx, w.owed); err != nil {
		level := zerolog.ErrorLevel
		if ctx.Err() != nil {
			level = zerolog.DebugLevel // ocwatch stops; the next start decides anew
		}
		w.Log.WithLevel(level).Err(err).Msg("the round could not be journalled: going on without")
		return
	}
	told := len(w.owed.Messages) > 0
	w.owed = journal.Round{}
	if told {
		w.Notifier.Wake()
	}
}

// announce tells of the watchdog itself.
func (w *Watchdog) announce(ctx context.Context, t event.Type, reason string) {
	w.round.Lock()
	defer w.round.Unlock()
	now := time.Now().UTC()
	rd := journal.Round{At: now}
	w.route(&rd, map[string]bool{}, event.Event{Type: t, Timestamp: now, Data: event.Data{Reason: reason}})
	w.commit(ctx, rd)
}
