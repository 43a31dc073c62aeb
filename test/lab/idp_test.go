package lab

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Expires int    `json:"expires_in"`
}

// loginByCode does what OpenClaw does, up to the point where somebody has to
// approve.
func loginByCode(t *testing.T, p *Provider) (deviceID, code string) {
	t.Helper()
	status, body := ask(t, http.DefaultClient, http.MethodPost, p.URL+pathUserCode, "", `{"client_id":"`+clientID+`"}`)
	var v struct {
		ID       string `json:"device_auth_id"`
		Code     string `json:"user_code"`
		Interval string `json:"interval"`
	}
	must(t, json.Unmarshal([]byte(body), &v))
	if status != http.StatusOK || v.ID == "" || v.Code == "" || v.Interval != "1" {
		t.Fatalf("got %d %s", status, body)
	}
	if got := p.AwaitDeviceCode(t, len(p.DeviceCodes())-1); got != v.Code {
		t.Fatalf("the last code is %s, want %s", got, v.Code)
	}
	return v.ID, v.Code
}

func poll(t *testing.T, p *Provider, deviceID, code string) (status int, body string) {
	t.Helper()
	return ask(t, http.DefaultClient, http.MethodPost, p.URL+pathDeviceToken, "", `{"device_auth_id":"`+deviceID+`","user_code":"`+code+`"}`)
}

func exchange(t *testing.T, p *Provider, form url.Values) (status int, got tokens) {
	t.Helper()
	form.Set("client_id", clientID)
	resp, err := http.PostForm(p.URL+pathToken, form)
	must(t, err)
	defer func() { _ = resp.Body.Close() }() // decoded
	must(t, json.NewDecoder(resp.Body).Decode(&got))
	return resp.StatusCode, got
}

func TestDeviceLoginIssuesTokensThatTheProviderServes(t *testing.T) {
	p := NewProvider(t, Accounts())
	p.SetQuota("dave", Quota{FiveHour: 3})
	id, code := loginByCode(t, p)
	if status, _ := poll(t, p, id, code); status != http.StatusForbidden {
		t.Fatalf("before the approval: %d, want 403", status)
	}
	p.Approve(t, code, "dave")
	status, body := poll(t, p, id, code)
	var g struct {
		Code      string `json:"authorization_code"`
		Challenge string `json:"code_challenge"`
		Verifier  string `json:"code_verifier"`
	}
	must(t, json.Unmarshal([]byte(body), &g))
	if status != http.StatusOK || g.Challenge != challenge(g.Verifier) {
		t.Fatalf("approved: %d %s", status, body)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {g.Code}, "code_verifier": {g.Verifier}, "redirect_uri": {deviceCallback}}
	status, first := exchange(t, p, form)
	if status != http.StatusOK || first.Expires < 86400 {
		t.Fatalf("exchange: %d, expires in %d s", status, first.Expires)
	}
	if status, _ := exchange(t, p, form); status != http.StatusBadRequest {
		t.Errorf("a code that was used: %d, want 400", status)
	}
	if _, usage := ask(t, http.DefaultClient, http.MethodGet, p.URL+"/backend-api/wham/usage", first.Access, ""); !strings.Contains(usage, "dave@example.com") || !strings.Contains(usage, `"used_percent":3`) {
		t.Errorf("usage with the new token: %s", usage)
	}
	for _, secret := range []string{first.Access, first.Refresh, g.Code, g.Verifier} {
		if !slices.Contains(p.Issued(), secret) {
			t.Error("a secret that was handed out is not listed")
		}
	}
	if got := p.Polls(code); got != 2 {
		t.Errorf("%d polls, want 2", got)
	}
	if got := p.Requests(0)[0]; got.Path != pathUserCode || got.Status != http.StatusOK {
		t.Errorf("the first request is recorded as %+v", got)
	}
}

func TestDeviceLoginThatIsNotApproved(t *testing.T) {
	for name, tc := range map[string]struct {
		act  func(p *Provider, t *testing.T, code string)
		want string
	}{
		"denied":  {(*Provider).Deny, "access_denied"},
		"expired": {(*Provider).Expire, "expired_token"},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewProvider(t, Accounts())
			id, code := loginByCode(t, p)
			tc.act(p, t, code)
			status, body := poll(t, p, id, code)
			if status != http.StatusBadRequest || !strings.Contains(body, tc.want) {
				t.Errorf("got %d %s, want 400 with %s", status, body, tc.want)
			}
		})
	}
}

