package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Fault is a way in which a provider answers one account wrongly, or not at
// all.
type Fault int

// The faults. Those of the first group are the account's: inference is refused
// too. Those of the second are the usage endpoint's alone.
const (
	NoFault            Fault = iota
	Unauthorized             // 401 that does not say more: the access token expired
	TokenInvalidated         // 401 token_invalidated: a person must log in
	AccountDeactivated       // 401 account_deactivated
	WorkspaceGone            // 402 deactivated_workspace
	Forbidden                // 403 as JSON: no access

	HTMLForbidden // 403 as HTML: the edge, not the account
	NoScope       // 403 without user:profile, an Anthropic setup-token
	Throttled     // 429 with Retry-After
	ServerError   // 503
	Slow          // no answer until the caller gives up
	Truncated     // a body that ends early
	Unreachable   // the connection is cut
)

// refusesInference reports whether turns fail too.
func (f Fault) refusesInference() bool { return f > NoFault && f < HTMLForbidden }

// throttleSeconds is the Retry-After of Throttled.
const throttleSeconds = 90

type answer struct {
	status      int
	contentType string
	header      map[string]string
	body        string
}

// send writes the answer of f for provider and reports whether f is one.
func (f Fault) send(w http.ResponseWriter, r *http.Request, provider string, closing <-chan struct{}) bool {
	switch f {
	case NoFault:
		return false
	case Slow:
		select {
		case <-r.Context().Done():
		case <-closing:
		}
		panic(http.ErrAbortHandler)
	case Unreachable:
		panic(http.ErrAbortHandler)
	case Truncated:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "4096")
		_, _ = w.Write([]byte(`{"plan_type":"plus","rate_limit":{"allowed":tr`))
		panic(http.ErrAbortHandler)
	case Unauthorized, TokenInvalidated, AccountDeactivated, WorkspaceGone, Forbidden, HTMLForbidden, NoScope, Throttled, ServerError:
		f.answer(provider).write(w)
	}
	return true
}

func (a answer) write(w http.ResponseWriter) {
	if a.contentType == "" {
		a.contentType = "application/json"
	}
	w.Header().Set("Content-Type", a.contentType)
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// answer gives the bodies that the two providers were recorded to send.
func (f Fault) answer(provider string) answer {
	anthropic := provider == "anthropic"
	switch f {
	case Unauthorized:
		if anthropic {
			return anthropicError(http.StatusUnauthorized, "authentication_error", "OAuth token has expired. Please obtain a new token or refresh your existing token.")
		}
		code := base64.StdEncoding.EncodeToString([]byte(`{"error":{"code":"token_expired"}}`))
		return answer{
			status: http.StatusUnauthorized, header: map[string]string{"X-Error-Json": code},
			body: `{"detail":"Could not parse your authentication token. Please try signing in again."}`,
		}
	case TokenInvalidated:
		if anthropic {
			return anthropicError(http.StatusForbidden, "permission_error", "OAuth token has been revoked. Please obtain a new token.")
		}
		return answer{status: http.StatusUnauthorized, body: `{"error":{"message":"Your authentication token has been invalidated. Please try signing in again.","type":"invalid_request_error","code":"token_invalidated"}}`}
	case AccountDeactivated:
		return answer{status: http.StatusUnauthorized, body: `{"error":{"message":"Your OpenAI account has been deactivated, please check your email for more information.","type":"invalid_request_error","code":"account_deactivated"}}`}
	case WorkspaceGone:
		return answer{status: http.StatusPaymentRequired, body: `{"detail":{"code":"deactivated_workspace"}}`}
	case Forbidden:
		if anthropic {
			return anthropicError(http.StatusForbidden, "permission_error", "OAuth authentication is currently not allowed for this organization.")
		}
		return answer{status: http.StatusForbidden, body: `{"detail":"You do not have access to this account."}`}
	case HTMLForbidden:
		return answer{
			status: http.StatusForbidden, contentType: "text/html; charset=UTF-8", header: map[string]string{"Cf-Mitigated": "challenge"},
			body: `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body></body></html>`,
		}
	case NoScope:
		return anthropicError(http.StatusForbidden, "permission_error", "OAuth token does not meet scope requirement user:profile")
	case Throttled:
		return answer{
			status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": strconv.Itoa(throttleSeconds)},
			body: `{"error":{"message":"Rate limited. Please try again later.","type":"rate_limit_error"}}`,
		}
	case ServerError:
		return answer{status: http.StatusServiceUnavailable, contentType: "text/plain", body: "upstream connect error or disconnect/reset before headers"}
	case NoFault, Slow, Truncated, Unreachable:
	}
	return answer{status: http.StatusOK}
}

func anthropicError(status int, kind, message string) answer {
	return answer{status: status, body: fmt.Sprintf(
		`{"type":"error","error":{"type":%q,"message":%q,"details":{"error_visibility":"user_facing"}},"request_id":"req_%x"}`,
		kind, message, time.Now().UnixNano())}
}
