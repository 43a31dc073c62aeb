package sandbox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// maxWebhookBody is far above what an event takes.
const maxWebhookBody = 1 << 20

// Webhook is a receiver on loopback that checks Standard Webhooks signatures,
// with the reference library and not with ocwatch's own code.
type Webhook struct {
	url    string
	secret secret.Value
	check  *standardwebhooks.Webhook
	server *http.Server
	served sync.WaitGroup

	mu         sync.Mutex
	deliveries []Delivery
	arrived    chan struct{} // closed and replaced with each delivery
	answers    []int
}

// Delivery is one request that reached the receiver.
type Delivery struct {
	At    time.Time
	ID    string // webhook-id
	Body  []byte
	Event event.Event
	// Err is why the signature or the body was not accepted; nil: accepted.
	Err error
	// Status is what the receiver answered.
	Status int
}

// StartWebhook starts a receiver on a free port of 127.0.0.1.
func StartWebhook() (*Webhook, error) {
	key := secret.New("whsec_" + base64.StdEncoding.EncodeToString([]byte(randomSecret("").Reveal())[:32]))
	check, err := standardwebhooks.NewWebhook(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	h := &Webhook{url: "http://" + listener.Addr().String() + "/hook", secret: key, check: check, arrived: make(chan struct{})}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quietLog()}
	h.served.Go(func() { _ = h.server.Serve(listener) })
	return h, nil
}

// URL is where events are to be sent.
func (h *Webhook) URL() string { return h.url }

// Secret is the signing secret, whsec_ and base64.
func (h *Webhook) Secret() secret.Value { return h.secret }

// Answer sets the status of the next deliveries, one each; after them it is
// 204 again, or 401 for what is not signed rightly.
func (h *Webhook) Answer(statuses ...int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(h.answers, statuses...)
}

// Deliveries lists what arrived so far, refused ones included.
func (h *Webhook) Deliveries() []Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.deliveries)
}

// Wait waits for an accepted delivery that want agrees with, past or future.
func (h *Webhook) Wait(ctx context.Context, want func(event.Event) bool) (Delivery, error) {
	for {
		h.mu.Lock()
		arrived, all := h.arrived, h.deliveries
		h.mu.Unlock()
		for _, d := range all {
			if d.Err == nil && want(d.Event) {
				return d, nil
			}
		}
		select {
		case <-ctx.Done():
			return Delivery{}, fmt.Errorf("sandbox: no such event among %d deliveries: %w", len(all), ctx.Err())
		case <-arrived:
		}
	}
}

// Close stops the receiver.
func (h *Webhook) Close() error {
	err := h.server.Close()
	h.served.Wait()
	return err
}

// ServeHTTP takes one delivery.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := h.receive(r)
	h.mu.Lock()
	d.Status = http.StatusNoContent
	if d.Err != nil {
		d.Status = http.StatusUnauthorized
	}
	if len(h.answers) > 0 {
		d.Status, h.answers = h.answers[0], h.answers[1:]
	}
	h.deliveries = append(h.deliveries, d)
	close(h.arrived)
	h.arrived = make(chan struct{})
	h.mu.Unlock()
	w.WriteHeader(d.Status)
}

func (h *Webhook) receive(r *http.Request) Delivery {
	d := Delivery{At: time.Now(), ID: r.Header.Get(standardwebhooks.HeaderWebhookID)}
	if r.Method != http.MethodPost {
		d.Err = errors.New("sandbox: a webhook is a POST")
		return d
	}
	var err error
	if d.Body, err = io.ReadAll(io.LimitReader(r.Body, maxWebhookBody)); err != nil {
		d.Err = fmt.Errorf("sandbox: read the body: %w", err)
		return d
	}
	if err := h.check.Verify(d.Body, r.Header); err != nil {
		d.Err = err
		return d
	}
	if err := json.Unmarshal(d.Body, &d.Event); err != nil {
		d.Err = fmt.Errorf("sandbox: the body is not an event: %w", err)
	}
	return d
}
