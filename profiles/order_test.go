package profiles

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// world is an OpenClaw with three profiles, whose gateway and command do to its
// store what the real ones do, or fail as told.
type world struct {
	*install
	// methods are those that the gateway announces.
	methods []string
	down    bool
	// errs are errors by method or "cli"; with after, the deed is done first.
	fails map[string]error
	after bool
	// refreshes counts how often the gateway must be told before it sees a
	// new order; -1 is never.
	stale int
	// lies: the gateway and the command claim success and store nothing.
	lies    bool
	warning string

	seen  []string // the gateway's order
	calls []string
}

var modern = []string{"models.authOrderSet", "models.authStatus", "models.authRefresh", "secrets.reload"}

// old are the methods of 2026.5.28 and 2026.6.11.
var old = []string{"models.authStatus", "secrets.reload"}

func newWorld(methods ...string) *world {
	return &world{methods: methods, fails: map[string]error{}, install: &install{
		agents: []string{"main"},
		docs: map[string]openclaw.Documents{"main": documents(openclaw.SharedDatabase,
			profilesDoc(oauthEntry("openai:a"), oauthEntry("openai:b"), keyEntry("openai:k"), `"openai:odd":7`, oauthEntry("zai:x")), "")},
	}}
}

func (w *world) stored() []string {
	c, err := decode(w.docs["main"], w.cfg)
	if err != nil {
		panic(err)
	}
	return c.state.order["openai"]
}

func (w *world) Has(_ context.Context, method string) (bool, error) {
	if w.down {
		return false, openclaw.ErrGatewayDown
	}
	return slices.Contains(w.methods, method), nil
}

func (w *world) Call(ctx context.Context, method string, params, result any) error {
	w.calls = append(w.calls, method)
	switch {
	case w.down:
		return openclaw.ErrGatewayDown
	case ctx.Err() != nil:
		return ctx.Err()
	case w.fails[method] != nil && !w.after:
		return w.fails[method]
	}
	answer := map[string]any{}
	switch method {
	case "models.authOrderSet":
		var p struct {
			Provider, AgentID string
			ProfileIDs        []string `json:"profileIds"`
		}
		w.roundTrip(params, &p)
		if p.Provider != "openai" || p.AgentID != "main" {
			return &openclaw.RPCError{Method: method, Code: "INVALID_REQUEST", Message: "unknown"}
		}
		if len(p.ProfileIDs) != 3 {
			return &openclaw.RPCError{Method: method, Code: "INVALID_REQUEST", Message: "profileIds must include every available profile"}
		}
		w.write(p.ProfileIDs)
		if w.stale == 0 {
			w.seen = p.ProfileIDs
		}
		answer["warning"] = w.warning
	case "models.authStatus":
		answer["providers"] = []any{map[string]any{"provider": "zai"}, map[string]any{"provider": "openai", "profileOrder": w.seen}}
	case "models.authRefresh", "secrets.reload":
		if w.stale > 0 {
			w.stale--
		}
		if w.stale == 0 {
			w.seen = w.stored()
		}
	}
	if result != nil {
		w.roundTrip(answer, result)
	}
	return w.fails[method]
}

func (w *world) roundTrip(from, to any) {
	raw, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	if err != nil {
		panic(err)
	}
}

func (w *world) write(list []string) {
	if !w.lies {
		w.setOrder("openai", list)
	}
}

func (w *world) Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error) {
	w.calls = append(w.calls, "cli")
	const head = "models auth order set --provider openai --agent main --"
	if stdin != nil || strings.Join(args[:9], " ") != head {
		return openclaw.Output{}, &openclaw.CLIError{Args: args, ExitCode: 1, Message: "unexpected arguments"}
	}
	if err := ctx.Err(); err != nil {
		return openclaw.Output{}, err
	}
	if w.fails["cli"] != nil && !w.after {
		return openclaw.Output{}, w.fails["cli"]
	}
	w.write(args[9:])
	return openclaw.Output{}, w.fails["cli"]
}

