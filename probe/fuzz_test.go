package probe

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// seed adds the recorded answers of a provider.
func seed(f *testing.F, provider string) {
	f.Helper()
	for _, name := range names(f, provider) {
		body, err := os.ReadFile(filepath.Join("testdata", provider, name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

func FuzzOpenAI(f *testing.F) {
	seed(f, "openai")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseOpenAI(o, "acct-alice", clock{now: noon}))
		}
	})
}

func FuzzAnthropic(f *testing.F) {
	seed(f, "anthropic")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseAnthropic(o, clock{now: noon}))
		}
	})
}

// mustBeSane holds of a reading whatever the provider sent.
func mustBeSane(t *testing.T, r quota.Reading) {
	t.Helper()
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("cannot be stored: %v", err)
	}
	switch r.Verdict {
	case quota.OK, quota.Exhausted, quota.Billing, quota.Unknown:
	case quota.Throttled, quota.Stale, quota.Revoked, quota.Unsupported, quota.Unreachable:
		t.Errorf("verdict %s from an answer of usage", r.Verdict)
	default:
		t.Errorf("verdict %q", r.Verdict)
	}
	if !r.Until.IsZero() && !ahead(r.Until, noon, horizon) {
		t.Errorf("until %s", r.Until)
	}
	if len(r.Windows) > 4+2*maxEntries {
		t.Errorf("%d windows", len(r.Windows))
	}
	for _, w := range r.Windows {
		if used, ok := w.Used(); ok && (used < 0 || used > 100) {
			t.Errorf("believed %g %%", used)
		}
		if reset, ok := w.Reset(); ok && !ahead(reset, noon, horizon) {
			t.Errorf("believed reset %s", reset)
		}
		mustBeShowable(t, w.Name, w.Scope)
	}
	mustBeShowable(t, r.Plan, r.Reason)
}

func mustBeShowable(t *testing.T, words ...string) {
	t.Helper()
	for _, s := range words {
		if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is not fit to be shown", s)
		}
	}
}

func FuzzRefusal(f *testing.F) {
	for _, r := range refusals {
		f.Add(r.status, r.body, "application/json", "700", "e30=")
	}
	f.Add(429, "", "", "Fri, 15 Jan 2027 09:00:00 GMT", "")
	f.Fuzz(func(t *testing.T, status int, body, contentType, retry, hidden string) {
		h := http.Header{"Content-Type": {contentType}, "Retry-After": {retry}, "X-Error-Json": {hidden}}
		if status == http.StatusOK {
			return // that may be usage, which is another target's
		}
		c := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
		}), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for _, kind := range everyFunc {
			r, err := providers[quota.Canonical(kind.provider)].ask(t.Context(), account(kind.provider, kind.profileType), c)
			if err != nil {
				continue // net/http made nothing of it
			}
			if r.Verdict == quota.OK || r.Verdict == "" || r.Reason == "" {
				t.Errorf("%s: %s (%s)", kind.provider, r.Verdict, r.Reason)
			}
			if now := time.Now(); !r.Until.IsZero() && !ahead(r.Until, now.Add(-time.Minute), horizon) {
				t.Errorf("%s: until %s", kind.provider, r.Until)
			}
			mustBeShowable(t, r.Reason)
		}
	})
}

func FuzzClock(f *testing.F) {
	f.Add("Fri, 15 Jan 2027 08:00:00 GMT", "0", int64(1_800_000_600), int64(600), int64(18000))
	f.Add("Thu, 01 Jan 1970 00:00:00 GMT", "-1", int64(-1), int64(1<<40), int64(0))
	f.Fuzz(func(t *testing.T, date, age string, at, after, length int64) {
		c := readClock(noon, http.Header{"Date": {date}, "Age": {age}})
		reported := writable(time.Unix(at%(1<<40), 0).UTC())
		got := c.reset(reported, time.Duration(after), after > 0, time.Duration(length))
		if !got.Equal(reported) && !ahead(got, noon, horizon) {
			t.Errorf("made up %s", got)
		}
	})
}

func FuzzValidateEndpoint(f *testing.F) {
	for _, s := range []string{openAIUsage, loopbackUsage, "http://[::1%25lo]/", "http://localhost.:80/", "https://a@b/", "//x", "http:\\\\127.0.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ValidateEndpoint(s) != nil {
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s, nil)
		if err != nil || req.URL.Host == "" || req.URL.User != nil {
			t.Fatalf("%q passed: %v", s, err)
		}
		if req.URL.Scheme != "https" && !loopback.Host(req.URL.Hostname()) {
			t.Errorf("%q passed", s)
		}
	})
}
