package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ocwatch/ocwatch/internal/event"
)

const (
	pathLogin       = "/api/v1/login"
	pathLoginPaste  = pathLogin + "/paste"
	pathLoginCancel = pathLogin + "/cancel"
	pathLoginDone   = pathLogin + "/done"
)

// maxRequest bounds a request; a pasted address is one or two kilobytes.
const maxRequest = 64 << 10

// LoginRequest is the body of every request about logins. Which fields count
// depends on the path.
type LoginRequest struct {
	Agent    string `json:"agent,omitempty"`
	Provider string `json:"provider,omitempty"`
	Profile  string `json:"profile,omitempty"`
	// Address holds an authorization code: it goes to OpenClaw and nowhere else.
	Address string `json:"address,omitempty"`
}

// Logins is what the owner may do about logins.
type Logins interface {
	// Begin starts a login and announces it to the endpoints.
	Begin(ctx context.Context, agent, provider string) (event.Login, error)
	// Paste hands an address to the login that waits for one.
	Paste(ctx context.Context, address string) error
	// Cancel ends the login for a provider, if there is one.
	Cancel(agent, provider string)
	// LoggedIn tells of a login that somebody else brought to its end.
	LoggedIn(agent, provider, profile string)
}

// loginRoutes adds what changes something, for the socket alone.
func loginRoutes(mux *http.ServeMux, logins Logins) {
	handle(mux, pathLogin, func(ctx context.Context, r LoginRequest) (any, error) {
		if r.Agent == "" || r.Provider == "" {
			return nil, errors.New("a login needs an agent and a provider")
		}
		return logins.Begin(ctx, r.Agent, r.Provider)
	})
	handle(mux, pathLoginPaste, func(ctx context.Context, r LoginRequest) (any, error) {
		return done{}, logins.Paste(ctx, r.Address)
	})
	handle(mux, pathLoginCancel, func(_ context.Context, r LoginRequest) (any, error) {
		logins.Cancel(r.Agent, r.Provider)
		return done{}, nil
	})
	handle(mux, pathLoginDone, func(_ context.Context, r LoginRequest) (any, error) {
		logins.LoggedIn(r.Agent, r.Provider, r.Profile)
		return done{}, nil
	})
}

type refusal struct {
	Error string `json:"error"`
}

type done struct{}

// answer writes one JSON document. Whoever asked may be gone.
func answer(rw http.ResponseWriter, code int, doc any) {
	body, err := json.Marshal(doc)
	if err != nil {
		http.Error(rw, "the answer cannot be encoded", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(code)
	_, _ = rw.Write(append(body, '\n'))
}