func (w *world) orderer() *Orderer { return NewOrderer(w, w, NewStore(w, Options{})) }

func TestSet(t *testing.T) {
	all := []string{"openai:b", "openai:a", "openai:k"}
	refused := &openclaw.RPCError{Method: "models.authOrderSet", Code: "INVALID_REQUEST", Message: "profile priority for provider openai is controlled by auth configuration"}
	busy := &openclaw.CLIError{Args: []string{"models"}, ExitCode: 1, Message: "Failed to update auth-state.json; the auth state lock may be busy."}
	for name, tc := range map[string]struct {
		methods []string
		ids     []string
		world   func(w *world)
		want    Applied // without Steps; Notes: parts of the notes
		calls   string
		err     string // part of the error
	}{
		"rpc": {
			methods: modern, ids: all,
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewConfirmed},
			calls: "models.authOrderSet models.authStatus",
		},
		"the store has it already": {
			methods: modern, ids: all, world: func(w *world) { w.setOrder("openai", all) },
			want:  Applied{Via: ViaStore, Stored: true, Gateway: ViewConfirmed, Nudge: "models.authRefresh"},
			calls: "models.authRefresh models.authStatus",
		},
		"an entry that OpenClaw cannot read is left out": {
			methods: modern, ids: []string{"openai:b", "openai:odd", "openai:a", "openai:k"},
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewConfirmed},
			calls: "models.authOrderSet models.authStatus",
		},
		"without the paid one": {
			methods: modern, ids: all[:2],
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewConfirmed, Nudge: "models.authRefresh"},
			calls: "cli models.authRefresh models.authStatus",
		},
		"auth.order rules": {
			methods: modern, ids: all, world: func(w *world) { w.fails["models.authOrderSet"] = refused },
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewConfirmed, Nudge: "models.authRefresh", Notes: []string{"controlled by auth configuration"}},
			calls: "models.authOrderSet cli models.authRefresh models.authStatus",
		},
		"the connection breaks after the deed": {
			methods: modern, ids: all, world: func(w *world) { w.fails["models.authOrderSet"], w.after = openclaw.ErrGatewayDown, true },
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewConfirmed, Nudge: "models.authRefresh", Notes: []string{"not reachable"}},
			calls: "models.authOrderSet models.authRefresh models.authStatus",
		},
		"saved and not published": {
			methods: modern, ids: all, world: func(w *world) { w.warning, w.stale = "Profile priority saved. Live status is unavailable", 1 },
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewConfirmed, Nudge: "models.authRefresh", Notes: []string{"Live status is unavailable"}},
			calls: "models.authOrderSet models.authRefresh models.authStatus",
		},
		"the gateway needs a nudge": {
			methods: modern, ids: all, world: func(w *world) { w.stale = 1 },
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewConfirmed, Nudge: "models.authRefresh"},
			calls: "models.authOrderSet models.authStatus models.authRefresh models.authStatus",
		},
		"the gateway does not see it": {
			methods: modern, ids: all, world: func(w *world) { w.stale = -1 },
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewOld, Nudge: "models.authRefresh"},
			calls: "models.authOrderSet models.authStatus models.authRefresh models.authStatus",
		},
		"the gateway does not say": {
			methods: modern, ids: all, world: func(w *world) { w.fails["models.authStatus"] = &openclaw.RPCError{Code: "UNAVAILABLE"} },
			want:  Applied{Via: ViaRPC, Stored: true, Gateway: ViewUnknown, Notes: []string{"UNAVAILABLE"}},
			calls: "models.authOrderSet models.authStatus",
		},
		"an old gateway": {
			methods: old, ids: all,
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewReloaded, Nudge: "secrets.reload"},
			calls: "cli secrets.reload",
		},
		"an old gateway that cannot reload": {
			methods: old, ids: all, world: func(w *world) {
				w.fails["secrets.reload"] = &openclaw.RPCError{Code: "UNAVAILABLE", Message: "secrets.reload failed"}
			},
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewUnknown, Notes: []string{"secrets.reload failed"}},
			calls: "cli secrets.reload",
		},
		"refresh fails, reload helps": {
			methods: modern, ids: all[:2], world: func(w *world) { w.fails["models.authRefresh"] = &openclaw.RPCError{Code: "UNAVAILABLE"} },
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewConfirmed, Nudge: "secrets.reload", Notes: []string{"UNAVAILABLE"}},
			calls: "cli models.authRefresh secrets.reload models.authStatus",
		},
		"a gateway that offers nothing": {
			ids:   all,
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewUnknown},
			calls: "cli",
		},
		"no gateway": {
			methods: modern, ids: all, world: func(w *world) { w.down = true },
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewDown, Notes: []string{"not reachable"}},
			calls: "cli",
		},
		"not authorized": {
			methods: modern, ids: all, world: func(w *world) {
				for _, m := range modern {
					w.fails[m] = openclaw.ErrUnauthorized
				}
			},
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewUnknown, Notes: []string{"not authorized", "not authorized", "not authorized", "not authorized"}},
			calls: "models.authOrderSet cli models.authRefresh secrets.reload models.authStatus",
		},
		"the command's lock is busy": {
			methods: old, ids: all, world: func(w *world) { w.fails["cli"] = busy },
			want: Applied{Via: ViaCLI}, calls: "cli", err: "the auth state lock may be busy",
		},
		"the command is killed after the deed": {
			methods: old, ids: all, world: func(w *world) {
				w.fails["cli"], w.after = &openclaw.CLIError{ExitCode: -1, Err: context.DeadlineExceeded}, true
			},
			want:  Applied{Via: ViaCLI, Stored: true, Gateway: ViewReloaded, Nudge: "secrets.reload", Notes: []string{"deadline"}},
			calls: "cli secrets.reload",
		},
		"both refuse": {
			methods: modern, ids: all, world: func(w *world) { w.fails["models.authOrderSet"], w.fails["cli"] = refused, busy },
			want:  Applied{Via: ViaCLI, Notes: []string{"controlled by auth configuration"}},
			calls: "models.authOrderSet cli", err: "controlled by auth configuration",
		},
		"no command": {
			methods: old, ids: all, world: func(w *world) { w.fails["cli"] = &openclaw.CommandNotFoundError{Command: "openclaw"} },
			want: Applied{Via: ViaCLI}, calls: "cli", err: "put openclaw on PATH",
		},
		"accepted and not stored": {
			methods: modern, ids: all, world: func(w *world) { w.lies = true },
			want:  Applied{Via: ViaCLI, Notes: []string{"its store has another"}},
			calls: "models.authOrderSet cli", err: "its store has another",
		},
		"a profile that is gone":   {methods: modern, ids: []string{"openai:gone"}, err: "openai:gone is not in OpenClaw's store"},
		"of another provider":      {methods: modern, ids: []string{"openai:a", "zai:x"}, err: "zai:x is not in"},
		"twice":                    {methods: modern, ids: []string{"openai:a", "openai:a"}, err: "twice"},
		"nothing":                  {methods: modern, err: "no profile that OpenClaw can use"},
		"nothing OpenClaw can use": {methods: modern, ids: []string{"openai:odd"}, err: "no profile that OpenClaw can use"},
		"the store cannot be read": {
			methods: modern, ids: all, world: func(w *world) {
				w.errs = map[string]error{"main": &openclaw.StoreError{Path: "/x", Kind: openclaw.Busy}}
			},
			err: "set the order for openai of agent main: auth store /x: busy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(tc.methods...)
			if tc.world != nil {
				tc.world(w)
			}
			got, err := w.orderer().Set(t.Context(), "main", "openai", tc.ids)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want one that says %q", err, tc.err)
			}
			if got.Via != tc.want.Via || got.Stored != tc.want.Stored || got.Gateway != tc.want.Gateway || got.Nudge != tc.want.Nudge {
				t.Errorf("applied %+v, want %+v", got, tc.want)
			}
			if len(got.Notes) != len(tc.want.Notes) {
				t.Fatalf("notes %q, want %q", got.Notes, tc.want.Notes)
			}
			for i, n := range tc.want.Notes {
				if !strings.Contains(got.Notes[i], n) {
					t.Errorf("note %q, want one that says %q", got.Notes[i], n)
				}
			}
			if calls := strings.Join(w.calls, " "); calls != tc.calls {
				t.Errorf("calls %s, want %s", calls, tc.calls)
			}
			if len(got.Steps) == 0 {
				t.Error("no step is told")
			}
			if want := without(tc.ids, "openai:odd"); got.Stored && !slices.Equal(w.stored(), want) {
				t.Errorf("stored %v, want %v", w.stored(), want)
			}
		})
	}
}

