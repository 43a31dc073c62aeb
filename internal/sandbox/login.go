package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// deviceChoice is the one login that can be begun by RPC here.
const deviceChoice = "openai/openai-device-code"

// devicePage is where a code is typed.
const devicePage = "https://auth.openai.com/codex/device"

// logins are the wizards of a gateway, and the codes that a person may have
// in hand. There is one login at a time.
type logins struct {
	mu       sync.Mutex
	wizards  map[string]*wizard
	codes    []*code
	arrivals chan struct{} // closed and replaced when a code is given out
}

func newLogins() *logins {
	return &logins{wizards: map[string]*wizard{}, arrivals: make(chan struct{})}
}

func (l *logins) find(id string, c *conn) (*wizard, *rpcError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	z := l.wizards[id]
	if z == nil || z.owner != c {
		return nil, &rpcError{Code: "INVALID_REQUEST", Message: "wizard not found", Details: map[string]any{"code": "WIZARD_NOT_FOUND"}}
	}
	return z, nil
}

func (l *logins) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wizards, id)
}

// admit makes a wizard unless there is one.
func (l *logins) admit(id string, c *conn, end context.CancelCauseFunc) (*wizard, *rpcError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, z := range l.wizards {
		if z.running() {
			return nil, &rpcError{
				Code: "UNAVAILABLE", Message: "OpenClaw setup is already in progress; try again when it finishes.",
				Details: map[string]any{"code": "SETUP_ADMISSION_BUSY"}, Retryable: true,
			}
		}
	}
	z := &wizard{id: id, owner: c, status: "running", answers: make(chan any, 1), fetched: make(chan struct{}), end: end}
	l.wizards[id] = z
	return z, nil
}

func (l *logins) known(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wizards[id] != nil
}

// authLogin begins a login. It belongs to its connection, and ends with it.
func (c *conn) authLogin(ctx context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct {
		SessionID, AgentID, AuthChoice string
	}
	if json.Unmarshal(params, &p) != nil || p.SessionID == "" {
		return nil, invalid("invalid models.authLogin params: must have required property 'sessionId'")
	}
	w := c.gen.world
	if w.logins.known(p.SessionID) {
		return nil, invalid("wizard session already exists")
	}
	if p.AuthChoice != deviceChoice {
		return nil, invalid("That provider login is no longer available. Refresh Models and choose an available sign-in option.")
	}
	life, end := context.WithCancelCause(ctx)
	z, failure := w.logins.admit(p.SessionID, c, end)
	if failure != nil {
		end(nil)
		return nil, failure
	}
	c.jobs.Go(func() {
		z.run(func() error { return w.login(life, z, p.AgentID) })
		if ctx.Err() != nil {
			w.logins.forget(z.id)
		}
	})
	return map[string]any{"sessionId": p.SessionID, "done": false, "status": "running"}, nil
}

// login is the script of a login by code.
func (w *World) login(ctx context.Context, z *wizard, agent string) error {
	if agent == "" && len(w.agents) == 1 {
		agent = w.agents[0]
	}
	if !slices.Contains(w.agents, agent) {
		return fmt.Errorf("Unknown agent id %q. Use \"openclaw agents list\" to see configured agents.", agent) //nolint:revive,staticcheck // the real gateway's words
	}
	z.show("Starting device code flow…")
	z.show("Requesting device code…")
	if err := z.seen(ctx); err != nil {
		return err
	}
	given := w.logins.give()
	z.present(deviceStep(given.text))
	z.show("Waiting for device authorization…")
	said, err := given.wait(ctx)
	if err != nil {
		return err
	}
	if said.refusal != "" {
		z.show("OpenAI device code failed")
		help := wizardStep{Type: "note", Title: "OAuth help", Message: "Trouble with device code login? See https://docs.openclaw.ai/start/faq"}
		if _, err := z.ask(ctx, help); err != nil {
			return err
		}
		return errors.New("OpenAI device authorization failed: " + said.refusal)
	}
	z.show("Exchanging device code…")
	z.show("OpenAI device code complete")
	if err := w.loggedIn(ctx, agent, said.account); err != nil {
		return err
	}
	if w.opts.RestrictModels {
		_, err = z.ask(ctx, restrictionStep())
	}
	return err
}

func deviceStep(text string) wizardStep {
	const hint = "Enter this one-time code on the sign-in page."
	return wizardStep{
		Title: "OpenAI Codex device code", ExternalURL: devicePage,
		DeviceCode: &deviceCode{Code: text, ExpiresInMinutes: 15, Message: hint},
		Message: hint + "\n" + devicePage + "\nCode: " + text + "\nCode expires in 15 minutes.\n" +
			"Continue only if you started this sign-in yourself. If a website or another person gave you this code, cancel.",
	}
}

func restrictionStep() wizardStep {
	return wizardStep{
		Type: "select", InitialValue: "keep",
		Message: "Your current model restrictions may hide OpenAI models. Choose which models to show.",
		Options: []wizardOption{{"all", "Show all OpenAI models"}, {"keep", "Keep current restrictions"}},
	}
}

// wizardNext answers when there is something new, also after minutes.
func (c *conn) wizardNext(ctx context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct {
		SessionID string
		Answer    *struct {
			StepID string
			Value  any
		}
	}
	if json.Unmarshal(params, &p) != nil {
		return nil, invalid("invalid wizard.next params")
	}
	logins := c.gen.world.logins
	z, failure := logins.find(p.SessionID, c)
	if failure != nil {
		return nil, failure
	}
	if p.Answer != nil && !z.running() {
		return nil, invalid("wizard not running")
	}
	if p.Answer != nil && !z.answer(p.Answer.StepID, p.Answer.Value) {
		return nil, invalid("Error: wizard: no pending step")
	}
	return later(func() any {
		state := z.next(ctx)
		if state.Done {
			logins.forget(z.id)
		}
		return state
	}), nil
}

func (c *conn) wizardCancel(_ context.Context, params json.RawMessage) (any, *rpcError) {
	var p struct{ SessionID string }
	if json.Unmarshal(params, &p) != nil {
		return nil, invalid("invalid wizard.cancel params")
	}
	z, failure := c.gen.world.logins.find(p.SessionID, c)
	if failure != nil {
		return nil, failure
	}
	z.cancel()
	return map[string]any{"status": "cancelled", "error": errWizardCancelled.Error()}, nil
}
