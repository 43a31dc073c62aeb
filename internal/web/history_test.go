package web

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestHistoryKnown: the timeline begins with the oldest reading of anybody, as
// the journal has it now.
func TestHistoryKnown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if h := History(t.Context(), j, now); !h.Known.Equal(now) || h.Trouble != "" {
		t.Errorf("an empty journal: known since %s, %q", h.Known, h.Trouble)
	}
	read := func(account string, at time.Time) {
		t.Helper()
		r := quota.Reading{Account: account, At: at, Verdict: quota.OK, Source: quota.FromUsage}
		if err := j.Commit(t.Context(), journal.Round{At: at, Readings: []quota.Reading{r}}); err != nil {
			t.Fatal(err)
		}
	}
	read("acct-zzzz", now.AddDate(0, 0, -5))
	read("acct-aaaa", now.AddDate(0, 0, -1))
	if h := History(t.Context(), j, now); !h.Known.Equal(now.AddDate(0, 0, -5)) {
		t.Errorf("known since %s", h.Known)
	}
}

// TestHistoryTrouble: what cannot be read is said, and ends nothing.
func TestHistoryTrouble(t *testing.T) {
	t.Parallel()
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if h := History(t.Context(), j, time.Now()); h.Trouble == "" || strings.Contains(h.Trouble, "\n") || h.Known.IsZero() {
		t.Errorf("%+v", h)
	}
}
