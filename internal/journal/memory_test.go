package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// A disk that fills while ocwatch runs takes no message along: what the file had
// and what comes are in memory, and go home once there is room.
func TestDiskFillsWhileOpen(t *testing.T) {
	for name, fill := range map[string]struct {
		pragma, room string
		want         error
	}{
		"full":      {"PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000", ErrFull},
		"read only": {"PRAGMA query_only=1", "PRAGMA query_only=0", ErrReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			path := full(t)
			j := open(t, path)
			if _, err := j.db.ExecContext(t.Context(), fill.pragma); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			late := Round{
				At: now, State: map[string]json.RawMessage{"late": json.RawMessage(`"` + strings.Repeat("x", 1<<16) + `"`)},
				Messages: []Message{{ID: "msg_late", Endpoint: "ops", Body: []byte(`{}`)}},
			}
			if err := j.Commit(t.Context(), late); !errors.Is(err, fill.want) || !strings.Contains(err.Error(), "kept in memory") {
				t.Errorf("err = %v", err)
			}
			commit(t, j, late)
			if ids := pending(t, j); !errors.Is(j.Trouble(), fill.want) || len(ids) != 40 || ids[0] != "msg_01" || ids[39] != "msg_late" {
				t.Errorf("trouble %v, pending %q", j.Trouble(), ids)
			}
			if err := j.Settle(t.Context(), []Outcome{{ID: "msg_01", Endpoint: "ops", Result: Delivered, At: now}}); err != nil {
				t.Fatal(err)
			}
			commit(t, j, Round{At: now.Add(2 * time.Minute)})
			docs, err := j.State(t.Context(), "")
			if ids := pending(t, j); j.Trouble() != nil || err != nil || len(ids) != 39 || ids[0] != "msg_02" || len(docs) != 41 {
				t.Errorf("at home: trouble %v, pending %q, %d documents, %v", j.Trouble(), ids, len(docs), err)
			}
		})
	}
}

// A message that is delivered while the disk is full is not delivered again.
func TestSettleOutlivesAFullDisk(t *testing.T) {
	j := open(t, full(t))
	if _, err := j.db.ExecContext(t.Context(), "PRAGMA query_only=1"); err != nil {
		t.Fatal(err)
	}
	done := []Outcome{{ID: "msg_01", Endpoint: "ops", Result: Delivered, At: day}}
	if err := j.Settle(t.Context(), done); !errors.Is(err, ErrReadOnly) {
		t.Errorf("err = %v", err)
	}
	if err := j.Settle(t.Context(), done); err != nil {
		t.Error(err)
	}
	if ids := pending(t, j); len(ids) != 38 || ids[0] != "msg_02" {
		t.Errorf("pending %q", ids)
	}
}

// An empty file is what a crash of the machine may leave of a journal.
func TestEmptyFileIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(open(t, path).Notes(), "\n"); !strings.Contains(notes, "was empty") {
		t.Errorf("notes %q", notes)
	}
}

// What stands in the journal's place is named, with what mends it.
func TestDirectoryInItsPlace(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Trouble(); err == nil || !strings.Contains(err.Error(), "move "+dir+" away") {
		t.Errorf("trouble %v", err)
	}
	if _, err := OpenReadOnly(t.Context(), dir); !errors.Is(err, ErrNoFile) || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("err %v", err)
	}
}

// holding keeps others from writing the file until it is called.
func holding(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	release = func() { _ = errors.Join(tx.Rollback(), db.Close()) }
	t.Cleanup(release)
	return release
}