func without(list []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == id })
}

func TestSetAgainWritesNothing(t *testing.T) {
	w := newWorld(modern...)
	o := w.orderer()
	for range 3 {
		if a, err := o.Set(t.Context(), "main", " OpenAI", []string{"openai:k", "openai:b", "openai:a"}); err != nil || !a.Stored {
			t.Fatal(a, err)
		}
	}
	if n := strings.Count(strings.Join(w.calls, " "), "models.authOrderSet"); n != 1 {
		t.Errorf("the order was written %d times, want once", n)
	}
}

func TestSetEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWorld(modern...)
	_, err := w.orderer().Set(ctx, "main", "openai", []string{"openai:a", "openai:b", "openai:k"})
	if !errors.Is(err, context.Canceled) || slices.Contains(w.calls, "cli") {
		t.Errorf("error %v after calls %v: the command must not start after the end", err, w.calls)
	}
}

// hanging is a gateway that never answers.
type hanging struct{ *world }

func (h hanging) Call(ctx context.Context, _ string, _, _ any) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestSetGoesPastAGatewayThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(modern...)
		start := time.Now()
		a, err := NewOrderer(hanging{w}, w, NewStore(w, Options{})).Set(t.Context(), "main", "openai", []string{"openai:b", "openai:a", "openai:k"})
		if err != nil || a.Via != ViaCLI || !a.Stored || a.Gateway != ViewUnknown {
			t.Errorf("%+v, %v; want the order set by the command", a, err)
		}
		if d := time.Since(start); d != 3*rpcLimit {
			t.Errorf("it took %v, want the limit of three calls", d)
		}
	})
}

