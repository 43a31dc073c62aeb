package notify

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
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
)

// MaxAnswer is how much of an answer a sender reads, in bytes: header and body
// each.
const MaxAnswer = 64 << 10

// NewClient is the client that senders use; of base it takes the transport
// alone. A redirect is an answer like any other: following it would send link
// and code to an address nobody wrote down.
func NewClient(base *http.Client) *http.Client {
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if base != nil {
		c.Transport = base.Transport
	}
	if c.Transport == nil {
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			t = t.Clone()
			t.MaxResponseHeaderBytes = MaxAnswer
			c.Transport = t
		}
	}
	return c
}

// TargetOf hashes what an endpoint's address consists of, for a sender's Target.
func TargetOf(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:16])
}

// exchange makes one request.
func exchange(c *http.Client, req *http.Request) Answer {
	resp, err := c.Do(req)
	if err != nil {
		return Answer{Text: Describe(err)}
	}
	defer resp.Body.Close() //nolint:errcheck // the answer is the status
	// The body only has to be read for the connection to be used again; one that
	// does not end in time changes nothing of the status.
	_, _ = io.CopyN(io.Discard, resp.Body, MaxAnswer)
	return HTTPAnswer(resp.StatusCode, resp.Header, time.Now())
}

// HTTPAnswer reads a response that came at now, by its status and its
// Retry-After. Nothing of the text is the receiver's own.
func HTTPAnswer(status int, h http.Header, now time.Time) Answer {
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
		return time.Duration(min(n, uint64(MaxWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxWait)
}

// Describe says why there was no answer. It goes by the kind of an error and
// not by its text: that may quote the URL, a proxy's password, or what the
// other side sent.
func Describe(err error) string {
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

// certKind names what is wrong with a certificate, without its own words.
func certKind(err *tls.CertificateVerificationError) string {
	var (
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &host):
		return "it is for another host"
	case errors.As(err, &unknown):
		return "its authority is not known here"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or the clock is wrong"
	}
	return "it is not valid"
}
