package watchdog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

const spentAll = "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol "

// spend leaves main without quota for ten hours and more.
func (w *world) spend() {
	for i, id := range []string{"alice", "bob", "carol"} {
		w.say(id, spent(time.Duration(10+i)*time.Hour))
	}
}

// codesTake is how long a code takes from now on.
func (w *world) codesTake(d time.Duration) { w.with(func() { w.promptIn = d }) }

func (w *world) askedForCodes() (n int) {
	w.with(func() { n = w.codes })
	return n
}

// steady asks every account in the same rounds, and a spent one every five
// minutes.
func steady() Config {
	c := brisk()
	c.Breaker = failover.DefaultBreakerTiming()
	return c
}

// loginCase plays a while of Run with logins that can be relayed.
type loginCase struct {
	name string
	play func(t *testing.T, w *world, p *process)
	news string
	cfg  func() Config // nil: steady
}

func TestLogins(t *testing.T) {
	t.Parallel()
	for _, tc := range []loginCase{
		{"the message has link and code", func(_ *testing.T, w *world, _ *process) {
			w.spend()
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:login:CODE-1", nil},
		{"a code that takes long is waited for", func(_ *testing.T, w *world, _ *process) {
			w.codesTake(85 * time.Second)
			w.spend()
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:login:CODE-1", nil},
		{"a code that takes too long is not", func(_ *testing.T, w *world, _ *process) {
			w.codesTake(95 * time.Second)
			w.spend()
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:login", nil},
		{"without a code the message names the command", func(_ *testing.T, w *world, p *process) {
			p.meddling(always("prompt", failBefore))
			w.spend()
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:login", nil},
		{"a bug in the login costs the code, not the message", func(_ *testing.T, w *world, p *process) {
			p.meddling(on("prompt", 1, func() fault { panic("a planted bug") }))
			w.spend()
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:login", nil},
		{"a login that hangs costs the code, not the message", func(_ *testing.T, w *world, p *process) {
			p.meddling(on("prompt", 1, func() fault { return hang }))
			w.spend()
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:login", nil},
		{"watching goes on while a code is waited for", func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.codesTake(80 * time.Second)
			w.spend()
			time.Sleep(time.Minute + 10*time.Second)
			if len(p.beaten()) < 2 {
				t.Error("the watch stood still")
			}
			if got := w.news(); strings.Contains(got, "depleted") {
				t.Errorf("told %q before there was a code", got)
			}
			time.Sleep(10 * time.Minute)
		}, spentAll + "pool.depleted:login:CODE-1", nil},
		{"a recovery before the code is there silences both", func(t *testing.T, w *world, _ *process) {
			t.Helper()
			w.codesTake(80 * time.Second)
			w.spend()
			time.Sleep(70 * time.Second)
			w.say("alice", used(1))
			time.Sleep(30 * time.Minute)
			if w.disk.has("login/main/openai") {
				t.Error("the message is still owed")
			}
		}, spentAll + "profile.recovered:alice", brisk},
		{"a recovery from a wait that was told is told", func(_ *testing.T, w *world, _ *process) {
			for _, id := range abc {
				w.say(id, spent(9*time.Minute))
			}
			time.Sleep(8*time.Minute + 30*time.Second)
			w.codesTake(85 * time.Second)
			w.spend()
			time.Sleep(time.Minute)
			w.say("alice", used(1))
			time.Sleep(30 * time.Minute)
		}, spentAll + "pool.depleted:wait profile.recovered:alice pool.recovered", brisk},
		{"a reminder has a fresh code", func(_ *testing.T, w *world, _ *process) {
			for i, id := range abc {
				w.say(id, spent(time.Duration(100+i)*time.Hour))
			}
			time.Sleep(12*time.Hour + 10*time.Minute)
		}, spentAll + "pool.depleted:login:CODE-1 pool.depleted:login:CODE-2 pool.depleted:login:CODE-3", nil},
		{"a wait asks for no code", func(t *testing.T, w *world, _ *process) {
			t.Helper()
			for _, id := range abc {
				w.say(id, spent(9*time.Minute))
			}
			time.Sleep(5 * time.Minute)
			if w.askedForCodes() > 0 {
				t.Error("a login was begun")
			}
		}, spentAll + "pool.depleted:wait", nil},
		{"approved: probed at once, told, recovered", func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.spend()
			time.Sleep(5 * time.Minute)
			w.login("dave", "acct-dave")
			p.dog.LoginDone("main", "openai", login.Result{Profile: "dave", New: true}, nil)
			time.Sleep(2 * time.Second)
			if w.askedOf("dave") != 1 {
				t.Errorf("dave was asked %d times", w.askedOf("dave"))
			}
		}, spentAll + "pool.depleted:login:CODE-1 login.completed:dave pool.recovered", nil},
		{"the same spent account again: asked at once, failed, fresh codes", func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.spend()
			time.Sleep(10 * time.Minute)
			for range 4 {
				asked := w.askedOf("carol")
				p.dog.LoginDone("main", "openai", login.Result{Profile: "carol"}, nil)
				time.Sleep(2 * time.Second)
				if w.askedOf("carol") != asked+1 {
					t.Error("carol was not asked at once")
				}
				time.Sleep(10 * time.Second)
			}
		}, spentAll + "pool.depleted:login:CODE-1 login.failed:carol:login:CODE-2 login.failed:carol:login:CODE-3 login.failed:carol:login:CODE-4 login.failed:carol", nil},
		{"denied", func(_ *testing.T, w *world, p *process) {
			w.spend()
			time.Sleep(5 * time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{}, &login.FailedError{What: "the provider says access_denied"})
			time.Sleep(5 * time.Minute)
		}, spentAll + "pool.depleted:login:CODE-1 login.failed", nil},
		{"an automatic code that ran out, or was cancelled, is no event", func(_ *testing.T, w *world, p *process) {
			w.spend()
			time.Sleep(5 * time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{}, fmt.Errorf("wait: %w", login.ErrExpired))
			p.dog.LoginDone("main", "openai", login.Result{}, login.ErrCancelled)
			time.Sleep(5 * time.Minute)
		}, spentAll + "pool.depleted:login:CODE-1", nil},
		{"a login on request is announced, and so is its end", func(_ *testing.T, _ *world, p *process) {
			time.Sleep(time.Minute)
			p.dog.LoginStarted("main", "openai", event.Login{URL: "https://auth.example.com", Code: "ASKED"})
			time.Sleep(15 * time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{}, login.ErrExpired)
			time.Sleep(5 * time.Minute)
		}, "login.started:ASKED login.failed", nil},
		{"a login on request that was cancelled needs no word", func(t *testing.T, w *world, p *process) {
			t.Helper()
			time.Sleep(time.Minute)
			p.dog.LoginStarted("main", "openai", event.Login{Code: "ASKED"})
			p.dog.LoginDone("main", "openai", login.Result{}, login.ErrCancelled)
			time.Sleep(5 * time.Minute)
			if w.disk.has("started/main/openai") {
				t.Error("its end is still owed")
			}
		}, "login.started:ASKED", nil},
		{"a login on request while OpenClaw cannot be read is announced all the same", func(_ *testing.T, w *world, p *process) {
			time.Sleep(70 * time.Second)
			w.with(func() { w.unread = errors.New("permission denied") })
			p.dog.LoginStarted("main", "openai", event.Login{Code: "ASKED"})
			time.Sleep(5 * time.Second)
			w.login("dave", "acct-dave")
			p.dog.LoginDone("main", "openai", login.Result{Profile: "dave"}, nil)
			time.Sleep(5 * time.Second)
			w.with(func() { w.unread = nil })
			time.Sleep(5 * time.Minute)
		}, "login.started:ASKED login.completed:dave", nil},
		{"OpenClaw shows the login a little later", func(_ *testing.T, w *world, p *process) {
			time.Sleep(time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{Profile: "dave"}, nil)
			time.Sleep(80 * time.Second)
			w.login("dave", "acct-dave")
			time.Sleep(5 * time.Minute)
		}, "login.completed:dave", nil},
		{"OpenClaw never shows the login", func(_ *testing.T, _ *world, p *process) {
			time.Sleep(time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{Profile: "dave"}, nil)
			time.Sleep(5 * time.Minute)
		}, "login.failed", nil},
		{"a login that names no profile, and there is a new one", func(_ *testing.T, w *world, p *process) {
			time.Sleep(time.Minute)
			w.login("dave", "acct-dave")
			p.dog.LoginDone("main", "openai", login.Result{}, nil)
			time.Sleep(5 * time.Minute)
		}, "login.completed:dave", nil},
		{"a login by hand is noticed, and asked in the same round", func(t *testing.T, w *world, _ *process) {
			t.Helper()
			w.spend()
			time.Sleep(5 * time.Minute)
			w.login("alice2", "acct-alice")
			asked := w.askedOf("alice")
			time.Sleep(time.Minute)
			if w.askedOf("alice") != asked+1 {
				t.Error("alice was not asked")
			}
		}, spentAll + "pool.depleted:login:CODE-1 profile.exhausted:alice2 login.failed:alice2:login:CODE-2", nil},
		{"a revoked login that was renewed by hand counts at once", func(_ *testing.T, w *world, _ *process) {
			for _, id := range abc {
				w.say(id, verdict(quota.Revoked))
			}
			time.Sleep(12 * time.Minute)
			w.say("bob", used(1))
			w.login("bob", "acct-bob")
			time.Sleep(70 * time.Second)
		}, "profile.login_required:alice profile.login_required:bob profile.login_required:carol pool.depleted:login:CODE-1 profile.recovered:bob pool.recovered", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				cfg := steady()
				if tc.cfg != nil {
					cfg = tc.cfg()
				}
				p := w.relaying(t, cfg).run()
				time.Sleep(time.Second)
				tc.play(t, w, p)
				p.stop()
				if got := w.news(); got != tc.news {
					t.Errorf("told\n%q, want\n%q", got, tc.news)
				}
			})
		})
	}
}

// TestCodeOfSeveralAgents: each agent's message has a code, and a code that
// nobody was told of is given back.
func TestCodeOfSeveralAgents(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.add("work", "alice", "bob")
		w.codesTake(30 * time.Second)
		p := w.relaying(t, steady())
		p.run()
		time.Sleep(time.Second)
		w.spend()
		time.Sleep(5 * time.Minute)
		if got := w.news(); strings.Count(got, "pool.depleted:login:CODE-") != 2 {
			t.Errorf("told %q", got)
		}
		p.stop()
	})
}

// TestCodeComesTooLate: the pool recovered while the code was on its way.
func TestCodeComesTooLate(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.relaying(t, brisk())
		stuck := &stubborn{process: p, wait: 80 * time.Second}
		p.dog.Logins = stuck
		p.run()
		time.Sleep(time.Second)
		w.spend()
		time.Sleep(70 * time.Second)
		w.say("alice", used(1))
		time.Sleep(10 * time.Minute)
		p.stop()
		if got := w.news(); got != spentAll+"profile.recovered:alice" {
			t.Errorf("told %q", got)
		}
		if strings.Join(w.withdrawn, " ") != "main" {
			t.Errorf("given back: %q", w.withdrawn)
		}
	})
}

// stubborn does not heed the end of its context.
type stubborn struct {
	*process
	wait time.Duration
}

func (s *stubborn) Prompt(_ context.Context, agent, _ string) (event.Login, error) {
	time.Sleep(s.wait)
	return event.Login{Code: s.newCode(agent)}, nil
}

// TestNobodyListens: where no endpoint would carry the code, none is fetched.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.relaying(t, steady())
		p.dog.Notifier = silent{}
		p.run()
		w.spend()
		time.Sleep(10 * time.Minute)
		p.stop()
		if w.codes > 0 || p.pool("main").State != failover.PoolDepleted {
			t.Errorf("%d codes", w.codes)
		}
	})
}

