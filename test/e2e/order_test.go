//go:build e2e

package e2e

import (
	"slices"
	"testing"
)

// What the running gateway makes of a new order is the fact that ocwatch's
// switching stands on, so it is tested without ocwatch too.
func noticesCLI(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	old := s.fresh()
	if got := s.TurnRPC(t, r, old); got != "alice" {
		t.Fatalf("alice is first and %s served", got)
	}
	s.OrderSetCLI(t, "bob", "carol", "alice")
	got := s.TurnRPC(t, r, s.fresh())
	switch {
	case s.OrderRPC() && got != "bob":
		t.Errorf("bob was put first and %s served a new session", got)
	case !s.OrderRPC() && got != "alice":
		t.Errorf("this release is known to notice one run late, and %s served a new session", got)
	}
	for name, session := range map[string]string{"a new": s.fresh(), "the old": old} {
		if got := s.TurnRPC(t, r, session); got != "bob" {
			t.Errorf("one run later %s served %s session, want bob", got, name)
		}
	}
}

// A chat session is pinned to the account that served it first, and a new order
// does not move it.
func keepsPins(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	pinned := "agent:main:" + s.fresh()
	if got := s.Chat(t, r, pinned); got != "alice" {
		t.Fatalf("alice is first and %s served the chat", got)
	}
	s.setLive(t, r, "bob", "carol", "alice")
	if got := s.Chat(t, r, pinned); got != "alice" {
		t.Errorf("a chat session keeps the account it was pinned to, and %s served it", got)
	}

	// Doctor tells of it, and of one that a person pinned.
	hand := "agent:main:" + s.fresh()
	r.Must(t, "sessions.patch", map[string]any{"key": hand, "model": s.ProviderID() + "/gpt-5.4@" + s.ID("carol")})
	seen := newDaemon(t, s).doctor(t)
	seen.one(t, "session.pinned", "note", s.ID("alice"))
	seen.one(t, "session.pinned-by-hand", "note", s.ID("carol"))
	r.Must(t, "sessions.delete", map[string]any{"key": hand})
}

// A new order takes effect at once and without a restart.
func servesNextTurn(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	old := s.fresh()
	s.TurnRPC(t, r, old)
	for _, names := range [][]string{{"carol", "alice", "bob"}, {"alice", "bob", "carol"}} {
		s.setLive(t, r, names...)
		if got := s.TurnRPC(t, r, s.fresh()); got != names[0] {
			t.Errorf("%s served a new session, want %s", got, names[0])
		}
		if got := s.TurnRPC(t, r, old); got != names[0] {
			t.Errorf("%s served the old session, want %s", got, names[0])
		}
	}
	s.setLive(t, r, "bob", "carol", "alice")
	if got := s.Chat(t, r, "agent:main:"+s.fresh()); got != "bob" {
		t.Errorf("%s served a new chat, want bob", got)
	}
}

func leavesTurnInFlight(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.setLive(t, r, "alice", "bob", "carol")
	busy, mark := s.fresh(), s.Provider.Mark()
	release := s.Provider.Hold()
	defer release()
	finish := s.BeginTurn(t, s.Dial(t), busy)
	s.setLive(t, r, "carol", "bob", "alice")
	release()
	finish()
	if got := s.Provider.Served(mark); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("the turn in flight was served by %v, want alice", got)
	}
	if got := s.TurnRPC(t, r, busy); got != "carol" {
		t.Errorf("%s served the session's next turn, want carol", got)
	}
}
