package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// secretPrefix starts the text form of a signing secret.
const secretPrefix = "whsec_"

var errSecret = errors.New(`secret is not a Standard Webhooks secret: "whsec_" and the base64 of 24 to 64 random bytes are meant; ` +
	`this makes one: echo "whsec_$(openssl rand -base64 32)"`)

// Key signs messages. The zero Key is none.
//
// It holds a pointer, because package fmt calls no method on what stands in an
// unexported field, and would print the secret of one that holds a Value.
type Key struct{ raw *secret.Value }

// ParseSecret reads a signing secret as https://www.standardwebhooks.com
// defines it. Its error tells how to make a good one, and nothing of v.
func ParseSecret(v secret.Value) (Key, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(v.Reveal()), secretPrefix)
	if !ok {
		return Key{}, errSecret
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < 24 || len(raw) > 64 {
		return Key{}, errSecret
	}
	value := secret.New(string(raw))
	return Key{raw: &value}, nil
}

// sign returns the webhook-signature of a message that is sent at a time.
func (k Key) sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(k.raw.Reveal()))
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