type silent struct{}

func (silent) Route(event.Event) ([]journal.Message, error) { return nil, nil }
func (silent) Wake()                                        {}

// TestKeysAloneBeginNoLogin: a pool that has nothing but API keys is told at
// once, without a login that would be one of another pool.
func TestKeysAloneBeginNoLogin(t *testing.T) {
	t.Parallel()
	bubble(t, []string{"key"}, func(t *testing.T, w *world) {
		t.Helper()
		w.layout = openclaw.SharedDatabase // which has a command for the chat, too
		w.say("key", verdict(quota.Revoked))
		p := w.relaying(t, steady())
		var sent event.Event
		p.dog.Notifier = tap{p, func(e event.Event) { sent = e }}
		p.run()
		time.Sleep(30 * time.Minute)
		p.stop()
		if got := w.news(); w.codes > 0 || got != "profile.login_required:key pool.depleted:login" {
			t.Errorf("%d codes; told %q", w.codes, got)
		}
		if l := sent.Data.Login; l == nil || l.Command != "ocwatch login --provider openai --api-key" || l.Chat != "" {
			t.Errorf("%+v", l)
		}
	})
}

// TestOwedOverRestarts: stopped while the code is fetched, ocwatch asks for
// another one at its next start, and tells of the pool as it is then.
func TestOwedOverRestarts(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.promptIn = time.Minute
		w.spend()
		p := w.relaying(t, steady()).run()
		time.Sleep(30 * time.Second)
		p.stop()
		if !w.disk.has("login/main/openai") || strings.Contains(w.news(), "depleted") {
			t.Fatalf("told %q; the journal has %v", w.news(), w.disk.docs)
		}
		time.Sleep(time.Hour)
		next := w.relaying(t, steady())
		var sent event.Event
		next.dog.Notifier = tap{next, func(e event.Event) { sent = e }}
		next.run()
		time.Sleep(5 * time.Minute)
		next.stop()
		if got := w.news(); got != spentAll+"pool.depleted:login:CODE-1" {
			t.Errorf("told %q", got)
		}
		if sent.Type == event.PoolDepleted && !sent.Timestamp.Before(start().Add(time.Minute)) {
			t.Errorf("it happened at %s", sent.Timestamp)
		}
		if w.disk.has("login/main/openai") {
			t.Error("it is still owed")
		}
	})
}

