package doctor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

type examination struct {
	name string
	with func(*World)
	want []string // severity, id, about
}

// examinations are every kind of finding, in every severity that it has.
var examinations = []examination{
	{name: "a healthy set-up", with: func(*World) {}},
	{name: "nothing was gathered", with: func(w *World) { *w = World{Now: now} }},
	{
		name: "config cannot be used",
		with: func(w *World) {
			*w = World{Now: now, Config: Config{Path: "/c.yaml", Err: errors.New("/c.yaml:2: unknown key")}}
		},
		want: []string{"error config.invalid /c.yaml"},
	},
	{
		name: "no OpenClaw",
		with: func(w *World) { *w = World{OpenClaw: &OpenClaw{Err: &openclaw.NotFoundError{Looked: []string{"/x"}}}} },
		want: []string{"error openclaw.not-found "},
	},
	{
		name: "OpenClaw is another account's",
		with: func(w *World) {
			*w = World{OpenClaw: &OpenClaw{Err: &openclaw.AccessError{Path: "/x", What: "belongs to root", Fix: "run as root"}}}
		},
		want: []string{"error openclaw.no-access /x"},
	},
	{
		name: "openclaw.json is malformed",
		with: func(w *World) {
			w.OpenClaw.ConfigErr, w.Auth, w.Gateway.Err = fmt.Errorf("read it: %w", errors.New("not valid JSON5")), nil, openclaw.ErrGatewayDown
		},
		want: []string{"error openclaw.config /home/oc/.openclaw/openclaw.json"},
	},
	{
		name: "no command",
		with: func(w *World) { w.OpenClaw.NoCommand = true },
		want: []string{"warning openclaw.no-command /usr/bin/openclaw"},
	},
	{
		name: "no command and no gateway",
		with: func(w *World) {
			w.OpenClaw.NoCommand, w.Gateway.Err, w.Gateway.Health = true, openclaw.ErrGatewayDown, openclaw.Health{Down: true}
		},
		want: []string{"error openclaw.no-command /usr/bin/openclaw", "error gateway.down ws://127.0.0.1:18789"},
	},
	{
		name: "two installs",
		with: func(w *World) { w.OpenClaw.Others = []string{"/home/oc/.openclaw-work"} },
		want: []string{"warning openclaw.several /home/oc/.openclaw-work"},
	},
	{name: "store awaits migration", with: problem(profiles.NeedsMigration), want: []string{"error store.needs-migration main"}},
	{name: "store of an unknown schema", with: problem(profiles.UnknownSchema), want: []string{"error store.unknown-schema main"}},
	{name: "store corrupt", with: problem(profiles.Corrupt), want: []string{"error store.corrupt main"}},
	{name: "store unreadable", with: problem(profiles.NotPermitted), want: []string{"error store.not-permitted main"}},
	{name: "store busy", with: problem(profiles.Busy), want: []string{"warning store.busy main"}},
	{
		name: "snapshot fails",
		with: func(w *World) { w.Auth = &Auth{Err: errors.New("list OpenClaw's agents: no")} },
		want: []string{"error store.not-permitted "},
	},
	{
		name: "no profile at all",
		with: func(w *World) { w.Auth.Snapshot.Pools = nil },
		want: []string{"warning store.empty "},
	},
	{
		name: "gateway is starting",
		with: func(w *World) { w.Gateway.Health.Ready = false },
		want: []string{"warning gateway.not-ready ws://127.0.0.1:18789"},
	},
	{
		name: "gateway is starting and takes no calls yet",
		with: func(w *World) { w.Gateway.Health.Ready, w.Gateway.Err = false, openclaw.ErrGatewayDown },
		want: []string{"warning gateway.not-ready ws://127.0.0.1:18789"},
	},
	{
		name: "something before the gateway",
		with: func(w *World) {
			w.Gateway.Err, w.Gateway.Health.Ready, w.Gateway.Health.Barred = fmt.Errorf("%w: status 403", openclaw.ErrGatewayDown), false, true
		},
		want: []string{"warning gateway.refused ws://127.0.0.1:18789"},
	},
	{
		name: "gateway refuses the token",
		with: func(w *World) { w.Gateway.Err = fmt.Errorf("%w: token mismatch", openclaw.ErrUnauthorized) },
		want: []string{"warning gateway.unauthorized ws://127.0.0.1:18789"},
	},
	{
		name: "gateway gives read alone",
		with: func(w *World) { w.Gateway.Hello.Scopes = []string{"operator.read"} },
		want: []string{"warning gateway.scopes ws://127.0.0.1:18789"},
	},
	{
		name: "gateway gives no scope",
		with: func(w *World) { w.Gateway.Hello.Scopes = []string{} },
		want: []string{"warning gateway.scopes ws://127.0.0.1:18789"},
	},
	{name: "an old gateway does not tell scopes", with: func(w *World) { w.Gateway.Hello.Scopes = nil }},
	{
		name: "no order",
		with: func(w *World) { p := w.first(); p.Source, p.Order = profiles.OrderNone, nil },
		want: []string{"note order.none main / openai"},
	},
	{
		name: "no order, and auth.profiles names some",
		with: func(w *World) {
			p := w.first()
			p.Source, p.Order, p.Profiles[1].Excluded = profiles.OrderNone, nil, true
		},
		want: []string{"warning order.excluded main / openai", "note order.none main / openai"},
	},
	{
		name: "order in openclaw.json",
		with: func(w *World) { w.first().Source = profiles.OrderConfig },
		want: []string{"note order.in-config main / openai"},
	},
	{
		name: "order leaves a profile out",
		with: func(w *World) { w.first().Order = []string{alice} },
		want: []string{"warning order.incomplete main / openai"},
	},
	{
		name: "order leaves a paid profile out, as wished",
		with: func(w *World) {
			p := w.first()
			p.Profiles[1].Type, p.Order, w.Config.NeverPaid = profiles.APIKey, []string{alice}, []string{"openai"}
		},
	},
	{
		name: "two profiles of one account",
		with: func(w *World) { w.first().Profiles[1].Account = "a" },
		want: []string{"warning account.duplicate " + alice + ", " + bob, "note account.alone main / openai"},
	},
	{
		name: "one account",
		with: func(w *World) { p := w.first(); p.Profiles, p.Order = p.Profiles[:1], p.Order[:1] },
		want: []string{"note account.alone main / openai"},
	},
	{name: "OpenClaw refuses one of two", with: block(1, 2*time.Hour), want: []string{"note account.blocked " + bob}},
	{name: "OpenClaw pauses one after an error", with: block(1, time.Minute)},
	{
		name: "OpenClaw refuses all",
		with: func(w *World) { block(0, 2*time.Hour)(w); block(1, time.Hour)(w) },
		want: []string{"warning account.blocked " + alice, "warning account.blocked " + bob},
	},
	{
		name: "an API key beside a subscription",
		with: func(w *World) { w.first().Profiles[1].Type = profiles.APIKey },
		want: []string{"note account.paid " + bob},
	},
	{
		name: "API keys alone",
		with: func(w *World) {
			w.first().Profiles[0].Type, w.first().Profiles[1].Type = profiles.APIKey, profiles.APIKey
		},
	},
	{
		name: "quota that nobody can read",
		with: func(w *World) {
			w.Unmetered = []Unmetered{{"main", "openai", alice, "so", "x"}, {"main", "openai", bob, "so", "x"}, {"work", "openai", "openai:c", "so", "x"}}
		},
		want: []string{"note account.unmetered " + alice + ", " + bob},
	},
	{name: "a model to fall back on, and two profiles", with: func(w *World) { w.OpenClaw.Fallbacks = []string{"openai/mini"} }},
	{
		name: "a model to fall back on, and three profiles",
		with: func(w *World) {
			w.OpenClaw.Fallbacks = []string{"openai/mini"}
			p := w.first()
			p.Profiles = append(p.Profiles, profiles.Profile{ID: "openai:c", Type: profiles.OAuth, Account: "c", Status: profiles.Usable})
			p.Order = append(p.Order, "openai:c")
		},
		want: []string{"note openclaw.fallback openai/mini"},
	},
	{
		name: "a login that nobody used for weeks",
		with: func(w *World) { w.first().Profiles[1].ExpiresAt = now.Add(-20 * day) },
		want: []string{"warning login.idle " + bob},
	},
	{name: "a login that was used this week", with: func(w *World) { w.first().Profiles[1].ExpiresAt = now.Add(-6 * day) }},
	{
		name: "a login that nothing can renew",
		with: func(w *World) { w.first().Profiles[1].Fix = "openclaw models auth login" },
		want: []string{"warning login.dead " + bob},
	},
	{
		name: "a dead login among living ones",
		with: func(w *World) { w.first().Profiles[1].Status = profiles.LoginRequired },
		want: []string{"warning login.dead " + bob},
	},
	{
		name: "every login is dead",
		with: func(w *World) {
			w.first().Profiles[0].Status, w.first().Profiles[1].Status = profiles.LoginRequired, profiles.LoginRequired
		},
		want: []string{"error login.dead " + alice, "error login.dead " + bob},
	},
	{
		name: "a login that the provider revoked, and OpenClaw has not noticed",
		with: func(w *World) {
			w.Dead = []Dead{{Agent: "main", Profile: bob, Reason: "the token was revoked"}, {Agent: "work", Profile: alice}}
		},
		want: []string{"warning login.dead " + bob},
	},
	{name: "a token ends in three weeks", with: ending(21 * day), want: []string{"note login.expiring " + bob}},
	{name: "a token ends in six days", with: ending(6 * day), want: []string{"warning login.expiring " + bob}},
	{name: "a token ends in a year", with: ending(365 * day)},
	{
		name: "an OAuth token ends in an hour",
		with: func(w *World) { w.first().Profiles[0].ExpiresAt = now.Add(time.Hour) },
	},
	{
		name: "an entry without a token",
		with: func(w *World) { w.first().Profiles[1].Status, w.first().Profiles[1].Fix = profiles.Unreadable, "mend" },
		want: []string{"warning login.unreadable " + bob},
	},
	{
		name: "a reference in place of a token",
		with: func(w *World) { w.first().Profiles[1].Status = profiles.Unreadable },
		want: []string{"note login.unseen " + bob},
	},
	{
		name: "agents share a dead login",
		with: func(w *World) {
			w.first().Profiles[1].Status = profiles.LoginRequired
			other := *w.first()
			other.Agent = "work"
			w.Auth.Snapshot.Pools = append(w.Auth.Snapshot.Pools, other)
		},
		want: []string{"warning login.dead " + bob},
	},
	{
		name: "conversations tied by OpenClaw",
		with: pins(openclaw.Pin{Session: "agent:main:1", Profile: bob}, openclaw.Pin{Session: "agent:main:2", Profile: bob}),
		want: []string{"note session.pinned " + bob},
	},
	{name: "a conversation tied to the first profile", with: pins(openclaw.Pin{Session: "agent:main:1", Profile: alice})},
	{
		name: "a conversation tied by hand",
		with: pins(openclaw.Pin{Session: "agent:main:1", Profile: alice, ByPerson: true}),
		want: []string{"note session.pinned-by-hand " + alice},
	},
	{
		name: "a conversation tied by hand to a profile that is gone",
		with: pins(openclaw.Pin{Session: "agent:main:1", Profile: "openai:gone", ByPerson: true}),
		want: []string{"warning session.pinned-to-dead openai:gone"},
	},
	{
		name: "a conversation tied by hand, an older release",
		with: func(w *World) {
			pins(openclaw.Pin{Session: "agent:main:1", Profile: bob, ByPerson: true})(w)
			w.Auth.Snapshot.Layout = openclaw.AgentDatabase
		},
		want: []string{"note session.pinned-by-hand " + bob},
	},
	{
		name: "sessions cannot be read",
		with: func(w *World) { w.Sessions[0].Err = errors.New("busy") },
		want: []string{"warning session.unreadable main"},
	},
	{name: "clock two minutes behind", with: skew(-2 * time.Minute), want: []string{"warning clock.skew https://chatgpt.com"}},
	{name: "clock six minutes ahead", with: skew(6 * time.Minute), want: []string{"error clock.skew https://chatgpt.com"}},
	{name: "clock a minute ahead", with: skew(time.Minute)},
	{
		name: "two providers say that the clock is wrong",
		with: func(w *World) {
			skew(2 * time.Minute)(w)
			w.Clocks = append(w.Clocks, w.Clocks[0])
		},
		want: []string{"warning clock.skew https://chatgpt.com"},
	},
	{
		name: "provider cannot be reached",
		with: func(w *World) { w.Clocks[0] = Clock{URL: "https://chatgpt.com", Err: errors.New("connection refused")} },
		want: []string{"warning provider.unreachable https://chatgpt.com"},
	},
	{
		name: "no lingering",
		with: func(w *World) { w.Service.Linger = false },
		want: []string{"warning service.linger oc"},
	},
	{
		name: "system units need no lingering",
		with: func(w *World) {
			w.Service.Linger, w.Service.NoUserBus = false, true
			w.Service.Units[0].User, w.Service.Units[1].User = false, false
		},
	},
	{
		name: "a container",
		with: func(w *World) { w.Service = &Service{Account: "oc", NoSystemd: true} },
		want: []string{"note service.none "},
	},
	{
		name: "no user manager and nothing of the system's",
		with: func(w *World) {
			w.Service = &Service{Account: "oc", Running: true, NoUserBus: true, Failed: []string{"no user bus"}}
		},
		want: []string{"warning service.linger oc", "note service.none "},
	},
	{
		name: "start limit hit",
		with: unitState(func(s *restart.UnitState) { s.Active, s.Result = "failed", restart.StartLimitHit }),
		want: []string{"error service.start-limit openclaw-gateway.service"},
	},
	{
		name: "unit failed",
		with: unitState(func(s *restart.UnitState) { s.Active, s.Result = "failed", "exit-code" }),
		want: []string{"error service.failed openclaw-gateway.service"},
	},
	{
		name: "unit restarts by itself",
		with: unitState(func(s *restart.UnitState) { s.Restarts = 3 }),
		want: []string{"warning service.restarting openclaw-gateway.service"},
	},
	{
		name: "start limit within the budget",
		with: unitState(func(s *restart.UnitState) { s.StartBurst, s.StartInterval = 3, time.Hour }),
		want: []string{"warning service.tight-limit openclaw-gateway.service"},
	},
	{name: "no start limit", with: unitState(func(s *restart.UnitState) { s.StartBurst, s.StartInterval = 0, 0 })},
	{
		name: "unit is not enabled",
		with: unitState(func(s *restart.UnitState) { s.File = "disabled" }),
		want: []string{"warning service.disabled openclaw-gateway.service"},
	},
	{name: "a unit that is not used is not enabled", with: unitState(func(s *restart.UnitState) { s.File, s.Active = "disabled", "inactive" })},
	{
		name: "ocwatch has no unit",
		with: func(w *World) { w.Service.Units = w.Service.Units[:1] },
		want: []string{"note service.none "},
	},
	{
		name: "ocwatch does not run",
		with: func(w *World) { w.Service.Running = false },
		want: []string{"warning service.not-running "},
	},
	{
		name: "ocwatch hangs",
		with: func(w *World) { w.Service.Running, w.Service.Mute = false, true },
		want: []string{"error service.no-answer "},
	},
	{
		name: "nobody is told",
		with: func(w *World) { w.Notify = &Notify{} },
		want: []string{"note notify.none "},
	},
	{
		name: "webhook cannot be reached",
		with: func(w *World) { w.Notify.Endpoints[0].Err = "connection refused" },
		want: []string{"warning notify.unreachable ops"},
	},
	{
		name: "webhook is gone",
		with: func(w *World) { w.Notify.Endpoints[0].Gone = true },
		want: []string{"warning notify.gone ops"},
	},
	{
		name: "config that the group writes",
		with: func(w *World) { w.Files[0].Mode = 0o664 },
		want: []string{"warning file.mode /home/oc/.config/ocwatch/config.yaml"},
	},
	{
		name: "data directory that others enter",
		with: func(w *World) { w.Files[1].Mode = 0o755 },
		want: []string{"warning file.mode /home/oc/.local/state/ocwatch"},
	},
	{
		name: "config of another account",
		with: func(w *World) { w.Files[0].Owner = 1001 },
		want: []string{"error file.owner /home/oc/.config/ocwatch/config.yaml"},
	},
	{name: "config of root", with: func(w *World) { w.Files[0].Owner = 0 }},
}

