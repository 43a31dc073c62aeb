package probe

import (
	"net/http"
	"slices"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// mustShow holds every recorded answer of a provider against what is to be
// read from it: want is by the answer's name, as show writes it.
func mustShow(t *testing.T, provider string, parse func(object, clock) quota.Reading, want map[string]string) {
	t.Helper()
	for _, name := range names(t, provider) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(parse(recorded(t, provider, name), clock{now: noon}), noon); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
	if n := len(names(t, provider)); n != len(want) {
		t.Errorf("%d recorded answers, %d expectations", n, len(want))
	}
}

// refusalCase is an answer that is no usage, and what is to be made of it.
type refusalCase struct {
	name   string
	status int
	body   string
	want   string // as show writes it
}

func mustRefuse(t *testing.T, a Account, own []rule, cases []refusalCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := classified(a, own, tt.status, tt.body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// relayed stands for a base url whose key must not be sent anywhere.
const relayed = ""

// mustAsk holds where a is asked by OpenClaw's base url against want.
func mustAsk(t *testing.T, a Account, body string, want map[string]string) {
	t.Helper()
	for base, site := range want {
		t.Run("base "+base, func(t *testing.T) {
			t.Parallel()
			asked := ""
			p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
				asked = r.URL.String()
				return reply(200, body, isJSON), nil
			})})
			here := a
			here.BaseURL = base
			r := p.Probe(t.Context(), here)
			if asked != site {
				t.Errorf("asked %q, want %q", asked, site)
			}
			if verdict := map[bool]quota.Verdict{true: quota.Unsupported, false: quota.OK}[site == relayed]; r.Verdict != verdict {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Reason, verdict)
			}
		})
	}
}

// FuzzPlanRefusals looks for texts that end in a verdict without a reason, in a
// good one, or in a time that cannot be.
func FuzzPlanRefusals(f *testing.F) {
	for _, c := range slices.Concat(zaiRefusals, minimaxRefusals, kimiRefusals, xaiRefusals) {
		f.Add(c.status, c.body)
	}
	own := map[string][]rule{"zai": zaiRules, "minimax": minimaxRules, "kimi": kimiRules, "xai": xaiRules}
	f.Fuzz(func(t *testing.T, status int, body string) {
		for provider, rules := range own {
			for _, profileType := range []string{oauthType, tokenType, keyType} {
				r := classify(account(provider, profileType), usageOf, rules, answer{status: status, body: []byte(body), now: noon})
				if r.Verdict == quota.OK || r.Verdict == "" || r.Reason == "" {
					t.Errorf("%s: %s (%s)", provider, r.Verdict, r.Reason)
				}
				if !r.Until.IsZero() && !ahead(r.Until, noon, 31*day+tolerance) {
					t.Errorf("%s: until %s", provider, r.Until)
				}
				mustBeShowable(t, r.Reason)
			}
		}
	})
}
