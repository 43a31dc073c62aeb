package probe

// Globex is the provider of CONTRIBUTING.md's worked example, which quotes this
// file: what stands there compiles, and does what it says. In probe/globex.go
// would be what is above the row, and in the table the row.

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const globexUsage = "https://api.globex.example/v1/usage"

// globex probes a key of Globex's plan.
func globex(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	return question{
		set: bearer, holds: []string{"week"}, rules: globexRules, parse: parseGlobex,
	}.askWithKey(ctx, a, c, map[string]string{"": globexUsage, "api.globex.example": globexUsage})
}

var globexRules = []rule{
	{
		statuses: refused, codes: []string{"plan_ended"},
		verdict: quota.Billing, reason: "the plan has expired",
	},
}

// parseGlobex reads the one window of the plan, of which Globex tells what is left.
func parseGlobex(o object, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage, Plan: label(o.text("plan"))}
	w := quota.Window{Name: quota.Weekly, Length: 7 * day}
	if left, ok := o.sub("week").number("percent_left"); ok {
		setPercent(&w, 100-left, 100)
	}
	setReset(&w, o.sub("week").instant("ends_at"), c.now)
	r.Windows = []quota.Window{w}
	judge(&r, c.now)
	return r
}

// globexRows is the table with Globex alone.
var globexRows = map[string]provider{
	"globex": {
		name: "Globex", ask: globex, types: []string{keyType}, hosts: []string{"api.globex.example"},
	},
}

func TestGlobexAnswers(t *testing.T) {
	t.Parallel()
	mustShow(t, "globex", parseGlobex, map[string]string{
		"in-use":  "ok team | weekly 30 % +96h0m0s",
		"spent":   "exhausted team until +96h0m0s: weekly window 100 % used | weekly 100 % +96h0m0s",
		"nothing": "unknown: the answer names no limit of this account | weekly",
		"absurd":  "unknown team: the answer names no limit of this account | weekly 400 % suspect +96h0m0s",
	})
}

func TestGlobexRefusals(t *testing.T) {
	t.Parallel()
	mustRefuse(t, account("globex", keyType), globexRules, []refusalCase{
		{"plan over", 403, `{"error":{"code":"plan_ended"}}`, "billing: the plan has expired"},
		{"401 without a word", 401, `{}`, "unknown: the provider answered 401 without saying what is wrong with the key"},
	})
}

func FuzzGlobex(f *testing.F) {
	seed(f, "globex")
	f.Fuzz(func(t *testing.T, body []byte) {
		if o, ok := parseObject(body); ok {
			mustBeSane(t, parseGlobex(o, clock{now: noon}))
		}
	})
}

func TestGlobexIsAsked(t *testing.T) {
	t.Parallel()
	in, err := os.ReadFile("testdata/globex/in-use.json")
	if err != nil {
		t.Fatal(err)
	}
	var asked string
	p := New(Options{
		Table: map[string]Func{"globex": globexRows["globex"].ask},
		Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked = r.URL.String() + " " + r.Header.Get("Authorization")
			return reply(200, string(in), isJSON), nil
		}),
	})
	r := p.Probe(t.Context(), account("globex", keyType))
	if r.Plan != "team" || len(r.Windows) != 1 || asked != globexUsage+" Bearer "+secretToken {
		t.Errorf("%+v, asked %s", r, strings.ReplaceAll(asked, secretToken, "the token"))
	}
}

// What CONTRIBUTING.md shows of it is this file, word for word.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("globex_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) < 3 {
		t.Errorf("%d blocks of code, want the function, the row and the test", len(blocks))
	}
	for _, b := range blocks {
		if !bytes.Contains(source, b[1]) {
			t.Errorf("globex_test.go has no\n%s", b[1])
		}
	}
}