// tap lets a test see events on their way.
type tap struct {
	*process
	see func(event.Event)
}

func (t tap) Route(e event.Event) ([]journal.Message, error) {
	if e.Type == event.PoolDepleted {
		t.see(e)
	}
	return t.process.Route(e)
}

// TestStartedOverRestarts: who was told of a login on request hears that it
// came to nothing.
func TestStartedOverRestarts(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.relaying(t, steady()).run()
		time.Sleep(time.Minute)
		p.dog.LoginStarted("main", "openai", event.Login{Code: "ASKED"})
		time.Sleep(time.Minute)
		p.stop()
		next := w.relaying(t, steady()).run()
		time.Sleep(5 * time.Minute)
		next.stop()
		last := w.relaying(t, steady()).run()
		time.Sleep(5 * time.Minute)
		last.stop()
		if got := w.news(); got != "login.started:ASKED login.failed" {
			t.Errorf("told %q", got)
		}
	})
}

// TestExpiringIsOfTokens: only what nothing renews is told to end.
func TestExpiringIsOfTokens(t *testing.T) {
	t.Parallel()
	bubble(t, []string{"setup", "oauth"}, func(t *testing.T, w *world) {
		t.Helper()
		for i := range w.pools[0].Profiles {
			w.pools[0].Profiles[i].ExpiresAt = start().Add(5 * 24 * time.Hour)
		}
		w.pools[0].Profiles[0].Type = profiles.Token
		cfg := paced()
		cfg.Next = func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(12 * time.Hour)
		}
		p := w.born(t, cfg)
		p.rounds(3)
		if got := w.news(); got != "profile.expiring:setup" {
			t.Errorf("told %q", got)
		}
	})
}