// authorizeURL is spelled as OpenClaw's.
func authorizeURL(verifier string) string {
	return "https://auth.openai.com/oauth/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {"http://localhost:1455/auth/callback"},
		"scope": {"openid profile email offline_access"}, "code_challenge": {challenge(verifier)},
		"code_challenge_method": {"S256"}, "state": {"abc123"}, "originator": {"openclaw"},
	}.Encode()
}

func TestAuthorizeGivesTheAddressThatTheBrowserEndsOn(t *testing.T) {
	const verifier = "a verifier of this test"
	p := NewProvider(t, Accounts())
	u, err := url.Parse(p.Authorize(t, authorizeURL(verifier), "bob"))
	must(t, err)
	if u.Host != "localhost:1455" || u.Path != "/auth/callback" || u.Query().Get("state") != "abc123" {
		t.Fatalf("the browser ends on %s", u)
	}
	form := func(verifier, redirect string) url.Values {
		return url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "code_verifier": {verifier}, "redirect_uri": {redirect}}
	}
	status, got := exchange(t, p, form(verifier, "http://localhost:1455/auth/callback"))
	if status != http.StatusOK || got.Access == account(t, "bob").Secret() {
		t.Fatalf("exchange: %d, and a login has tokens of its own: %v", status, got.Access != account(t, "bob").Secret())
	}
	for name, f := range map[string]url.Values{
		"another verifier": form("not it", "http://localhost:1455/auth/callback"),
		"another address":  form(verifier, deviceCallback),
	} {
		u, err = url.Parse(p.Authorize(t, authorizeURL(verifier), "bob"))
		must(t, err)
		f.Set("code", u.Query().Get("code"))
		if status, _ := exchange(t, p, f); status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", name, status)
		}
	}
}

func TestAuthorizeThatIsOfNoUse(t *testing.T) {
	p := NewProvider(t, Accounts())
	denied, err := url.Parse(p.AuthorizeDenied(t, authorizeURL("v")))
	must(t, err)
	if q := denied.Query(); q.Get("error") != "access_denied" || q.Has("code") || q.Get("state") != "abc123" {
		t.Errorf("denied: %s", denied)
	}
	elsewhere, err := url.Parse(p.AuthorizeElsewhere(t, authorizeURL("v"), "dave"))
	must(t, err)
	if q := elsewhere.Query(); q.Get("state") == "abc123" || q.Get("code") == "" {
		t.Errorf("somebody else's login: %s", elsewhere)
	}
}

func TestRefreshTokensAreForOneUse(t *testing.T) {
	p := NewProvider(t, Accounts())
	body := `{"client_id":"` + clientID + `","grant_type":"refresh_token","refresh_token":"` + account(t, "alice").refresh() + `"}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+pathToken, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }() // decoded
	var got tokens
	must(t, json.NewDecoder(resp.Body).Decode(&got))
	if resp.StatusCode != http.StatusOK || got.Refresh == "" {
		t.Fatalf("refresh: %d", resp.StatusCode)
	}
	form := func(refresh string) url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	}
	if status, _ := exchange(t, p, form(account(t, "alice").refresh())); status != http.StatusUnauthorized {
		t.Errorf("a used token: %d, want 401", status)
	}
	if status, _ := exchange(t, p, form("rt_of_nobody")); status != http.StatusUnauthorized {
		t.Errorf("a token of nobody: %d, want 401", status)
	}
	if status, _ := exchange(t, p, form(got.Refresh)); status != http.StatusOK {
		t.Errorf("the new token: %d, want 200", status)
	}
}

func TestTokensOfALoginSayWhoseTheyAre(t *testing.T) {
	token := Account{"dave", OpenAI}.token(time.Unix(1_900_000_000, 0), "one")
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	must(t, err)
	for _, want := range []string{"acct-dave", "dave@example.com", "1900000000"} {
		if !strings.Contains(string(claims), want) {
			t.Errorf("the claims lack %s: %s", want, claims)
		}
	}
	if other := (Account{"dave", OpenAI}).token(time.Unix(1_900_000_000, 0), "two"); other == token {
		t.Error("two logins got the same token")
	}
}
