package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// webhookTimeout bounds one request, the answer's body included.
const webhookTimeout = 15 * time.Second

// maxAnswer is how much of an answer is read, header and body each. The body
// is dropped: it only has to be read for the connection to be used again.
const maxAnswer = 64 << 10

// newClient takes only the transport of base. A redirect is an answer like any
// other: following it would send link and code to an address nobody wrote down.
func newClient(base *http.Client) *http.Client {
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if base != nil {
		c.Transport = base.Transport
	}
	if c.Transport == nil {
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			t = t.Clone()
			t.MaxResponseHeaderBytes = maxAnswer
			c.Transport = t
		}
	}
	return c
}

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
	w := &webhook{url: address, shown: u.Scheme + "://" + u.Host, agent: userAgent, client: newClient(client)}
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
func (w *webhook) Target() string { return target(w.url.Reveal()) }

// Joins serves Sender.
func (w *webhook) Joins() bool { return false }

// CloseIdleConnections ends what is kept open between messages.
func (w *webhook) CloseIdleConnections() { w.client.CloseIdleConnections() }

// target hashes what an endpoint's address consists of.
func target(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:16])
}

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

// exchange makes one request.
func exchange(c *http.Client, req *http.Request) Answer {
	resp, err := c.Do(req)
	if err != nil {
		return Answer{Text: describe(err)}
	}
	defer resp.Body.Close() //nolint:errcheck // the answer is the status
	// A body that does not end in time changes nothing of the status.
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	return httpAnswer(resp.StatusCode, resp.Header, time.Now())
}

// httpAnswer reads a response. Nothing of the text is the receiver's own.
func httpAnswer(status int, h http.Header, now time.Time) Answer {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	if status >= 300 && status < 400 {
		text += ": redirects are not followed; set url to where it leads"
	}
	return Answer{Kind: kind(status), Text: text, RetryAfter: retryAfter(status, h, now)}
}

func kind(status int) AnswerKind {
	switch {
	case status >= 200 && status < 300:
		return Accepted
	case status == http.StatusGone:
		return Gone
	case status == http.StatusTooManyRequests, status >= 500:
		return Failed
	}
	return Refused
}

// retryAfter reads the header of a 429 or 503: seconds, or a date. It is at
// most an hour, and 0 where there is none or it makes no sense.
func retryAfter(status int, h http.Header, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(n, uint64(maxWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxWait)
}

// describe says why there was no answer. It goes by the kind of an error and
// not by its text: that may quote the URL, a proxy's password, or what the
// other side sent.
func describe(err error) string {
	var (
		dns   *net.DNSError
		cert  *tls.CertificateVerificationError
		rec   tls.RecordHeaderError
		alert tls.AlertError
		errno syscall.Errno
		u     *url.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "cut short, because ocwatch is stopping"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &u) && u.Timeout():
		return "no answer in time"
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.As(err, &cert):
		return "the TLS certificate is not trusted: " + certKind(cert)
	case errors.As(err, &rec), errors.Is(err, http.ErrSchemeMismatch):
		return "the other side does not speak TLS"
	case errors.As(err, &alert):
		return alert.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	}
	return "the request failed, or what was answered is not HTTP"
}
