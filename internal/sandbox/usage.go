package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request that reached the providers.
type Request struct {
	At        time.Time
	Profile   string // whose credential it carried; "" for one that no profile has
	Path      string
	UserAgent string
}

// usageServer plays the providers: one server, a path each.
type usageServer struct {
	world   *World
	server  *http.Server
	host    string
	closing chan struct{}
	served  sync.WaitGroup

	mu       sync.Mutex
	requests []Request
}

func (*usageServer) paths() map[string]string {
	return map[string]string{
		"openai":           "/backend-api/wham/usage",
		"anthropic":        "/api/oauth/usage",
		"openai-models":    "/openai/v1/models",
		"anthropic-models": "/anthropic/v1/models",
	}
}

func newUsageServer(ctx context.Context, w *World) (*usageServer, error) {
	s := &usageServer{world: w, closing: make(chan struct{})}
	mux := http.NewServeMux()
	for name, path := range s.paths() {
		provider, _, models := strings.Cut(name, "-")
		mux.HandleFunc("GET "+path, func(rw http.ResponseWriter, r *http.Request) { s.serve(rw, r, provider, models) })
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s.host = listener.Addr().String()
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quietLog()}
	s.served.Go(func() { _ = s.server.Serve(listener) })
	return s, nil
}

func (s *usageServer) url(name string) string {
	path, ok := s.paths()[name]
	if !ok {
		return ""
	}
	return "http://" + s.host + path
}

func (s *usageServer) close() error {
	close(s.closing)
	err := s.server.Close()
	s.served.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *usageServer) serve(w http.ResponseWriter, r *http.Request, provider string, models bool) {
	a := s.world.bearer(r, provider)
	seen := Request{At: time.Now(), Path: r.URL.Path, UserAgent: r.UserAgent()}
	if a != nil {
		seen.Profile = a.Profile
	}
	s.mu.Lock()
	s.requests = append(s.requests, seen)
	s.mu.Unlock()

	fault, body := s.world.usageAnswer(a, provider, models)
	if fault.send(w, r, provider, s.closing) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// Requests lists what reached the providers so far.
func (w *World) Requests() []Request {
	w.usage.mu.Lock()
	defer w.usage.mu.Unlock()
	return slices.Clone(w.usage.requests)
}

// bearer finds whose credential a request carries; nil: nobody's.
func (w *World) bearer(r *http.Request, provider string) *account {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if key := r.Header.Get("X-Api-Key"); key != "" {
		token = key
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.accounts {
		if a.Provider == provider && a.credential.Reveal() == token {
			return a
		}
	}
	return nil
}

// usageAnswer says how a request with a's credential is answered.
func (w *World) usageAnswer(a *account, provider string, models bool) (Fault, any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case a == nil:
		return Unauthorized, nil
	case a.fault != NoFault:
		return a.fault, nil
	case a.Type != "api_key" && !now.Before(a.expires):
		return Unauthorized, nil
	case models:
		return NoFault, map[string]any{"object": "list", "data": []any{}}
	case a.Type == "api_key":
		return Unauthorized, nil
	case provider == "anthropic" && a.Type == "token":
		return NoScope, nil // a setup-token has the scope user:inference alone
	case provider == "anthropic":
		return NoFault, a.anthropicUsage(now)
	default:
		return NoFault, a.openaiUsage(now)
	}
}
