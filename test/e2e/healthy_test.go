//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// While all is well ocwatch only looks: a minute with two rounds leaves the
// order and every file but the gateway's own databases as they were, and nobody
// is told.
func writesNothing(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	before, docs := s.SnapshotFiles(t), s.AuthDocuments(t)
	mark := s.Provider.Mark()
	hook := newReceiver(t)
	d := newDaemon(t, s, hook.config())
	d.start(t)
	minute := time.After(time.Minute) // the claim itself: a real one
	s.awaitAsked(t, mark, s.Pool())
	half := time.After(15 * time.Second) // each account is asked every 30 s
	<-half
	s.awaitAsked(t, s.Provider.Mark(), s.Pool())
	<-minute
	p, code := d.ask(t, "status")
	if p.State != "ok" || code != 0 {
		t.Errorf("status says %q with exit status %d, want ok with 0", p.State, code)
	}
	d.stop(t)
	if got := s.AuthDocuments(t); got != docs {
		t.Errorf("OpenClaw's auth documents changed\nfrom %s\nto   %s", docs, got)
	}
	changed := slices.DeleteFunc(lab.Changed(before, s.SnapshotFiles(t)), func(name string) bool {
		return s.ownedByGateway(name)
	})
	if len(changed) > 0 {
		t.Errorf("files of OpenClaw changed: %v", changed)
	}
	for _, k := range hook.kinds() {
		if !strings.HasPrefix(string(k), "watchdog.") {
			t.Errorf("%s was sent, and nothing had happened", k)
		}
	}
}

// ownedByGateway names what a gateway without any ocwatch rewrites while idle,
// as observed. The auth documents in those databases are compared by content.
func (s *stage) ownedByGateway(name string) bool {
	for _, own := range []string{"state/openclaw.sqlite", "agents/main/agent/openclaw-agent.sqlite", "agents/main/sessions/", "cache/", "logs/", "memory/"} {
		if strings.HasPrefix(name, own) {
			return true
		}
	}
	return false
}

// Nobody else writes while OpenClaw is stopped, so that every byte counts: a
// look at it leaves nothing but the empty index that SQLite's readers keep
// beside a database.
func leavesStoppedOpenClawAlone(t *testing.T, s *stage) {
	t.Helper()
	s.gateway.Stop(t)
	d := newDaemon(t, s)
	before := s.SnapshotFiles(t)
	p, code := d.ask(t, "check")
	// OpenClaw's blocks of an earlier case may still be a warning.
	if len(p.Profiles) != len(s.Pool()) || code > 1 {
		t.Errorf("check sees %d profiles of %d and ends with status %d, want 0 or 1", len(p.Profiles), len(s.Pool()), code)
	}
	changed := slices.DeleteFunc(lab.Changed(before, s.SnapshotFiles(t)), func(name string) bool {
		return strings.HasSuffix(name, ".sqlite-shm") || strings.HasSuffix(name, ".sqlite-wal")
	})
	if len(changed) > 0 {
		t.Errorf("looking at a stopped OpenClaw changed %v", changed)
	}
}
