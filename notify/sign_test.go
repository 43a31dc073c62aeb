package notify

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// An independent implementation accepts what ours signs, and nothing else.
func TestSignatureIsStandardWebhooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 24, 64).Draw(t, "secret")
		id := rapid.StringMatching(`msg_[A-Z2-7]{26}`).Draw(t, "id")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		text := secretPrefix + base64.StdEncoding.EncodeToString(raw)
		key, err := ParseSecret(secret.New(text + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		h := http.Header{}
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
		h.Set("webhook-signature", key.sign(id, now, body))
		wh, err := standardwebhooks.NewWebhook(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify(body, h); err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify(append(body, 'x'), h); err == nil {
			t.Fatal("a changed body was accepted")
		}
	})
}

func TestEachAttemptIsSignedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wh, err := standardwebhooks.NewWebhook(testSecret)
		if err != nil {
			t.Fatal(err)
		}
		var errs []error
		r := &receiver{}
		r.answer = func(n int, w http.ResponseWriter) {
			a := r.seen()[n]
			errs = append(errs, wh.Verify([]byte(a.body), a.header)) // refuses what is older than 5 minutes
			if n < 15 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		s := &memory{}
		n := setup(t, s, serve(t, r), &safeBuffer{})
		stop := start(t.Context(), n)
		post(t, n, s)
		time.Sleep(12 * time.Hour)
		stop()
		if len(errs) != 16 {
			t.Errorf("%d attempts", len(errs))
		}
		for i, err := range errs {
			if err != nil {
				t.Errorf("attempt %d: %v", i, err)
			}
		}
	})
}

func TestParseSecret(t *testing.T) {
	long := strings.Repeat("A", 88) + "A==="
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"as the standard has it": {testSecret, true},
		"with a line's end":      {testSecret + "\n", true},
		"32 bytes":               {"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)), true},
		"no prefix":              {strings.TrimPrefix(testSecret, "whsec_"), false},
		"asymmetric":             {"whsk_" + strings.TrimPrefix(testSecret, "whsec_"), false},
		"not base64":             {"whsec_correct horse battery staple!", false},
		"url-safe base64":        {"whsec_" + strings.Repeat("-_", 20), false},
		"too short":              {"whsec_c2hvcnQ=", false},
		"too long":               {"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)), false},
		"bad padding":            {"whsec_" + long, false},
		"nothing":                {"", false},
		"only the prefix":        {"whsec_", false},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ParseSecret(secret.New(c.text))
			if (err == nil) != c.ok {
				t.Fatalf("err = %v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), "openssl rand") || len(c.text) > 6 && strings.Contains(err.Error(), c.text[6:])) {
				t.Errorf("err = %v", err)
			}
			holder := struct{ inner Key }{key}
			got := fmt.Sprintf("%v %+v %#v %v %+v %#v", key, key, key, holder, holder, holder)
			if c.ok && (strings.Contains(got, key.raw.Reveal()) || strings.Contains(got, fmt.Sprintf("%x", key.raw.Reveal()))) {
				t.Errorf("a key prints as %s", got)
			}
		})
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, s := range []string{testSecret, "", "whsec_", "whsk_AAAA", "whsec_AAAA\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, err := ParseSecret(secret.New(s))
		if (key.raw == nil) != (err != nil) {
			t.Fatalf("%q: a key and an error, or neither: %v", s, err)
		}
		if err == nil && (len(key.raw.Reveal()) < 24 || len(key.raw.Reveal()) > 64) {
			t.Errorf("%q: %d bytes", s, len(key.raw.Reveal()))
		}
	})
}
