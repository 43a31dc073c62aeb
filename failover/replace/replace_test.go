package replace

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

func TestReplace(t *testing.T) {
	jsonFiles := func(version string) func(*world) {
		return func(w *world) {
			w.layout, w.version, w.way = openclaw.JSONFiles, version, profiles.RemoveByFile
		}
	}
	tests := []struct {
		name  string
		world func(*world)
		steps []Step
		order []string
		check func(*testing.T, *world, Result)
	}{
		{
			name: "today's release", world: func(*world) {},
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, w *world, r Result) {
				t.Helper()
				if r.Old != alice || r.New != dave || r.Removed != profiles.RemoveByCommand || r.Account != Different || r.InPlace || r.Resumed || r.Provider != "openai" || r.Reading.Verdict != quota.OK || len(r.Notes) > 0 || w.stops > 0 {
					t.Errorf("%+v, %d stops", r, w.stops)
				}
			},
		},
		{
			name: "JSON files: stopped for the removal alone", world: jsonFiles("2026.5.28"),
			steps: []Step{LogIn, Check, PutFirst, Stop, Remove, Settle, Start, Health}, order: []string{dave, bob, carol},
		},
		{
			name: "the oldest releases: stopped before the login", world: jsonFiles("2026.3.13"),
			steps: []Step{Stop, LogIn, Check, PutFirst, Remove, Settle, Start, Health}, order: []string{dave, bob, carol},
		},
		{
			name: "a release that cannot be told is taken for the oldest", world: jsonFiles(""),
			steps: []Step{Stop, LogIn, Check, PutFirst, Remove, Settle, Start, Health}, order: []string{dave, bob, carol},
		},
		{
			name:  "one that tells nothing on /healthz",
			world: func(w *world) { jsonFiles("2026.3.13")(w); w.mute = true },
			steps: []Step{Stop, LogIn, Check, PutFirst, Remove, Settle, Start, Health}, order: []string{dave, bob, carol},
		},
		{
			name: "a database without a logout", world: func(w *world) { w.layout, w.way = openclaw.AgentDatabase, profiles.RemoveByOrder },
			steps: []Step{LogIn, Check, PutFirst, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, w *world, r Result) {
				t.Helper()
				if r.Removed != profiles.RemoveByOrder || !slices.Contains(w.disk.listed, alice) {
					t.Errorf("%+v; %s", r, w.state())
				}
				noted(t, r, "this release has no way to remove one profile")
				if len(r.Notes) != 1 {
					t.Errorf("%q", r.Notes)
				}
			},
		},
		{
			name: "JSON files, started by hand: left out of the order", world: func(w *world) { jsonFiles("2026.5.28")(w); w.foreground = true },
			steps: []Step{LogIn, Check, PutFirst, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, w *world, r Result) {
				t.Helper()
				if w.stops > 0 || r.Removed != profiles.RemoveByOrder {
					t.Errorf("%+v, %d stops", r, w.stops)
				}
				noted(t, r, "this one was started by hand. Stop it and run this again to remove it: no other login is asked for")
				if len(r.Notes) != 1 {
					t.Errorf("%q", r.Notes)
				}
			},
		},
		{
			name: "no gateway runs", world: func(w *world) { jsonFiles("2026.3.13")(w); w.running = false },
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, w *world, r Result) {
				t.Helper()
				if w.running {
					t.Error("it was started though its owner had stopped it")
				}
				noted(t, r, "no gateway runs")
			},
		},
		{
			name: "nobody had set an order", world: func(w *world) { w.disk.order = nil },
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, bob, carol},
		},
		{
			name: "an order that leaves some out", world: func(w *world) { w.disk.order = []string{carol, alice} },
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, carol},
		},
		{
			name: "the only profile",
			world: func(w *world) {
				w.disk = disk{accounts: map[string]account{alice: person("alice")}, listed: []string{alice}}
				w.intact = nil
			},
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave},
		},
		{
			name: "the release names every login the same", world: func(w *world) { w.name = func(account) string { return alice } },
			steps: []Step{LogIn, Check, PutFirst, Settle, Health}, order: []string{alice, bob, carol},
			check: func(t *testing.T, w *world, r Result) {
				t.Helper()
				if !r.InPlace || r.Removed != "" || r.Account != Different || len(w.removals) > 0 || w.disk.accounts[alice] != person("dave") {
					t.Errorf("%+v; %s", r, w.state())
				}
			},
		},
		{
			name: "the same e-mail address in another workspace", world: func(w *world) { w.approves = account{id: "acct-work", email: "alice@example.com"} },
			steps: []Step{LogIn, Check, PutFirst, Settle, Health}, order: []string{alice, bob, carol},
			check: func(t *testing.T, _ *world, r Result) {
				t.Helper()
				if !r.InPlace || r.Account != Different {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			name: "the new account is spent too", world: func(w *world) { w.verdicts["dave"] = quota.Exhausted },
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, _ *world, r Result) { t.Helper(); noted(t, r, "is spent too: said so") },
		},
		{
			name: "a conversation is tied to the old one", world: func(w *world) {
				w.pins = []openclaw.Pin{{Session: "agent:main:x", Profile: alice, ByPerson: true}, {Session: "agent:main:y", Profile: alice}, {Session: "agent:main:z", Profile: bob, ByPerson: true}}
			},
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, _ *world, r Result) {
				t.Helper()
				noted(t, r, "tied to "+alice+" by hand, and not moved: agent:main:x. Send /new there")
			},
		},
		{
			name: "the gateway does not take the order", world: func(w *world) { w.view = profiles.ViewOld },
			steps: []Step{LogIn, Check, PutFirst, Remove, Settle, Health}, order: []string{dave, bob, carol},
			check: func(t *testing.T, _ *world, r Result) { t.Helper(); noted(t, r, "openclaw gateway restart") },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tt.world(w)
				w.memory = w.disk.clone()
				wasRunning := w.running
				var steps []Step
				res, err := w.run(t.Context(), Request{Progress: func(s Step) { steps = append(steps, s) }})
				if err != nil {
					t.Fatalf("%v after %v", err, w.log)
				}
				w.turn()
				if !slices.Equal(steps, tt.steps) {
					t.Errorf("steps %v, want %v", steps, tt.steps)
				}
				if !slices.Equal(w.disk.order, tt.order) || w.running != wasRunning {
					t.Errorf("%s, want order %v", w.state(), tt.order)
				}
				if tt.check != nil {
					tt.check(t, w, res)
				}
				if res.Removed != profiles.RemoveByOrder {
					w.nothingLeft()
				}
			})
		})
	}
}