// The file of an ocwatch from before, which another process holds.
func held(t *testing.T) (path string, release func()) {
	t.Helper()
	path = full(t)
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	// Something to write at the start: the schema's maker is not known yet.
	if _, err := db.ExecContext(t.Context(), "PRAGMA user_version = 1; ALTER TABLE login RENAME TO login_x"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path, holding(t, path)
}

// A journal in memory remembers, and takes it all home once it can.
func TestMemoryComesHome(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "away", FileName)
	if err := os.WriteFile(filepath.Join(dir, "away"), nil, 0o600); err != nil { // no directory can be made there
		t.Fatal(err)
	}
	j := open(t, path)
	if j.Trouble() == nil {
		t.Fatal("no trouble")
	}
	reading := quota.Reading{Account: "acct-1", Provider: "openai", At: day, Verdict: quota.OK, Windows: []quota.Window{{Name: "5h", UsedPercent: quota.Percent(10)}}}
	commit(t, j, Round{
		At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}, Readings: []quota.Reading{reading},
		Switches: []Switch{{At: day, To: "b"}}, Restarts: []Restart{{At: day}}, Logins: []Login{{At: day}},
		Episodes: []Episode{{Kind: EpisodeBlind, Since: day}}, Messages: []Message{{ID: "m1", Endpoint: "ops", Body: []byte(`{}`)}},
	})
	commit(t, j, Round{At: day.Add(2 * time.Minute)})
	if j.Trouble() == nil {
		t.Fatal("no trouble, and nothing changed")
	}
	if err := os.Remove(filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	commit(t, j, Round{At: day.Add(2*time.Minute + time.Second)})
	if j.Trouble() == nil {
		t.Error("the file was tried again within the minute")
	}
	commit(t, j, Round{At: day.Add(4 * time.Minute), Messages: []Message{{ID: "m2", Endpoint: "ops", Body: []byte(`{}`)}}})
	if err := j.Trouble(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = open(t, path)
	if got := state(t, j); got != `{"k":1}` {
		t.Errorf("state %s", got)
	}
	if got := pending(t, j); !reflect.DeepEqual(got, []string{"m1", "m2"}) {
		t.Errorf("pending %q", got)
	}
	if got, err := j.Readings(t.Context(), "acct-1", day); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], reading) {
		t.Errorf("readings %+v, %v", got, err)
	}
	s, err1 := j.SwitchesSince(t.Context(), day)
	r, err2 := j.Restarts(t.Context(), day)
	l, err3 := j.Logins(t.Context(), day)
	e, err4 := j.Episodes(t.Context(), day)
	if err := errors.Join(err1, err2, err3, err4); err != nil || len(s) != 1 || len(r) != 1 || len(l) != 1 || len(e) != 1 {
		t.Errorf("history %v %v %v %v, %v", s, r, l, e, err)
	}
}

// Memory that began with what the file had replaces it: what was delivered
// meanwhile is not delivered again.
func TestMemoryBeginsWithTheFile(t *testing.T) {
	path := full(t)
	j := &Journal{path: path, within: checkWithin}
	if err := j.stayInMemory(t.Context(), ErrFull); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if ids := pending(t, j); len(ids) != 39 || ids[0] != "msg_01" {
		t.Fatalf("pending %q", ids)
	}
	if err := j.Settle(t.Context(), []Outcome{{ID: "msg_01", Endpoint: "ops", Result: Delivered, At: day}}); err != nil {
		t.Fatal(err)
	}
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{"account/0": nil}})
	if err := j.Trouble(); err != nil {
		t.Fatal(err)
	}
	docs, err := j.State(t.Context(), "")
	if ids := pending(t, j); err != nil || len(ids) != 38 || ids[0] != "msg_02" || len(docs) != 39 {
		t.Errorf("pending %q, %d documents, %v", ids, len(docs), err)
	}
	if got, err := j.Readings(t.Context(), "acct-0000000000000000", day); err != nil || len(got) < 100 {
		t.Errorf("%d readings, %v", len(got), err)
	}
	if got, err := j.Restarts(t.Context(), day); err != nil || len(got) != 1 {
		t.Errorf("%d restarts, %v", len(got), err)
	}
}

func TestUnusableFilesAreNoObstacle(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(t *testing.T) string
		want string
	}{
		"a directory in its place": {func(t *testing.T) string {
			t.Helper()
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		}, "is a directory"},
		"held by another process": {func(t *testing.T) string {
			t.Helper()
			path, _ := held(t)
			return path
		}, "another process holds the file"},
		"below a device": {func(*testing.T) string { return "/dev/full/" + FileName }, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t, tc.make(t))
			if err := j.Trouble(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("trouble %v", err)
			}
			if notes := strings.Join(j.Notes(), "\n"); !strings.Contains(notes, "in memory") || !strings.Contains(notes, tc.want) {
				t.Errorf("notes %q", notes)
			}
			commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
			if docs, err := j.State(t.Context(), "k"); err != nil || len(docs) != 1 {
				t.Errorf("%s, %v", docs, err)
			}
		})
	}
}

// Memory outlives a commit that is cancelled in its midst.
func TestMemoryOutlivesCancelledCommits(t *testing.T) {
	j := open(t, "/dev/null/"+FileName)
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
	for n := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*20*time.Microsecond)
		_ = j.Commit(ctx, Round{At: day, State: map[string]json.RawMessage{"big": json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)}})
		cancel()
	}
	docs, err := j.State(t.Context(), "k")
	if err != nil || string(docs["k"]) != "1" {
		t.Errorf("%s, %v", docs, err)
	}
}

// A disk that is full while the file is opened shows as an error of its own.
func TestFullDiskIsNamed(t *testing.T) {
	for code, want := range map[int]error{13: ErrFull, 4874: ErrFull, 778: ErrDisk, 1: nil, 11: ErrDamaged, 26: ErrDamaged, 5: ErrBusy, 14: ErrReadOnly} {
		if _, got := classify(code); !errors.Is(got, want) {
			t.Errorf("%d is %v, want %v", code, got, want)
		}
	}
}
