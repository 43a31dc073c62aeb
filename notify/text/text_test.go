package text

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, wherever they run

	"github.com/ocwatch/ocwatch/internal/event"
)

var update = flag.Bool("update", false, "write testdata/messages.txt anew; read the difference before it is committed")

// now is a Sunday.
var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func at(hours int, minutes int) *time.Time {
	t := time.Date(2026, 11, 22, hours, minutes, 0, 0, time.UTC)
	return &t
}

func out(id string, until *time.Time) event.Profile {
	return event.Profile{ID: id, State: "exhausted", Reason: "5h window 100 % used", Until: until}
}

func loggedOut(id string) event.Profile {
	return event.Profile{ID: id, State: "dead", Reason: "the provider revoked this login"}
}

// stopped is a profile with quota that an outage keeps from serving.
func stopped(id string) event.Profile {
	return event.Profile{ID: id, State: "exhausted", Reason: "OpenClaw recorded overloaded until 10:03 UTC", Until: at(10, 3), Refused: true}
}

// told is one message of the table.
type told struct {
	name string
	typ  event.Type
	data event.Data
}

// tolds is every event, and the ways in which its message may differ. What is
// said of each stands in testdata/messages.txt.
func tolds() []told {
	device := &event.Login{
		URL: "https://auth.openai.com/codex/device", Code: "ABCD-1234", ExpiresAt: at(10, 15),
		Command: "ocwatch login --provider openai", Chat: "/login codex",
	}
	paste := &event.Login{
		URL: "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback" +
			"&scope=openid+profile+email+offline_access&code_challenge=xkZ8hVLVTuRMjCXtCsPnDlJ3ZXVgaeXTbVfIgI2wd3Y&code_challenge_method=S256" +
			"&state=3f1c7a2be90d4f6a8b5c2d1e0f9a8b7c&id_token_add_organizations=true&codex_cli_simplified_flow=true&originator=openclaw",
		ExpiresAt: at(10, 25), Paste: true, Command: "ocwatch login --provider openai",
	}
	byHand := &event.Login{Command: "ocwatch login --provider openai"}
	main := event.Data{Host: "srv1", Agent: "main", Provider: "openai"}
	with := func(f func(d *event.Data)) event.Data { d := main; f(&d); return d }
	about := func(id, reason string, f func(d *event.Data)) event.Data {
		return with(func(d *event.Data) { d.Profile, d.Reason = id, reason; f(d) })
	}
	pool := func(action string, login *event.Login, recovers *time.Time, list ...event.Profile) event.Data {
		return with(func(d *event.Data) {
			d.Action, d.Login, d.RecoversAt, d.Profiles = action, login, recovers, list
			for _, p := range list {
				d.Order = append(d.Order, p.ID)
			}
		})
	}
	alice, bob, carol := out("openai:alice", at(69, 0)), out("openai:bob", at(18, 40)), loggedOut("openai:carol")
	alice.Reason = "weekly window 100 % used"
	deadKey := event.Profile{ID: "openai:key", State: "dead", Reason: "the provider does not accept this key", Paid: true}
	newKey := &event.Login{Command: "ocwatch login --provider openai --api-key", Key: true}
	nothing := func(*event.Data) {}
	dry := func(f func(d *event.Data)) event.Data {
		return about("openai:alice", "the pool runs dry about 13:00 UTC; openai:bob is back first, at 18:40 UTC: a gap of 6 h", func(d *event.Data) {
			d.RunsDryAt, d.RecoversAt, d.FirstBack = at(13, 0), at(18, 40), "openai:bob"
			d.Login = &event.Login{Command: "ocwatch login --provider openai", Chat: "/login codex"}
			d.Profiles = []event.Profile{{ID: "openai:alice", State: "available"}, {ID: "openai:bob", State: "exhausted", Until: at(18, 40)}}
			f(d)
		})
	}
	const login, wait = event.ActionLogin, event.ActionWait
	return []told{
		{"low", event.ProfileLow, about("openai:alice", "5h window 96 % used", func(d *event.Data) { d.RecoversAt = at(18, 40) })},
		{"low, nothing known", event.ProfileLow, event.Data{}},
		{"runs dry", event.ProfileLow, dry(func(*event.Data) {})},
		{"runs dry, nobody knows until when", event.ProfileLow, dry(func(d *event.Data) { d.RecoversAt, d.FirstBack = nil, "" })},
		{"runs dry for days, another agent", event.ProfileLow, dry(func(d *event.Data) {
			d.Agent, d.RecoversAt, d.Login = "work", at(69, 0), &event.Login{Command: "ocwatch login --provider openai --agent work"}
		})},
		{"runs dry, with a dead login", event.ProfileLow, dry(func(d *event.Data) { d.Profiles = append(d.Profiles, carol) })},
		{"runs dry, with a paid key behind", event.ProfileLow, dry(func(d *event.Data) {
			d.Profiles = append(d.Profiles, event.Profile{ID: "openai:key", State: "available", Paid: true})
		})},
		{"runs dry, nothing else known", event.ProfileLow, event.Data{RunsDryAt: at(13, 0)}},
		{"spent", event.ProfileExhausted, about("openai:alice", "5h window 100 % used", func(d *event.Data) { d.RecoversAt = at(18, 40) })},
		{"spent, tomorrow", event.ProfileExhausted, about("openai:alice", "5h window 100 % used, weekly window 100 % used", func(d *event.Data) { d.RecoversAt = at(34, 5) })},
		{"spent, next year", event.ProfileExhausted, about("openai:alice", "monthly window 100 % used", func(d *event.Data) { d.RecoversAt = at(24*50, 0) })},
		{"spent, nobody knows until when", event.ProfileExhausted, about("openai:alice", "quota spent", nothing)},
		{"spent by OpenClaw's record, which names the time too", event.ProfileExhausted, about("openai:alice", "OpenClaw recorded subscription_limit until 18:40 UTC", func(d *event.Data) { d.RecoversAt = at(18, 40) })},
		{"out of money", event.ProfileExhausted, about("openai:key", "the provider reports no credit, or a spend limit reached", nothing)},
		{"spent, another agent", event.ProfileExhausted, about("openai:alice", "5h window 100 % used", func(d *event.Data) { d.Agent, d.RecoversAt = "work", at(11, 0) })},
		{"recovered", event.ProfileRecovered, about("openai:alice", "5h window 0 % used", nothing)},
		{"recovered, no reason", event.ProfileRecovered, about("openai:alice", "", nothing)},
		{"login required", event.ProfileLoginRequired, about("openai:carol", "the provider revoked this login", func(d *event.Data) { d.Login = byHand })},
		{"login required, no command", event.ProfileLoginRequired, about("openai:carol", "login revoked", nothing)},
		{"expiring in 30 days", event.ProfileExpiring, about("anthropic:setup", "nothing renews this token", func(d *event.Data) {
			d.Provider, d.Login = "anthropic", &event.Login{Command: "ocwatch login --provider anthropic"}
			d.Profiles = []event.Profile{{ID: "anthropic:setup", State: "available", Until: at(24*30+10, 0)}}
		})},
		{"expiring in 7 days", event.ProfileExpiring, about("anthropic:setup", "", func(d *event.Data) { d.Profiles = []event.Profile{{Until: at(24*7+8, 0)}} })},
		{"expiring in a day", event.ProfileExpiring, about("anthropic:setup", "", func(d *event.Data) { d.Profiles = []event.Profile{{Until: at(24+9, 58)}} })},
		{"expiring within hours", event.ProfileExpiring, about("anthropic:setup", "", func(d *event.Data) { d.Profiles = []event.Profile{{Until: at(16, 30)}} })},
		{"expiring, nobody knows when", event.ProfileExpiring, about("anthropic:setup", "", nothing)},

		{"switched", event.PoolSwitched, with(func(d *event.Data) {
			d.From, d.To, d.Reason = "openai:alice", "openai:bob", "openai:alice is low (5h window 96 % used); next is openai:bob (5h window 3 % used)"
		})},
		{"switched from nothing, another agent", event.PoolSwitched, with(func(d *event.Data) { d.Agent, d.To = "work", "openai:bob" })},
		{"paid", event.PoolPaid, with(func(d *event.Data) {
			d.Profile, d.To, d.Reason, d.RecoversAt = "openai:key", "openai:key", "openai:bob is exhausted (5h window 100 % used); next is openai:key", at(18, 40)
		})},
		{"depleted, wait", event.PoolDepleted, pool(wait, nil, at(10, 8), out("openai:bob", at(10, 8)), out("openai:alice", at(34, 0)))},
		{"depleted, link and code", event.PoolDepleted, pool(login, device, at(18, 40), bob, alice, carol)},
		{"depleted, all spent", event.PoolDepleted, pool(login, device, at(18, 40), bob, alice)},
		{"depleted, address to be pasted", event.PoolDepleted, pool(login, paste, at(18, 40), bob, alice, carol)},
		{"depleted, no code to be had", event.PoolDepleted, pool(login, byHand, at(18, 40), bob, alice)},
		{"depleted, a reminder", event.PoolDepleted, func() event.Data {
			d := pool(login, device, at(18, 40), bob, alice, carol)
			d.Reminder = true
			return d
		}()},
		{"depleted, a dead key among spent logins", event.PoolDepleted, pool(login, device, at(18, 40), bob, deadKey)},
		{"depleted, keys alone", event.PoolDepleted, pool(login, newKey, nil, deadKey)},
		{"a key is refused", event.ProfileLoginRequired, about("openai:key", "the provider does not accept this key", func(d *event.Data) { d.Login = newKey })},
		{"depleted, paused", event.PoolDepleted, func() event.Data {
			d := pool(login, byHand, at(18, 40), bob, alice)
			d.Paused = true
			return d
		}()},
		{"depleted, every login dead", event.PoolDepleted, pool(login, byHand, nil, carol, loggedOut("openai:dan"))},
		{"depleted, a single spent one", event.PoolDepleted, pool(login, byHand, at(18, 40), bob)},
		{"depleted, a single dead one", event.PoolDepleted, pool(login, byHand, nil, carol)},
		{"depleted, nobody knows until when", event.PoolDepleted, pool(login, nil, nil, out("openai:a", nil), event.Profile{ID: "openai:b", State: "exhausted"}, event.Profile{ID: "openai:c", State: "dead"})},
		{"depleted, by an outage", event.PoolDepleted, pool(wait, nil, at(10, 3), stopped("openai:alice"), stopped("openai:bob"))},
		{"depleted, partly by an outage", event.PoolDepleted, pool(wait, nil, at(10, 3), bob, stopped("openai:alice"), carol)},
		{"depleted, a single one by an outage", event.PoolDepleted, pool(wait, nil, at(10, 3), stopped("openai:alice"))},
		{"depleted, ten profiles with long ids", event.PoolDepleted, pool(login, device, at(18, 40), many(10)...)},
		{"depleted, ten profiles and an address to be pasted", event.PoolDepleted, pool(login, paste, at(18, 40), many(10)...)},
		{"depleted, no list", event.PoolDepleted, with(func(d *event.Data) { d.Order, d.RecoversAt = []string{"a", "b"}, at(18, 0) })},
		{"depleted, nothing known", event.PoolDepleted, event.Data{}},
		{"pool recovered", event.PoolRecovered, with(func(d *event.Data) {
			d.Order, d.Reason = []string{"openai:bob", "openai:alice"}, "openai:bob is first and available"
		})},
		{"pool recovered by a login", event.PoolRecovered, with(func(d *event.Data) { d.To, d.Order = "openai:dave", []string{"openai:bob"} })},
		{"pool recovered, nothing known", event.PoolRecovered, event.Data{}},

		{"login started", event.LoginStarted, with(func(d *event.Data) { d.Login = device })},
		{"login started, with a link alone", event.LoginStarted, with(func(d *event.Data) {
			d.Login = &event.Login{URL: "https://login.example.com/approve", ExpiresAt: at(10, 15)}
		})},
		{"login done", event.LoginCompleted, about("openai:dave", "plan plus; 5h window 3 % used", nothing)},
		{"login done, of a spent account", event.LoginCompleted, about("openai:dave", "plan plus; its quota is spent too (5h window 100 % used)", func(d *event.Data) { d.RecoversAt = at(18, 40) })},
		{"login failed, too late", event.LoginFailed, with(func(d *event.Data) { d.Reason, d.Login = "the code expired before it was approved", byHand })},
		{"login failed, the same account again", event.LoginFailed, about("openai:alice", "it is the account that is spent already (5h window 100 % used); the browser was still logged in as it", func(d *event.Data) {
			d.Login = device
		})},
		{"login failed, the account of another profile", event.LoginFailed, about("openai:dave", "it is the account of openai:alice, which is spent already (weekly window 100 % used); the browser was still logged in as it", func(d *event.Data) {
			d.Login = byHand
		})},

		{"restarted", event.GatewayRestarted, event.Data{Host: "srv1", Reason: "the running gateway still uses the old order: openai:alice is low (5h window 96 % used); next is openai:bob"}},
		{"restarted, after it was told to be down", event.GatewayRestarted, event.Data{Host: "srv1", Reason: "openai:alice is low; next is openai:bob", Ends: event.GatewayDown}},
		{"up again", event.GatewayRestarted, event.Data{Host: "srv1", Reason: "it answers again, after 12 min", Ends: event.GatewayDown}},
		{"down", event.GatewayDown, event.Data{Host: "srv1", Reason: "it is down (healthz: connection refused)"}},
		{"down for good", event.GatewayDown, event.Data{Host: "srv1", Reason: "it is not restarted again: restart budget is spent: 3 restarts in the last 30m0s, 3 allowed; possible from 2026-11-22T10:28:00Z; wanted since the running gateway still uses the old order: openai:alice is low; next is openai:bob"}},
		{"blind", event.WatchdogBlind, with(func(d *event.Data) {
			d.Reason = "no provider answer for any profile, so it is the network or the provider; the order is kept"
		})},
		{"blind, OpenClaw cannot be read", event.WatchdogBlind, event.Data{Host: "srv1", Reason: "OpenClaw's state cannot be read: open /home/oc/.openclaw: permission denied"}},
		{"sees again", event.WatchdogStarted, with(func(d *event.Data) { d.Reason, d.Ends = "the quota of openai can be seen again", event.WatchdogBlind })},
		{"started", event.WatchdogStarted, event.Data{Host: "srv1", Reason: "watching"}},
		{"stopped", event.WatchdogStopped, event.Data{Host: "srv1", Reason: "stopping"}},
		{"stopped, nothing known", event.WatchdogStopped, event.Data{}},
		{"test", event.Test, event.Data{Host: "srv1"}},
		{"a type of tomorrow", "pool.exploded", event.Data{Reason: "boom."}},
	}
}

