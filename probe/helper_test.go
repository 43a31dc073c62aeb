package probe

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// noon is the time of every recorded answer: 2027-01-15 08:00 UTC.
var noon = time.Unix(1_800_000_000, 0).UTC()

// secretToken is seeded wherever a token is sent, and must be found nowhere.
const secretToken = "sk-seeded-5f2c9e7ab1"

func static(token string) oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
}

func account(provider, profileType string) Account {
	return Account{Key: "acct-1", Provider: provider, Type: profileType, ID: "acct-alice", Token: static(secretToken)}
}

// transport answers requests in the test's own words.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply builds an answer; headers come as "Name: value".
func reply(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

const isJSON = "Content-Type: application/json"

// replying answers every request alike.
func replying(status int, body string, headers ...string) transport {
	return func(*http.Request) (*http.Response, error) { return reply(status, body, headers...), nil }
}

// recorded reads a recorded answer.
func recorded(tb testing.TB, provider, name string) object {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", provider, name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	o, ok := parseObject(body)
	if !ok {
		tb.Fatalf("%s/%s is not an object", provider, name)
	}
	return o
}

// names lists the recorded answers of a provider.
func names(tb testing.TB, provider string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", provider, "*.json"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded answers of %s: %v", provider, err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	return files
}

// show writes a reading on one line, times relative to now:
// "ok plus | 5h 17 % +2h30m0s | gpt weekly 100 % spent | 9.5 credits".
func show(r quota.Reading, now time.Time) string {
	parts := []string{string(r.Verdict)}
	if r.Plan != "" {
		parts[0] += " " + r.Plan
	}
	if !r.Until.IsZero() {
		parts[0] += " until " + relative(r.Until, now)
	}
	if r.Reason != "" {
		parts[0] += ": " + r.Reason
	}
	for _, w := range r.Windows {
		parts = append(parts, showWindow(w, now))
	}
	if c := r.Credits; c != nil {
		unlimited := ""
		if c.Unlimited {
			unlimited = " unlimited"
		}
		parts = append(parts, fmt.Sprintf("%g %s%s", c.Balance, c.Unit, unlimited))
	}
	return strings.Join(parts, " | ")
}

func showWindow(w quota.Window, now time.Time) string {
	s := strings.TrimSpace(w.Scope + " " + w.Name)
	if w.UsedPercent != nil {
		s += fmt.Sprintf(" %.6g %%", *w.UsedPercent)
	}
	if w.SuspectPercent {
		s += " suspect"
	}
	if !w.ResetsAt.IsZero() {
		s += " " + relative(w.ResetsAt, now)
	}
	if w.SuspectReset {
		s += " suspect"
	}
	if w.Spent {
		s += " spent"
	}
	return s
}

func relative(t, now time.Time) string {
	d := t.Sub(now).Round(time.Second)
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}
