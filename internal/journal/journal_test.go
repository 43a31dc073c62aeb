package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// day is a fixed moment, so that no test depends on the date.
var day = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func fresh(t *testing.T) *Journal {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "data", "journal.db"))
}

func commit(t *testing.T, j *Journal, r Round) {
	t.Helper()
	if err := j.Commit(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func state(t *testing.T, j *Journal) string {
	t.Helper()
	docs, err := j.State(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(docs)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	j := fresh(t)
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
	for path, want := range map[string]fs.FileMode{
		filepath.Dir(j.path): 0o700, j.path: 0o600, j.path + "-wal": 0o600, j.path + "-shm": 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	if len(j.Notes()) != 0 {
		t.Errorf("notes on a fresh journal: %q", j.Notes())
	}
}

func TestOpenSaysThatTheDirectoryIsOpenToOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	j := open(t, path)
	if notes := strings.Join(j.Notes(), "\n"); !strings.Contains(notes, "chmod 700 "+dir) {
		t.Errorf("notes = %q", notes)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file mode %v, %v; want it closed", info.Mode(), err)
	}
	info, err = os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("directory mode %v, %v; want it left alone", info.Mode(), err)
	}
}

func TestOpenSetsThePragmas(t *testing.T) {
	j := fresh(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
	} {
		var got string
		if err := j.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
		}
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	for _, name := range []string{"a b", "100%", "what?", "c#", "é", "a&b=c", "%41"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			path := filepath.Join(dir, "journal.db")
			j := open(t, path)
			commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Size() == 0 {
				t.Errorf("the file is not where it was asked for: %v", err)
			}
			if got := state(t, open(t, path)); got != `{"k":1}` {
				t.Errorf("state after reopening = %s", got)
			}
		})
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	damage := map[string]func([]byte) []byte{
		"text": func([]byte) []byte {
			return []byte("this is no database, and longer than a header of one hundred bytes would be; really, it is, quite so.")
		},
		"truncated":        func(b []byte) []byte { return b[:len(b)/2] },
		"a page of zeroes": func(b []byte) []byte { copy(b[4096:8192], make([]byte, 4096)); return b },
		"a page of noise":  func(b []byte) []byte { copy(b[4096:8192], bytes.Repeat([]byte{0xa5}, 4096)); return b },
	}
	for name, f := range damage {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(j.path)
			if err != nil {
				t.Fatal(err)
			}
			bad := f(b)
			if err := os.WriteFile(j.path, bad, 0o600); err != nil {
				t.Fatal(err)
			}

			if err := os.Chmod(filepath.Dir(j.path), 0o755); err != nil {
				t.Fatal(err)
			}

			j2 := open(t, j.path)
			if notes := strings.Join(j2.Notes(), "\n"); !strings.Contains(notes, "damaged") || strings.Count(notes, "chmod 700") != 1 {
				t.Errorf("notes = %q, want the damage and the open directory, once each", notes)
			}
			if got := state(t, j2); got != `{}` {
				t.Errorf("the fresh journal holds %s", got)
			}
			aside, err := filepath.Glob(j.path + ".damaged-*")
			if err != nil || len(aside) != 1 {
				t.Fatalf("set aside: %q, %v", aside, err)
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, bad) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
			commit(t, j2, Round{At: day})
		})
	}
}

// A WAL left beside a fresh file could be replayed into it.
func TestDamagedFileTakesItsWALAlong(t *testing.T) {
	j := fresh(t)
	if err := j.Close(); err != nil { // so that the WAL holds only what comes now
		t.Fatal(err)
	}
	j = open(t, j.path)
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{"old": json.RawMessage(`1`)}})
	wal, err := os.ReadFile(j.path + "-wal")
	if err != nil || len(wal) == 0 {
		t.Fatalf("no WAL to test with: %d bytes, %v", len(wal), err)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	for name, b := range map[string][]byte{path: bytes.Repeat([]byte("no database "), 5000), path + "-wal": wal} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, open(t, path)); got != `{}` {
		t.Errorf("the fresh journal holds %s", got)
	}
	if aside, err := filepath.Glob(path + ".damaged-*"); err != nil || len(aside) == 0 {
		t.Errorf("set aside: %q, %v", aside, err)
	}
}

