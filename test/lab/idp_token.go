package lab

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tokenLife is how long an access token lives with the real provider.
const tokenLife = 10 * 24 * time.Hour

// grant is what an authorization code stands for.
type grant struct{ account, redirect, challenge string }

// grant gives out an authorization code, with i locked.
func (i *idp) grant(g grant) (code string) {
	code = "ac_" + rand.Text()
	i.grants[code] = g
	i.issued = append(i.issued, code)
	return code
}

// challenge is the S256 code challenge of verifier.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// token exchanges an authorization code or a refresh token. Codex sends JSON
// and OpenClaw a form, and both are taken.
func (i *idp) token(r *http.Request, body []byte) (int, http.Header, []byte) {
	q := tokenQuery(r, body)
	if q.Get("client_id") != clientID {
		return refused(http.StatusUnauthorized, "invalid_client", "unknown client")
	}
	switch q.Get("grant_type") {
	case "authorization_code":
		return i.exchange(q)
	case "refresh_token":
		return i.renew(q.Get("refresh_token"))
	default:
		return refused(http.StatusBadRequest, "unsupported_grant_type", "unknown grant")
	}
}

func tokenQuery(r *http.Request, body []byte) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		q, _ := url.ParseQuery(string(body)) // what is missing is refused
		return q
	}
	fields := map[string]string{}
	_ = json.Unmarshal(body, &fields) // likewise
	q := url.Values{}
	for k, v := range fields {
		q.Set(k, v)
	}
	return q
}

// exchange takes a code once, and only along with the verifier and the address
// that it is bound to.
func (i *idp) exchange(q url.Values) (int, http.Header, []byte) {
	i.mu.Lock()
	g, known := i.grants[q.Get("code")]
	delete(i.grants, q.Get("code"))
	i.mu.Unlock()
	if !known || g.redirect != q.Get("redirect_uri") || g.challenge != challenge(q.Get("code_verifier")) {
		return refused(http.StatusBadRequest, "invalid_grant", "The authorization code is not valid.")
	}
	return i.issue(g.account)
}

// renew takes a refresh token once: they are single-use.
func (i *idp) renew(refresh string) (int, http.Header, []byte) {
	i.mu.Lock()
	account, known := i.refresh[refresh]
	if known {
		i.refresh[refresh] = ""
	}
	i.mu.Unlock()
	if account == "" {
		code := "refresh_token_invalidated"
		if known {
			code = "refresh_token_reused"
		}
		return encode(http.StatusUnauthorized, map[string]any{"error": map[string]any{
			"code": code, "type": "invalid_request_error", "message": "Your refresh token cannot be used. Please sign in again.",
		}})
	}
	return i.issue(account)
}

// issue gives account new tokens. None is ever given out twice.
func (i *idp) issue(account string) (int, http.Header, []byte) {
	a := Account{Name: account, Kind: OpenAI}
	access, refresh := a.token(time.Now().Add(tokenLife), rand.Text()), "rt_lab_"+account+"_"+rand.Text()
	i.accept(access, account)
	i.mu.Lock()
	i.refresh[refresh] = account
	i.issued = append(i.issued, access, refresh)
	i.mu.Unlock()
	return encode(http.StatusOK, map[string]any{
		"id_token": access, "access_token": access, "refresh_token": refresh,
		"token_type": "bearer", "expires_in": int(tokenLife.Seconds()),
	})
}
