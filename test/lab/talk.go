package lab

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// Turn has the agent answer once in session, through the CLI and the gateway,
// and returns the account that served.
func (l *Lab) Turn(t *testing.T, session string) string {
	t.Helper()
	mark := l.Provider.Mark()
	l.CLI(t, "agent", "--agent", "main", "--session-id", session, "--message", "say ok", "--json")
	return l.served(t, mark, session)
}

// TurnRPC is Turn over an open connection, which saves the CLI's start.
func (l *Lab) TurnRPC(t *testing.T, r *RPC, session string) string {
	t.Helper()
	mark := l.Provider.Mark()
	l.StartTurn(t, r, session)()
	return l.served(t, mark, session)
}

// BeginTurn starts a turn and returns once the provider was asked, which
// Provider.Hold can keep it from answering. The returned function waits for
// the end.
func (l *Lab) BeginTurn(t *testing.T, r *RPC, session string) (finish func()) {
	t.Helper()
	mark := l.Provider.Waiting()
	finish = l.StartTurn(t, r, session)
	l.Provider.AwaitWaiting(t, mark+1)
	return finish
}

// StartTurn starts a turn. The returned function waits for its end.
func (l *Lab) StartTurn(t *testing.T, r *RPC, session string) (finish func()) {
	t.Helper()
	accepted := r.Must(t, "agent", map[string]any{
		"agentId": "main", "sessionId": session, "message": "say ok", "idempotencyKey": key(session),
	})
	return func() {
		t.Helper()
		r.wait(t, accepted)
	}
}

// Chat sends a message to a chat session, as a channel does, and returns the
// account that served.
func (l *Lab) Chat(t *testing.T, r *RPC, sessionKey string) string {
	t.Helper()
	mark := l.Provider.Mark()
	started := r.Must(t, "chat.send", map[string]any{
		"sessionKey": sessionKey, "message": "say ok", "idempotencyKey": key(sessionKey),
	})
	r.wait(t, started)
	return l.served(t, mark, sessionKey)
}

func key(session string) string { return fmt.Sprintf("lab-%s-%d", session, time.Now().UnixNano()) }

func (r *RPC) wait(t *testing.T, started json.RawMessage) {
	t.Helper()
	var run struct {
		RunID string `json:"runId"`
	}
	must(t, json.Unmarshal(started, &run))
	done := r.Must(t, "agent.wait", map[string]any{"runId": run.RunID, "timeoutMs": patience.Milliseconds()})
	var end struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	must(t, json.Unmarshal(done, &end))
	if end.Status != "ok" {
		t.Fatalf("the run ended with status %q: %s", end.Status, end.Error)
	}
	r.settle(t)
}

// settle waits until nothing is active: an older gateway reports a run as done
// a moment before it lets go of the session's file.
func (r *RPC) settle(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		var p struct {
			Counts struct {
				TotalActive int `json:"totalActive"`
			} `json:"counts"`
		}
		must(t, json.Unmarshal(r.Must(t, "gateway.restart.preflight", map[string]any{}), &p))
		if p.Counts.TotalActive == 0 {
			return
		}
		<-tick.C
	}
	t.Fatal("the gateway still had active work long after the run ended")
}

func (l *Lab) served(t *testing.T, mark int, session string) string {
	t.Helper()
	names := l.Provider.Served(mark)
	if len(names) == 0 {
		t.Fatalf("no account served %s; requests: %+v", session, l.Provider.Requests(mark))
	}
	return names[len(names)-1]
}

// OrderSetCLI sets the order of names' provider through OpenClaw's CLI.
func (l *Lab) OrderSetCLI(t *testing.T, names ...string) {
	t.Helper()
	l.CLI(t, append([]string{"models", "auth", "order", "set", "--agent", "main", "--provider", l.ProviderID()}, l.IDs(names...)...)...)
}

// OrderGetCLI returns the stored order, nil where there is none.
func (l *Lab) OrderGetCLI(t *testing.T) []string {
	t.Helper()
	out := l.CLI(t, "models", "auth", "order", "get", "--agent", "main", "--provider", l.ProviderID(), "--json")
	var v struct {
		Order []string `json:"order"`
	}
	must(t, json.Unmarshal([]byte(out), &v))
	return v.Order
}
