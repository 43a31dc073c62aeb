package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

func hook(t *testing.T) *sandbox.Webhook {
	t.Helper()
	h, err := sandbox.StartWebhook()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// deliver signs body and sends it; spoil may change the request.
func deliver(t *testing.T, h *sandbox.Webhook, id string, body []byte, spoil func(*http.Request)) int {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(h.Secret().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signature, err := signer.Sign(id, now, body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, h.URL(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	spoil(req)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func body(t *testing.T, kind event.Type) []byte {
	t.Helper()
	b, err := json.Marshal(event.Event{Type: kind, Timestamp: time.Now(), Data: event.Data{Message: "a story"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWebhookTakesWhatIsSigned(t *testing.T) {
	h := hook(t)
	as := func(*http.Request) {}
	cases := []struct {
		name   string
		body   []byte
		spoil  func(*http.Request)
		status int
	}{
		{"signed", body(t, event.PoolDepleted), as, http.StatusNoContent},
		{"another id", body(t, event.Test), func(r *http.Request) { r.Header.Set(standardwebhooks.HeaderWebhookID, "other") }, http.StatusUnauthorized},
		{"no signature", body(t, event.Test), func(r *http.Request) { r.Header.Del(standardwebhooks.HeaderWebhookSignature) }, http.StatusUnauthorized},
		{"too old", body(t, event.Test), func(r *http.Request) { r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, "1700000000") }, http.StatusUnauthorized},
		{"not an event", []byte("[]"), as, http.StatusUnauthorized},
		{"not a POST", body(t, event.Test), func(r *http.Request) { r.Method = http.MethodPut }, http.StatusUnauthorized},
	}
	for i, c := range cases {
		if got := deliver(t, h, "msg_"+strconv.Itoa(i), c.body, c.spoil); got != c.status {
			t.Errorf("%s: answered %d, want %d", c.name, got, c.status)
		}
		d := h.Deliveries()[i]
		if accepted := d.Err == nil; accepted != (c.status == http.StatusNoContent) || d.Status != c.status {
			t.Errorf("%s: kept as %+v", c.name, d)
		}
	}
}

func TestWebhookAnswersAsTold(t *testing.T) {
	h := hook(t)
	h.Answer(http.StatusServiceUnavailable, http.StatusGone)
	for i, want := range []int{http.StatusServiceUnavailable, http.StatusGone, http.StatusNoContent} {
		if got := deliver(t, h, "msg_"+strconv.Itoa(i), body(t, event.Test), func(*http.Request) {}); got != want {
			t.Errorf("delivery %d: %d, want %d", i, got, want)
		}
	}
}

func TestWebhookWait(t *testing.T) {
	h := hook(t)
	isDepleted := func(e event.Event) bool { return e.Type == event.PoolDepleted }
	got := make(chan sandbox.Delivery, 1)
	ctx := deadline(t)
	go func() {
		d, err := h.Wait(ctx, isDepleted)
		if err == nil {
			got <- d
		}
		close(got)
	}()
	deliver(t, h, "msg_1", body(t, event.Test), func(*http.Request) {})
	deliver(t, h, "msg_2", body(t, event.PoolDepleted), func(*http.Request) {})
	if d := <-got; d.ID != "msg_2" || d.Event.Data.Message != "a story" {
		t.Errorf("%+v", d)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Wait(over, func(event.Event) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