// loginStory: everything is spent for half a day, somebody approves the code
// that they were told of, and dave serves.
type loginStory struct {
	effects int
	told    []string
	wrong   []string
}

// TestLoginCrashes lets the n-th effect of the story fail, or ocwatch die
// before or after it. The owner is asked once, with one code where one could be
// had; the login is told once, and then the recovery.
func TestLoginCrashes(t *testing.T) {
	t.Parallel()
	calm := tellLogin(t, none, 0)
	want := spentAll + "pool.depleted:login:CODE-1 login.completed:dave pool.recovered"
	if len(calm.wrong) > 0 || strings.Join(calm.told, " ") != want {
		t.Fatalf("without a fault: %+v", calm)
	}
	for name, f := range map[string]fault{
		"fails": failBefore, "works and says it failed": failAfter, "dies before": dieBefore, "dies after": dieAfter,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; n <= calm.effects; n++ {
				for _, problem := range tellLogin(t, f, n).compare() {
					t.Errorf("effect %d %s: %s", n, name, problem)
				}
			}
		})
	}
}

func tellLogin(t *testing.T, f fault, n int) (s loginStory) {
	t.Helper()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.promptIn = 20 * time.Second
		w.spend()
		at, p := "", w.relaying(t, brisk())
		meddle := func(effect string) fault {
			w.mu.Lock()
			defer w.mu.Unlock()
			if s.effects++; s.effects == n {
				at = effect
				return f
			}
			return none
		}
		p.meddle = meddle
		p.run()
		approved := false
		for end := start().Add(20 * time.Minute); time.Now().Before(end); {
			select {
			case <-p.done:
				time.Sleep(30 * time.Second)
				p = w.relaying(t, brisk())
				p.meddle = meddle
				p.run()
			case <-time.After(time.Second):
				if !approved && time.Since(start()) > 8*time.Minute && !p.dead.Load() {
					approved = true
					w.login("dave", "acct-dave")
					p.dog.LoginDone("main", "openai", login.Result{Profile: "dave", New: true}, nil)
				}
			}
		}
		p.stop()
		s.told = strings.Fields(w.news())
		if got := w.order(); got != "dave alice bob carol" {
			s.wrong = append(s.wrong, fmt.Sprintf("order %q after %s", got, at))
		}
		if got := w.disk.past(); got != "depleted dave:completed" {
			s.wrong = append(s.wrong, fmt.Sprintf("episodes and logins %q after %s", got, at))
		}
		for key := range w.disk.docs {
			if strings.HasPrefix(key, asksPrefix) || strings.HasPrefix(key, startedPrefix) {
				s.wrong = append(s.wrong, key+" is still owed after "+at)
			}
		}
	})
	return s
}

