package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

func TestReadUnseen(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		types []string // each comes 100 ms after the one before
		want  string
		err   error
	}{
		{"a line", []string{"tok", "en\r"}, "token\n", nil},
		{"a folded token", []string{"first half\r", "second half"}, "first half\nsecond half", nil},
		{"nothing", []string{"\r"}, "\n", nil},
		{"a slip", []string{"tokem\x7fn\r"}, "token\n", nil},
		{"a slip too many", []string{"\x7f\x08t\r"}, "t\n", nil},
		{"begun again", []string{"something", "\x15token\r"}, "token\n", nil},
		{"Ctrl-C", []string{"tok\x03en\r"}, "", errCancelled},
		{"Ctrl-\\", []string{"\x1c"}, "", errCancelled},
		{"Ctrl-Z", []string{"token\r"}, "token\n", nil},
		{"Ctrl-D", []string{"\x04"}, "", nil},
		{"Ctrl-D at the end", []string{"token\x04"}, "token", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				keys := make(chan []byte)
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				go func() {
					for _, k := range tc.types {
						time.Sleep(100 * time.Millisecond)
						select {
						case keys <- []byte(k):
						case <-ctx.Done():
						}
					}
				}()
				got, err := readUnseen(ctx, keys)
				if string(got) != tc.want || !errors.Is(err, tc.err) {
					t.Errorf("got %q, %v, want %q, %v", got, err, tc.want, tc.err)
				}
			})
		})
	}
}

// TestReadUnseenEnds: neither a terminal that is gone nor one that was forgotten
// holds the login up.
func TestReadUnseenEnds(t *testing.T) {
	t.Parallel()
	gone := make(chan []byte)
	close(gone)
	if got, err := readUnseen(t.Context(), gone); err != nil || len(got) > 0 {
		t.Errorf("a terminal that is gone: %q, %v", got, err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeoutCause(t.Context(), secretWithin, errNothingCame)
		defer stop()
		if _, err := readUnseen(ctx, make(chan []byte)); !errors.Is(err, errNothingCame) {
			t.Errorf("a forgotten prompt: %v", err)
		}
	})
}

// TestAskSecretAtATerminal: on a real terminal nothing is shown, what follows a
// line end is not left to the shell, and the terminal is as before.
func TestAskSecretAtATerminal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, types, want string
		err               error
	}{
		{"a folded token", "sk-first\nsk-second\n", "sk-first\nsk-second\n", nil},
		{"Ctrl-C", "sk-first\x03", "", errCancelled},
		{"Ctrl-\\", "\x1c", "", errCancelled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			person, tty, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _, _ = person.Close(), tty.Close() })
			before, err := term.GetState(int(tty.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			screen := &syncBuffer{}
			prompted := make(chan struct{})
			go func() {
				<-prompted
				_, _ = io.WriteString(person, tc.types)
			}()
			s := loginScreen{in: tty, out: io.MultiWriter(screen, writerFunc(closer(prompted))), terminal: true}
			got, err := s.askSecret(t.Context(), tty, "token")
			if got.Reveal() != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("got %q, %v, want %q, %v", got.Reveal(), err, tc.want, tc.err)
			}
			if after, err := term.GetState(int(tty.Fd())); err != nil || *after != *before {
				t.Errorf("the terminal was left as %+v, %v, and was %+v", after, err, before)
			}
			if shown := echoed(t, person, tty); strings.Contains(shown+screen.String(), "sk-") {
				t.Errorf("it was shown: %q", shown)
			}
		})
	}
}

func closer(c chan struct{}) func([]byte) {
	open := true
	return func([]byte) {
		if open {
			open = false
			close(c)
		}
	}
}

// echoed is all that the terminal has shown by now.
func echoed(t *testing.T, person, tty *os.File) string {
	t.Helper()
	if _, err := io.WriteString(tty, "<end>"); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	buf := make([]byte, 256)
	for !strings.Contains(all.String(), "<end>") {
		n, err := person.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(buf[:n])
	}
	return all.String()
}
