package failover

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
)

const allSpent = "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:login"

func loginCases(abc []string) []decideCase {
	depleted := step{reads: reads{"alice": spent(5 * time.Hour), "bob": spent(6 * time.Hour), "carol": spent(7 * time.Hour)}, change: "no", state: PoolDepleted, events: allSpent}
	healthy := step{reads: reads{"alice": used(10), "bob": used(20), "carol": used(30)}, change: "no"}
	named := func(id, account string) func(*world) {
		return func(w *world) { w.login(id, account); w.pool.LoggedIn = []string{id} }
	}
	plus := used(3)
	plus.Plan = "plus"
	return []decideCase{
		{"a login ends the depletion", abc, nil, []step{
			depleted,
			{
				after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": plus}, change: "no", order: "dave alice bob carol", state: PoolWarning,
				events: "login.completed:dave pool.recovered", says: "plan plus; 5h window 3 % used",
			},
			{after: minute, change: "no", order: "dave alice bob carol"},
			{after: 5 * time.Hour, reads: reads{"alice": used(1), "dave": used(4)}, change: "no", order: "dave alice bob carol", events: "profile.recovered:alice"},
		}},
		{"a login by hand is told too", abc, nil, []step{
			depleted,
			{after: minute, do: func(w *world) { w.login("dave", "acct-dave") }, reads: reads{"dave": plus}, change: "no", events: "login.completed:dave pool.recovered"},
		}},
		{"a login that is seen first and heard of later is one", abc, nil, []step{
			depleted,
			{after: minute, do: func(w *world) { w.login("dave", "acct-dave") }, reads: reads{"dave": plus}, change: "no", events: "login.completed:dave pool.recovered"},
			{after: minute, do: func(w *world) { w.pool.LoggedIn = []string{"dave"} }, reads: reads{"dave": plus}, change: "no"},
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": plus}, change: "no", events: "login.completed:dave"},
		}},
		{"a login waits for its probe, and not for ever", abc, nil, []step{
			depleted,
			{after: minute, do: named("dave", "acct-dave"), change: "no", state: PoolUnknown},
			{after: minute, reads: reads{"dave": says(quota.Throttled)}, change: "no"},
			{after: minute, reads: reads{"dave": says(quota.Throttled)}, change: "no", events: "login.completed:dave", says: "throttled"},
			{after: minute, reads: reads{"dave": used(1)}, change: "no", events: "pool.recovered"},
		}},
		{"a login whose quota cannot be read is done", abc, nil, []step{
			depleted,
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": says(quota.Unsupported)}, events: "login.completed:dave pool.recovered", says: "usage cannot be read"},
		}},
		{"a login of a new account that is spent too", abc, nil, []step{
			depleted,
			{
				after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": spent(8 * time.Hour)}, change: "no", state: PoolDepleted,
				events: "login.completed:dave profile.exhausted:dave", says: "its quota is spent too (5h window 100 % used)",
			},
			{after: 5 * minute, change: "yes", order: "alice bob carol dave", events: "pool.switched"},
		}},
		{"the same spent account again", abc, nil, []step{
			depleted,
			{after: minute, do: named("carol", "acct-carol"), reads: reads{"carol": spent(7 * time.Hour)}, events: "login.failed:carol:login", says: "it is the account that is spent already (5h window 100 % used); the browser was still logged in as it"},
			{after: 5 * minute, change: "yes", order: "alice bob carol", events: "pool.switched"},
			{after: minute, do: named("carol", "acct-carol"), reads: reads{"carol": spent(7 * time.Hour)}, events: "login.failed:carol:login"},
			{after: minute, do: named("carol", "acct-carol"), reads: reads{"carol": spent(7 * time.Hour)}, events: "login.failed:carol:login"},
			{after: minute, do: named("carol", "acct-carol"), reads: reads{"carol": spent(7 * time.Hour)}, events: "login.failed:carol"},
		}},
		{"the same spent account under another name", abc, nil, []step{
			depleted,
			{after: minute, do: func(w *world) { w.login("alice2", "acct-alice") }, reads: reads{"alice": spent(5 * time.Hour), "alice2": spent(5 * time.Hour)}, state: PoolDepleted, events: "login.failed:alice2:login profile.exhausted:alice2", says: "it is the account of alice, which is spent already"},
		}},
		{"a spent account again while others serve asks for nothing", abc, nil, []step{
			{reads: reads{"alice": used(1), "bob": spent(6 * time.Hour), "carol": used(3)}, change: "yes", events: "profile.exhausted:bob"},
			{after: minute, do: named("bob", "acct-bob"), reads: reads{"bob": spent(6 * time.Hour)}, change: "yes", order: "alice carol bob", events: "login.failed:bob pool.switched"},
		}},
		{"a dead login renewed, and its quota is spent", abc, nil, []step{
			{reads: reads{"alice": says(quota.Revoked), "bob": used(20), "carol": used(30)}, change: "yes", events: "profile.login_required:alice pool.switched"},
			{after: minute, do: named("alice", "acct-alice"), reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "bob carol alice", events: "login.completed:alice profile.exhausted:alice pool.switched", says: "its quota is spent too"},
		}},
		{"a dead login renewed keeps its place", abc, nil, []step{
			{reads: reads{"alice": used(10), "bob": says(quota.Revoked), "carol": used(30)}, change: "yes", order: "alice carol bob", events: "profile.login_required:bob"},
			{after: minute, do: named("bob", "acct-bob"), reads: reads{"bob": used(1)}, change: "no", order: "bob alice carol", events: "login.completed:bob profile.recovered:bob"},
			{after: 5 * minute, change: "yes", order: "alice bob carol", reason: "alice is available and preferred", events: "pool.switched"},
		}},
		{"a login that the provider refuses", abc, nil, []step{
			depleted,
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": says(quota.Revoked)}, events: "login.failed:dave:login profile.login_required:dave", says: "the provider refuses the new login (revoked)"},
		}},
		{"another account under the same name", abc, nil, []step{
			depleted,
			{after: minute, do: func(w *world) { w.login("alice", "acct-dave") }, reads: reads{"alice": used(1)}, events: "login.completed:alice profile.recovered:alice pool.recovered"},
		}},
		{"a second profile of a living account", abc, nil, []step{
			healthy,
			{after: minute, do: func(w *world) { w.login("alice2", "acct-alice") }, reads: reads{"alice": used(10), "alice2": used(10)}, events: "login.completed:alice2", says: "it bills the same account as alice, so the two have one quota"},
		}},
		{"a profile with a new name is no login", abc, nil, []step{
			healthy,
			{after: minute, do: func(w *world) {
				w.at("alice").ID = "alice@example.com"
				w.pool.Order[0] = "alice@example.com"
			}},
		}},
		{"what hides its account for a while is no login", abc, nil, []step{
			healthy,
			{after: minute, do: func(w *world) { w.at("alice").Account, w.at("alice").Credential = "by-name", CredentialUnreadable }, change: "no"},
			{after: minute, do: func(w *world) { w.at("alice").Account, w.at("alice").Credential = "acct-alice", CredentialUsable }, change: "no"},
		}},
		{"what hid its account when it was first seen is no login", abc, func(w *world) {
			w.at("alice").Account, w.at("alice").Credential = "by-name", CredentialUnreadable
		}, []step{
			{reads: reads{"bob": used(20), "carol": used(30)}, change: "no"},
			{after: minute, do: func(w *world) { w.at("alice").Account, w.at("alice").Credential = "acct-alice", CredentialUsable }, reads: reads{"alice": used(10)}, change: "no"},
		}},
		{"what was there first is no login", nil, func(w *world) { w.login("alice", "acct-alice") }, []step{{reads: reads{"alice": used(1)}, change: "no"}}},
		{"a journal of before knows no accounts", abc, nil, []step{
			healthy,
			{after: minute, do: func(w *world) {
				for id, pm := range w.pool.Memory.Profiles {
					pm.Account = ""
					w.pool.Memory.Profiles[id] = pm
				}
			}, change: "no"},
			{after: minute, do: func(w *world) { w.login("dave", "acct-dave") }, reads: reads{"dave": used(1)}, change: "no", events: "login.completed:dave"},
		}},
		{"the first login of all is told where it is named", nil, nil, []step{
			{do: func(w *world) { w.pool.Memory = Memory{}; named("dave", "acct-dave")(w) }, reads: reads{"dave": used(1)}, change: "no", events: "login.completed:dave"},
		}},
		{"the configured preference wins over a login, later", abc, func(w *world) { w.policy.Prefer = []string{"alice"} }, []step{
			depleted,
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": used(1)}, change: "no", order: "dave alice bob carol", events: "login.completed:dave pool.recovered"},
			{after: 5 * time.Hour, reads: reads{"alice": used(1)}, change: "yes", order: "alice dave bob carol", events: "profile.recovered:alice pool.switched"},
		}},
		{"OpenClaw puts a login first a round later", abc, func(w *world) { w.policy.Prefer = []string{"alice"} }, []step{
			healthy,
			{after: minute, do: func(w *world) { w.login("dave", "acct-dave"); w.pool.Order = abc }, reads: reads{"dave": used(1)}, change: "no", events: "login.completed:dave"},
			{after: minute, do: func(w *world) { w.pool.Order = []string{"dave", "alice", "bob", "carol"} }, change: "no"},
			{after: 5 * minute, change: "yes", order: "alice dave bob carol", events: "pool.switched"},
		}},
		{"a person's order goes before a login's", abc, func(w *world) { w.policy.Prefer = []string{"alice"} }, []step{
			healthy,
			{after: minute, do: func(w *world) { w.pool.Order = []string{"carol", "alice", "bob"} }, change: "no"},
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": used(1)}, change: "no", order: "dave carol alice bob", events: "login.completed:dave"},
			{after: 5 * minute, change: "yes", order: "carol alice bob dave", events: "pool.switched"},
		}},
		{"the same order again is a person's wish", abc, func(w *world) { w.policy.Prefer = []string{"alice"} }, []step{
			healthy,
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": used(1)}, change: "no", events: "login.completed:dave"},
			{after: 20 * minute, change: "yes", order: "alice dave bob carol", events: "pool.switched"},
			{after: minute, do: func(w *world) { w.pool.Order = []string{"dave", "alice", "bob", "carol"} }, change: "no"},
			{after: time.Hour, change: "no", order: "dave alice bob carol"},
		}},
		{"a login while nobody set an order is put first", abc, func(w *world) { w.pool.Order = nil }, []step{
			depleted,
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"dave": used(1)}, change: "yes", order: "dave alice bob carol", events: "login.completed:dave pool.recovered pool.switched"},
		}},
		{"a login during an outage is told once it is over or long", abc, nil, []step{
			healthy,
			{after: minute, do: named("dave", "acct-dave"), reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Unreachable), "dave": says(quota.Unreachable)}, state: PoolBlind, change: "no"},
			{after: 3 * minute, state: PoolBlind, change: "no", events: "login.completed:dave"},
		}},
		{"a clock set back holds no login up", abc, nil, []step{
			depleted,
			{after: minute, do: named("dave", "acct-dave"), change: "no"},
			{after: -300 * time.Hour, change: "no"},
			{after: 2 * minute, change: "no", events: "login.completed:dave"},
		}},
	}
}

