//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ocwatch/ocwatch/test/lab"
)

// ownersChats are two endpoints that lead to the same chat, so that one burst
// shows both languages.
func ownersChats() string {
	chat := "openclaw: {channel: telegram, target: \"" + lab.TelegramOwner + "\"}"
	return "notify:\n  channels:\n" +
		"    - {name: chat, " + chat + "}\n" +
		"    - {name: chat-zh, " + chat + ", language: zh}\n"
}

// The owner is told in the chat with OpenClaw itself, while no model answers:
// no agent takes part, and nothing of it becomes part of a conversation.
func tellsOwnersChat(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	for _, a := range s.Accounts {
		s.Provider.SetQuota(a.Name, lab.Quota{FiveHour: 100, Weekly: 60, Resets: time.Now().Add(10 * time.Minute)})
	}
	sessions, requests := s.sessionsOf(t, r), s.Provider.Mark()
	d := newDaemon(t, s, ownersChats())

	mark := len(s.Telegram.Sent(0))
	out, code := d.run(t, "notify", "test")
	if code != 0 {
		t.Fatalf("ocwatch notify test ended with status %d:\n%s", code, out)
	}
	assertBothLanguages(t, s.Telegram.Sent(mark), "ocwatch")

	// Two pools are spent in the first round: many events, one text each way.
	mark = len(s.Telegram.Sent(0))
	d.start(t)
	d.awaitLog(t, "notification delivered", 2)
	assertBothLanguages(t, s.Telegram.Sent(mark), s.ProviderID(), "anthropic")
	d.stop(t)

	if now := s.sessionsOf(t, r); !maps.Equal(now, sessions) {
		t.Errorf("sessions were %v and are %v", sessions, now)
	}
	for _, q := range s.Provider.Requests(requests) {
		if q.Turn() {
			t.Errorf("a model was asked: %+v", q)
		}
	}
	assertIdle(t, r)
}

// assertBothLanguages demands one text in English and one in Chinese, each with
// all these words.
func assertBothLanguages(t *testing.T, sent []lab.TelegramMessage, words ...string) {
	t.Helper()
	var chinese []bool
	for _, m := range sent {
		chinese = append(chinese, strings.ContainsFunc(m.Text, func(r rune) bool { return unicode.Is(unicode.Han, r) }))
		for _, w := range words {
			if m.ChatID != lab.TelegramOwner || !strings.Contains(m.Text, w) {
				t.Errorf("%q is not in the text for %s:\n%s", w, m.ChatID, m.Text)
			}
		}
	}
	if len(chinese) != 2 || chinese[0] == chinese[1] {
		t.Errorf("want one text in each language, got %d: %+v", len(sent), sent)
	}
}

// sessionsOf says which sessions there are, and how often each was written to.
func (s *stage) sessionsOf(t *testing.T, r *lab.RPC) map[string]int64 {
	t.Helper()
	var list struct {
		Sessions []struct {
			Key       string `json:"key"`
			UpdatedAt int64  `json:"updatedAt"`
		} `json:"sessions"`
	}
	must(t, json.Unmarshal(r.Must(t, "sessions.list", map[string]any{}), &list))
	found := map[string]int64{}
	for _, e := range list.Sessions {
		found[e.Key] = e.UpdatedAt
	}
	return found
}

// assertIdle demands that the gateway runs nothing for anybody.
func assertIdle(t *testing.T, r *lab.RPC) {
	t.Helper()
	var p struct {
		Counts map[string]int `json:"counts"`
	}
	must(t, json.Unmarshal(r.Must(t, "gateway.restart.preflight", map[string]any{}), &p))
	if p.Counts["totalActive"] != 0 {
		t.Errorf("the gateway is busy: %v", p.Counts)
	}
}

// awaitLog returns once ocwatch has logged message n times.
func (d *daemon) awaitLog(t *testing.T, message string, n int) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		if strings.Count(d.read(), message) >= n {
			return
		}
		time.Sleep(200 * time.Millisecond) // a poll with a deadline on a real process
	}
	t.Fatalf("ocwatch did not log %q %d times within %v", message, n, limit)
}
