package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Settings are the owner's wishes for one provider.
type Settings struct {
	// Every is the interval between two probes of an account, 0 for the
	// provider's default.
	Every time.Duration
	// URL replaces the usage endpoint, "" for the provider's own. See
	// ValidateEndpoint for what is allowed. Keys are validated at the same
	// host.
	URL string
	// Generic replaces how the provider is asked and read, or is all there is
	// where ocwatch knows no other way. It needs a URL.
	Generic *Generic
}

// Options make a Prober. The zero value is usable.
type Options struct {
	// Transport carries the requests; nil for one made for the purpose.
	Transport http.RoundTripper
	// UserAgent names us honestly; "" for "ocwatch".
	UserAgent string
	// Timeout bounds one probe, 0 for 10 s.
	Timeout time.Duration
	// Providers holds settings by OpenClaw's provider id. Those of openai
	// serve openai-codex too, unless it has its own.
	Providers map[string]Settings
	// Table replaces the table of providers; nil for Table().
	Table map[string]Func
	// Observe hears of each probe, and how long it took; nil: nobody does. It
	// is called concurrently.
	Observe func(provider string, v quota.Verdict, took time.Duration)
}

// Prober probes accounts. It is safe for concurrent use.
type Prober struct {
	table     map[string]Func
	providers map[string]Settings
	timeout   time.Duration
	client    *http.Client
	memory    *memory
	observe   func(provider string, v quota.Verdict, took time.Duration)
}

// New returns a Prober.
func New(o Options) *Prober {
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.UserAgent == "" {
		o.UserAgent = "ocwatch"
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Table == nil {
		o.Table = Table()
	}
	if o.Observe == nil {
		o.Observe = func(string, quota.Verdict, time.Duration) {}
	}
	g := &guard{base: o.Transport, userAgent: o.UserAgent, breakers: newBreakers()}
	return &Prober{
		table: o.Table, providers: o.Providers, timeout: o.Timeout,
		client: g.client(), memory: newMemory(), observe: o.Observe,
	}
}

// Every returns the interval at which a is asked in ordinary times: the
// owner's, else the provider's default.
func (p *Prober) Every(a Account) time.Duration {
	if s := p.settings(a.Provider); s.Every > 0 {
		return s.Every
	}
	return PaceOf(a.Provider, a.Type).Every
}

func (p *Prober) settings(provider string) Settings {
	if s, ok := p.providers[provider]; ok {
		return s
	}
	return p.providers[quota.Canonical(provider)]
}

// Probe asks what a has left. It never fails: whatever goes wrong is a verdict
// with a reason, which holds nothing of the credential or of the answer's text.
func (p *Prober) Probe(ctx context.Context, a Account) quota.Reading {
	if a.Endpoint == "" {
		a.Endpoint = p.settings(a.Provider).URL
	}
	begin := time.Now()
	r, err := p.ask(ctx, a)
	took := time.Since(begin)
	if err != nil {
		r = quota.Reading{Source: r.Source}
		r.Verdict, r.Reason = explain(err)
		if open, ok := errors.AsType[*endpointFailing](err); ok {
			r.Reason, r.Until = open.Error(), open.until
		}
	}
	p.observe(a.Provider, r.Verdict, took)
	r.Account, r.Provider = a.Key, a.Provider
	r.At = time.Now().UTC().Round(0)
	if r.Source == "" {
		r.Source = quota.FromUsage
	}
	if a.Live {
		r.Source = quota.FromLive
	}
	return p.memory.note(a, r)
}

// ask calls the provider's Func within its bounds.
func (p *Prober) ask(ctx context.Context, a Account) (r quota.Reading, err error) {
	f, ok := p.table[quota.Canonical(a.Provider)]
	if g := p.settings(a.Provider).Generic; g.serves(a.Type) {
		f, ok = g.ask, true
	}
	if a.Live {
		f, ok = liveFuncs[quota.Canonical(a.Provider)]
	}
	if !ok {
		return unsupported("ocwatch knows no way to read this provider's quota"), nil
	}
	if a.Endpoint != "" {
		if err := ValidateEndpoint(a.Endpoint); err != nil {
			return r, refuse(quota.Unknown, err.Error())
		}
	}
	if err := ctx.Err(); err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			r, err = quota.Reading{}, refuse(quota.Unknown, "the probe failed within ocwatch"+panicSite())
		}
	}()
	return f(ctx, a, p.client)
}

// panicSite says where a panic under recovery came from. The panic's value is
// left out: it may quote a credential.
func panicSite() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf(" at %s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// defaultLimit is how many probes of a round are under way at once.
const defaultLimit = 48

// ProbeAll probes every account, at most limit at once (48 where limit is not
// positive), and returns the readings in the same order.
func (p *Prober) ProbeAll(ctx context.Context, accounts []Account, limit int) []quota.Reading {
	if limit <= 0 {
		limit = defaultLimit
	}
	readings := make([]quota.Reading, len(accounts))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(limit, len(accounts)) {
		workers.Go(func() {
			for i := range next {
				readings[i] = p.Probe(ctx, accounts[i])
			}
		})
	}
	for i := range accounts {
		next <- i
	}
	close(next)
	workers.Wait()
	return readings
}

// Close lets go of idle connections.
func (p *Prober) Close() { p.client.CloseIdleConnections() }
