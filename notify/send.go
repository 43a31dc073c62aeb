package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

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

// post makes one attempt.
func (w *worker) post(ctx context.Context, id string, body []byte) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL.Reveal(), bytes.NewReader(body)) //nolint:gosec // the owner of the machine wrote the url
	if err != nil {
		return answer{err: "no request can be made of the url"}
	}
	at := w.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", w.agent)
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	if !w.Secret.Empty() {
		req.Header.Set("Webhook-Signature", w.key.sign(id, at, body))
	}
	resp, err := w.client.Do(req) //nolint:gosec // as above
	if err != nil {
		return answer{err: describe(err)}
	}
	defer resp.Body.Close() //nolint:errcheck // the answer is the status
	// A body that does not end in time changes nothing of the status.
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	return answer{status: resp.StatusCode, retryAfter: retryAfter(resp.StatusCode, resp.Header, w.now())}
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
		return "no answer within " + attemptTimeout.String()
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

// Result is what one endpoint answered to a test event.
type Result struct {
	Endpoint string
	Status   int    // HTTP status, 0 where there was no answer
	Answer   string // "204 No Content", or why there was none
	Took     time.Duration
	Err      error // nil where the event was delivered
}

// Test sends one test event straight to every endpoint, whatever events it
// wants, all at the same time. Nothing is stored and nothing is retried.
func (n *Notifier) Test(ctx context.Context) []Result {
	results := make([]Result, len(n.workers))
	body, err := n.body(event.Event{Type: event.Test}, n.now())
	var wg sync.WaitGroup
	for i, w := range n.workers {
		wg.Go(func() {
			if results[i] = (Result{Endpoint: w.Name, Err: err}); err == nil {
				results[i] = w.test(ctx, body)
			}
		})
	}
	wg.Wait()
	return results
}

func (w *worker) test(ctx context.Context, body []byte) Result {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	start := w.now()
	a := w.post(ctx, newID(), body)
	r := Result{Endpoint: w.Name, Status: a.status, Answer: a.String(), Took: w.now().Sub(start)}
	if kind(a.status) != accepted {
		r.Err = errors.New(w.shown + ": " + a.String())
	}
	return r
}
