package login

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// endedFlow is a login that ended.
type endedFlow struct {
	via Via
	err error
}

func (f endedFlow) prompt() Prompt                      { return Prompt{Via: f.via} }
func (f endedFlow) paste(context.Context, string) error { return ErrNoPaste }
func (f endedFlow) wait(context.Context) error          { return f.err }
func (f endedFlow) cancel()                             {}

// An older gateway goes on with what it had until it is told of a login that
// openclaw's command has stored.
func TestTheRunningGatewayIsToldOfALogin(t *testing.T) {
	refused := &openclaw.RPCError{Code: "UNAVAILABLE", Message: "not now"}
	down := fmt.Errorf("%w at 127.0.0.1:1", openclaw.ErrGatewayDown)
	for _, tc := range []struct {
		name  string
		flow  endedFlow
		lacks string
		fails map[string]error
		calls []string
	}{
		{"by 2026.9's own method", endedFlow{via: ViaTerminal}, "", nil, []string{"models.authRefresh"}},
		{"an older gateway", endedFlow{via: ViaTerminal}, "models.authRefresh", nil, []string{"secrets.reload"}},
		{"one that refuses the first", endedFlow{via: ViaTerminal}, "", map[string]error{"models.authRefresh": refused}, []string{"models.authRefresh", "secrets.reload"}},
		{"one that refuses both", endedFlow{via: ViaTerminal}, "", map[string]error{"models.authRefresh": refused, "secrets.reload": refused}, []string{"models.authRefresh", "secrets.reload"}},
		{"none that runs", endedFlow{via: ViaTerminal}, "", map[string]error{"hello": down}, nil},
		{"one that did the login itself", endedFlow{via: ViaGateway}, "", nil, nil},
		{"a login that failed", endedFlow{via: ViaTerminal, err: ErrExpired}, "", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newFakeGateway()
				g.lacks = tc.lacks
				if tc.fails != nil {
					g.refuse = tc.fails
				}
				dialled := false
				s := New(Options{Dial: func() Gateway { dialled = true; return g }, Log: zerolog.Nop()})
				w, err := newWatch(t.Context(), &snapshots{of(pool("main", "openai", revisions{"openai:a": 1}))}, zerolog.Nop(), request())
				if err != nil {
					t.Fatal(err)
				}
				a := &Attempt{flow: tc.flow, watch: w, reread: s.reread, done: make(chan struct{})}
				a.run(t.Context())
				if !slices.Equal(g.calls, tc.calls) {
					t.Errorf("called %v, want %v", g.calls, tc.calls)
				}
				if dialled && !g.isClosed() {
					t.Error("the connection stayed open")
				}
			})
		})
	}
}
