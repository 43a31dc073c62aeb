//go:build e2e

// Package e2e runs the whole of ocwatch against the real OpenClaw: each release
// with its own store layout, its gateway serving turns, and stand-in providers
// that say which account's token arrived.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/ocwatch/ocwatch/test/lab"
)

// TestMain lets all releases run at once, also where there are fewer
// processors: their tests wait for the next round of probes more than they
// compute.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(len(releases()))); err != nil {
		panic(err)
	}
	m.Run()
}

// releases are one of each store layout.
func releases() []string { return []string{lab.JSONFiles, lab.AgentDatabase, lab.SharedDatabase} }

// daily leaves a case to the night on all other releases: it takes long there
// and shows little that the case on these does not.
func daily(t *testing.T, version string, on ...string) {
	t.Helper()
	if !slices.Contains(on, version) && !night() {
		t.Skip("it runs at night on this release: make e2e-night")
	}
}

func night() bool { return os.Getenv("OCWATCH_NIGHT") != "" }

// stage is one release with its gateway running, for the length of its tests.
type stage struct {
	*lab.Lab

	gateway  *lab.Gateway
	sessions int
}

// TestReleases runs every case on one release of each store layout, all
// releases at once: most of a case is waiting for the next round of probes.
func TestReleases(t *testing.T) {
	var boot sync.Mutex // three gateways that start together take longer than in turn
	for _, version := range releases() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := start(t, &boot, version)
			for _, tc := range []struct {
				name string
				run  func(*testing.T, *stage)
				on   []string // by day; nil: on all releases
			}{
				{"the gateway notices an order set by the CLI", noticesCLI, nil},
				{"a new order serves the next turn", servesNextTurn, nil},
				{"a chat keeps its account", keepsPins, nil},
				{"a turn in flight is left alone", leavesTurnInFlight, nil},
				{"doctor finds nothing wrong", findsNothingWrong, nil},
				{"doctor finds a gateway that does not let it in", findsGatewayTooStrict, nil},
				{"doctor finds what is wrong around OpenClaw", findsWorldWrong, nil},
				{"doctor finds conversations that are tied", findsPins, []string{}},
				{"doctor finds an order that leaves a profile out", findsIncompleteOrder, []string{lab.AgentDatabase}},
				{"a healthy minute writes nothing", writesNothing, []string{lab.SharedDatabase, lab.JSONFiles}},
				// After a minute without turns, since a gateway asks a model for a
				// session's title some time after the turn.
				{"the owner's own chat", tellsOwnersChat, []string{lab.SharedDatabase, lab.JSONFiles}},
				{"the whole job", doesItsJob, []string{lab.SharedDatabase, lab.JSONFiles}},
				{"killed at any moment", survivesKills, nil},
				// Near the end, since OpenClaw goes by its blocks for hours.
				{"what OpenClaw writes down is acted on at once", actsOnBlocks, []string{lab.SharedDatabase, lab.JSONFiles}},
			} {
				if tc.on == nil || slices.Contains(tc.on, version) || night() {
					t.Run(tc.name, func(t *testing.T) { tc.run(t, s) })
				}
			}
			if !s.gateway.Alive() || s.gateway.Starts() != 1 {
				t.Errorf("the gateway was restarted: alive %v, began to listen %d times", s.gateway.Alive(), s.gateway.Starts())
			}
			t.Run("a login from afar", func(t *testing.T) { logsInFromAfar(t, s) })
			t.Run("a stopped OpenClaw is left alone", func(t *testing.T) {
				s.reset(t, s.Dial(t))
				leavesStoppedOpenClawAlone(t, s)
			})
			t.Run("doctor finds a stopped OpenClaw", func(t *testing.T) {
				daily(t, version, lab.SharedDatabase, lab.JSONFiles)
				findsStopped(t, s)
			})
			t.Run("doctor finds what OpenClaw's commands leave behind", func(t *testing.T) {
				daily(t, version, lab.AgentDatabase)
				findsPastedTokens(t, s)
			})
		})
	}
}

func start(t *testing.T, boot *sync.Mutex, version string) *stage {
	t.Helper()
	boot.Lock()
	defer boot.Unlock()
	l := lab.New(t, lab.Options{Version: version, Telegram: true})
	return &stage{Lab: l, gateway: l.Start(t)}
}

// fresh returns the name of a session that does not exist yet.
func (s *stage) fresh() string {
	s.sessions++
	return fmt.Sprintf("session-%d", s.sessions)
}

// setLive puts names first in the running gateway, the way ocwatch does: by
// the gateway's own method where it has one, else by a reload of its secrets.
func (s *stage) setLive(t *testing.T, r *lab.RPC, names ...string) {
	t.Helper()
	if !s.OrderRPC() {
		s.OrderSetCLI(t, names...)
		r.Must(t, "secrets.reload", map[string]any{})
		return
	}
	for _, name := range s.Pool() {
		if !slices.Contains(names, name) {
			names = append(names, name) // the method demands every profile
		}
	}
	r.Must(t, "models.authOrderSet", map[string]any{
		"provider": s.ProviderID(), "agentId": "main", "profileIds": s.IDs(names...),
	})
}