func (s loginStory) compare() []string {
	count := map[string]int{}
	for _, e := range s.told {
		kind, _, _ := strings.Cut(e, ":CODE-")
		count[kind]++
	}
	for _, kind := range []string{"pool.depleted:login", "login.completed:dave", "pool.recovered"} {
		if count[kind] != 1 {
			s.wrong = append(s.wrong, fmt.Sprintf("%s was told %d times: %q", kind, count[kind], s.told))
		}
	}
	return s.wrong
}

// TestRandomLogins: whatever owners, providers and clocks do, an episode is
// asked about once, a recovery follows what was told, and no code is sent twice.
func TestRandomLogins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slow := time.Duration(rapid.IntRange(0, 120).Draw(rt, "code takes")) * time.Second
		steps := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 8).Draw(rt, "steps")
		var told []string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(abc...)
			w.promptIn = slow
			cfg := brisk()
			cfg.Policy = func(string) failover.Policy {
				p := failover.DefaultPolicy()
				p.RemindEvery = 0
				return p
			}
			p := w.relaying(t, cfg).run()
			for i, step := range steps {
				switch step {
				case 0, 1:
					w.spend()
				case 2:
					w.say("bob", used(5))
				case 3:
					w.login("dave", "acct-dave")
					p.dog.LoginDone("main", "openai", login.Result{Profile: "dave"}, nil)
				case 4:
					p.dog.LoginDone("main", "openai", login.Result{Profile: "carol"}, nil)
				case 5:
					w.say("dave", spent(10*time.Hour))
				case 6:
					p.stop()
					p = w.relaying(t, cfg).run()
				}
				time.Sleep(time.Duration(20+40*i) * time.Second)
			}
			p.stop()
			told = strings.Fields(w.news())
		})
		asked, seen := 0, map[string]bool{}
		for _, e := range told {
			kind, code, _ := strings.Cut(e, ":CODE-")
			if code != "" && seen[e] {
				rt.Fatalf("a code was sent twice: %q", told)
			}
			seen[e] = true
			switch kind {
			case "pool.depleted:login":
				asked++
			case "pool.recovered":
				if asked == 0 {
					rt.Fatalf("recovered from what nobody was told: %q", told)
				}
				asked = 0
			}
			if asked > 1 {
				rt.Fatalf("asked twice in an episode: %q", told)
			}
		}
	})
}
