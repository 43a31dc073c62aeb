package relogin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	var held *HeldError
	if !errors.As(err, &held) || !strings.Contains(held.By, "(process ") {
		t.Fatalf("%v", err)
	}
	info, err := os.Stat(filepath.Join(dir, lockName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	release()
	again, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestLockNowhere(t *testing.T) {
	t.Parallel()
	if _, err := Lock(filepath.Join(t.TempDir(), "gone")); err == nil || !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("%v", err)
	}
}

// TestHolder: what another process left in the file is only shown where it is
// plain words.
func TestHolder(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"ocwatch login (process 7)\n":     "ocwatch login (process 7)",
		"ocwatch login (process 7)\nmore": "ocwatch login (process 7)",
		"\x1b[31mocwatch run (process 7)": "[31mocwatch run (process 7)",
		"":                                "another ocwatch",
		strings.Repeat("x", 1000):         "another ocwatch",
	} {
		path := filepath.Join(t.TempDir(), lockName)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := holder(path); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
	if got := holder(filepath.Join(t.TempDir(), "gone")); got != "another ocwatch" {
		t.Errorf("%q", got)
	}
}

// TestTerminalHoldsTheLock: while somebody logs in at a terminal, the desk
// gives no code and says why.
func TestTerminalHoldsTheLock(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release, err := Lock(r.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Prompt(t.Context(), "main", "openai")
	if _, held := errors.AsType[*HeldError](err); !held {
		t.Errorf("%v", err)
	}
	release()
	if _, err := r.Prompt(t.Context(), "main", "openai"); err != nil {
		t.Error(err)
	}
	if _, err := Lock(r.o.Dir); err == nil {
		t.Error("a terminal may log in while the desk does")
	}
}

// TestDeskWithoutListeners: callbacks are optional.
func TestDeskWithoutListeners(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := New(Options{Start: r.start, Dir: t.TempDir(), Log: zerolog.Nop()})
	if _, err := d.Begin(t.Context(), "main", "openai"); err != nil {
		t.Fatal(err)
	}
	d.Cancel("main", "openai")
	d.Close()
}
