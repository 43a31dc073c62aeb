package lab

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Request is one call that reached the stand-in.
type Request struct {
	At      time.Time
	Path    string
	Account string // the name of the account whose token came, "" for a token nobody has
	Model   string
	Main    bool   // a session's own turn, no side call for a title or a summary
	Agent   string // User-Agent
	Status  int
}

// Turn reports whether r is an inference call.
func (r Request) Turn() bool { return strings.HasSuffix(r.Path, "/responses") }

// Usage reports whether r asked how much quota is left.
func (r Request) Usage() bool { return strings.HasSuffix(r.Path, "/usage") }

// Quota is what an account has left.
type Quota struct {
	FiveHour float64 // used, 0–100
	Weekly   float64 // used, 0–100
	// Resets is when both windows are reset; zero means two hours from now on.
	Resets time.Time
}

func (q Quota) spent() bool { return q.FiveHour >= 100 || q.Weekly >= 100 }

func (q Quota) reset(now time.Time) time.Time {
	if q.Resets.IsZero() {
		return now.Add(2 * time.Hour)
	}
	return q.Resets
}

// Provider plays OpenAI and Anthropic, for OpenClaw and for ocwatch at once. An
// account whose quota is spent gets 429 for its turns, as the real one does.
// Logins are answered too, see idp.
type Provider struct {
	URL string // of the plain loopback endpoint

	proxy *proxy
	idp   *idp

	mu       sync.Mutex
	byToken  map[string]string
	quota    map[string]Quota
	refuse   map[string]refusal
	hold     chan struct{} // open while turns must wait
	waiting  int           // turns that had to wait, ever
	requests []Request
	grown    chan struct{} // closed and replaced at every request
}

// NewProvider starts a stand-in for accounts, all of them with full quota.
func NewProvider(t *testing.T, accounts []Account) *Provider {
	t.Helper()
	p := &Provider{
		byToken: map[string]string{}, quota: map[string]Quota{}, refuse: map[string]refusal{},
		grown: make(chan struct{}),
	}
	for _, a := range accounts {
		p.byToken[a.Secret()] = a.Name
	}
	p.idp = newIDP(accounts, p.accept)
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.URL = srv.URL
	p.proxy = newProxy(t, p)
	return p
}

// SetQuota says what account has left from now on.
func (p *Provider) SetQuota(account string, q Quota) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quota[account] = q
}

type refusal struct {
	status int
	code   string
}

// Refuse answers everything that account asks with status, and a body whose
// error has that code; status 0 ends it.
func (p *Provider) Refuse(account string, status int, code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse[account] = refusal{status, code}
}

// Hold keeps main turns waiting until the returned function is called. Side
// calls and attempts at a WebSocket are answered: a turn is in flight once its
// own request has come.
func (p *Provider) Hold() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hold := make(chan struct{})
	p.hold = hold
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.hold = nil
		close(hold)
	})
}

// Requests returns what arrived from the n-th request on.
func (p *Provider) Requests(n int) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests[n:])
}

// Mark is the number of requests so far, for Requests.
func (p *Provider) Mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.requests)
}

// Await returns the first request after mark that match accepts.
func (p *Provider) Await(t *testing.T, mark int, limit time.Duration, match func(Request) bool) Request {
	t.Helper()
	var found Request
	p.until(t, limit, func() bool {
		i := slices.IndexFunc(p.requests[mark:], match)
		if i >= 0 {
			found = p.requests[mark+i]
		}
		return i >= 0
	})
	return found
}

// Served returns the accounts that answered main turns after mark, in order.
func (p *Provider) Served(mark int) []string {
	var names []string
	for _, r := range p.Requests(mark) {
		if r.Turn() && r.Status == http.StatusOK && r.Main {
			names = append(names, r.Account)
		}
	}
	return names
}

func (p *Provider) record(r Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r)
	p.wake()
}

// ask returns what an account that sent token gets.
func (p *Provider) ask(token string) (account string, q Quota, refuse refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name, known := p.byToken[token]
	if !known {
		return "", Quota{}, refusal{http.StatusUnauthorized, "invalid_token"}
	}
	return name, p.quota[name], p.refuse[name]
}

// held returns what a turn has to wait for, nil for nothing.
func (p *Provider) held() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		p.waiting++
		p.wake()
	}
	return p.hold
}

func (p *Provider) wake() {
	close(p.grown)
	p.grown = make(chan struct{})
}

// Waiting counts the turns that Hold made wait so far.
func (p *Provider) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}

// AwaitWaiting returns once n turns were made to wait.
func (p *Provider) AwaitWaiting(t *testing.T, n int) {
	t.Helper()
	p.until(t, patience, func() bool { return p.waiting >= n })
}

// until waits for cond, which is called with the lock held.
func (p *Provider) until(t *testing.T, limit time.Duration, cond func() bool) {
	t.Helper()
	deadline := time.After(limit)
	for {
		p.mu.Lock()
		done, grown := cond(), p.grown
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("what the providers were to see did not come within %v; came: %+v", limit, p.Requests(0))
		}
	}
}
