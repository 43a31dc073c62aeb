package app

import (
	"context"
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"github.com/ocwatch/ocwatch/internal/watch"
	"github.com/ocwatch/ocwatch/profiles"
)

// watch begins to watch OpenClaw's store, before the first round reads it, and
// goes on until ctx ends or done is called, which waits for that.
func (a *App) watch(ctx context.Context) (done func()) {
	ctx, stop := context.WithCancel(ctx)
	w := a.newWatch()
	w.Begin(ctx)
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	return func() {
		stop()
		running.Wait()
	}
}

// newWatch returns what asks for a round as soon as OpenClaw recorded something
// that a round would see: a block, an order, a login.
func (a *App) newWatch() *watch.Watcher {
	return watch.New(watch.Options{
		Dirs: a.install.WatchDirs, Concerns: a.install.Concerns,
		Look: func(ctx context.Context) (uint64, error) { return digest(ctx, a.install.store) },
		Changed: func() {
			a.opts.Log.Debug().Msg("openclaw's store changed: a round follows")
			a.Wake()
		},
		Log: a.opts.Log.With().Str("watched", a.install.StateDir).Logger(),
	})
}

// source reads OpenClaw's auth state.
type source interface {
	Snapshot(ctx context.Context) (profiles.Snapshot, error)
}

// digest is another one when a round would see something else. The databases
// also hold sessions, and each turn served is noted with the profile that served
// it: neither is a reason for a round.
func digest(ctx context.Context, s source) (uint64, error) {
	snap, err := s.Snapshot(ctx)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	h := fnv.New64a()
	note(h, err)
	for _, p := range snap.Problems {
		note(h, p.Agent, p.Reason, p.What)
	}
	for _, p := range snap.Pools {
		note(h, p.Agent, p.Provider, p.Source, p.Order)
		// As they stand, they are sorted by their last use where nobody set an
		// order.
		slices.SortFunc(p.Profiles, func(a, b profiles.Profile) int { return strings.Compare(a.ID, b.ID) })
		for _, pr := range p.Profiles {
			note(h, pr.ID, pr.Account, pr.Type, pr.Status, pr.Reason, pr.Revision, pr.Excluded)
			for _, b := range append(pr.ModelBlocks, pr.Block) {
				note(h, b.Until.UnixMilli(), b.Kind, b.Reason, b.Source, b.Model)
			}
		}
	}
	return h.Sum64(), nil
}

// note adds values to h, each apart from the next.
func note(h hash.Hash, values ...any) {
	for _, v := range values {
		_, _ = fmt.Fprintf(h, "%q;", fmt.Sprint(v)) // a hash takes everything
	}
}