func expiryCases() []decideCase {
	ends := func(in time.Duration) func(*world) {
		return func(w *world) { w.at("setup").ExpiresAt = w.now.Add(in) }
	}
	const expiring = "profile.expiring:setup"
	unread := reads{"setup": says(quota.Unsupported)}
	return []decideCase{
		{"a token is told of three times", []string{"setup"}, nil, []step{
			{do: ends(40 * day), reads: unread},
			{after: 10*day - minute},
			{after: minute, events: expiring, says: "nothing renews this token"},
			{after: minute},
			{after: 23 * day, events: expiring},
			{after: 6*day - 2*minute},
			{after: minute, events: expiring},
			{after: time.Hour},
			{after: 2 * day}, // it is over: its login is dead, which is another event
		}},
		{"a token first seen late is told of once", []string{"setup"}, nil, []step{
			{do: ends(5 * day), reads: unread, events: expiring},
			{after: minute},
			{after: 4 * day, events: expiring},
		}},
		{"a new token starts afresh", []string{"setup"}, nil, []step{
			{do: ends(12 * time.Hour), reads: unread, events: expiring},
			{after: minute, do: ends(365 * day)},
			{after: 335 * day, events: expiring},
		}},
		{"a token that cannot be read for a while is no new one", []string{"setup"}, nil, []step{
			{do: ends(5 * day), reads: unread, events: expiring},
			{after: minute, do: func(w *world) { w.at("setup").ExpiresAt = time.Time{} }},
			{after: minute, do: func(w *world) { w.at("setup").ExpiresAt = t0.Add(5 * day) }},
		}},
		{"a clock that was ahead", []string{"setup"}, nil, []step{
			{do: ends(20 * day), reads: unread, events: expiring},
			{after: 19*day + time.Hour, events: expiring},
			{after: -19 * day, events: expiring}, // it is far from its end again
			{after: 18 * day, events: expiring},
		}},
		{"a small step back repeats nothing", []string{"setup"}, nil, []step{
			{do: ends(5 * day), reads: unread, events: expiring},
			{after: -minute},
		}},
		{"a dead login is not told to end", []string{"setup"}, nil, []step{
			{do: ends(5 * day), reads: reads{"setup": says(quota.Revoked)}, events: "profile.login_required:setup pool.depleted:login"},
		}},
	}
}

