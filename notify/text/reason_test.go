package text

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// samples are clauses as the program makes them, of every form that has
// something to fill in. What has nothing to fill in is read from the source.
var samples = []string{
	// failover
	"5h window 96 % used", "weekly window 100 % used", "monthly window 12.5 % used", "36h window 3 % used", "90m window 3 % used", "spend window 97 % used",
	"opus weekly window 96 % used", "GPT-5 Codex 5h window 96 % used", "window window 96 % used",
	"blocked by OpenClaw until 18:40 UTC, provider says usable",
	"OpenClaw recorded subscription_limit until 18:40 UTC, after the provider last said usable",
	"OpenClaw recorded subscription_limit until 18:40 UTC", "OpenClaw recorded a block until 18:40 UTC",
	"OpenClaw recorded subscription_limit", "OpenClaw recorded a block", // the time stands beside it
	"openai:bob is available and preferred (5h window 0 % used)", "openai:bob is available and preferred",
	"paid profiles are left out (paid: never); next is openai:bob (5h window 3 % used)",
	"openai:alice is low (5h window 96 % used); next is openai:bob (5h window 3 % used)",
	"openai:alice is exhausted (OpenClaw recorded rate_limit until 18:40 UTC); next is openai:bob",
	"openai:alice is dead (the provider revoked this login); next is openai:key",
	"openai:alice is first and available (5h window 3 % used)", "openai:key is first and paid", "openai:alice is first and unknown (not probed yet)",
	"openai:alice is first and pinned by a person (5h window 97 % used)",
	"openai:alice is pinned by a person (not probed yet); ocwatch is paused",
	"openai:alice stays first; spent profiles go behind those that can serve",
	"the pool runs dry about 03:00 UTC; openai:bob is back first, at 04:10 UTC: a gap of 70 min",
	"the pool runs dry about 2026-11-24 03:00 UTC; openai:bob is back first, at 2026-11-25 04:10 UTC: a gap of 25 h",
	"the pool runs dry about 03:00 UTC; nobody knows when the first account is back",
	"the subscriptions run dry about 03:00 UTC; openai:bob is back first, at 04:10 UTC: a gap of 70 min; meanwhile openai:key serves, billed for every token",
	"openai:bob has more left than openai:alice (5h window 10 % used)", "openai:bob has more left than openai:alice",
	"openai:bob resets before openai:alice, so its quota is used first (weekly window 40 % used)",
	"openai:alice stays first; second is openai:carol (5h window 10 % used) in place of openai:bob, which is exhausted (5h window 100 % used, weekly window spent)",
	"openai:alice stays first; second is openai:carol in place of openai:bob, which bills the same account",
	"5h window 91 % used, the last 10 % are kept",
	"openai:alice is low (5h window 91 % used, the last 10 % are kept); next is openai:bob",
	"openai:alice is low (5h window 96 % used); next is openai:bob (5h window 3 % used); the order is changed at 10:05 UTC",
	"all 3 profiles are spent; first back is openai:bob at 18:40 UTC", "all 2 profiles need a login",
	"the only profile is spent; first back is openai:bob at 18:40 UTC", "the only profile needs a login",
	"no profile can serve: spent 2, login needed 1; first back is openai:bob at 18:40 UTC",
	"no profile can serve: spent 1, login needed 1, refused by OpenClaw after errors 1",
	"no provider answer for any profile, so it is the network or the provider; the order is kept",
	"the quota of openai can be seen again",
	"it is the account that is spent already (5h window 100 % used); the browser was still logged in as it",
	"it is the account of openai:alice, which is spent already (5h window 100 % used); the browser was still logged in as it",
	"it is the account of openai:alice, which is spent already",
	"the provider refuses the new login (the provider deactivated this account)",
	"plan plus", "its quota is spent too (5h window 100 % used)", "it is low (5h window 96 % used)", "it needs a login (login revoked)",
	"it bills the same account as openai:alice, so the two have one quota", "plan plus; 5h window 3 % used",
	// failover/watchdog
	"OpenClaw's state cannot be read: open /home/oc/.openclaw: permission denied",
	"OpenClaw's state can be read again, after 12 min", "it answers again, after 3 h", "it answers again, after less than a minute",
	"the running gateway still uses the old order: openai:alice is low; next is openai:bob",
	"it is down (no answer from /healthz)", "it is down (healthz: connection refused)",
	"restart failed: no healthy gateway within 6m0s",
	"it is not restarted again: restart budget is spent: 3 restarts in the last 30m0s, 3 allowed; possible from 2026-11-22T10:28:00Z; wanted since openai:alice is low; next is openai:bob",
	// probe
	"5h window spent", "spend limit 100 % used", "limit 100 % used", "limit spent", "spend limit spent", "5h window 100 % used, weekly window 100 % used",
	"5h window 100 % used, but its reset has passed",
	"the provider answered 502 Bad Gateway", "the provider answered 599", "the provider redirects elsewhere (302); not followed",
	"something in between answered 403 in place of the provider",
	"usage endpoint failing, asked again at 10:01:30 UTC", "the probe failed within ocwatch at openai.go:71",
	"the probe failed within ocwatch",
	"probe url sends a token to example.com in the clear; use https, or a loopback address", `probe url has scheme "ftp"; use https`,
	// profiles/login
	`openclaw asks something that only a person at its screen can answer: "Which workspace?"; log in with openclaw models auth login`,
	"openclaw ended with exit code 7 and said nothing; run openclaw models auth login to see why",
	"openclaw took over the sign-in of another program on this machine, as profile openai:codex, instead of asking for a new one",
	// profiles
	"profile openai:alice of agent main: OpenClaw is refreshing the token",
	"profile openai:alice of agent main: there is no token in the store: openclaw models auth login --provider openai",
	"the entry names no provider, so OpenClaw does not use it",
	"the token expired at 2026-11-22 10:00 UTC, and nothing refreshes it",
	"the access token expired at 2026-11-22 10:00 UTC, and there is no refresh token in the store",
	"the access token expired at 2026-11-22 10:00 UTC; OpenClaw refreshes it when it next needs it",
	"openclaw.json says that this profile is for anthropic, so OpenClaw does not use it",
	"openclaw.json says that this profile is of mode api_key, and the store has oauth, so OpenClaw does not use it",
}