// A round has just read the store when it sets an order, so Set reads it only
// once more, behind the change; but whatever would keep it from writing is not
// believed to a read that may be old.
func TestSetTrustsARecentReadOnlyToWrite(t *testing.T) {
	order := []string{"openai:b", "openai:a", "openai:k"}
	for _, tc := range []struct {
		name      string
		meanwhile func(*world)
		ids       []string
		reads     int
	}{
		{"nothing happened", func(*world) {}, order, 1},
		{"somebody took the order away", func(w *world) { w.setOrder("openai", []string{"openai:k"}) }, []string{"openai:k", "openai:a", "openai:b"}, 2},
		{"a profile came", func(w *world) {
			w.docs["main"] = documents(openclaw.SharedDatabase, profilesDoc(oauthEntry("openai:new"), oauthEntry("openai:b"), keyEntry("openai:k")), "")
		}, []string{"openai:new", "openai:b", "openai:k"}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(modern...)
				w.setOrder("openai", []string{"openai:k", "openai:a", "openai:b"})
				o := w.orderer()
				if _, err := o.store.Snapshot(t.Context()); err != nil {
					t.Fatal(err)
				}
				tc.meanwhile(w)
				before := w.reads
				a, err := o.Set(t.Context(), "main", "openai", tc.ids)
				if err != nil || a.Via != ViaRPC || !slices.Equal(w.stored(), tc.ids) {
					t.Errorf("via %s, stored %v, error %v; want %v by rpc", a.Via, w.stored(), err, tc.ids)
				}
				if got := w.reads - before; got != tc.reads {
					t.Errorf("the store was read %d times, want %d", got, tc.reads)
				}
			})
		})
	}
}
