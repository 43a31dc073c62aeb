// Package notify tells people what happened: by signed webhooks and by chat,
// sent from an outbox in the journal, at least once and in order for each
// endpoint.
package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/notify/text"
)

// Endpoint is one receiver of the config.
type Endpoint struct {
	Name     string        // unique; what the queue is kept under
	Events   []event.Type  // empty: all
	Language text.Language // of the texts; empty: English
	Sender   Sender
}

// Store is the outbox; *journal.Journal is one.
type Store interface {
	NextMessages(ctx context.Context, endpoint string, limit int) ([]journal.Message, error)
	Settle(ctx context.Context, outcomes []journal.Outcome) error
	Enabled(ctx context.Context, endpoint, target string) (bool, error)
}

// Options are what a Notifier needs.
type Options struct {
	Endpoints []Endpoint
	Store     Store
	Log       zerolog.Logger
	Host      string           // data.host of every event
	Location  *time.Location   // where the reader of a text is; nil: time.Local
	Now       func() time.Time // nil: time.Now
}

// Notifier turns events into messages and delivers them.
type Notifier struct {
	host    string
	loc     *time.Location
	now     func() time.Time
	workers []*worker
}

// New checks the endpoints. Its errors name the endpoint and what mends it.
func New(o Options) (*Notifier, error) {
	n := &Notifier{host: o.Host, loc: o.Location, now: o.Now}
	if n.now == nil {
		n.now = time.Now
	}
	if n.loc == nil {
		n.loc = time.Local
	}
	seen := map[string]bool{}
	for _, ep := range o.Endpoints {
		if err := ep.check(); err != nil {
			return nil, fmt.Errorf("endpoint %q: %w", ep.Name, err)
		}
		if seen[ep.Name] {
			return nil, fmt.Errorf("endpoint %q: the name is used twice; give each endpoint its own", ep.Name)
		}
		seen[ep.Name] = true
		n.workers = append(n.workers, &worker{
			Endpoint: ep, store: o.Store, now: n.now, reader: reader{ep.Language, n.loc},
			wake: make(chan struct{}, 1), burst: burstWindow,
			log: o.Log.With().Str("endpoint", ep.Name).Logger(),
		})
	}
	return n, nil
}

func (ep Endpoint) check() error {
	if ep.Name == "" {
		return errors.New("an endpoint needs a name")
	}
	if ep.Sender == nil {
		return errors.New("an endpoint needs a sender")
	}
	if l := ep.Language; l != "" && l != text.English && l != text.Chinese {
		return fmt.Errorf("unknown language %q; the languages are %s and %s", l, text.English, text.Chinese)
	}
	for _, t := range ep.Events {
		if !slices.Contains(event.Types(), t) {
			return fmt.Errorf("unknown event %q; the events are %v", t, event.Types())
		}
	}
	return nil
}

// Route makes one message for each endpoint that wants e. It fills in the
// host, and the time and the text where e has none. The messages belong into
// the journal, in the same round as what they tell of; Wake then.
func (n *Notifier) Route(e event.Event) ([]journal.Message, error) {
	now := n.now()
	var list []journal.Message
	for _, w := range n.workers {
		if len(w.Events) > 0 && !slices.Contains(w.Events, e.Type) {
			continue
		}
		body, err := n.body(e, w.Language, now)
		if err != nil {
			return nil, err
		}
		list = append(list, journal.Message{ID: newID(), Endpoint: w.Name, Body: body, CreatedAt: now})
	}
	return list, nil
}

// body is the JSON of an event as receivers see it. A chat is sent only the
// text in it, but its queue holds the same: so it does not matter to what is
// waiting when a name of the config moves from a webhook to a chat.
func (n *Notifier) body(e event.Event, lang text.Language, now time.Time) ([]byte, error) {
	e = complete(e, n.host, now)
	if e.Data.Message == "" {
		e.Data.Message = text.Of(e, lang, n.loc)
	}
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
	for _, w := range n.workers {
		if c, ok := w.Sender.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
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

// Hurry ends the waiting of chats for messages to join: from now on what there
// is goes out at once. It is for the end, when there is no time to wait.
func (n *Notifier) Hurry() {
	for _, w := range n.workers {
		w.hurried.Store(true)
	}
	n.Wake()
}
