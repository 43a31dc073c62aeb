package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

func TestTableWithoutPools(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	unreadable := []watchdog.Problem{{What: "auth store /x: corrupt", Fix: "openclaw doctor --fix"}}
	for name, tc := range map[string]struct {
		status app.Status
		want   string
	}{
		"before the first round": {app.Status{}, "nothing is known yet: the first round is under way\n"},
		"no profiles":            {app.Status{Status: watchdog.Status{At: now}}, "no auth profiles found: log in with ocwatch login\n"},
		"a store that cannot be read": {
			app.Status{Status: watchdog.Status{At: now, Problems: unreadable}},
			"problem: auth store /x: corrupt (mend: openclaw doctor --fix)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := writeTable(&out, tc.status, look{}, now); err != nil || out.String() != tc.want {
				t.Errorf("%q, %v; want %q", out.String(), err, tc.want)
			}
			if code := codeOf(tc.status); code != codeUnknown {
				t.Errorf("exit code %d, want %d", code, codeUnknown)
			}
		})
	}
}

// What nobody got stands in the table, with what it was and why.
func TestTableShowsEndpoints(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.Local)
	for name, tc := range map[string]struct {
		status journal.EndpointStatus
		want   string
	}{
		"all well":   {journal.EndpointStatus{Endpoint: "ops", LastDelivered: now}, ""},
		"on its way": {journal.EndpointStatus{Endpoint: "ops", Pending: 2, LastError: "503"}, "endpoint ops: 2 waiting, 0 given up, last error: 503\n"},
		"given up": {
			journal.EndpointStatus{Endpoint: "ops", Dead: 3, LastError: "404", LastDead: &journal.DeadMessage{Event: "pool.depleted", At: now.Add(-time.Hour), Error: "404"}},
			"endpoint ops: 0 waiting, 3 given up (the newest: pool.depleted of 09:00: 404)\n",
		},
		"given up days ago, and again in trouble": {
			journal.EndpointStatus{Endpoint: "ops", Pending: 1, Dead: 1, LastError: "503", LastDead: &journal.DeadMessage{At: now.AddDate(0, 0, -3), Error: "404"}},
			"endpoint ops: 1 waiting, 1 given up (the newest: a message of Thu 19 Nov 10:00: 404), last error: 503\n",
		},
		"switched off": {
			journal.EndpointStatus{Endpoint: "chat", Disabled: true, LastError: "410 Gone"},
			"endpoint chat: 0 waiting, 0 given up, disabled since it answered that it wants no more, last error: 410 Gone\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			s := app.Status{Status: watchdog.Status{At: now}, Notify: []journal.EndpointStatus{tc.status}}
			if err := writeTable(&out, s, look{}, now); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(out.String(), "ocwatch login\n")
			if got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestCodeOf(t *testing.T) {
	pools := func(states ...failover.PoolState) watchdog.Status {
		var s watchdog.Status
		for _, state := range states {
			s.Pools = append(s.Pools, watchdog.PoolStatus{State: state})
		}
		return s
	}
	for name, tc := range map[string]struct {
		status app.Status
		want   int
	}{
		"all well":                        {app.Status{Status: pools(failover.PoolOK, failover.PoolOK)}, codeOK},
		"one to look at":                  {app.Status{Status: pools(failover.PoolOK, failover.PoolWarning)}, codeWarning},
		"a warning of the wiring":         {app.Status{Status: pools(failover.PoolOK), Warnings: []string{"x"}}, codeWarning},
		"blind beats a warning":           {app.Status{Status: pools(failover.PoolBlind, failover.PoolWarning), Warnings: []string{"x"}}, codeUnknown},
		"depleted beats everything":       {app.Status{Status: pools(failover.PoolUnknown, failover.PoolDepleted), Warnings: []string{"x"}}, codeDepleted},
		"what cannot be read beats a low": {app.Status{Status: watchdog.Status{Pools: pools(failover.PoolWarning).Pools, Problems: []watchdog.Problem{{What: "x"}}}}, codeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codeOf(tc.status); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}

// What others wrote moves no cursor and forges no line.
func TestTablePrintsNoControls(t *testing.T) {
	const evil = "a\x1b[31m\nwarning: b\tc\u202e"
	var s app.Status
	s.At, s.Paused, s.PausedReason = time.Now(), true, evil
	s.Pools = []watchdog.PoolStatus{{
		Agent: evil, Provider: evil, State: failover.PoolWarning, Reason: evil, Pinned: &watchdog.PinStatus{Profile: evil},
		Profiles: []watchdog.ProfileStatus{{ID: evil, State: failover.Dead, Reason: evil, Fix: evil}},
	}}
	s.Gateway.Detail, s.Warnings = evil, []string{evil}
	s.Problems = []watchdog.Problem{{What: evil, Fix: evil}}
	s.Notify = []journal.EndpointStatus{{Endpoint: "ops", Dead: 1, LastError: evil, LastDead: &journal.DeadMessage{Event: evil, Error: evil}}}
	var out strings.Builder
	if err := writeTable(&out, s, look{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\t\u202e") || strings.Count(out.String(), "\nwarning: ") != 1 {
		t.Errorf("%q", out.String())
	}
}
