package openclaw

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDatabaseURI(t *testing.T) {
	for _, name := range []string{"plain", "with space", "quest?ion", "ha#sh", "per%41cent", "amp&mode=rwc", "ünï", "a:b", `back\slash`, "new\nline", "quo'te"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			i := &Install{StateDir: filepath.Join(dir, name), ConfigPath: filepath.Join(dir, "c"), opts: Options{Getenv: env(nil)}}
			// The writer cannot be given such a path, so the file is moved.
			db := seedShared(t, filepath.Join(dir, "seed"), stateDB)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "seed"), i.StateDir); err != nil {
				t.Fatal(err)
			}
			wantShared(t, i)
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("another file was made: %v, %v", entries, err)
			}
		})
	}
}

func FuzzDatabaseURI(f *testing.F) {
	for _, seed := range []string{"a", "a b", "?mode=rwc", "#", "%2e%2e", "&", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		uri := databaseURI("/" + name)
		path, query, ok := strings.Cut(strings.TrimPrefix(uri, "file:"), "?")
		if !ok || !strings.HasPrefix(query, "mode=ro&") || strings.ContainsAny(path, "#&? ") {
			t.Fatalf("%q", uri)
		}
		if got := unescape(path); got != "/"+name {
			t.Errorf("%q comes back as %q", "/"+name, got)
		}
	})
}

// unescape decodes as SQLite does, byte by byte.
func unescape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			b.WriteByte(byte(strings.IndexByte(digits, s[i+1])<<4 | strings.IndexByte(digits, s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestReadCannotWrite(t *testing.T) {
	i := newInstall(t, nil)
	seedShared(t, i.StateDir, stateDB)
	_, err := readDatabase(t.Context(), i.sharedPath(), func(d database) error {
		_, err := d.tx.ExecContext(t.Context(), `DELETE FROM config_machine_state`)
		return err
	})
	wantStoreError(t, err, NotPermitted, i.sharedPath(), "as the user that runs OpenClaw")
	wantShared(t, i)
}

// A read that the caller gave up is no fault of the store's.
func TestReadEndsWithItsContext(t *testing.T) {
	i := newInstall(t, nil)
	seedShared(t, i.StateDir, stateDB)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := i.readShared(ctx)
	var e *StoreError
	if !errors.Is(err, context.Canceled) || errors.As(err, &e) {
		t.Fatalf("err = %v", err)
	}
}