// many is what a big installation may have: ids named by e-mail.
func many(n int) []event.Profile {
	list := make([]event.Profile, n)
	for i := range list {
		list[i] = out(fmt.Sprintf("openai:firstname.lastname+agents%02d@department.example.com", i), at(18+24*i, 40))
		list[i].Reason = fmt.Sprintf("5h window 100 %% used, weekly window %d %% used", 90+i)
	}
	return list
}

// readers are the ways in which the table is told.
var readers = []struct {
	lang Language
	zone string
}{{English, "Europe/Berlin"}, {Chinese, "Asia/Shanghai"}, {English, "UTC"}}

// TestMessages holds every message word for word: they are read where they
// stand, all together, and a change of one shows as what it is.
func TestMessages(t *testing.T) {
	const file = "testdata/messages.txt"
	var b strings.Builder
	for _, c := range tolds() {
		for _, r := range readers {
			if r.zone == "UTC" && c.name != "depleted, link and code" && c.name != "spent, tomorrow" {
				continue
			}
			fmt.Fprintf(&b, "== %s (%s, %s, %s)\n%s\n\n", c.name, c.typ, r.lang, r.zone, c.text(t, r.lang, r.zone))
		}
	}
	for _, r := range readers {
		for _, after := range []time.Duration{time.Hour, 30 * time.Hour} {
			fmt.Fprintf(&b, "== above a text, after %s (%s, %s)\n%s\n\n", after, r.lang, r.zone,
				From("srv1.example.com", r.lang)+Late(now, now.Add(after), r.lang, zone(t, r.zone)))
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	compareMessages(t, b.String(), string(want))
}

// compareMessages names what differs, so that one new message is not reported
// as a change of all that follow.
func compareMessages(t *testing.T, got, want string) {
	t.Helper()
	g, w := byHeading(got), byHeading(want)
	for heading, text := range g {
		if w[heading] != text {
			t.Errorf("%s: got\n%s\nwant\n%s", heading, text, w[heading])
		}
	}
	for heading := range w {
		if _, ok := g[heading]; !ok {
			t.Errorf("%s is in the file and in no case", heading)
		}
	}
}

func byHeading(file string) map[string]string {
	out := map[string]string{}
	for section := range strings.SplitSeq("\n"+file, "\n== ") {
		if heading, text, ok := strings.Cut(section, "\n"); ok {
			out[heading] = text
		}
	}
	return out
}

func (c told) text(t *testing.T, lang Language, place string) string {
	t.Helper()
	return Of(event.Event{Type: c.typ, Timestamp: now, Data: c.data}, lang, zone(t, place))
}

func zone(t *testing.T, place string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(place)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestEveryTypeIsTold(t *testing.T) {
	for _, typ := range event.Types() {
		if stories[typ] == nil {
			t.Errorf("%s has no text", typ)
		}
		if !slices.ContainsFunc(tolds(), func(c told) bool { return c.typ == typ }) {
			t.Errorf("%s is in no case", typ)
		}
	}
}

// A phone shows a headline on its lock screen, and copies a link or a code with
// the whole of its line.
func TestMessagesSuitAPhone(t *testing.T) {
	for _, c := range tolds() {
		for _, r := range readers {
			text := c.text(t, r.lang, r.zone)
			lines := strings.Split(text, "\n")
			if n := len([]rune(text)); n > longestText {
				t.Errorf("%s: %s has %d characters", c.name, r.lang, n)
			}
			if n := len([]rune(lines[0])); n > 160 {
				t.Errorf("%s: a headline of %d characters: %s", c.name, n, lines[0])
			}
			if l := c.data.Login; l != nil {
				for _, alone := range []string{l.URL, l.Code, l.Command, l.Chat} {
					if alone != "" && !slices.Contains(lines, alone) && (alone != l.Code || !l.Paste) {
						t.Errorf("%s: %q has no line of its own in\n%s", c.name, alone, text)
					}
				}
			}
		}
	}
}