func noted(t *testing.T, r Result, part string) {
	t.Helper()
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, part) }) {
		t.Errorf("notes %q say nothing of %q", r.Notes, part)
	}
}

// nothingLeft fails where progress is kept of a change that is over.
func (w *world) nothingLeft() {
	w.t.Helper()
	list, err := os.ReadDir(w.dir)
	if err != nil || len(list) != 1 || list[0].Name() != "replace.lock" {
		w.t.Errorf("left behind: %v, %v", list, err)
	}
}

func TestReplaceRefuses(t *testing.T) {
	tests := []struct {
		name  string
		world func(*world)
		old   string
		want  string
		kept  bool // the progress, so that the next run asks for no login
	}{
		{name: "no such profile", world: func(*world) {}, old: "openai:zoe@example.com", want: "agent main has no profile openai:zoe@example.com; it has " + alice + ", " + bob + ", " + carol},
		{name: "no profile at all", world: func(w *world) { w.disk = disk{}; w.intact = nil }, want: "agent main has no auth profile at all"},
		{
			name: "the same account under its own id", world: func(w *world) { w.approves = person("alice") },
			want: "this login is the same account as " + alice + " (alice@example.com): the browser that approved it was still logged in there. Nothing was removed. Log out",
		},
		{
			name: "the same account under another id", world: func(w *world) {
				w.approves, w.name = person("alice"), func(account) string { return "openai:x" }
			},
			want: "The login that was just made stays, as openai:x",
		},
		{
			name: "an account that is there already", world: func(w *world) { w.approves = person("bob") },
			want: "this login is an account that OpenClaw has already, as " + bob,
		},
		{
			name: "such an account under another id", world: func(w *world) { w.approves, w.name = person("bob"), func(account) string { return "openai:x" } },
			want: "as " + bob + ". Nothing was removed",
		},
		{
			name: "such an account in the place of the old one", world: func(w *world) { w.approves, w.name = person("bob"), func(account) string { return alice } },
			want: "as " + bob + ". This OpenClaw gives every login the id " + alice + ", so that it took the place of the old one. Run this again",
		},
		{
			name: "a dead one in the place of the old one", world: func(w *world) {
				w.verdicts["dave"], w.name = quota.Revoked, func(account) string { return alice }
			},
			want: "said so. This OpenClaw gives every login the id",
		},
		{
			name: "one out of reach in the place of the old one", world: func(w *world) {
				w.verdicts["dave"], w.name = quota.Unreachable, func(account) string { return alice }
			},
			want: "(said so). This OpenClaw gives every login the id", kept: true,
		},
		{name: "the new account is dead", world: func(w *world) { w.verdicts["dave"] = quota.Revoked }, want: "the provider does not serve the new login " + dave + ": said so"},
		{name: "the new account is not paid", world: func(w *world) { w.verdicts["dave"] = quota.Billing }, want: "the provider does not serve"},
		{name: "the provider is out of reach", world: func(w *world) { w.verdicts["dave"] = quota.Unreachable }, want: "could not be checked at its provider (said so). Nothing was removed", kept: true},
		{name: "the provider is busy", world: func(w *world) { w.verdicts["dave"] = quota.Throttled }, want: "could not be checked", kept: true},
		{
			name: "tokens that do not say whose they are", world: func(w *world) { w.tokens() },
			want: "cannot be told: such a token does not say whose it is. Nothing was removed, and openai:2000-01-01-2 stays beside " + alice + ". Make sure of it at the provider, then run this again with --unproven", kept: true,
		},
		{name: "two people of one workspace", world: func(w *world) { w.approves = account{id: "acct-alice", email: "dave@example.com"} }, want: "two people of one workspace", kept: true},
		{
			name: "the same address and no account id", world: func(w *world) {
				w.disk.accounts[alice] = account{email: "alice@example.com"}
				w.approves, w.name = account{email: "alice@example.com"}, func(account) string { return "openai:x" }
			},
			want: "which workspace each belongs to cannot be told", kept: true,
		},
		{name: "the login expired", world: func(w *world) { w.refuses = login.ErrExpired }, want: login.ErrExpired.Error(), kept: true},
		{
			name: "the oldest release, started by hand", world: func(w *world) {
				w.layout, w.version, w.way, w.foreground = openclaw.JSONFiles, "2026.3.13", profiles.RemoveByFile, true
			},
			want: "nothing was changed: this release of OpenClaw needs its gateway stopped for this: the gateway was started by hand",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tt.world(w)
				w.memory = w.disk.clone()
				before := w.disk.clone()
				_, err := w.run(t.Context(), Request{Old: tt.old})
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v\nwant  %s", err, tt.want)
				}
				if len(w.removals) > 0 || !slices.Equal(w.disk.order, before.order) || !w.running {
					t.Errorf("it was refused, and %s", w.state())
				}
				if !tt.kept {
					w.nothingLeft()
				}
				if _, err := os.Stat(path(w.dir, "main", alice)); tt.kept && err != nil {
					t.Errorf("nothing was kept for the next run: %v", err)
				}
			})
		})
	}
}

