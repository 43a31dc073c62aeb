package login

import (
	"context"
	"errors"
	"testing"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/profiles"
)

// snapshots are what the store shows, one after the other; the last one stays.
type snapshots []profiles.Snapshot

func (s *snapshots) Snapshot(context.Context) (profiles.Snapshot, error) {
	now := (*s)[0]
	if len(*s) > 1 {
		*s = (*s)[1:]
	}
	if len(now.Pools)+len(now.Problems) == 0 {
		return profiles.Snapshot{}, errors.New("read OpenClaw's config: gone")
	}
	return now, nil
}

func pool(agent, provider string, r revisions) profiles.Pool {
	p := profiles.Pool{Agent: agent, Provider: provider}
	for id, revision := range r {
		p.Profiles = append(p.Profiles, profiles.Profile{ID: id, Provider: provider, Revision: revision})
	}
	return p
}

func of(pools ...profiles.Pool) profiles.Snapshot { return profiles.Snapshot{Pools: pools} }

func TestWatchSeesWhichProfileALoginIsAbout(t *testing.T) {
	before := revisions{"openai:alice": 1, "openai:bob": 2}
	failed := &FailedError{What: "the connection to the gateway was lost"}
	for _, tc := range []struct {
		name   string
		wanted string
		after  profiles.Snapshot
		ended  error
		want   Result
		err    error
	}{
		{"a new one", "", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 2, "openai:dave": 3})), nil, Result{"openai:dave", true}, nil},
		{"the same account again", "", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 9})), nil, Result{"openai:bob", false}, nil},
		{"a new one, and another renewed meanwhile", "", of(pool("main", "openai", revisions{"openai:alice": 7, "openai:bob": 2, "openai:dave": 3})), nil, Result{"openai:dave", true}, nil},
		{"two that changed", "", of(pool("main", "openai", revisions{"openai:alice": 7, "openai:bob": 9})), nil, Result{}, nil},
		{"two that changed, one of them asked for", "openai:bob", of(pool("main", "openai", revisions{"openai:alice": 7, "openai:bob": 9})), nil, Result{"openai:bob", false}, nil},
		{"the new id that was asked for", "openai:work", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 2, "openai:dave": 3, "openai:work": 4})), nil, Result{"openai:work", true}, nil},
		{"two new ones", "", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 2, "openai:dave": 3, "openai:work": 4})), nil, Result{}, nil},
		{"nothing to see", "", of(pool("main", "openai", before)), nil, Result{}, nil},
		{"an older release's other provider id", "", of(pool("main", "openai", before), pool("main", "openai-codex", revisions{"openai-codex:dave": 3})), nil, Result{"openai-codex:dave", true}, nil},
		{"another agent's", "", of(pool("main", "openai", before), pool("work", "openai", revisions{"openai:dave": 3})), nil, Result{}, nil},
		{"another provider's", "", of(pool("main", "openai", before), pool("main", "anthropic", revisions{"anthropic:a": 3})), nil, Result{}, nil},
		{"the store is unreadable", "", profiles.Snapshot{}, nil, Result{}, nil},
		{"the agent's store is unreadable", "", profiles.Snapshot{Problems: []profiles.Problem{{Agent: "main", What: "busy", Fix: "wait"}}}, nil, Result{}, nil},
		{"failed, and nothing new", "", of(pool("main", "openai", before)), failed, Result{}, failed},
		{"failed, and one was renewed", "", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 9})), failed, Result{}, failed},
		{"its last word was lost", "", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 2, "openai:dave": 3})), failed, Result{"openai:dave", true}, nil},
		{"cancelled too late", "", of(pool("main", "openai", revisions{"openai:alice": 1, "openai:bob": 2, "openai:dave": 3})), ErrCancelled, Result{"openai:dave", true}, nil},
		{"failed, and the store is unreadable", "", profiles.Snapshot{}, ErrExpired, Result{}, ErrExpired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := &snapshots{of(pool("main", "openai", before)), tc.after}
			w, err := newWatch(t.Context(), store, zerolog.Nop(), Request{Agent: "main", Provider: "openai", Profile: tc.wanted})
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.settle(t.Context(), tc.ended)
			if got != tc.want || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, tc.want, tc.err)
			}
		})
	}
}

func TestWatchNeedsAStoreToCompareWith(t *testing.T) {
	for name, first := range map[string]profiles.Snapshot{
		"unreadable":               {},
		"the agent's is corrupt":   {Problems: []profiles.Problem{{Agent: "main", What: "corrupt"}}},
		"the install's is unknown": {Problems: []profiles.Problem{{What: "unknown schema"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newWatch(t.Context(), &snapshots{first}, zerolog.Nop(), request()); err == nil {
				t.Error("nothing to compare with, and no error")
			}
		})
	}
	other := profiles.Snapshot{Problems: []profiles.Problem{{Agent: "work", What: "corrupt"}}}
	if _, err := newWatch(t.Context(), &snapshots{other}, zerolog.Nop(), request()); err != nil {
		t.Errorf("another agent's store does not matter: %v", err)
	}
}

// Whatever else happens in the store, a login is never put down to a profile
// that did not change.
func TestWatchNamesOnlyWhatChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), rapid.Uint64Range(1, 3))
		before, after := revisions(some.Draw(t, "before")), revisions(some.Draw(t, "after"))
		wanted := rapid.SampledFrom([]string{"", "a", "e"}).Draw(t, "wanted")
		got := compare(before, after, wanted)
		if got.Profile == "" {
			if got.New {
				t.Fatal("no profile, and it is new")
			}
			return
		}
		was, known := before[got.Profile]
		now, there := after[got.Profile]
		if !there || got.New == known || (known && was == now) {
			t.Fatalf("named %+v: before %v, after %v", got, before, after)
		}
	})
}
