package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/creack/pty"

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

// drawing is a terminal of a width, with colours or not.
func drawing(width int, colours bool) look {
	return look{terminal: true, colours: colours, width: width}
}

// TestLook: colours move nothing, bars are full of what is used, and a pipe
// gets neither.
func TestLook(t *testing.T) {
	t.Parallel()
	s := used(0, 42, 97, 99.9, 100)
	coloured, bars, piped := table(t, s, drawing(120, true)), table(t, s, drawing(120, false)), table(t, s, look{})
	if escapes.ReplaceAllString(coloured, "") != bars {
		t.Errorf("with colours\n%s\nwithout\n%s", coloured, bars)
	}
	for _, part := range []string{"░░░░░░░░░░   0 %", "████░░░░░░  42 %", "█████████░  97 %", "█████████░ 100 %", "██████████ 100 %"} {
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
	plain := drawing(120, false)
	plain.ascii = true
	if got := table(t, s, plain); !strings.Contains(got, "####......  42 %") || strings.ContainsFunc(got, func(r rune) bool { return r > unicode.MaxASCII }) {
		t.Errorf("where nothing but ASCII can be shown:\n%s", got)
	}
}

// TestColumnsStayStraight: the words of a column begin below each other.
func TestColumnsStayStraight(t *testing.T) {
	t.Parallel()
	column := -1
	for line := range strings.Lines(escapes.ReplaceAllString(table(t, used(1, 100), drawing(120, true)), "")) {
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
	// Both ends are held: one that is collected closes, and hangs the other up.
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tty.Close(), terminal.Close() })
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 30, Cols: 132}); err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = null.Close() })
	for _, tc := range []struct {
		name string
		w    io.Writer
		env  string
		want look
	}{
		{"a buffer", &bytes.Buffer{}, "LANG=en_US.UTF-8", look{}},
		{"nothing", null, "LANG=en_US.UTF-8", look{}},
		{"a terminal", tty, "LANG=en_US.UTF-8", look{terminal: true, colours: true, width: 132}},
		{"its locale is C", tty, "LC_ALL=C LANG=en_US.UTF-8", look{terminal: true, colours: true, ascii: true, width: 132}},
		{"no locale", tty, "", look{terminal: true, colours: true, ascii: true, width: 132}},
		{"another spelling", tty, "LC_CTYPE=C.utf8", look{terminal: true, colours: true, width: 132}},
		{"no colours, please", tty, "LANG=C.UTF-8 NO_COLOR=1", look{terminal: true, width: 132}},
		{"a terminal that cannot draw", tty, "LANG=C.UTF-8 TERM=dumb", look{width: 132}},
		{"colours for a pager", &bytes.Buffer{}, "LANG=C.UTF-8 CLICOLOR_FORCE=1", look{colours: true}},
		{"no colours whatever", &bytes.Buffer{}, "LANG=C.UTF-8 CLICOLOR_FORCE=1 NO_COLOR=1", look{}},
		{"colours as they are", &bytes.Buffer{}, "LANG=C.UTF-8 CLICOLOR_FORCE=0", look{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			getenv := func(name string) string {
				for pair := range strings.FieldsSeq(tc.env) {
					if key, value, _ := strings.Cut(pair, "="); key == name {
						return value
					}
				}
				return ""
			}
			if got := lookOf(tc.w, getenv); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
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
		if err := watchStatus(ctx, &out, ask); err != nil {
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

// TestScreenful: on a terminal the screen is written over, line by line, and
// never scrolls.
func TestScreenful(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, pools, notices string
		height               int
		want                 string
	}{
		{"room for all", "a\nb\n", "n\n", 9, "\x1b[Hh\x1b[K\r\na\x1b[K\r\nb\x1b[K\r\nn\x1b[K\r\n\x1b[J"},
		{"just enough", "a\nb\n", "", 3, "\x1b[Hh\x1b[K\r\na\x1b[K\r\nb\x1b[K"},
		{"a full line is not cleared", "abcdefghijkl\n", "", 2, "\x1b[Hh\x1b[K\r\nabcdefghij"},
		{"accounts make room", "a\nb\nc\nd\n", "n\n", 4, "\x1b[Hh\x1b[K\r\na\x1b[K\r\n(3 more li\r\nn\x1b[K"},
		{"a line high", "a\nb\n", "n\n", 1, "\x1b[Hh\x1b[K"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := screenful("h\n", tc.pools, tc.notices, 10, tc.height); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestWatchStatusOfBrokenPipe(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	err := watchStatus(t.Context(), &failing{err: full}, func(context.Context) (app.Status, error) { return used(1), nil })
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}