func TestSetAsideTakesEveryFile(t *testing.T) {
	dir := t.TempDir()
	j := &Journal{path: filepath.Join(dir, "journal.db")}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.WriteFile(j.path+suffix, []byte("old"+suffix), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if aside, err := j.setAside(day); err != nil || aside != j.path+".damaged-20261122T100000.000Z" {
		t.Fatal(aside, err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		b, err := os.ReadFile(j.path + ".damaged-20261122T100000.000Z" + suffix)
		if err != nil || string(b) != "old"+suffix {
			t.Errorf("%q: %q, %v", suffix, b, err)
		}
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(j.path + suffix); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q is still there: %v", suffix, err)
		}
	}
}

// What is not ocwatch's to write is left as it is, and ocwatch watches on.
func TestForeignAndNewerFilesAreKept(t *testing.T) {
	cases := map[string]struct {
		sql  string
		want error
		text string
	}{
		"newer": {"PRAGMA application_id=0x6f63776a; PRAGMA user_version=99; CREATE TABLE x(y)", ErrNewer, "newer ocwatch (its schema is 99"},
		"newer, and named": {
			"PRAGMA application_id=0x6f63776a; PRAGMA user_version=99; CREATE TABLE maker(schema, version); INSERT INTO maker VALUES (98, '9.8'), (99, '9.9')",
			ErrNewer, "(ocwatch 9.9; its schema is 99, this one knows",
		},
		"another program's": {"PRAGMA application_id=7; CREATE TABLE x(y)", ErrForeign, "data_dir"},
		"nobody's":          {"CREATE TABLE x(y)", ErrForeign, "another program"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), c.sql); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			j := open(t, path)
			if err := j.Trouble(); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("trouble = %v", err)
			}
			if notes := strings.Join(j.Notes(), "\n"); !strings.Contains(notes, "in memory") || !strings.Contains(notes, c.text) {
				t.Errorf("notes = %q", notes)
			}
			commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
			if got := state(t, j); got != `{"k":1}` {
				t.Errorf("state = %s", got)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestMigrationsGoForwardOnceEach(t *testing.T) {
	j := fresh(t)
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
	steps := append(migrations(), "CREATE TABLE added (x); INSERT INTO added VALUES (1)", "INSERT INTO added VALUES (2)")
	for range 2 {
		if err := migrate(t.Context(), j.db, steps); err != nil {
			t.Fatal(err)
		}
	}
	var n, version int
	err := j.db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM added), (SELECT user_version FROM pragma_user_version)").Scan(&n, &version)
	if err != nil || n != 2 || version != len(steps) {
		t.Errorf("rows %d, version %d, %v", n, version, err)
	}
	if got := state(t, j); got != `{"k":1}` {
		t.Errorf("state = %s", got)
	}
}

func TestFailedMigrationLeavesTheOldSchema(t *testing.T) {
	j := fresh(t)
	err := migrate(t.Context(), j.db, append(migrations(), "CREATE TABLE half (x); SELECT nonsense"))
	if err == nil {
		t.Fatal("no error")
	}
	var n, version int
	err = j.db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM sqlite_schema WHERE name = 'half'),
		(SELECT user_version FROM pragma_user_version)`).Scan(&n, &version)
	if err != nil || n != 0 || version != len(migrations()) {
		t.Errorf("half %d, version %d, %v", n, version, err)
	}
}

func TestErrorsSayWhatMendsThem(t *testing.T) {
	big := Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)}}
	cases := map[string]struct {
		pragma string
		want   error
		text   string
	}{
		"disk full": {"PRAGMA max_page_count=1", ErrFull, "free some space"},
		"read only": {"PRAGMA query_only=1", ErrReadOnly, "writable"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			if _, err := j.db.ExecContext(t.Context(), c.pragma); err != nil {
				t.Fatal(err)
			}
			err := j.Commit(t.Context(), big)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), j.path) {
				t.Errorf("err = %v", err)
			}
			if got := state(t, j); got != `{}` {
				t.Error("part of the round was stored")
			}
		})
	}
}

func TestOpenNamesWhatIsInTheWay(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a directory": dir, "below a file": filepath.Join(dir, "file", "journal.db")} {
		t.Run(name, func(t *testing.T) {
			j := open(t, path)
			if err := j.Trouble(); err == nil || !strings.Contains(err.Error(), map[string]string{"a directory": "move " + dir + " away", "below a file": "data_dir"}[name]) {
				t.Errorf("trouble = %v", err)
			}
			commit(t, j, Round{At: day})
		})
	}
}

func TestBusyFileIsNamed(t *testing.T) {
	j := fresh(t)
	other := open(t, j.path)
	tx, err := other.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := j.db.ExecContext(t.Context(), "PRAGMA busy_timeout=1"); err != nil {
		t.Fatal(err)
	}
	if err := j.Commit(t.Context(), Round{At: day}); !errors.Is(err, ErrBusy) {
		t.Errorf("err = %v", err)
	}
}

func TestCancelledCommitStoresNothing(t *testing.T) {
	j := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := j.Commit(ctx, Round{At: day, State: map[string]json.RawMessage{"k": json.RawMessage(`1`)}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if got := state(t, j); got != `{}` {
		t.Errorf("state = %s", got)
	}
}
