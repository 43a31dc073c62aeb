package journal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// isVictim makes this program the one that is killed: until then it commits
// numbered rounds to the journal in its directory, and prints each number once
// it is told that the round is on disk.
const isVictim = "OCWATCH_TEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(isVictim) != "" {
		_, _ = fmt.Fprintln(os.Stderr, victim(context.Background()))
		os.Exit(3) // it was to be killed
	}
	os.Exit(m.Run())
}

func victim(ctx context.Context) error {
	j, err := Open(ctx, FileName)
	if err != nil {
		return err
	}
	if err := errors.Join(j.Trouble(), noNotes(j)); err != nil {
		return err
	}
	n, err := numberOf(ctx, j)
	for err == nil {
		n++
		if err = j.Commit(ctx, numbered(n)); err == nil {
			_, err = fmt.Println(n)
		}
	}
	return err
}

func noNotes(j *Journal) error {
	if len(j.Notes()) > 0 {
		return fmt.Errorf("notes: %q", j.Notes())
	}
	return nil
}

// numbered is a round with something in every table.
func numbered(n int) Round {
	at := day.Add(time.Duration(n) * time.Minute)
	return Round{
		At: at, State: map[string]json.RawMessage{"n": json.RawMessage(strconv.Itoa(n))},
		Readings: []quota.Reading{{Account: "acct-1", At: at, Verdict: quota.OK, Windows: []quota.Window{{Name: "5h", UsedPercent: quota.Percent(float64(n))}}}},
		Switches: []Switch{{At: at}}, Restarts: []Restart{{At: at}}, Logins: []Login{{At: at}},
		Episodes: []Episode{{Kind: EpisodeDepleted, Since: at, Until: at.Add(time.Minute)}},
		Messages: []Message{{ID: strconv.Itoa(n), Endpoint: "ops", Body: []byte(`{}`)}},
	}
}

// numberOf is the last round that is stored. Each must be there whole.
func numberOf(ctx context.Context, j *Journal) (n int, err error) {
	var counts [7]int
	err = j.db.QueryRowContext(ctx, `SELECT coalesce((SELECT doc FROM state WHERE key = 'n'), 0), (SELECT count(*) FROM reading),
		(SELECT count(*) FROM switch), (SELECT count(*) FROM restart), (SELECT count(*) FROM login), (SELECT count(*) FROM episode),
		(SELECT count(*) FROM outbox)`).Scan(&counts[0], &counts[1], &counts[2], &counts[3], &counts[4], &counts[5], &counts[6])
	for _, c := range counts {
		if err == nil && c != counts[0] {
			err = fmt.Errorf("a round is stored in part: %v", counts)
		}
	}
	return counts[0], err
}

// TestKilled kills a process that writes, again and again: what it was told to
// be on disk is there, and no round is there in part.
func TestKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, dirMode); err != nil {
		t.Fatal(err)
	}
	for life := range 12 {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), isVictim+"=1")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		told := 0
		for lines, left := bufio.NewScanner(out), 3+life; left > 0 && lines.Scan(); left-- {
			if told, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if told == 0 {
			t.Fatal("it committed nothing")
		}
		j := open(t, filepath.Join(dir, FileName))
		n, err := numberOf(t.Context(), j)
		if err := errors.Join(err, j.Trouble(), noNotes(j), j.Close()); err != nil || n < told {
			t.Fatalf("life %d: %d is stored, %d was told: %v", life, n, told, err)
		}
	}
}

// TestDiskFullAtAnyPage lets the disk be full after each number of pages: a
// round is stored whole or not at all, and once there is space it is.
func TestDiskFullAtAnyPage(t *testing.T) {
	j := fresh(t)
	var pages int
	if err := j.db.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for n := 1; n <= 60; n++ {
		r := numbered(n)
		r.Messages[0].Body = make([]byte, 9000) // three pages
		limit := func(pages int) {
			if _, err := j.db.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
				t.Fatal(err)
			}
		}
		limit(pages)
		store := func() error { return j.writeOnce(t.Context(), "commit", j.storing(t.Context(), r)) }
		for err := store(); err != nil; err = store() {
			if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
			if got, err := numberOf(t.Context(), j); err != nil || got != n-1 {
				t.Fatalf("%d is stored, want %d: %v", got, n-1, err)
			}
			refused++
			pages++
			limit(pages)
		}
	}
	if got, err := numberOf(t.Context(), j); err != nil || got != 60 || refused < 60 {
		t.Errorf("%d is stored, refused %d times: %v", got, refused, err)
	}
}
