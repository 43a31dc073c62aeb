package probe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestGenericCheck(t *testing.T) {
	t.Parallel()
	path := func(s string) Path { return mustPath(t, s) }
	tests := map[string]struct {
		change func(*Generic)
		sample string
		want   string
	}{
		"all is well": {func(*Generic) {}, acmeAnswer, ""},
		"a name, and nothing for the token": {
			func(g *Generic) { g.Header = "X-Key: sk-a-token-by-mistake" }, acmeAnswer,
			"header: want {token} once, where the account's token belongs",
		},
		"the token twice":          {func(g *Generic) { g.Header = "X-Key: {token}{token}" }, acmeAnswer, "header: want {token} once, where the account's token belongs"},
		"a header without a name":  {func(g *Generic) { g.Header = "Bearer {token}" }, acmeAnswer, `header: want a name and a value, like "Authorization: Bearer {token}"`},
		"a header that is no word": {func(g *Generic) { g.Header = "X Key: {token}" }, acmeAnswer, `header: want a name and a value, like "Authorization: Bearer {token}"`},
		"somebody else's header":   {func(g *Generic) { g.Header = "Host: {token}" }, acmeAnswer, "header: Host is not a header for a token"},
		"a header in Chinese":      {func(g *Generic) { g.Header = "X-Key: 密钥{token}" }, acmeAnswer, "header: want printable ASCII only"},
		"nothing to read":          {func(g *Generic) { *g = Generic{} }, acmeAnswer, "windows: there is nothing to read; want at least one window, or credits"},
		"no sample":                {func(*Generic) {}, " ", "sample: missing; want an answer of the provider, to check the paths against (or sample_file)"},
		"a sample that is a list":  {func(*Generic) {}, "[1]", "sample: not a JSON object"},
		"a sample cut off":         {func(*Generic) {}, acmeAnswer[:50], "sample: not a JSON object"},
		"no name":                  {func(g *Generic) { g.Windows[0].Name = "" }, acmeAnswer, "windows[0].name: missing; want 5h, weekly, monthly, spend, or a length like 36h"},
		"a name that is none":      {func(g *Generic) { g.Windows[0].Name = "5 hours" }, acmeAnswer, `windows[0].name: "5 hours" is not 5h, weekly, monthly, spend, or a length like 90m, 36h or 2d`},
		"twice the same":           {func(g *Generic) { g.Windows[1].Name = "5h" }, acmeAnswer, "windows[1].name: there is a 5h window of that scope already"},
		"neither used nor left":    {func(g *Generic) { g.Windows[0].Used = Path{} }, acmeAnswer, "windows[0].used: missing; want the path of what is used (or remaining: of what is left)"},
		"both used and left":       {func(g *Generic) { g.Windows[0].Remaining = path("a") }, acmeAnswer, "windows[0].remaining: used is set too; keep one of the two"},
		"a unit beside a limit":    {func(g *Generic) { g.Windows[2].Unit = Fraction }, acmeAnswer, "windows[2].unit: never used with a limit, which says what is 100 %"},
		"a unit of no reset":       {func(g *Generic) { g.Windows[1].Reset = Path{} }, acmeAnswer, "windows[1].reset_unit: never used without reset"},
		"a path to nothing":        {func(g *Generic) { g.Windows[0].Used = path("limits[0].per_cent") }, acmeAnswer, "windows[0].used: limits[0].per_cent finds nothing in the sample"},
		"a path to a word":         {func(g *Generic) { g.Windows[0].Used = path("account.tier") }, acmeAnswer, "windows[0].used: account.tier finds no number in the sample"},
		"a limit of nothing":       {func(g *Generic) { g.Windows[2].Limit = path("calls.most") }, acmeAnswer, "windows[2].limit: calls.most finds nothing in the sample"},
		"a limit of 0":             {func(*Generic) {}, strings.Replace(acmeAnswer, `"limit":2000`, `"limit":0`, 1), "windows[2].limit: calls.limit finds 0 in the sample; want more than 0"},
		"what is left taken for used": {
			func(g *Generic) { g.Windows[3].Remaining, g.Windows[3].Used = Path{}, g.Windows[3].Remaining }, acmeAnswer,
			"windows[3].used: the sample reads as 20 % used, not 80; it is the other one of used and remaining",
		},
		"a fraction taken for percent": {func(g *Generic) { g.Windows[1].Unit = "" }, acmeAnswer, "windows[1].remaining: the sample reads as 99.4 % used, not 40"},
		"percent taken for a fraction": {
			func(g *Generic) { g.Windows[0].Unit = Fraction }, acmeAnswer,
			"windows[0].used: the sample reads as 1200 % used, which is not from 0 to 100; is the unit right?",
		},
		"nobody says what it reads as": {
			func(g *Generic) { g.Windows[0].Want = nil }, acmeAnswer,
			"windows[0].want: missing; want how many percent are used in the sample, as you know it from the provider's own page",
		},
		"rounded by a person":  {func(g *Generic) { g.Windows[0].Want = quota.Percent(12.4) }, acmeAnswer, ""},
		"a reset that is none": {func(g *Generic) { g.Windows[0].Reset = path("limits[0].resets") }, acmeAnswer, "windows[0].reset: limits[0].resets finds nothing in the sample"},
		"a reset in another unit": {
			func(g *Generic) { g.Windows[1].ResetUnit = EpochMillis }, acmeAnswer,
			"windows[1].reset: limits[1].reset is no time of this century in the sample, as epoch_ms; is reset_unit right?",
		},
		"a reset in a unit too small": {
			func(g *Generic) { g.Windows[2].ResetUnit = EpochSeconds }, acmeAnswer,
			"windows[2].reset: calls.reset_ms is no time of this century in the sample, as epoch_s; is reset_unit right?",
		},
		"a number for a date": {
			func(g *Generic) { g.Windows[1].ResetUnit = "" }, acmeAnswer,
			"windows[1].reset: limits[1].reset is no time of this century in the sample, as rfc3339; is reset_unit right?",
		},
		"an instant for a span": {
			func(g *Generic) { g.Windows[1].ResetUnit = SecondsLeft }, acmeAnswer,
			"windows[1].reset: limits[1].reset is no number of seconds from 0 to 34560000 in the sample",
		},
		"no plan there":   {func(g *Generic) { g.Plan = path("plan") }, acmeAnswer, "plan: plan finds no text in the sample"},
		"no credit there": {func(g *Generic) { g.Balance = path("account.tier") }, acmeAnswer, "credits.balance: account.tier finds no number in the sample"},
		"too many windows": {
			func(g *Generic) {
				for i := range 14 {
					w := g.Windows[0]
					w.Scope = fmt.Sprint(i)
					g.Windows = append(g.Windows, w)
				}
			}, acmeAnswer, "windows: 18 windows; at most 16 are read",
		},
		"several at once": {
			func(g *Generic) { g.Windows[0].Used, g.Plan = path("a"), path("b") }, acmeAnswer,
			"windows[0].used: a finds nothing in the sample\nplan: b finds no text in the sample",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := acme(t)
			tt.change(g)
			var got []string
			for _, f := range g.Check([]byte(tt.sample)) {
				got = append(got, f.At+": "+f.What)
			}
			if s := strings.Join(got, "\n"); s != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", s, tt.want)
			}
			if strings.Contains(strings.Join(got, ""), "sk-a-token") {
				t.Error("the header's value is told")
			}
		})
	}
}

// A sample that passes reads as an answer would.
func TestGenericSampleIsReadAsAnswersAre(t *testing.T) {
	t.Parallel()
	g := acme(t)
	if faults := g.Check([]byte(acmeAnswer)); faults != nil {
		t.Fatal(faults)
	}
	o, _ := parseObject([]byte(acmeAnswer))
	for i, w := range g.parse(o, clock{now: noon}).Windows {
		if used, ok := w.Used(); !ok || used != *g.Windows[i].Want {
			t.Errorf("%s: %v", w.Name, w.UsedPercent)
		}
	}
}