func problem(kind profiles.ProblemKind) func(*World) {
	return func(w *World) {
		w.Auth.Snapshot = profiles.Snapshot{Problems: []profiles.Problem{{Agent: "main", What: "it is so", Fix: "openclaw doctor --fix", Reason: kind}}}
	}
}

func ending(in time.Duration) func(*World) {
	return func(w *World) {
		w.first().Profiles[1] = profiles.Profile{ID: bob, Provider: "openai", Type: profiles.Token, Account: "b", Status: profiles.Usable, ExpiresAt: now.Add(in)}
	}
}

func block(i int, in time.Duration) func(*World) {
	return func(w *World) {
		w.first().Profiles[i].Block = profiles.Block{Until: now.Add(in), Kind: profiles.Blocked, Reason: "subscription_limit"}
	}
}

func pins(list ...openclaw.Pin) func(*World) {
	return func(w *World) { w.Sessions[0].Pins = list }
}

func skew(ahead time.Duration) func(*World) { return func(w *World) { w.Clocks[0].Ahead = ahead } }

func unitState(change func(*restart.UnitState)) func(*World) {
	return func(w *World) { change(&w.Service.Units[0].State) }
}

func TestExamine(t *testing.T) {
	for _, tt := range examinations {
		t.Run(tt.name, func(t *testing.T) {
			w := healthy()
			tt.with(&w)
			findings := Examine(w)
			var got []string
			for _, f := range findings {
				got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.ID, f.About))
				if f.What == "" && f.ID != LoginDead && f.ID != LoginUnreadable && f.ID != LoginUnseen || f.Why == "" || f.Fix == "" {
					t.Errorf("%s says not all of what, why and fix: %+v", f.ID, f)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			wrong := slices.ContainsFunc(tt.want, func(s string) bool { return !strings.HasPrefix(s, "note ") })
			if Healthy(findings) == wrong {
				t.Errorf("healthy: %v", Healthy(findings))
			}
		})
	}
}