// TestLoginEvents: what a receiver needs stands in the event.
func TestLoginEvents(t *testing.T) {
	w := newWorld("alice", "bob")
	w.pool.Agent = "work"
	w.read("alice", spent(5*time.Hour))
	w.read("bob", says(quota.Revoked))
	_, evs := w.decide(false)
	for _, e := range evs {
		if e.Type == event.ProfileLoginRequired || e.Type == event.PoolDepleted {
			if e.Data.Login == nil || e.Data.Login.Command != "ocwatch login --provider openai --agent work" {
				t.Errorf("%s: login %+v", e.Type, e.Data.Login)
			}
		}
	}
	w.now = w.now.Add(time.Minute)
	w.login("dave", "acct-dave")
	w.read("dave", spent(2*time.Hour))
	_, evs = w.decide(false)
	e := evs[0]
	if e.Type != event.LoginCompleted || e.Data.Profiles[0].State != string(Exhausted) || e.Data.RecoversAt == nil || !e.Data.RecoversAt.Equal(t0.Add(2*time.Hour)) {
		t.Errorf("%+v", e)
	}
	w.now = w.now.Add(6 * time.Hour)
	w.read("alice", used(1))
	_, evs = w.decide(false)
	last := evs[slices.IndexFunc(evs, func(e event.Event) bool { return e.Type == event.PoolRecovered })]
	if last.Data.Ends != event.PoolDepleted {
		t.Errorf("%+v", last)
	}
}

