package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	testURL    = "https://user:pa55word@hooks.example.com/services/T0PSECRET/path?token=qu3rytoken"
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
)

// arrival is one request as the receiver saw it.
type arrival struct {
	id     string
	body   string
	header http.Header
	at     time.Time
}

// receiver is a webhook's other side: it answers by a function of how often
// it was asked, from 0.
type receiver struct {
	mu       sync.Mutex
	answer   func(n int, w http.ResponseWriter)
	arrivals []arrival
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	n := len(r.arrivals)
	r.arrivals = append(r.arrivals, arrival{req.Header.Get("webhook-id"), string(body), req.Header, time.Now()})
	r.mu.Unlock()
	r.answer(n, w)
}

func (r *receiver) seen() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.arrivals...)
}

// ids are the webhook-ids in the order of arrival, repetitions dropped where
// they follow each other.
func (r *receiver) ids() []string {
	var list []string
	for _, a := range r.seen() {
		if len(list) == 0 || list[len(list)-1] != a.id {
			list = append(list, a.id)
		}
	}
	return list
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}

// pipes is a network of net.Pipe, which a synctest bubble can see through.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve starts h on a network of its own and returns a client for it.
func serve(t *testing.T, h http.Handler) *http.Client {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = srv.Serve(p)
	}()
	tr := &http.Transport{DialContext: p.dial, DialTLSContext: p.dial}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = srv.Close()
		<-stopped
	})
	return &http.Client{Transport: tr}
}

// setup is a notifier with one signed endpoint, "ops".
func setup(t *testing.T, store Store, c *http.Client, log io.Writer) *Notifier {
	t.Helper()
	n, err := New(Options{
		Endpoints: []Endpoint{{Name: "ops", Sender: hooked(t, secret.New(testURL), secret.New(testSecret), c)}},
		Store:     store, Log: zerolog.New(log), Host: "srv1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hooked is the sender of a webhook.
func hooked(t *testing.T, url, signing secret.Value, c *http.Client) Sender {
	t.Helper()
	s, err := Webhook(url, signing, "ocwatch/1.2.3", c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs n until the returned function is called.
func start(ctx context.Context, n *Notifier) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// post routes one test event into the store.
func post(t *testing.T, n *Notifier, store committer) string {
	t.Helper()
	ms, err := n.Route(event.Event{Type: event.Test})
	if err != nil || len(ms) != 1 {
		t.Fatalf("%d messages, %v", len(ms), err)
	}
	if err := store.Commit(context.WithoutCancel(t.Context()), journal.Round{At: time.Now(), Messages: ms}); err != nil {
		t.Fatal(err)
	}
	n.Wake()
	return ms[0].ID
}

type committer interface {
	Commit(ctx context.Context, r journal.Round) error
}

// memory is an outbox without a disk.
type memory struct {
	mu       sync.Mutex
	pending  []journal.Message
	dead     []journal.Outcome
	gone     string
	outcomes []journal.Outcome
}

func (s *memory) Commit(_ context.Context, r journal.Round) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, r.Messages...)
	return nil
}

func (s *memory) NextMessages(_ context.Context, endpoint string, limit int) ([]journal.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []journal.Message
	for _, m := range s.pending {
		if m.Endpoint == endpoint && len(list) < limit {
			list = append(list, m)
		}
	}
	return list, nil
}

func (s *memory) Settle(_ context.Context, outcomes []journal.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range outcomes {
		s.settle(o)
	}
	return nil
}

func (s *memory) settle(o journal.Outcome) {
	i := slices.IndexFunc(s.pending, func(m journal.Message) bool { return m.ID == o.ID })
	if i < 0 {
		return
	}
	s.outcomes = append(s.outcomes, o)
	if m := &s.pending[i]; o.Result == journal.Retry {
		m.Attempts, m.Refusals, m.NextAt = o.Attempts, o.Refusals, o.NextAt
		return
	}
	if o.Result != journal.Delivered {
		s.dead = append(s.dead, o)
	}
	if o.Result == journal.Gone {
		s.gone = o.Target
	}
	s.pending = slices.Delete(slices.Clone(s.pending), i, i+1)
}

func (s *memory) Enabled(_ context.Context, _, target string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone != target, nil
}

func (s *memory) isDead(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.dead {
		if o.ID == id {
			return true
		}
	}
	return false
}

func (s *memory) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}

// faulty fails the n-th operation on a store, from 0: before it was done, or
// with the answer lost.
type faulty struct {
	Store
	mu    sync.Mutex
	n     int
	after bool
	ops   int
}

var errStore = errors.New("the disk is full")

func (f *faulty) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops++
	return f.ops-1 == f.n
}

func (f *faulty) NextMessages(ctx context.Context, endpoint string, limit int) ([]journal.Message, error) {
	if f.fails() {
		return nil, errStore
	}
	return f.Store.NextMessages(ctx, endpoint, limit)
}

func (f *faulty) Settle(ctx context.Context, outcomes []journal.Outcome) error {
	if !f.fails() {
		return f.Store.Settle(ctx, outcomes)
	}
	if f.after {
		_ = f.Store.Settle(ctx, outcomes)
	}
	return errStore
}

func (f *faulty) Enabled(ctx context.Context, endpoint, target string) (bool, error) {
	if f.fails() {
		return false, errStore
	}
	return f.Store.Enabled(ctx, endpoint, target)
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
