package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/profiles/login"
)

// fakeAttempt ends when it was pasted what it wants, or when the test says so.
type fakeAttempt struct {
	prompt login.Prompt
	wants  string        // the address that it takes
	ends   chan struct{} // closed when it is over
	err    error
	late   bool // approved in the moment in which it is cancelled

	mu        sync.Mutex
	pasted    []string
	cancelled bool
}

func (a *fakeAttempt) Prompt() login.Prompt { return a.prompt }

func (a *fakeAttempt) Paste(_ context.Context, address string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pasted = append(a.pasted, address)
	switch address {
	case a.wants:
		close(a.ends)
		return nil
	case "denied":
		return &login.FailedError{What: "access was denied"}
	}
	return &login.PasteError{What: "it belongs to another login"}
}

func (a *fakeAttempt) Wait(ctx context.Context) (login.Result, error) {
	select {
	case <-ctx.Done():
		return login.Result{}, ctx.Err()
	case <-a.ends:
		return login.Result{Profile: "openai:dave@example.com", New: true}, a.err
	}
}

func (a *fakeAttempt) Cancel() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.late && !a.cancelled {
		close(a.ends)
	} else if !a.cancelled && !a.over() {
		a.err = login.ErrCancelled
		close(a.ends)
	}
	a.cancelled = true
}

func (a *fakeAttempt) over() bool {
	select {
	case <-a.ends:
		return true
	default:
		return false
	}
}

func TestSeeLogin(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	device := login.Prompt{URL: "https://auth.openai.com/codex/device", Code: "ABCD-1234", ExpiresAt: now.Add(15 * time.Minute)}
	paste := login.Prompt{URL: "https://auth.openai.com/oauth/authorize?state=s", Paste: true}
	over := make(chan struct{})
	close(over)
	for _, tc := range []struct {
		name    string
		attempt *fakeAttempt
		stdin   io.Reader
		says    []string
		err     string
	}{
		{
			name: "a code", attempt: &fakeAttempt{prompt: device, ends: over},
			says: []string{"open  https://auth.openai.com/codex/device\n", "type  ABCD-1234\n", "until 10:15 UTC, for 15 minutes", "private window"},
		},
		{
			name: "an expired code", attempt: &fakeAttempt{prompt: device, ends: over, err: login.ErrExpired},
			says: []string{"ABCD-1234"}, err: "the code expired before it was approved",
		},
		{
			name: "an address", attempt: &fakeAttempt{prompt: paste, ends: make(chan struct{}), wants: "http://localhost:1455/auth/callback?code=c&state=s"},
			stdin: strings.NewReader("\n  http://localhost:1455/auth/callback?code=c&state=s \n"),
			says:  []string{"shows an\nerror there", "Address: "},
		},
		{
			name: "a wrong address first", attempt: &fakeAttempt{prompt: paste, ends: make(chan struct{}), wants: "right"},
			stdin: strings.NewReader("wrong\nright\n"),
			says:  []string{"it belongs to another login\n\nAddress: "},
		},
		{
			name: "a refused address", attempt: &fakeAttempt{prompt: paste, ends: make(chan struct{})},
			stdin: strings.NewReader("denied\n"), err: "login failed: access was denied",
		},
		{
			name: "a closed terminal", attempt: &fakeAttempt{prompt: paste, ends: make(chan struct{})},
			stdin: strings.NewReader(""), err: "no address was pasted",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out syncBuffer
			s := loginScreen{in: tc.stdin, out: &out, now: func() time.Time { return now }}
			r, err := s.see(t.Context(), "openai", tc.attempt)
			switch {
			case tc.err == "" && (err != nil || r.Profile != "openai:dave@example.com"):
				t.Errorf("%+v, %v", r, err)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("error %v, want %q", err, tc.err)
			}
			for _, want := range tc.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, out.String())
				}
			}
			if !tc.attempt.cancelled {
				t.Error("the login was left running")
			}
		})
	}
}

// TestSeeLoginInterrupted: Ctrl-C cancels the login at OpenClaw, also while an
// address is waited for that never comes.
func TestSeeLoginInterrupted(t *testing.T) {
	t.Parallel()
	stdin, keyboard := io.Pipe()
	defer func() { _ = keyboard.Close() }()
	for _, prompt := range []login.Prompt{{URL: "https://example.com", Code: "A"}, {URL: "https://example.com", Paste: true}} {
		a := &fakeAttempt{prompt: prompt, ends: make(chan struct{})}
		ctx, interrupt := context.WithCancel(t.Context())
		s := loginScreen{in: stdin, out: writerFunc(func([]byte) { interrupt() }), now: time.Now}
		_, err := s.see(ctx, "openai", a)
		if err == nil || !strings.Contains(err.Error(), "cancelled") || errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if !a.cancelled {
			t.Error("the login was left running")
		}
	}
}

// TestSeeLoginStoredAnyway: Ctrl-C in the moment of the approval comes too late,
// and is not told as if nothing had been stored.
func TestSeeLoginStoredAnyway(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	a := &fakeAttempt{prompt: login.Prompt{URL: "https://example.com", Code: "A"}, ends: make(chan struct{})}
	s := loginScreen{out: writerFunc(func([]byte) { interrupt() }), now: time.Now}
	a.late = true
	_, err := s.see(ctx, "openai", a)
	if err == nil || !strings.Contains(err.Error(), "had been stored by then, as openai:dave@example.com") {
		t.Errorf("%v", err)
	}
}

// TestLoginQR: a terminal shows the link to scan too; a file does not.
func TestLoginQR(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		var out syncBuffer
		s := loginScreen{out: &out, terminal: terminal, now: time.Now}
		s.show("openai", login.Prompt{URL: "https://auth.openai.com/codex/device", Code: "A"})
		if got := strings.Contains(out.String(), "█"); got != terminal {
			t.Errorf("on a terminal: %t, a code to scan: %t", terminal, got)
		}
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// syncBuffer is written to by the login and by its reader.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
