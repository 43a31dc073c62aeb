package lab

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// The paths of auth.openai.com that a login goes through.
const (
	pathUserCode    = "/api/accounts/deviceauth/usercode"
	pathDeviceToken = "/api/accounts/deviceauth/token"
	pathAuthorize   = "/oauth/authorize"
	pathToken       = "/oauth/token"
)

// clientID is the one under which Codex, and so OpenClaw, logs in.
const clientID = "app_EMoamEEZ73f0CkXaXp7hrann"

// deviceCallback is the address to which the code of a device login is bound.
const deviceCallback = "https://auth.openai.com/deviceauth/callback"

// idp plays auth.openai.com. A person's part (typing a code, signing in) is
// done by the test, through the methods of Provider in this file and in
// idp_authorize.go.
type idp struct {
	accept func(token, account string) // makes the provider know an access token

	mu      sync.Mutex
	devices []*device
	grants  map[string]grant  // by authorization code
	refresh map[string]string // account by refresh token, "" once it was used
	issued  []string          // every secret that was ever handed out
}

// device is one login by code.
type device struct {
	id, code string
	state    deviceState
	account  string // who approved it
	polls    int
}

type deviceState int

const (
	pending deviceState = iota
	approved
	denied
	expired
)

func newIDP(accounts []Account, accept func(token, account string)) *idp {
	i := &idp{accept: accept, grants: map[string]grant{}, refresh: map[string]string{}}
	for _, a := range accounts {
		i.refresh[a.refresh()] = a.Name
	}
	return i
}

// serve answers for auth.openai.com, and says no where the path is not one of its.
func (i *idp) serve(r *http.Request, body []byte) (status int, header http.Header, answer []byte, ok bool) {
	switch r.URL.Path {
	case pathUserCode:
		status, header, answer = i.userCode(body)
	case pathDeviceToken:
		status, header, answer = i.deviceToken(body)
	case pathToken:
		status, header, answer = i.token(r, body)
	case pathAuthorize: // OpenClaw only looks whether somebody is there
		status, header = http.StatusFound, http.Header{"Location": {"https://auth.openai.com/log-in"}}
	default:
		return 0, nil, nil, false
	}
	return status, header, answer, true
}

func (i *idp) userCode(body []byte) (int, http.Header, []byte) {
	var v struct {
		ClientID string `json:"client_id"`
	}
	if json.Unmarshal(body, &v) != nil || v.ClientID != clientID {
		return refused(http.StatusBadRequest, "invalid_client", "unknown client")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	d := &device{id: "deviceauth_" + rand.Text(), code: userCode()}
	i.devices = append(i.devices, d)
	// The interval is a string, as with the real one, and short.
	return encode(http.StatusOK, map[string]any{"device_auth_id": d.id, "user_code": d.code, "interval": "1"})
}

func userCode() string {
	text := rand.Text()
	return text[:4] + "-" + text[4:9]
}

func (i *idp) deviceToken(body []byte) (int, http.Header, []byte) {
	var v struct {
		ID   string `json:"device_auth_id"`
		Code string `json:"user_code"`
	}
	_ = json.Unmarshal(body, &v) // an empty id is unknown
	i.mu.Lock()
	defer i.mu.Unlock()
	n := slices.IndexFunc(i.devices, func(d *device) bool { return d.id == v.ID && d.code == v.Code })
	if n < 0 {
		return refused(http.StatusNotFound, "deviceauth_unknown", "no such login")
	}
	d := i.devices[n]
	d.polls++
	switch d.state {
	case approved:
		verifier := rand.Text() + rand.Text()
		code := i.grant(grant{account: d.account, redirect: deviceCallback, challenge: challenge(verifier)})
		i.issued = append(i.issued, verifier)
		return encode(http.StatusOK, map[string]any{
			"authorization_code": code, "code_challenge": challenge(verifier), "code_verifier": verifier,
		})
	case denied:
		return refused(http.StatusBadRequest, "access_denied", "The request was denied by the user.")
	case expired:
		return refused(http.StatusBadRequest, "expired_token", "The code has expired.")
	case pending:
	}
	return refused(http.StatusForbidden, "deviceauth_authorization_unknown", "Device authorization is pending.")
}

func refused(status int, code, description string) (int, http.Header, []byte) {
	return encode(status, map[string]any{"error": code, "error_description": description})
}

// Approve is what a phone does with a device code: account signs in and
// confirms it. The account may be one that OpenClaw has already, or a new one,
// whose tokens are known to the provider from then on.
func (p *Provider) Approve(t *testing.T, code, account string) {
	t.Helper()
	p.idp.settle(t, code, approved, account)
}

// Deny is a person who says no to a device code.
func (p *Provider) Deny(t *testing.T, code string) {
	t.Helper()
	p.idp.settle(t, code, denied, "")
}

// Expire ends a device code at the provider, before OpenClaw's own 15 minutes.
func (p *Provider) Expire(t *testing.T, code string) {
	t.Helper()
	p.idp.settle(t, code, expired, "")
}

func (i *idp) settle(t *testing.T, code string, to deviceState, account string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	n := slices.IndexFunc(i.devices, func(d *device) bool { return d.code == code })
	if n < 0 {
		t.Fatalf("the page knows no code %q", code)
	}
	i.devices[n].state, i.devices[n].account = to, account
}

// DeviceCodes lists the device codes that were given out, oldest first.
func (p *Provider) DeviceCodes() []string {
	p.idp.mu.Lock()
	defer p.idp.mu.Unlock()
	codes := make([]string, 0, len(p.idp.devices))
	for _, d := range p.idp.devices {
		codes = append(codes, d.code)
	}
	return codes
}

// AwaitDeviceCode returns the n-th device code, counting from 0, once it was
// given out.
func (p *Provider) AwaitDeviceCode(t *testing.T, n int) string {
	t.Helper()
	p.until(t, patience, func() bool { return len(p.DeviceCodes()) > n })
	return p.DeviceCodes()[n]
}

// Polls counts how often somebody asked whether code was approved. It stops
// growing once the login was given up.
func (p *Provider) Polls(code string) int {
	p.idp.mu.Lock()
	defer p.idp.mu.Unlock()
	for _, d := range p.idp.devices {
		if d.code == code {
			return d.polls
		}
	}
	return 0
}

// Issued are all secrets that logins were given: tokens, authorization codes
// and verifiers. Tests look for them where they must not be.
func (p *Provider) Issued() []string {
	p.idp.mu.Lock()
	defer p.idp.mu.Unlock()
	return slices.Clone(p.idp.issued)
}

// identify answers a request of a login, which comes without a token.
func (p *Provider) identify(w http.ResponseWriter, r *http.Request, body []byte) bool {
	status, header, answer, ok := p.idp.serve(r, body)
	if !ok {
		return false
	}
	p.record(Request{At: time.Now(), Path: r.URL.Path, Agent: r.UserAgent(), Status: status})
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = w.Write(answer) //nolint:gosec // JSON for a program, which may be gone
	return true
}

// accept makes p know token as account's.
func (p *Provider) accept(token, account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byToken[token] = account
}
