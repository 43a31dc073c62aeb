package sandbox_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

type stats struct {
	ErrorCount             int
	FailureCounts          map[string]int
	LastProbeAt            int64
	BlockedUntil           int64
	BlockedReason          string
	BlockedSource          string
	CooldownUntil          int64
	CooldownReason         string
	CooldownClassification string
	DisabledUntil          int64
	DisabledReason         string
}

func recorded(t *testing.T, w *sandbox.World, profile string) stats {
	t.Helper()
	var doc struct{ UsageStats map[string]stats }
	row := text(t, database(t, w, "state/openclaw.sqlite"), "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.state'")
	if err := json.Unmarshal([]byte(row), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.UsageStats[profile]
}

var fiveHours = sandbox.Window{Name: quota.FiveHour}

func TestTurnsSpendTheFirstProfile(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(fiveHours), TurnCost: 2.5, Order: map[string][]string{"openai": {bob, alice, carol}}})
	for range 4 {
		if by, err := w.Turn(t.Context(), "s1"); by != bob || err != nil {
			t.Fatalf("served by %s, %v", by, err)
		}
	}
	if w.Used(bob) != 10 || w.Used(alice) != 0 {
		t.Errorf("bob %v, alice %v", w.Used(bob), w.Used(alice))
	}
}

func TestASpentProfileIsRotatedAndBlocked(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, ResetsAfter: time.Hour})})
	w.SetUsed(alice, quota.FiveHour, 100)
	if by, err := w.Turn(t.Context(), "s1"); by != bob || err != nil {
		t.Fatalf("served by %s, %v", by, err)
	}
	s := recorded(t, w, alice)
	if s.BlockedReason != "subscription_limit" || s.BlockedSource != "wham" || s.ErrorCount != 1 || s.FailureCounts["rate_limit"] != 1 || s.LastProbeAt == 0 {
		t.Errorf("%+v", s)
	}
	if left := time.Until(time.UnixMilli(s.BlockedUntil)); left < 59*time.Minute || left > time.Hour {
		t.Errorf("blocked for %v", left)
	}
	// The block holds, also when the provider gave the quota back early and a
	// person put the profile first.
	w.Reset(alice)
	if err := w.SetOrderByHand(t.Context(), "main", "openai", alice, bob, carol); err != nil {
		t.Fatal(err)
	}
	if by, _ := w.Turn(t.Context(), "s1"); by != bob {
		t.Errorf("served by %s", by)
	}
	turns := w.Turns()
	if !slices.Equal(turns[0].Refused, []string{alice}) || turns[1].Refused != nil {
		t.Errorf("%+v", turns)
	}
}

func TestOneRotationOnly(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, ResetsAfter: time.Hour})})
	w.SetUsed(alice, quota.FiveHour, 100)
	w.SetUsed(bob, quota.FiveHour, 100)
	if by, err := w.Turn(t.Context(), "s1"); !errors.Is(err, sandbox.ErrTurnFailed) {
		t.Errorf("served by %s, though the first two are spent", by)
	}
	if by, err := w.Turn(t.Context(), "s1"); by != carol || err != nil {
		t.Errorf("with both blocked: %s, %v", by, err)
	}
}

func TestABlockEndsWithItsTime(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, ResetsAfter: 200 * time.Millisecond})})
	w.SetUsed(alice, quota.FiveHour, 100)
	if by, _ := w.Turn(t.Context(), "s1"); by != bob {
		t.Fatalf("served by %s", by)
	}
	eventually(t, "alice serves again", func() bool {
		by, err := w.Turn(t.Context(), "s1")
		return err == nil && by == alice
	})
	if s := recorded(t, w, alice); s.ErrorCount != 0 || s.BlockedUntil != 0 || s.FailureCounts != nil {
		t.Errorf("success left %+v", s)
	}
}

func TestAnOmittedProfileIsNeverTried(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, UsedPercent: 100})})
	w.Reset(carol)
	if err := w.SetOrderByHand(t.Context(), "main", "openai", alice, bob); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if by, err := w.Turn(t.Context(), "s1"); err == nil {
			t.Errorf("served by %s", by)
		}
	}
}

func TestWithoutAnOrderSubscriptionsComeFirst(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: []sandbox.Account{
		{Profile: "openai:backup", Type: "api_key"}, {Profile: alice, Windows: []sandbox.Window{fiveHours}},
	}})
	if by, _ := w.Turn(t.Context(), "s1"); by != alice {
		t.Errorf("served by %s", by)
	}
	w.SetUsed(alice, quota.FiveHour, 100)
	if by, _ := w.Turn(t.Context(), "s1"); by != "openai:backup" {
		t.Errorf("served by %s", by)
	}
}

func TestWhatOpenClawRecords(t *testing.T) {
	cases := []struct {
		name     string
		fault    sandbox.Fault
		spent    bool
		kind     string
		reason   string
		duration time.Duration
		class    string
	}{
		{"dead token", sandbox.TokenInvalidated, false, "cooldown", "auth", 30 * time.Second, ""},
		{"dead account", sandbox.AccountDeactivated, false, "disabled", "auth_permanent", 10 * time.Minute, ""},
		{"spent, usage endpoint throttled", sandbox.Throttled, true, "cooldown", "rate_limit", 5 * time.Minute, ""},
		{"spent, usage endpoint away", sandbox.Unreachable, true, "cooldown", "rate_limit", 30 * time.Second, ""},
		{"spent, the edge in between", sandbox.HTMLForbidden, true, "cooldown", "auth_permanent", 24 * time.Hour, "wham_account_dead"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, ResetsAfter: time.Hour})})
			w.SetFault(alice, c.fault)
			if c.spent {
				w.SetUsed(alice, quota.FiveHour, 100)
			}
			if by, err := w.Turn(t.Context(), "s1"); by != bob || err != nil {
				t.Fatalf("served by %s, %v", by, err)
			}
			s := recorded(t, w, alice)
			until, reason := s.CooldownUntil, s.CooldownReason
			if c.kind == "disabled" {
				until, reason = s.DisabledUntil, s.DisabledReason
			}
			off := time.Until(time.UnixMilli(until)) - c.duration
			if reason != c.reason || s.CooldownClassification != c.class || math.Abs(off.Seconds()) > 10 {
				t.Errorf("%+v, off by %v", s, off)
			}
		})
	}
}

func TestFaultsOfTheUsageEndpointDoNotStopTurns(t *testing.T) {
	for _, fault := range []sandbox.Fault{sandbox.HTMLForbidden, sandbox.Throttled, sandbox.ServerError, sandbox.Slow, sandbox.Truncated, sandbox.Unreachable} {
		w := start(t, sandbox.Options{Accounts: trio(fiveHours)})
		w.SetFault(alice, fault)
		if by, err := w.Turn(t.Context(), "s1"); by != alice || err != nil {
			t.Errorf("fault %d: served by %s, %v", fault, by, err)
		}
	}
}

func TestOpenClawRefreshesATokenThatIsDue(t *testing.T) {
	accounts := trio(fiveHours)
	accounts[0].ExpiresIn = time.Minute
	w := start(t, sandbox.Options{Accounts: accounts})
	before := credential(t, w, alice)
	if by, err := w.Turn(t.Context(), "s1"); by != alice || err != nil {
		t.Fatalf("served by %s, %v", by, err)
	}
	if credential(t, w, alice) == before {
		t.Error("the store has the old token")
	}
}
