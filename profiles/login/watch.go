package login

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// Store shows OpenClaw's profiles; *profiles.Store is one.
type Store interface {
	Snapshot(ctx context.Context) (profiles.Snapshot, error)
}

// watch finds out which profile a login gave a new credential, from OpenClaw's
// store before and after: neither the gateway nor the command says it in a way
// that all releases share.
type watch struct {
	store   Store
	request Request
	before  revisions
	log     zerolog.Logger
}

// revisions are the profiles that a login may be about, by id.
type revisions map[string]uint64

// newWatch remembers the store as it is before the login.
func newWatch(ctx context.Context, store Store, log zerolog.Logger, r Request) (watch, error) {
	before, err := readRevisions(ctx, store, r)
	return watch{store: store, request: r, before: before, log: log}, err
}

// settle says what a login that ended with err came to. One whose end was not
// seen, or that was cancelled too late, has succeeded all the same where the
// store has a profile more. Another credential is no such proof: OpenClaw may
// have renewed it.
func (w watch) settle(ctx context.Context, err error) (Result, error) {
	after, readErr := readRevisions(ctx, w.store, w.request)
	if readErr != nil {
		w.log.Warn().Err(readErr).Str("agent", w.request.Agent).Str("provider", w.request.Provider).
			Msg("a login ended, and openclaw's store cannot be read to see which profile it is about")
		return Result{}, err
	}
	found := compare(w.before, after, w.request.Profile)
	if err != nil && !found.New {
		return Result{}, err
	}
	return found, nil
}

// readRevisions reads the profiles of the request's agent and provider. An older
// release has two ids for OpenAI, and a login may use either.
func readRevisions(ctx context.Context, store Store, r Request) (revisions, error) {
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range snap.Problems {
		if p.Agent == "" || p.Agent == r.Agent {
			return nil, fmt.Errorf("read the auth profiles of agent %s: %s; %s", r.Agent, p.What, p.Fix)
		}
	}
	found := revisions{}
	for _, pool := range snap.Pools {
		if pool.Agent != r.Agent || quota.Canonical(pool.Provider) != quota.Canonical(r.Provider) {
			continue
		}
		for _, p := range pool.Profiles {
			found[p.ID] = p.Revision
		}
	}
	return found, nil
}

// compare picks the profile that a login is about: the one that was asked for,
// else the only new one, else the only one with another credential. OpenClaw
// may renew the tokens of another profile meanwhile, so that several changes
// are no answer.
func compare(before, after revisions, wanted string) Result {
	var added, changed []string
	for id, now := range after {
		was, known := before[id]
		switch {
		case known && was == now:
		case id == wanted:
			return Result{Profile: id, New: !known}
		case known:
			changed = append(changed, id)
		default:
			added = append(added, id)
		}
	}
	switch {
	case len(added) == 1:
		return Result{Profile: added[0], New: true}
	case len(added) == 0 && len(changed) == 1:
		return Result{Profile: changed[0]}
	default:
		return Result{}
	}
}
