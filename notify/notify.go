// Package notify tells people what happened: signed webhooks, sent from an
// outbox in the journal, at least once and in order for each endpoint.
package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// Endpoint is one webhook of the config.
type Endpoint struct {
	Name   string       // unique; what the queue is kept under
	URL    secret.Value // http or https; often holds a token
	Secret secret.Value // whsec_…; empty: messages are not signed
	Events []event.Type // empty: all
}

// Store is the outbox; *journal.Journal is one.
type Store interface {
	NextMessage(ctx context.Context, endpoint string) (journal.Message, bool, error)
	Settle(ctx context.Context, o journal.Outcome) error
	Enabled(ctx context.Context, endpoint, target string) (bool, error)
}

// Options are what a Notifier needs.
type Options struct {
	Endpoints []Endpoint
	Store     Store
	// Client gives the transport; nil: one of its own. Its timeout, cookies
	// and redirect policy are not used.
	Client  *http.Client
	Log     zerolog.Logger
	Host    string           // data.host of every event
	Version string           // for the User-Agent
	Now     func() time.Time // nil: time.Now
}

// Notifier turns events into messages and delivers them.
type Notifier struct {
	host    string
	now     func() time.Time
	client  *http.Client
	workers []*worker
}

// New checks the endpoints. Its errors name the endpoint and what mends it,
// and hold neither URL nor secret.
func New(o Options) (*Notifier, error) {
	n := &Notifier{host: o.Host, now: o.Now, client: newClient(o.Client)}
	if n.now == nil {
		n.now = time.Now
	}
	seen := map[string]bool{}
	for _, ep := range o.Endpoints {
		if seen[ep.Name] {
			return nil, fmt.Errorf("webhook %q: the name is used twice; give each endpoint its own", ep.Name)
		}
		seen[ep.Name] = true
		w, err := newWorker(ep)
		if err != nil {
			return nil, fmt.Errorf("webhook %q: %w", ep.Name, err)
		}
		w.store, w.client, w.now = o.Store, n.client, n.now
		w.agent = "ocwatch/" + o.Version
		w.log = o.Log.With().Str("endpoint", ep.Name).Logger()
		n.workers = append(n.workers, w)
	}
	return n, nil
}

func newWorker(ep Endpoint) (*worker, error) {
	if ep.Name == "" {
		return nil, errors.New("an endpoint needs a name")
	}
	u, err := url.Parse(ep.URL.Reveal())
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("url is not an http or https address; https://host/path is meant")
	}
	for _, t := range ep.Events {
		if !slices.Contains(event.Types(), t) {
			return nil, fmt.Errorf("unknown event %q; the events are %v", t, event.Types())
		}
	}
	var key Key
	if !ep.Secret.Empty() {
		if key, err = ParseSecret(ep.Secret); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256([]byte(ep.URL.Reveal()))
	return &worker{
		Endpoint: ep, key: key,
		shown: u.Scheme + "://" + u.Host, target: hex.EncodeToString(sum[:16]),
		wake: make(chan struct{}, 1),
	}, nil
}

// Route makes one message for each endpoint that wants e. It fills in the
// host, and the time and the text where e has none. The messages belong into
// the journal, in the same round as what they tell of; Wake then.
func (n *Notifier) Route(e event.Event) ([]journal.Message, error) {
	now := n.now()
	body, err := n.body(e, now)
	if err != nil {
		return nil, err
	}
	var list []journal.Message
	for _, w := range n.workers {
		if len(w.Events) == 0 || slices.Contains(w.Events, e.Type) {
			list = append(list, journal.Message{ID: newID(), Endpoint: w.Name, Body: body, CreatedAt: now})
		}
	}
	return list, nil
}

// body is the JSON of an event as receivers see it.
func (n *Notifier) body(e event.Event, now time.Time) ([]byte, error) {
	e = complete(e, n.host, now)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // links stay readable where a person sees the JSON
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Type, err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// complete fills in what is missing and brings every time to whole seconds in
// UTC. The caller's event is not changed.
func complete(e event.Event, host string, now time.Time) event.Event {
	if e.Timestamp.IsZero() {
		e.Timestamp = now
	}
	e.Timestamp = e.Timestamp.UTC().Truncate(time.Second)
	if e.Data.Host == "" {
		e.Data.Host = host
	}
	e.Data.RecoversAt = tidy(e.Data.RecoversAt)
	e.Data.Profiles = slices.Clone(e.Data.Profiles)
	for i := range e.Data.Profiles {
		e.Data.Profiles[i].Until = tidy(e.Data.Profiles[i].Until)
	}
	if e.Data.Login != nil {
		login := *e.Data.Login
		login.ExpiresAt = tidy(login.ExpiresAt)
		e.Data.Login = &login
	}
	if e.Data.Message == "" {
		e.Data.Message = Text(e)
	}
	return e
}

// tidy drops a time that JSON cannot hold: an absurd reset time from a
// provider must not silence the event that carries it.
func tidy(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	u := t.UTC().Truncate(time.Second)
	if u.Year() < 1 || u.Year() > 9999 {
		return nil
	}
	return &u
}

// newID is a webhook-id; receivers drop repetitions by it.
func newID() string { return "msg_" + rand.Text() }

// Run delivers until ctx ends, and returns once every attempt has come to its
// end: at most a second later, and a little for the store. What is not
// delivered stays in the outbox. Only one Run may serve a store at a time.
func (n *Notifier) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, w := range n.workers {
		wg.Go(func() { w.run(ctx) })
	}
	wg.Wait()
	n.client.CloseIdleConnections()
}

// Wake tells Run that the outbox has something new. It never blocks.
func (n *Notifier) Wake() {
	for _, w := range n.workers {
		select {
		case w.wake <- struct{}{}:
		default: // it has not yet looked since the last time
		}
	}
}
