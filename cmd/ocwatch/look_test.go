package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

// used is a status of one account for each percentage.
func used(percents ...float64) app.Status {
	p := watchdog.PoolStatus{Agent: "main", Provider: "openai", State: failover.PoolOK, Reason: "r"}
	for i, u := range percents {
		state := failover.Available
		if u >= 100 {
			state = failover.Exhausted
		}
		p.Profiles = append(p.Profiles, watchdog.ProfileStatus{
			ID: "openai:" + string(rune('a'+i)), State: state,
			Windows: []watchdog.WindowStatus{{Window: quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(u)}}},
		})
	}
	p.Profiles = append(p.Profiles, watchdog.ProfileStatus{ID: "openai:z", State: failover.Unknown})
	return app.Status{Status: watchdog.Status{At: time.Now(), Pools: []watchdog.PoolStatus{p}}}
}

func table(t *testing.T, s app.Status, l look) string {
	t.Helper()
	var b strings.Builder
	if err := writeTable(&b, s, l, time.Now()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLook: colours move nothing, bars are full of what is used, and a pipe
// gets neither.
func TestLook(t *testing.T) {
	t.Parallel()
	s := used(0, 42, 100)
	coloured, bars, piped := table(t, s, look{true, true}), table(t, s, look{terminal: true}), table(t, s, look{})
	if escapes.ReplaceAllString(coloured, "") != bars {
		t.Errorf("with colours\n%s\nwithout\n%s", coloured, bars)
	}
	for _, part := range []string{"░░░░░░░░░░   0 %", "████░░░░░░  42 %", "██████████ 100 %"} {
		if !strings.Contains(bars, part) || strings.Contains(piped, part) {
			t.Errorf("%q: on a terminal\n%s\nin a pipe\n%s", part, bars, piped)
		}
	}
	for _, part := range []string{"\x1b[32mavailable", "\x1b[31mexhausted", "\x1b[31m██████████"} {
		if !strings.Contains(coloured, part) {
			t.Errorf("no %q in %q", part, coloured)
		}
	}
	if strings.Contains(piped, "\x1b") || !strings.Contains(piped, "42 %") {
		t.Errorf("a pipe gets %q", piped)
	}
}

// TestColumnsStayStraight: the words of a column begin below each other.
func TestColumnsStayStraight(t *testing.T) {
	t.Parallel()
	column := -1
	for line := range strings.Lines(escapes.ReplaceAllString(table(t, used(1, 100), look{true, true}), "")) {
		if before, _, ok := strings.Cut(line, "ASKED"); ok {
			column = len([]rune(before))
		}
		if before, _, ok := strings.Cut(line, "never"); ok && len([]rune(before)) != column {
			t.Errorf("column %d, want %d: %s", len([]rune(before)), column, line)
		}
	}
	if column < 0 {
		t.Error("no heading")
	}
}

func TestLookOf(t *testing.T) {
	t.Parallel()
	env := func(string) string { return "" }
	if got := lookOf(&bytes.Buffer{}, env); got != (look{}) {
		t.Errorf("a buffer is shown %+v", got)
	}
}

// TestWatchStatus: the table comes again and again, a watchdog that is gone is
// said, and the end is no error.
func TestWatchStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		asked := 0
		ask := func(context.Context) (app.Status, error) {
			switch asked++; asked {
			case 2:
				return app.Status{}, errors.New("no watchdog is running")
			case 3:
				cancel()
			}
			return used(42), nil
		}
		var out bytes.Buffer
		began := time.Now()
		if err := watchStatus(ctx, &out, look{}, ask); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*watchEvery || asked != 3 {
			t.Errorf("asked %d times in %s", asked, took)
		}
		if text := out.String(); strings.Count(text, "42 %") != 1 || strings.Count(text, "no watchdog is running") != 1 || strings.Contains(text, "\x1b") {
			t.Error(text)
		}
	})
}

// TestScreenful: on a terminal the screen is written over, line by line.
func TestScreenful(t *testing.T) {
	t.Parallel()
	if got := string(screenful([]byte("a\nb\n"), look{terminal: true})); got != "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J" {
		t.Errorf("%q", got)
	}
	if got := string(screenful([]byte("a\n"), look{})); got != "a\n\n" {
		t.Errorf("%q", got)
	}
}

func TestWatchStatusOfBrokenPipe(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	err := watchStatus(t.Context(), &failing{err: full}, look{}, func(context.Context) (app.Status, error) { return used(1), nil })
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}