// TestReminderIsMarked: only what was said before is a reminder.
func TestReminderIsMarked(t *testing.T) {
	w := newWorld("alice")
	w.read("alice", spent(8*time.Minute))
	_, evs := w.decide(false)
	w.now = w.now.Add(time.Minute)
	w.read("alice", spent(20*time.Hour))
	_, more := w.decide(false)
	w.now = w.now.Add(6 * time.Hour)
	_, again := w.decide(false)
	evs = slices.Concat(evs, more, again)
	if got := typesOf(evs); got != "profile.exhausted:alice pool.depleted:wait pool.depleted:login pool.depleted:login" {
		t.Fatal(got)
	}
	if evs[1].Data.Reminder || evs[2].Data.Reminder || !evs[3].Data.Reminder {
		t.Errorf("%+v", evs)
	}
}

func TestLoginCommand(t *testing.T) {
	for want, got := range map[string]string{
		"ocwatch login --provider openai":              LoginCommand("main", "openai"),
		"ocwatch login --provider xai --agent work":    LoginCommand("work", "xai"),
		"ocwatch login --provider 'a; b' --agent 'c$'": LoginCommand("c$", "a; b"),
		`ocwatch login --provider ''\'''`:              LoginCommand("", "'"),

		"ocwatch login --provider openai --agent work --api-key": KeyCommand("work", "openai"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestCommandHelps: where all that a pool has are API keys, or it is one that
// died, the message's command asks for a key.
func TestCommandHelps(t *testing.T) {
	const login, key = "ocwatch login --provider openai", "ocwatch login --provider openai --api-key"
	for _, tc := range []struct {
		name string
		ids  []string
		want string // each event's command
	}{
		{"keys alone", []string{"key"}, "profile.login_required " + key + "; pool.depleted " + key},
		{"logins alone", []string{"alice"}, "profile.login_required " + login + "; pool.depleted " + login},
		{"both", []string{"alice", "key"}, "profile.login_required " + login + "; profile.login_required " + key + "; pool.depleted " + login},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(tc.ids...)
			for _, id := range tc.ids {
				w.read(id, says(quota.Revoked))
			}
			_, evs := w.decide(false)
			var got []string
			for _, e := range evs {
				if e.Data.Login.Key != strings.HasSuffix(e.Data.Login.Command, " --api-key") {
					t.Errorf("%+v", e.Data.Login)
				}
				got = append(got, string(e.Type)+" "+e.Data.Login.Command)
			}
			if strings.Join(got, "; ") != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestOldMemory: a journal of a release without logins still loads, and makes
// nothing new of what it knew.
func TestOldMemory(t *testing.T) {
	w := newWorld("alice", "bob")
	old := `{"seen":["alice","bob"],"known":true,"preferred":["alice","bob"],"switched_at":"2026-11-22T09:00:00Z",
		"profiles":{"alice":{"low":true,"low_reset":"2026-11-22T15:00:00Z","announced":"exhausted"},"bob":{"announced":"exhausted"}},
		"depleted":{"since":"2026-11-22T09:30:00Z","announced":true,"login_asked":true,"remind_at":"2026-11-22T15:30:00Z"}}`
	if err := json.Unmarshal([]byte(old), &w.pool.Memory); err != nil {
		t.Fatal(err)
	}
	w.read("alice", spent(5*time.Hour))
	w.read("bob", spent(6*time.Hour))
	plan, evs := w.decide(false)
	if len(evs) > 0 || plan.State != PoolDepleted || plan.Memory.Profiles["alice"].Account != "acct-alice" {
		t.Errorf("%s, %v", plan.State, typesOf(evs))
	}
}
