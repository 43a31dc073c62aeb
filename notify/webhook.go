package notify

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// webhookTimeout bounds one request, the answer's body included.
const webhookTimeout = 15 * time.Second

// webhook sends signed JSON; see https://www.standardwebhooks.com.
type webhook struct {
	url    secret.Value
	key    Key
	shown  string
	agent  string
	client *http.Client
}

// Webhook makes the sender of a webhook. The address is http or https and often
// holds a token. Without a secret (whsec_…) messages are not signed. Only the
// transport of client is used; nil is one of its own. Errors hold neither
// address nor secret.
func Webhook(address, signing secret.Value, userAgent string, client *http.Client) (Sender, error) {
	u, err := url.Parse(address.Reveal())
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("url is not an http or https address; https://host/path is meant")
	}
	w := &webhook{url: address, shown: u.Scheme + "://" + u.Host, agent: userAgent, client: NewClient(client)}
	if !signing.Empty() {
		if w.key, err = ParseSecret(signing); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Shown serves Sender.
func (w *webhook) Shown() string { return w.shown }

// Target serves Sender.
func (w *webhook) Target() string { return TargetOf(w.url.Reveal()) }

// Joins serves Sender.
func (w *webhook) Joins() bool { return false }

// CloseIdleConnections ends what is kept open between messages.
func (w *webhook) CloseIdleConnections() { w.client.CloseIdleConnections() }

// Send serves Sender.
func (w *webhook) Send(ctx context.Context, m Outgoing) Answer {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.Reveal(), bytes.NewReader(m.Body))
	if err != nil {
		return Answer{Text: "no request can be made of the url"}
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", w.agent)
	req.Header.Set("Webhook-Id", m.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	if w.key.raw != nil {
		req.Header.Set("Webhook-Signature", w.key.sign(m.ID, now, m.Body))
	}
	return exchange(w.client, req)
}
