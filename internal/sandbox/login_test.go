package sandbox_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

const dave = "openai:dave@example.com"

// logIn goes through a login that is approved as a.
func logIn(t *testing.T, w *sandbox.World, a sandbox.Account) {
	t.Helper()
	talk := &loginTalk{ctx: deadline(t), c: dial(t, w)}
	err := talk.settled("s"+a.Profile, func(code string) {
		if err := w.Approve(code, a); err != nil {
			t.Error(err)
		}
	})
	if err != nil || !strings.HasSuffix(talk.out.String(), ".payload.status = \"done\"\n.type = \"res\"\n") {
		t.Fatalf("%v; it ended with %s", err, talk.out.String())
	}
}

func TestLoginAddsAnAccount(t *testing.T) {
	for _, tc := range []struct {
		name  string
		order map[string][]string
		want  []string // the order afterwards
	}{
		{"the agent has an order", map[string][]string{"openai": {bob, alice, carol}}, []string{dave, bob, alice, carol}},
		{"nobody set an order", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, sandbox.Options{Accounts: trio(), Order: tc.order})
			logIn(t, w, sandbox.Account{Profile: dave})
			stored, err := w.StoredOrder(t.Context(), "main", "openai")
			if err != nil || !slices.Equal(stored, tc.want) || !slices.Equal(w.Order("main", "openai"), tc.want) {
				t.Errorf("stored %v, in memory %v, %v; want %v", stored, w.Order("main", "openai"), err, tc.want)
			}
			if !slices.Contains(w.Profiles("openai"), dave) {
				t.Errorf("profiles %v", w.Profiles("openai"))
			}
			if by, _ := w.Turn(t.Context(), "s"); tc.want != nil && by != dave {
				t.Errorf("served by %s, want dave", by)
			}
			if len(w.Writes()) != 0 {
				t.Errorf("nobody set an order: %v", w.Writes())
			}
		})
	}
}

func TestLoginOfAnAccountThatIsThere(t *testing.T) {
	w := start(t, sandbox.Options{
		Accounts: trio(sandbox.Window{Name: quota.FiveHour}),
		Order:    map[string][]string{"openai": {alice, bob, carol}},
	})
	w.SetUsed(bob, quota.FiveHour, 100)
	if err := w.SetOrderByHand(t.Context(), "main", "openai", bob, alice, carol); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Turn(t.Context(), "s1"); err != nil { // bob is blocked by it
		t.Fatal(err)
	}
	before := credentials(t, w)
	logIn(t, w, sandbox.Account{Profile: bob})
	after := credentials(t, w)
	if before["bob"] == after["bob"] || before["alice"] != after["alice"] || len(after) != len(before) {
		t.Error("a login changes one credential, and adds none")
	}
	if strings.Contains(after["state"], "blockedUntil") || !strings.Contains(before["state"], "blockedUntil") {
		t.Errorf("a login clears what OpenClaw recorded: %s", after["state"])
	}
	if w.Used(bob) != 100 {
		t.Error("a login gives an account no quota")
	}
}

// credentials are the stored ones by name, and the state under "state".
func credentials(t *testing.T, w *sandbox.World) map[string]string {
	t.Helper()
	rows, err := database(t, w, "state/openclaw.sqlite").QueryContext(t.Context(), `SELECT substr(key, 8, instr(key, '@') - 8), value FROM config_machine_state, json_each(value_json, '$.profiles')
		WHERE state_key = 'authProfiles.store' UNION ALL SELECT 'state', value_json FROM config_machine_state WHERE state_key = 'authProfiles.state'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // read to its end
	found := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			t.Fatal(err)
		}
		found[name] = value
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLoginMendsADeadOne(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(), Order: map[string][]string{"openai": {alice, bob, carol}}})
	w.SetFault(bob, sandbox.TokenInvalidated)
	w.SetFault(carol, sandbox.AccountDeactivated)
	logIn(t, w, sandbox.Account{Profile: bob})
	if by, err := w.Turn(t.Context(), "s"); by != bob || err != nil {
		t.Errorf("served by %s, %v; want bob, who logged in", by, err)
	}
	logIn(t, w, sandbox.Account{Profile: carol})
	if by, _ := w.Turn(t.Context(), "s"); by != bob {
		t.Errorf("served by %s; an account that was closed stays closed", by)
	}
}

func TestLogoutRemovesWhatIsNamed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		params m
		left   []string
	}{
		{"one", m{"provider": "openai", "profileIds": []string{bob}, "agentId": "main"}, []string{alice, carol}},
		{"all of the provider", m{"provider": "openai", "agentId": "main"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, sandbox.Options{Accounts: trio(), Order: map[string][]string{"openai": {alice, bob, carol}}})
			must[m](t, dial(t, w), "models.authLogout", tc.params)
			stored, err := w.StoredOrder(t.Context(), "main", "openai")
			if err != nil || !slices.Equal(stored, tc.left) || !slices.Equal(w.Order("main", "openai"), tc.left) || !slices.Equal(w.Profiles("openai"), tc.left) {
				t.Errorf("profiles %v, stored %v, in memory %v, %v; want %v", w.Profiles("openai"), stored, w.Order("main", "openai"), err, tc.left)
			}
			if got := credentials(t, w); len(got) != len(tc.left) {
				t.Errorf("%d credentials, want %d", len(got), len(tc.left))
			}
		})
	}
}

func TestPhoneKnowsOnlyCodesThatWereGiven(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio()})
	if err := w.Approve("ABCD-EFGHI", sandbox.Account{Profile: dave}); err == nil {
		t.Error("a code that nobody has was approved")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if code, err := w.AwaitLogin(ctx, 0); err == nil {
		t.Errorf("the code %s without a login", code)
	}
	talk := &loginTalk{ctx: deadline(t), c: dial(t, w)}
	code, err := talk.begin(talk.c, "one")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.AwaitLogin(t.Context(), 0); got != code || err != nil || !slices.Equal(w.LoginCodes(), []string{code}) {
		t.Errorf("the login has %s, %v; want %s", got, err, code)
	}
	if err := w.Approve(code, sandbox.Account{Profile: "nonsense"}); err == nil {
		t.Error("an account without a provider was approved")
	}
	if err := w.Deny(code); err != nil {
		t.Error(err)
	}
	if err := w.Expire(code); err == nil {
		t.Error("a code was settled twice")
	}
}

// A world that ends takes the logins under way with it.
func TestLoginEndsWithItsWorld(t *testing.T) {
	w, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Accounts: trio()})
	if err != nil {
		t.Fatal(err)
	}
	talk := &loginTalk{ctx: deadline(t), c: dial(t, w)}
	if _, err := talk.begin(talk.c, "one"); err != nil {
		t.Fatal(err)
	}
	if _, err := talk.c.send(t.Context(), "wizard.next", m{"sessionId": "one"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
