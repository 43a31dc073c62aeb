package watchdog

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// TestForeignLoginIsReread: a gateway before 2026.9 knows a login made with
// OpenClaw's own command only once it is told. It is told once.
func TestForeignLoginIsReread(t *testing.T) {
	t.Parallel()
	byHand := func(w *world, p *process) {
		w.login("dave", "acct-dave")
		p.rounds(5)
	}
	for _, tc := range []struct {
		name   string
		layout openclaw.Layout
		play   func(w *world, p *process)
		want   int // times that the gateway was to read
	}{
		{"2026.6.11", openclaw.AgentDatabase, byHand, 1},
		{"2026.5.28", openclaw.JSONFiles, byHand, 1},
		{"2026.9 is told by the command", openclaw.SharedDatabase, byHand, 0},
		{"our own login has seen to it", openclaw.AgentDatabase, func(w *world, p *process) {
			w.login("dave", "acct-dave")
			p.dog.LoginDone("main", "openai", login.Result{Profile: "dave", New: true}, nil)
			p.rounds(5)
		}, 0},
		{"a gateway that refuses is not asked again", openclaw.AgentDatabase, func(w *world, p *process) {
			w.rereadErr = &openclaw.RPCError{Code: "UNAVAILABLE", Message: "not now"}
			byHand(w, p)
		}, 1},
		{"rounds that panic do not ask again", openclaw.AgentDatabase, func(w *world, p *process) {
			p.meddling(func(effect string) fault {
				if effect == "probe" {
					panic("a planted bug")
				}
				return none
			})
			w.login("dave", "acct-dave")
			for range 3 {
				p.dog.safeRound(p.ctx)
				time.Sleep(time.Minute)
			}
			p.meddling(nil)
			p.rounds(2)
		}, 1},
		{"stopped before it was journalled: asked by the next start", openclaw.AgentDatabase, func(w *world, p *process) {
			p.meddling(func(effect string) fault {
				if effect == "probe" {
					p.end()
				}
				return none
			})
			w.login("dave", "acct-dave")
			p.dog.Round(p.ctx)
			w.awake(p.t, brisk()).rounds(3)
		}, 2},
		{"two agents at once", openclaw.JSONFiles, func(w *world, p *process) {
			w.login("dave", "acct-dave")
			w.with(func() { w.pools[1].Profiles = w.pools[0].Profiles })
			p.rounds(3)
		}, 1},
		{"two logins, one after the other", openclaw.JSONFiles, func(w *world, p *process) {
			byHand(w, p)
			w.login("erin", "acct-erin")
			p.rounds(3)
		}, 2},
		{"tokens that OpenClaw refreshes are no login", openclaw.AgentDatabase, func(w *world, p *process) {
			w.with(func() { w.pools[0].Profiles[0].Revision++ })
			p.rounds(3)
		}, 0},
		{"a dead login that was renewed", openclaw.AgentDatabase, func(w *world, p *process) {
			w.say("bob", verdict(quota.Revoked))
			p.rounds(3)
			w.say("bob", used(1))
			w.with(func() { w.pools[0].Profiles[1].Revision++ })
			p.rounds(3)
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.layout = tc.layout
				w.add("work", abc...)
				p := w.born(t, brisk())
				p.rounds(2)
				tc.play(w, p)
				if w.rereads != tc.want {
					t.Errorf("made to read %d times, want %d", w.rereads, tc.want)
				}
			})
		})
	}
}

// TestRereadIsSaid: what came of it is in the log, and a gateway that does not
// run is nothing to warn of.
func TestRereadIsSaid(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"done", nil, `"by":"secrets.reload"`},
		{"refused", &openclaw.RPCError{Code: "UNAVAILABLE", Message: "not now"}, "restart it if it serves more"},
		{"no gateway", fmt.Errorf("%w at 127.0.0.1:1", openclaw.ErrGatewayDown), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.layout, w.rereadErr = openclaw.AgentDatabase, tc.err
				p := w.born(t, brisk())
				p.rounds(1)
				var log bytes.Buffer
				p.dog.Log = zerolog.New(&log).Level(zerolog.InfoLevel)
				p.dog.reread(context.Background(), w.mustSnapshot(t), []string{"main"})
				if got := log.String(); !strings.Contains(got, tc.want) || tc.want == "" && got != "" {
					t.Errorf("said %q", got)
				}
			})
		})
	}
}