// tokens makes it a pool of tokens.
func (w *world) tokens() {
	w.disk.accounts[alice] = account{token: "one"}
	w.intact = nil
	w.disk.accounts["openai:2000-01-01"] = account{token: "another"}
	w.disk.listed = append(w.disk.listed, "openai:2000-01-01")
	w.approves = account{token: "two"}
}

// What cannot be told is gone on from where a person has made sure of it, and no
// second login is asked for.
func TestReplaceUnproven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.tokens()
		_, err := w.run(t.Context(), Request{})
		if _, ok := errors.AsType[*UnprovenError](err); !ok {
			t.Fatalf("got %v", err)
		}
		res, err := w.run(t.Context(), Request{Unproven: true})
		if err != nil || !res.Resumed || res.Account != Untold || w.logins != 1 || !slices.Equal(w.removals, []string{alice}) {
			t.Errorf("%+v, %v, %d logins, %s", res, err, w.logins, w.state())
		}
		noted(t, res, "such a token does not say whose it is")
		w.nothingLeft()
	})
}

// An old login that comes back is said, and the next run stops the gateway
// first, whatever its release.
func TestReplaceSeesTheOldLoginReturn(t *testing.T) {
	for name, comesBack := range map[string]func(*world){
		"the old profile is back": func(w *world) {
			w.disk.accounts[alice] = person("alice")
			w.disk.listed = append(w.disk.listed, alice)
		},
		"the new login is gone": func(w *world) {
			delete(w.disk.accounts, dave)
			w.disk = disk{accounts: w.memory.accounts, listed: w.memory.listed, order: w.memory.order}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.layout, w.version, w.way = openclaw.JSONFiles, "2026.5.28", profiles.RemoveByFile
				before := w.disk.clone()
				w.memory = before
				_, err := w.run(t.Context(), Request{Progress: func(s Step) {
					if s == Health {
						w.memory, w.removals = before, nil
						comesBack(w)
					}
				}})
				reverted, ok := errors.AsType[*RevertedError](err)
				if !ok || !strings.Contains(reverted.Error(), "Run this again: the gateway is then stopped first") {
					t.Fatalf("got %v", err)
				}
				var steps []Step
				if _, err := w.run(t.Context(), Request{Progress: func(s Step) { steps = append(steps, s) }}); err != nil {
					t.Fatal(err)
				}
				if steps[0] != Stop || !w.running || !slices.Equal(w.disk.order, []string{dave, bob, carol}) {
					t.Errorf("steps %v, %s", steps, w.state())
				}
			})
		})
	}
}