func TestSamplesAreKnown(t *testing.T) {
	for _, s := range samples {
		if u := understand(s); !u.known {
			t.Errorf("%q became %q", s, u.text)
		}
	}
}

func TestUnderstand(t *testing.T) {
	for clause, want := range map[string]string{
		"": "", "boom": "boom",
		strings.Repeat("no profile; ", 60) + "no profile":      strings.Repeat("no profile; ", 60) + "no profile", // no clause of ours is so long
		"5h window 96 % used":                                  "5 小时额度已用 96%",
		"opus weekly window 99.5 % used.":                      "opus 周额度已用 99.5%",
		"5h window 100 % used, weekly window 100 % used":       "5 小时额度已用 100%，周额度已用 100%",
		"spend limit 100 % used":                               "消费限额已用 100%",
		"2d window 3 % used":                                   "2 天额度已用 3%",
		"OpenClaw recorded subscription_limit until 18:40 UTC": "OpenClaw 记录为 subscription_limit，至 18:40 UTC",
		"openai:alice is exhausted (this token may not read its usage (no user:profile scope)); next is openai:bob (5h window 3 % used); the order is changed at 10:05 UTC": "" +
			"openai:alice 额度已用完（该 token 无权读取额度（缺少 user:profile 权限）），改用 openai:bob（5 小时额度已用 3%）；顺序将于 10:05 UTC 调整",
		"it is first and {id}; next is {why}":                           "it is first and {id}; next is {why}",
		"restart failed: exit status 1":                                 "重启失败：exit status 1",
		"the running gateway still uses the old order: moon phase":      "运行中的网关仍在使用旧的顺序：moon phase",
		"5h window 96 % used; moon phase":                               "5h window 96 % used; moon phase",
		"all 3 profiles are spent; first back is a:{id}:b at 18:40 UTC": "3 个账号额度全部用完；最早恢复的是 a:{id}:b，18:40 UTC",
	} {
		if got := understand(clause).text; got != want {
			t.Errorf("%q became\n%q, want\n%q", clause, got, want)
		}
	}
}

// TestPhrases: each row says all that its clause says, in Chinese, and no row
// before it takes its clauses away.
func TestPhrases(t *testing.T) {
	fillings := map[string]string{
		"id": "openai:alice", "n": "42", "time": "18:40 UTC", "word": "oauth", "error": "boom: bang", "name": "plus", "state": "low",
		"scope": "opus ", "window": "weekly", "clause": "quota spent", "why": " (quota spent)", "lasted": "12 min",
	}
	for i, p := range phrases {
		in, out := placeholder.FindAllString(p.english, -1), placeholder.FindAllString(p.chinese, -1)
		slices.Sort(in)
		slices.Sort(out)
		if !slices.Equal(in, out) {
			t.Errorf("%q has %v, in Chinese %v", p.english, in, out)
		}
		if !strings.ContainsFunc(p.chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%q is not told in Chinese: %q", p.english, p.chinese)
		}
		if strings.ContainsAny(placeholder.ReplaceAllString(p.chinese, ""), ",;()") {
			t.Errorf("%q has punctuation of English", p.chinese)
		}
		clause := placeholder.ReplaceAllStringFunc(p.english, func(ph string) string { return fillings[placeholder.FindStringSubmatch(ph)[1]] })
		first := slices.IndexFunc(matchers(), func(m matcher) bool { return m.re.MatchString(clause) })
		if first != i {
			t.Errorf("%q is taken for %q", clause, phrases[max(first, 0)].english)
		}
	}
}

// A time that stands beside a clause is cut off it, and what is left is known.
func TestTimeAtTheEnd(t *testing.T) {
	for _, s := range samples {
		cut := endsWithTime.ReplaceAllString(s, "")
		if cut != s && (strings.Contains(cut, "until") || !understand(cut).known) {
			t.Errorf("%q without its time is %q", s, cut)
		}
	}
}
