package watchdog

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// liveWatch is what is kept of an account that the owner lets ocwatch ask with
// real requests. The exported half is journalled.
type liveWatch struct {
	// Unsupported: the free question was answered that it never will be. Nothing
	// else is asked before.
	Unsupported bool `json:"unsupported,omitempty"`
	// Asked is when the last real request was made, Count how many were since
	// Since, and Last what it said.
	Asked time.Time     `json:"asked,omitzero"`
	Count int           `json:"count,omitempty"`
	Since time.Time     `json:"since,omitzero"`
	Last  quota.Reading `json:"last,omitzero"`

	blocks map[string]time.Time // OpenClaw's rate-limit blocks as last seen, by profile
	struck time.Time            // when a new one was seen: a request was made then
	used   time.Time            // when OpenClaw last used the account
	wait   probe.LiveDecision   // as last decided
}

// liveAsks returns the real requests that may be made now, by account. cfg.Live
// names the profiles; without it nothing here does anything.
func (w *Watchdog) liveAsks(now time.Time, cfg Config, snap profiles.Snapshot) map[string]probe.Account {
	asks := map[string]probe.Account{}
	for _, a := range w.accounts {
		if a.live != nil {
			a.live.wait = probe.LiveDecision{} // one that is no longer allowed waits for nothing
		}
	}
	for _, pl := range snap.Pools {
		for _, p := range pl.Profiles {
			if !cfg.mayAskLive(p) || p.Status != profiles.Usable {
				continue
			}
			if _, known := asks[p.Account]; !known {
				asks[p.Account] = w.inquiry(pl.Agent, p)
			}
		}
	}
	for key, ask := range asks {
		a := w.account(key, cfg)
		a.watchLive(now, snap, key)
		if a.live.wait = a.liveState().Decide(now); !a.live.wait.May() {
			delete(asks, key)
			continue
		}
		ask.Live = true
		asks[key] = ask
	}
	return asks
}

func (c Config) mayAskLive(p profiles.Profile) bool {
	return slices.Contains(c.Live, p.ID) && probe.HasLive(p.Provider, string(p.Type))
}

// watchLive notes what the snapshot tells of the account's use. A block for a
// rate limit is the word of a request just refused; one that was there when
// ocwatch first looked may be hours old, and tells nothing.
func (a *account) watchLive(now time.Time, snap profiles.Snapshot, key string) {
	if a.live == nil {
		a.live = &liveWatch{Unsupported: a.latest.Verdict == quota.Unsupported}
	}
	l := a.live
	if l.Asked.After(now) {
		l.Asked = now // the clock was set back: it counts as made just now
	}
	blocks := map[string]time.Time{}
	l.used = time.Time{}
	for _, pl := range snap.Pools {
		for _, p := range pl.Profiles {
			if p.Account != key {
				continue
			}
			l.used = newer(l.used, p.LastUsed)
			for _, b := range append([]profiles.Block{p.Block}, p.ModelBlocks...) {
				id := fmt.Sprint(pl.Agent, " ", p.ID, " ", b.Model)
				if !b.Active(now) || b.Reason != "rate_limit" && b.Reason != "subscription_limit" {
					continue
				}
				blocks[id] = b.Until
				if l.blocks != nil && b.Until.After(l.blocks[id]) {
					l.struck = now
				}
			}
		}
	}
	l.blocks = blocks
}

// liveState is what the decision goes by.
func (a *account) liveState() probe.LiveState {
	return probe.LiveState{
		Unsupported: a.live.Unsupported, Asked: a.live.Asked, Last: a.live.Last,
		Reset: newer(probe.LiveReset(a.live.Last), probe.LiveReset(a.usage)), Used: newer(a.live.used, a.live.struck),
	}
}

func newer(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// pledge journals that real requests are about to be made, so that a crash in
// between cannot make a second one within the half hour. Those that cannot be
// journalled are not made. It returns what is left to be asked.
func (w *Watchdog) pledge(ctx context.Context, now time.Time, qs []question) []question {
	rd := journal.Round{At: now, State: map[string]json.RawMessage{}}
	before := map[string]liveWatch{}
	for _, q := range qs {
		if l := q.account.live; q.ask.Live {
			before[q.ask.Key] = *l
			l.Asked, l.Count = now.Round(0), l.Count+1
			if l.Since.IsZero() {
				l.Since = l.Asked
			}
			w.remember(&rd, "account/"+q.ask.Key, q.account.doc())
		}
	}
	if len(before) == 0 {
		return qs
	}
	if err := w.Journal.Commit(ctx, rd); err != nil {
		w.Log.Error().Err(err).Msg("a real request could not be journalled: it is not made")
		return slices.DeleteFunc(qs, func(q question) bool {
			if q.ask.Live {
				*q.account.live = before[q.ask.Key]
				q.done(quota.Reading{Verdict: quota.Unknown})
			}
			return q.ask.Live
		})
	}
	for key, doc := range rd.State {
		w.saved[key] = string(doc)
		delete(w.owed.State, key) // which is older
	}
	for _, q := range qs {
		if q.ask.Live {
			w.Log.Info().Str("provider", q.ask.Provider).Str("account", q.ask.Key).Int("count", q.account.live.Count).
				Msg("asking with a real request of 1 token (probe.live)")
		}
	}
	return qs
}

// turn notes an answer and says when the free question is due again. The answer
// that usage cannot be read takes nothing back of what a real request said.
func (a *account) turn(ask probe.Account, r quota.Reading, cfg Config) {
	if ask.Live {
		a.live.Last = r
		return
	}
	a.next = cfg.Next(r.At, ask, r, rand.Float64())
	switch {
	case a.live == nil:
	case r.Verdict == quota.Unsupported:
		a.live.Unsupported = true
		if !a.live.Last.At.IsZero() {
			a.latest = a.live.Last
		}
	case r.Verdict.Conclusive():
		a.live.Unsupported = false
	}
}

// liveNext is when a real request may be due without anything being seen of
// OpenClaw, zero where that is not known.
func (a *account) liveNext() time.Time {
	if a.live == nil {
		return time.Time{}
	}
	return a.live.wait.At
}

// LiveStatus is what real requests cost so far.
type LiveStatus struct {
	// Every is the least time between two, in seconds.
	Every int `json:"every_seconds"`
	// Count is how many were made since Since, which is null where none was.
	Count   int        `json:"count"`
	Since   *time.Time `json:"since"`
	AskedAt *time.Time `json:"asked_at"`
	// Waits is why none is made now, "" where one is due.
	Waits probe.LiveWait `json:"waits"`
	Next  *time.Time     `json:"next"`
}

// liveStatus is null for a profile that is not asked with real requests.
func (w *Watchdog) liveStatus(p profiles.Profile) *LiveStatus {
	a := w.accounts[p.Account]
	if a == nil || a.live == nil || !w.config().mayAskLive(p) {
		return nil
	}
	l := a.live
	s := &LiveStatus{
		Every: int(probe.LiveEvery / time.Second), Count: l.Count, Since: timePtr(l.Since), AskedAt: timePtr(l.Asked),
	}
	d := a.liveState().Decide(time.Now())
	s.Waits, s.Next = d.Wait, timePtr(d.At)
	return s
}
