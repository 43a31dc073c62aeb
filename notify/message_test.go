package notify

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
)

// now is a Sunday.
var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func at(hours int, minutes int) *time.Time {
	t := time.Date(2026, 11, 22, hours, minutes, 0, 0, time.UTC)
	return &t
}

func spent(id string, until *time.Time) event.Profile {
	return event.Profile{ID: id, State: "exhausted", Reason: "5h window 100 % used", Until: until}
}

func loggedOut(id string) event.Profile {
	return event.Profile{ID: id, State: "dead", Reason: "token revoked"}
}

func TestText(t *testing.T) {
	login := &event.Login{URL: "https://auth.openai.com/codex/device", Code: "ABCD-1234", ExpiresAt: at(10, 15), Command: "ocwatch login --provider openai"}
	byHand := &event.Login{Command: "ocwatch login --provider openai"}
	openai := event.Data{Agent: "main", Provider: "openai", Host: "srv1"}
	with := func(f func(*event.Data)) event.Data { d := openai; f(&d); return d }
	cases := map[string]struct {
		typ  event.Type
		data event.Data
		want string
	}{
		"low": {event.ProfileLow, with(func(d *event.Data) {
			d.Profile, d.Reason, d.RecoversAt = "openai:alice", "5h window 96 % used", at(18, 40)
		}), "openai:alice is running low: 5h window 96 % used. It starts afresh at 18:40 UTC."},
		"low, nothing known": {event.ProfileLow, event.Data{}, "A profile is running low."},
		"spent": {event.ProfileExhausted, with(func(d *event.Data) {
			d.Profile, d.Reason, d.RecoversAt = "openai:alice", "5h window 100 % used.", at(18, 40)
		}), "openai:alice is spent: 5h window 100 % used. Back at 18:40 UTC."},
		"spent, tomorrow": {
			event.ProfileExhausted, with(func(d *event.Data) { d.Profile, d.RecoversAt = "openai:alice", at(34, 5) }),
			"openai:alice is spent. Back on Mon 23 Nov 10:05 UTC.",
		},
		"spent, next year": {
			event.ProfileExhausted, with(func(d *event.Data) { d.Profile, d.RecoversAt = "openai:alice", at(24*50, 0) }),
			"openai:alice is spent. Back on 11 Jan 2027 00:00 UTC.",
		},
		"spent, nobody knows": {
			event.ProfileExhausted, with(func(d *event.Data) { d.Profile = "openai:alice" }),
			"openai:alice is spent. Nobody said when it is back.",
		},
		"spent, another agent": {
			event.ProfileExhausted, with(func(d *event.Data) { d.Agent, d.Profile, d.RecoversAt = "work", "openai:alice", at(11, 0) }),
			"openai:alice (agent work) is spent. Back at 11:00 UTC.",
		},
		"recovered": {event.ProfileRecovered, with(func(d *event.Data) { d.Profile = "openai:alice" }), "openai:alice can serve again."},
		"login required": {
			event.ProfileLoginRequired, with(func(d *event.Data) { d.Profile, d.Reason, d.Login = "openai:alice", "token revoked", byHand }),
			"openai:alice needs a fresh login: token revoked. Log in with: ocwatch login --provider openai",
		},
		"expiring": {event.ProfileExpiring, with(func(d *event.Data) {
			d.Profile, d.Profiles, d.Login = "anthropic:a", []event.Profile{{ID: "anthropic:a", Until: at(24*3, 0)}}, byHand
		}), "The login of anthropic:a expires on Wed 25 Nov 00:00 UTC. Log in with: ocwatch login --provider openai"},
		"expiring, unknown": {event.ProfileExpiring, with(func(d *event.Data) { d.Profile = "anthropic:a" }), "The login of anthropic:a expires soon."},
		"switched": {event.PoolSwitched, with(func(d *event.Data) {
			d.From, d.To, d.Reason = "openai:alice", "openai:bob", "openai:alice is low (5h window 96 % used)"
		}), "openai now runs on openai:bob instead of openai:alice: openai:alice is low (5h window 96 % used)."},
		"switched, and the reason names both": {event.PoolSwitched, with(func(d *event.Data) {
			d.From, d.To, d.Reason = "openai:alice", "openai:bob", "openai:alice is low (5h window 96 % used); next is openai:bob"
		}), "openai: openai:alice is low (5h window 96 % used); next is openai:bob."},
		"switched from nothing": {
			event.PoolSwitched, with(func(d *event.Data) { d.Agent, d.To = "work", "openai:bob" }),
			"openai (agent work) now runs on openai:bob.",
		},
		"paid": {
			event.PoolPaid, with(func(d *event.Data) {
				d.To, d.Reason, d.RecoversAt = "openai:key", "every subscription is spent", at(18, 40)
			}),
			"openai now runs on openai:key, which is billed for every token: every subscription is spent. The first free one is back at 18:40 UTC.",
		},
		"depleted, wait": {event.PoolDepleted, with(func(d *event.Data) {
			d.Action, d.RecoversAt = event.ActionWait, at(10, 8)
			d.Profiles = []event.Profile{spent("openai:bob", at(10, 8)), spent("openai:alice", at(34, 0))}
		}), "Both openai accounts are spent. First back: openai:bob at 10:08 UTC. Nothing to do: it comes back by itself.\n" +
			"openai:bob: 5h window 100 % used, until 10:08 UTC\nopenai:alice: 5h window 100 % used, until Mon 23 Nov 10:00 UTC"},
		"depleted, login": {event.PoolDepleted, with(func(d *event.Data) {
			d.Action, d.RecoversAt, d.Login = event.ActionLogin, at(18, 40), login
			d.Order, d.Profiles = []string{"openai:bob", "openai:alice", "openai:carol"}, []event.Profile{spent("openai:bob", at(18, 40))}
		}), "All 3 openai accounts are spent. First back: openai:bob at 18:40 UTC. Log in at https://auth.openai.com/codex/device " +
			"with the code ABCD-1234 (valid until 10:15 UTC), or run: ocwatch login --provider openai"},
		"depleted, only one": {
			event.PoolDepleted, with(func(d *event.Data) { d.Profiles, d.Login = []event.Profile{spent("openai:bob", nil)}, byHand }),
			"The only openai account is spent: 5h window 100 % used. Nobody said when one is back. Log in with: ocwatch login --provider openai",
		},
		"depleted, only one, dead": {
			event.PoolDepleted, with(func(d *event.Data) {
				d.Agent, d.Profiles, d.Login = "work", []event.Profile{loggedOut("openai:bob")}, byHand
			}),
			"The only openai account (agent work) needs a fresh login: token revoked. Log in with: ocwatch login --provider openai",
		},
		"depleted, all dead": {
			event.PoolDepleted, with(func(d *event.Data) { d.Profiles = []event.Profile{loggedOut("openai:a"), loggedOut("openai:b")} }),
			"Both openai accounts need a fresh login.\nopenai:a: token revoked\nopenai:b: token revoked",
		},
		"depleted, mixed": {event.PoolDepleted, with(func(d *event.Data) {
			d.Profiles = []event.Profile{loggedOut("openai:a"), spent("openai:b", at(19, 0)), spent("openai:c", at(18, 0))}
		}), "All 3 openai accounts are out: 2 spent, 1 in need of a fresh login. First back: openai:c at 18:00 UTC.\n" +
			"openai:a: token revoked\nopenai:b: 5h window 100 % used, until 19:00 UTC\nopenai:c: 5h window 100 % used, until 18:00 UTC"},
		"depleted, many": {event.PoolDepleted, with(func(d *event.Data) {
			for id := range strings.SplitSeq("abcdefgh", "") {
				d.Profiles = append(d.Profiles, event.Profile{ID: id, State: "exhausted"})
			}
		}), "All 8 openai accounts are spent. Nobody said when one is back.\na: exhausted\nb: exhausted\nc: exhausted\nd: exhausted\ne: exhausted\nf: exhausted\n… and 2 more"},
		"depleted, no list": {
			event.PoolDepleted, with(func(d *event.Data) { d.Order, d.RecoversAt = []string{"a", "b"}, at(18, 0) }),
			"Both openai accounts are spent. First back: one of them at 18:00 UTC.",
		},
		"depleted, nothing known": {event.PoolDepleted, event.Data{}, "Every account is spent. Nobody said when one is back."},
		"back": {
			event.PoolRecovered, with(func(d *event.Data) { d.Order, d.Reason = []string{"openai:bob", "openai:alice"}, "openai:bob is first" }),
			"openai is back: openai:bob can serve again.",
		},
		"back, after a login": {
			event.PoolRecovered, with(func(d *event.Data) { d.To, d.Order = "openai:dave", []string{"openai:bob"} }),
			"openai is back: openai:dave can serve again.",
		},
		"back, nothing known": {event.PoolRecovered, event.Data{}, "The pool is back: an account can serve again."},
		"paid, as a profile": {
			event.PoolPaid, with(func(d *event.Data) { d.Profile, d.Order = "openai:key", []string{"openai:key"} }),
			"openai now runs on openai:key, which is billed for every token.",
		},
		"login started": {
			event.LoginStarted, with(func(d *event.Data) { d.Login = login }),
			"A fresh openai login is waiting for you. Log in at https://auth.openai.com/codex/device with the code ABCD-1234 (valid until 10:15 UTC), or run: ocwatch login --provider openai",
		},
		"login done": {event.LoginCompleted, with(func(d *event.Data) { d.Profile = "openai:dave" }), "The openai login is done: openai:dave can serve."},
		"login failed": {
			event.LoginFailed, with(func(d *event.Data) { d.Reason, d.Login = "the code expired", byHand }),
			"The openai login failed: the code expired. Log in with: ocwatch login --provider openai",
		},
		"restarted":  {event.GatewayRestarted, event.Data{Host: "srv1", Reason: "it did not see the new order"}, "The OpenClaw gateway on srv1 was restarted and is healthy: it did not see the new order."},
		"down":       {event.GatewayDown, event.Data{Host: "srv1", Reason: "it is down: connection refused"}, "The OpenClaw gateway on srv1 needs a look: it is down: connection refused."},
		"blind":      {event.WatchdogBlind, openai, "ocwatch cannot see the quota of any openai account. Nothing is changed until it can."},
		"started":    {event.WatchdogStarted, with(func(d *event.Data) { d.Reason = "watching" }), "ocwatch is watching on srv1."},
		"stopped":    {event.WatchdogStopped, event.Data{}, "ocwatch has stopped; nobody is watching the quota now."},
		"test":       {event.Test, openai, "This is a test from ocwatch on srv1. Nothing has happened."},
		"a new type": {"pool.exploded", event.Data{Reason: "boom"}, "pool.exploded: boom."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Text(event.Event{Type: c.typ, Timestamp: now, Data: c.data}, English, time.UTC); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Whatever is known and whatever is missing, the text is a text.
func TestTextOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "openai", "a b", "é"})
		moment := rapid.Custom(func(t *rapid.T) *time.Time {
			if rapid.Bool().Draw(t, "unknown") {
				return nil
			}
			u := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "unix"), 0)
			return &u
		})
		e := event.Event{Type: rapid.SampledFrom(event.Types()).Draw(t, "type"), Timestamp: now}
		e.Data = event.Data{
			Host: word.Draw(t, "host"), Agent: word.Draw(t, "agent"), Provider: word.Draw(t, "provider"), Profile: word.Draw(t, "profile"),
			Action: rapid.SampledFrom([]string{"", event.ActionWait, event.ActionLogin}).Draw(t, "action"), Reason: rapid.SampledFrom([]string{"", "spent.", " a reason"}).Draw(t, "reason"),
			From: word.Draw(t, "from"), To: word.Draw(t, "to"), RecoversAt: moment.Draw(t, "recovers at"),
			Order: rapid.SliceOfN(word, 0, 3).Draw(t, "order"),
			Profiles: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Profile {
				return event.Profile{ID: rapid.SampledFrom([]string{"openai:a", "openai:b"}).Draw(t, "id"), State: rapid.SampledFrom([]string{"unknown", "dead", "exhausted"}).Draw(t, "state"), Until: moment.Draw(t, "until")}
			}), 0, 9).Draw(t, "profiles"),
		}
		if rapid.Bool().Draw(t, "login") {
			e.Data.Login = &event.Login{URL: rapid.SampledFrom([]string{"", "https://example.com"}).Draw(t, "url"), Code: word.Draw(t, "code"), ExpiresAt: moment.Draw(t, "expires at"), Command: word.Draw(t, "command")}
		}
		text := Text(e, English, time.UTC)
		if text == "" || !utf8.ValidString(text) || len(text) > 900 || strings.TrimSpace(text) != text {
			t.Fatalf("%d bytes: %q", len(text), text)
		}
		for _, bad := range []string{"..", "%!", "  ", "<nil>", ": .", "All 0", "All 1 ", "All 2 "} {
			if strings.Contains(text, bad) {
				t.Fatalf("%q in %q", bad, text)
			}
		}
		if text != Text(e, English, time.UTC) {
			t.Fatal("not the same twice")
		}
	})
}
