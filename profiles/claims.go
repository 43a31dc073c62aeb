package profiles

import (
	"encoding/base64"
	"strings"
	"time"
)

// claims are what an OpenAI access token says of its account.
type claims struct {
	Expires   time.Time
	AccountID string
	Plan      string
	FedRAMP   bool
	Email     string
}

// maxToken bounds what is decoded: a real token is some 2 KB.
const maxToken = 64 << 10

// decodeClaims reads a JWT's payload and checks no signature: the token came
// from OpenClaw's own store, and nothing is granted on its word. Whatever is no
// JWT gives no claims.
func decodeClaims(token string) claims {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}
	}
	top := object(payload)
	auth := object(top["https://api.openai.com/auth"])
	c := claims{
		AccountID: auth.text("chatgpt_account_id"),
		Plan:      auth.text("chatgpt_plan_type"),
		FedRAMP:   auth.flag("chatgpt_account_is_fedramp"),
		Email:     object(top["https://api.openai.com/profile"]).text("email"),
	}
	if c.Email == "" {
		c.Email = top.text("email")
	}
	if exp, ok := top.number("exp"); ok && exp > 0 && exp < lastMillis/1000 {
		c.Expires = time.Unix(int64(exp), 0).UTC()
	}
	return c
}
