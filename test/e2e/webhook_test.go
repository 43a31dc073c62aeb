//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ocwatch/ocwatch/internal/event"
)

// limit is how long the tests wait for what must come: two rounds of probes,
// and OpenClaw's CLI on a busy machine.
const limit = 4 * time.Minute

// receiver takes webhooks and checks their signature with the library that the
// standard's own authors publish.
type receiver struct {
	*httptest.Server

	verify *standardwebhooks.Webhook

	mu     sync.Mutex
	events []event.Event
	ids    []string
	bad    []string
	grown  chan struct{}
}

func signingSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("lab-", 8)))
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	verify, err := standardwebhooks.NewWebhook(signingSecret())
	must(t, err)
	r := &receiver{verify: verify, grown: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = r.verify.Verify(body, req.Header)
	}
	var e event.Event
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.bad = append(r.bad, err.Error())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.events = append(r.events, e)
	r.ids = append(r.ids, req.Header.Get("webhook-id"))
	close(r.grown)
	r.grown = make(chan struct{})
}

// config is the yaml that makes ocwatch send here.
func (r *receiver) config() string {
	return "notify:\n  webhooks:\n    - {name: ops, url: " + r.URL + "/hook, secret: " + signingSecret() + "}"
}

// await returns the first event of kind for provider.
func (r *receiver) await(t *testing.T, kind event.Type, provider string) event.Event {
	t.Helper()
	deadline := time.After(limit)
	for {
		r.mu.Lock()
		i := slices.IndexFunc(r.events, func(e event.Event) bool { return e.Type == kind && e.Data.Provider == provider })
		if i >= 0 {
			defer r.mu.Unlock()
			return r.events[i]
		}
		grown := r.grown
		r.mu.Unlock()
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("no %s for %s came within %v; came: %v", kind, provider, limit, r.kinds())
		}
	}
}

func (r *receiver) kinds() []event.Type {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kinds []event.Type
	for _, e := range r.events {
		kinds = append(kinds, e.Type)
	}
	return kinds
}

// count returns how many different messages of kind came. Delivery is at least
// once: the same message may come again under the same id.
func (r *receiver) count(kind event.Type, provider string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]bool{}
	for i, e := range r.events {
		if e.Type == kind && e.Data.Provider == provider {
			ids[r.ids[i]] = true
		}
	}
	return len(ids)
}

func (r *receiver) assertAllSigned(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bad) > 0 {
		t.Errorf("webhooks that cannot be trusted came: %v", r.bad)
	}
}
