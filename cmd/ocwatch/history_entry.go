package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// The kinds of entries.
const (
	kindSwitch  = "switch"
	kindRestart = "restart"
	kindLogin   = "login"
	kindEpisode = "episode"
)

func historyKinds() []string { return []string{kindSwitch, kindRestart, kindLogin, kindEpisode} }

// history is the document of history --json. Its JSON is a contract, see
// docs/history.md.
type history struct {
	Version string         `json:"version"`
	At      time.Time      `json:"at"`
	Since   time.Time      `json:"since,omitzero"`
	Entries []historyEntry `json:"entries"`
}

// historyEntry is one thing that happened. Kind says which fields it has.
type historyEntry struct {
	Kind     string    `json:"kind"`
	At       time.Time `json:"at"`
	Agent    string    `json:"agent,omitempty"`
	Provider string    `json:"provider,omitempty"`
	Reason   string    `json:"reason"`

	// Of a switch.
	By     string   `json:"by,omitempty"`
	From   string   `json:"from,omitempty"`
	To     string   `json:"to,omitempty"`
	Order  []string `json:"order,omitempty"`
	Before []string `json:"before,omitempty"`

	// Of a switch, a restart or a login.
	Via string `json:"via,omitempty"`
	// Of a switch or a restart.
	TookMS *int64 `json:"took_ms,omitempty"`

	// Of a restart.
	OK    *bool  `json:"ok,omitempty"`
	Error string `json:"error,omitempty"`

	// Of a login.
	Profile string `json:"profile,omitempty"`
	Outcome string `json:"outcome,omitempty"`

	// Of an episode. Until is nil while it goes on, and where its end was not
	// seen.
	Episode string     `json:"episode,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
	Seconds *int64     `json:"seconds,omitempty"`
	Ongoing bool       `json:"ongoing,omitempty"`
}

func sameProvider(a, b string) bool { return quota.Canonical(a) == quota.Canonical(b) }

// collect reads what f asks for, oldest first.
func collect(ctx context.Context, j *journal.Journal, f historyFilter) ([]historyEntry, error) {
	list := []historyEntry{}
	for kind, read := range map[string]func(context.Context, *journal.Journal, time.Time) ([]historyEntry, error){
		kindSwitch: switches, kindRestart: restarts, kindLogin: logins, kindEpisode: episodes,
	} {
		if !f.wants(kind) {
			continue
		}
		entries, err := read(ctx, j, f.since)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if f.concerns(e.Agent, e.Provider) {
				list = append(list, e)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b historyEntry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind))
	})
	if f.newest > 0 {
		list = list[max(0, len(list)-f.newest):]
	}
	return list, nil
}

func switches(ctx context.Context, j *journal.Journal, since time.Time) (list []historyEntry, err error) {
	all, err := j.SwitchesSince(ctx, since)
	for _, s := range all {
		list = append(list, historyEntry{
			Kind: kindSwitch, At: s.At, Agent: s.Agent, Provider: s.Provider, Reason: s.Reason, By: s.By,
			From: s.From, To: s.To, Order: s.Order, Before: s.Before, Via: s.Via, TookMS: new(s.Took.Milliseconds()),
		})
	}
	return list, err
}

func restarts(ctx context.Context, j *journal.Journal, since time.Time) (list []historyEntry, err error) {
	all, err := j.Restarts(ctx, since)
	for _, r := range all {
		list = append(list, historyEntry{
			Kind: kindRestart, At: r.At, Reason: r.Reason, Via: r.Via, OK: new(r.OK), Error: r.Err, TookMS: new(r.Took.Milliseconds()),
		})
	}
	return list, err
}

func logins(ctx context.Context, j *journal.Journal, since time.Time) (list []historyEntry, err error) {
	all, err := j.Logins(ctx, since)
	for _, l := range all {
		list = append(list, historyEntry{
			Kind: kindLogin, At: l.At, Agent: l.Agent, Provider: l.Provider, Reason: l.Reason, Via: l.Via,
			Profile: l.Profile, Outcome: string(l.Outcome),
		})
	}
	return list, err
}

func episodes(ctx context.Context, j *journal.Journal, since time.Time) (list []historyEntry, err error) {
	all, err := j.Episodes(ctx, since)
	for _, e := range all {
		h := historyEntry{Kind: kindEpisode, At: e.Since, Agent: e.Agent, Provider: e.Provider, Reason: e.Reason, Episode: string(e.Kind)}
		switch {
		case !e.Until.IsZero():
			h.Until, h.Seconds = &e.Until, new(int64(max(0, e.Until.Sub(e.Since)).Seconds()))
		default:
			h.Ongoing = !e.Lost
		}
		list = append(list, h)
	}
	return list, err
}
