package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// wish notes what was asked for.
type wish struct{ calls []string }

func (w *wish) Pause(_ context.Context, r PauseRequest) {
	w.calls = append(w.calls, "pause "+r.Until.Format(time.RFC3339)+" "+r.Reason)
}

func (w *wish) Resume(context.Context) bool {
	w.calls = append(w.calls, "resume")
	return true
}

func (w *wish) Switch(_ context.Context, r SwitchRequest) (Switched, error) {
	w.calls = append(w.calls, "switch "+r.Profile)
	if r.Profile == "bob" {
		return Switched{}, errors.New("bob needs a login")
	}
	return Switched{Agent: "main", Provider: "openai", Was: "carol"}, nil
}

// TestHangingWatchdog: one that takes the call and says nothing is named, with
// what helps.
func TestHangingWatchdog(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	l := listen(t, dir)
	t.Cleanup(func() { _ = l.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := NewClient(dir).Status(ctx); err == nil || errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
}

// TestWishes: the owner's socket takes them, and the port knows none.
func TestWishes(t *testing.T) {
	t.Parallel()
	dir, w := shortDir(t), &wish{}
	s := New(fixed("status"), nil, zerolog.Nop())
	s.ServeWishes(w, func(context.Context) any { return "because" })
	tcp, err := ListenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.ServeOwner(listen(t, dir))
	go s.Serve(tcp)
	t.Cleanup(func() { _ = s.Close() })
	c := NewClient(dir)
	took, err := c.Switch(t.Context(), SwitchRequest{Profile: "alice"})
	if err != nil || took.Agent != "main" || took.Provider != "openai" || took.Was != "carol" {
		t.Errorf("%+v, %v", took, err)
	}
	if _, err := c.Switch(t.Context(), SwitchRequest{Profile: "bob"}); err == nil || err.Error() != "bob needs a login" {
		t.Errorf("refused with %v", err)
	}
	until := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	if err := c.Pause(t.Context(), PauseRequest{Until: until, Reason: "r"}); err != nil {
		t.Error(err)
	}
	if ended, err := c.Resume(t.Context()); err != nil || !ended.Was {
		t.Errorf("%+v, %v", ended, err)
	}
	if doc, err := c.Why(t.Context()); err != nil || string(doc) != "\"because\"\n" {
		t.Errorf("%q, %v", doc, err)
	}
	const want = "switch alice; switch bob; pause 2026-11-22T18:00:00Z r; resume"
	if got := strings.Join(w.calls, "; "); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	for _, path := range []string{pathPause, pathResume, pathSwitch} {
		if code, _, _ := ask(t, tcp, http.MethodPost, "localhost", path); code != http.StatusNotFound {
			t.Errorf("the port answers %d to %s", code, path)
		}
	}
}