// A login that landed in a run that was killed is found by the next one, but
// only for as long as it can be taken for that run's.
func TestReplaceAdoptsALogin(t *testing.T) {
	for name, later := range map[string]time.Duration{"soon": 10 * time.Minute, "much later": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.fault, w.faultAt = killedAt, w.effectsTo(t, "login")
				if _, err := w.run(t.Context(), Request{}); err == nil {
					t.Fatal("it was not killed")
				}
				w.faultAt, w.dead = 0, false
				time.Sleep(later)
				res, err := w.run(t.Context(), Request{})
				adopted := later < adoptFor
				if adopted && (err != nil || !res.Resumed || w.logins != 1) {
					t.Errorf("%+v, %v, %d logins", res, err, w.logins)
				}
				if _, known := errors.AsType[*KnownAccountError](err); !adopted && (!known || w.logins != 2) {
					t.Errorf("%+v, %v, %d logins", res, err, w.logins)
				}
			})
		})
	}
}

// effectsTo counts the effects up to and including the first called what.
func (w *world) effectsTo(t *testing.T, what string) int {
	t.Helper()
	other := newWorld(t)
	if _, err := other.run(t.Context(), Request{}); err != nil {
		t.Fatal(err)
	}
	return 1 + slices.Index(other.log, what)
}

func TestReplaceOneAtATime(t *testing.T) {
	w := newWorld(t)
	unlock, err := lock(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.run(t.Context(), Request{}); err == nil || !strings.Contains(err.Error(), "another account change is under way") {
		t.Errorf("got %v", err)
	}
	unlock()
	if _, err := w.run(t.Context(), Request{}); err != nil {
		t.Error(err)
	}
}

func TestReplaceSaysThatTheGatewayIsStopped(t *testing.T) {
	for name, cause := range map[string]error{"the login failed": login.ErrExpired, "only the start failed": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.layout, w.version, w.way, w.noStart = openclaw.JSONFiles, "2026.3.13", profiles.RemoveByFile, true
				w.refuses = cause
				_, err := w.run(t.Context(), Request{})
				stopped, ok := errors.AsType[*StoppedError](err)
				if !ok || cause != nil && !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "THE GATEWAY IS STOPPED") ||
					stopped.Command != "systemctl --user start openclaw-gateway.service" || !strings.Contains(err.Error(), stopped.Command) {
					t.Fatalf("got %v", err)
				}
				w.noStart, w.refuses = false, nil
				if _, err := w.run(t.Context(), Request{}); err != nil || !w.running {
					t.Errorf("the next run: %v, %s", err, w.state())
				}
			})
		})
	}
}

// What was only left out of the order is removed by a later run that can, without
// another login.
func TestReplaceRemovesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.layout, w.version, w.way, w.foreground = openclaw.JSONFiles, "2026.5.28", profiles.RemoveByFile, true
		if res, err := w.run(t.Context(), Request{}); err != nil || res.Removed != profiles.RemoveByOrder {
			t.Fatalf("%+v, %v", res, err)
		}
		w.running = false
		res, err := w.run(t.Context(), Request{})
		if err != nil || !res.Resumed || res.Removed != profiles.RemoveByFile || w.logins != 1 || slices.Contains(w.disk.listed, alice) {
			t.Errorf("%+v, %v, %s", res, err, w.state())
		}
		w.nothingLeft()
	})
}

// A gateway that was stopped for a login is started when the person gives up.
func TestReplaceCancelledDuringTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.layout, w.version, w.way = openclaw.JSONFiles, "2026.3.13", profiles.RemoveByFile
		_, err := w.run(t.Context(), Request{Progress: func(s Step) {
			if s == LogIn {
				w.cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || !w.running {
			t.Errorf("%v, %s", err, w.state())
		}
	})
}