// TestEveryKind: each kind is found in some examination, and documented.
func TestEveryKind(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range IDs() {
		if !slices.ContainsFunc(examinations, func(e examination) bool {
			return slices.ContainsFunc(e.want, func(s string) bool { return strings.Contains(s, " "+string(id)+" ") })
		}) {
			t.Errorf("no examination finds %s", id)
		}
		if !strings.Contains(string(page), "| `"+string(id)+"` |") {
			t.Errorf("docs/doctor.md has no row for %s", id)
		}
	}
	for line := range strings.SplitSeq(string(page), "\n") {
		if id, _, row := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); row && strings.HasPrefix(line, "| `") &&
			strings.Contains(id, ".") && !slices.Contains(IDs(), ID(id)) {
			t.Errorf("docs/doctor.md has a row for %s, which nothing finds", id)
		}
	}
}

// TestOrderCommand: ids come from a file, and the command is pasted into a shell.
func TestOrderCommand(t *testing.T) {
	p := profiles.Pool{Agent: "main", Provider: "openai"}
	got := orderCommand(p, []string{alice, "openai:it's; rm -rf", "--help"})
	want := `openclaw models auth order set --provider openai --agent main -- openai:alice@example.com 'openai:it'\''s; rm -rf' --help`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestFixable: --fix is offered for modes of one's own files alone.
func TestFixable(t *testing.T) {
	for _, tt := range examinations {
		w := healthy()
		tt.with(&w)
		for _, f := range Examine(w) {
			if f.Fixable != (f.ID == FileMode) {
				t.Errorf("%s: %s: fixable %v", tt.name, f.ID, f.Fixable)
			}
		}
	}
}
