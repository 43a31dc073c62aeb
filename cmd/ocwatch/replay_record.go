package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sim"
)

// poolDocs is where the watchdog keeps what it remembers of each pool.
const poolDocs = "pool/"

// recordedPool is one pool as the journal has it.
type recordedPool struct {
	agent, provider string
	record          sim.Record
	left            []string // profiles of which there is nothing to replay
}

// recordedPools reads every pool that has readings since a time.
func recordedPools(ctx context.Context, j *journal.Journal, since time.Time) ([]recordedPool, error) {
	docs, err := j.State(ctx, poolDocs)
	if err != nil {
		return nil, err
	}
	switches, err := j.SwitchesSince(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	var pools []recordedPool
	for _, key := range slices.Sorted(maps.Keys(docs)) {
		var m failover.Memory
		if err := json.Unmarshal(docs[key], &m); err != nil {
			return nil, fmt.Errorf("the journal's %s: %w", key, err)
		}
		agent, provider, _ := strings.Cut(strings.TrimPrefix(key, poolDocs), "/")
		p := recordedPool{agent: agent, provider: provider, record: sim.Record{Provider: quota.Canonical(provider)}}
		if err := p.readAccounts(ctx, j, m, since); err != nil {
			return nil, err
		}
		if p.readTimes(since) {
			p.readOrders(m, switches)
			pools = append(pools, p)
		}
	}
	return pools, nil
}

// readAccounts takes each account once: profiles that bill the same one share
// its quota.
func (p *recordedPool) readAccounts(ctx context.Context, j *journal.Journal, m failover.Memory, since time.Time) error {
	taken := map[string]bool{"": true}
	for _, id := range profilesOf(m) {
		account := m.Profiles[id].Account
		if taken[account] {
			p.left = append(p.left, id)
			continue
		}
		taken[account] = true
		// One from before tells what was left when the record begins.
		readings, err := j.Readings(ctx, account, since.Add(-time.Hour))
		if err != nil {
			return err
		}
		if len(readings) == 0 {
			p.left = append(p.left, id)
			continue
		}
		p.record.Accounts = append(p.record.Accounts, sim.RecordedAccount{
			ID: id, Readings: readings, Paid: m.Profiles[id].Paid,
		})
	}
	return nil
}

// profilesOf lists a pool's profiles, the preferred ones first.
func profilesOf(m failover.Memory) []string {
	var ids []string
	for _, id := range slices.Concat(m.Preferred, m.Seen, slices.Sorted(maps.Keys(m.Profiles))) {
		if _, there := m.Profiles[id]; there && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// readTimes narrows the record to where there are readings, and reports
// whether there is anything to play.
func (p *recordedPool) readTimes(since time.Time) bool {
	r := &p.record
	for _, a := range r.Accounts {
		first, last := a.Readings[0].At, a.Readings[len(a.Readings)-1].At
		if r.From.IsZero() || first.Before(r.From) {
			r.From = first
		}
		if last.After(r.To) {
			r.To = last
		}
	}
	if r.From.Before(since) {
		r.From = since
	}
	r.From = r.From.Truncate(time.Minute)
	return r.To.Sub(r.From) >= time.Minute
}

// readOrders finds who was first when. What was before the first switch that
// is known, that switch tells.
func (p *recordedPool) readOrders(m failover.Memory, switches []journal.Switch) {
	r := &p.record
	order := m.Seen
	r.First = []sim.Stretch{{At: r.From}}
	known := false
	for _, s := range switches {
		switch {
		case s.Agent != p.agent || s.Provider != p.provider:
		case !s.At.After(r.From):
			order, known = s.Order, true
		default:
			if !known && len(r.First) == 1 {
				order = append([]string{s.From}, s.Before...)
			}
			r.First = append(r.First, sim.Stretch{At: s.At, ID: s.To})
		}
	}
	for _, id := range slices.Concat(order, p.ids()) {
		if slices.Contains(p.ids(), id) && !slices.Contains(r.Order, id) {
			r.Order = append(r.Order, id)
		}
	}
	r.First[0].ID = r.Order[0]
}

func (p *recordedPool) ids() []string {
	ids := make([]string, len(p.record.Accounts))
	for i, a := range p.record.Accounts {
		ids[i] = a.ID
	}
	return ids
}
