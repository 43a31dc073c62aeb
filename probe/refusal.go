package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// refusal ends a probe with a verdict and a reason of our own wording.
type refusal struct {
	verdict quota.Verdict
	reason  string
}

func refuse(v quota.Verdict, reason string) error { return &refusal{verdict: v, reason: reason} }

func (r *refusal) Error() string { return r.reason }

// verdicter is what a TokenSource's error may implement, to say what the state
// of the credential means. Its text is shown, so it must hold no credential.
type verdicter interface{ Verdict() quota.Verdict }

// ofCredentials are the verdicts that a credential can earn without being used.
var ofCredentials = []quota.Verdict{quota.Stale, quota.Revoked, quota.Unsupported}

// tokenRefusal turns a TokenSource's error into a verdict. The text of an error
// that ocwatch did not make itself is not passed on: oauth2's, for one, may hold
// a whole response.
func tokenRefusal(err error) error {
	var v verdicter
	if errors.As(err, &v) {
		reason := err.Error()
		if e, ok := v.(error); ok {
			reason = e.Error()
		}
		verdict := v.Verdict()
		if !slices.Contains(ofCredentials, verdict) {
			verdict = quota.Unknown
		}
		return refuse(verdict, clip(reason, 200))
	}
	return refuse(quota.Unknown, "the stored credential could not be read")
}

// explain turns the error of a Func into a verdict and a short reason, which
// is made of our own words only: errors of net/http quote URLs, and those of
// other libraries quote bodies.
func explain(err error) (quota.Verdict, string) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.verdict, r.reason
	}
	if errors.Is(err, context.Canceled) {
		return quota.Unknown, "the probe was cancelled"
	}
	return quota.Unreachable, transportReason(err)
}

func transportReason(err error) string {
	var (
		dns    *net.DNSError
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		wire   net.Error
	)
	switch {
	case errors.Is(err, errTooLarge):
		return errTooLarge.Error()
	case errors.As(err, &dns):
		return "the provider's name could not be resolved"
	case errors.As(err, &verify):
		return "the provider's certificate was not accepted"
	case errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return "tls failed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &wire) && wire.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	}
	return "connection failed"
}
