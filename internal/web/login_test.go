package web

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/ocwatch/ocwatch/internal/event"
)

// desk notes what was asked of it, and answers with fail where that is set.
type desk struct {
	mu    sync.Mutex
	calls []string
	fail  error
}

func (d *desk) note(call string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
}

func (d *desk) Begin(_ context.Context, agent, provider string) (event.Login, error) {
	d.note("begin " + agent + " " + provider)
	return event.Login{URL: "https://example.com/device", Code: "ABCD-1234", Command: "ocwatch login"}, d.fail
}

func (d *desk) Paste(_ context.Context, address string) error {
	d.note("paste " + address)
	return d.fail
}

func (d *desk) Cancel(agent, provider string) { d.note("cancel " + agent + " " + provider) }

func (d *desk) LoggedIn(agent, provider, profile string) {
	d.note("done " + agent + " " + provider + " " + profile)
}

func TestLogins(t *testing.T) {
	t.Parallel()
	dir, d := shortDir(t), &desk{}
	serveWith(t, listen(t, dir), fixed("status"), d)
	c := NewClient(dir)
	l, err := c.BeginLogin(t.Context(), "main", "openai")
	if err != nil || l.Code != "ABCD-1234" || l.URL != "https://example.com/device" {
		t.Errorf("%+v, %v", l, err)
	}
	const address = "http://localhost:1455/auth/callback?code=c&state=s"
	err = errors.Join(
		c.PasteLogin(t.Context(), address),
		c.CancelLogin(t.Context(), "main", "openai"),
		c.LoggedIn(t.Context(), "work", "openai", "openai:dave@example.com"),
	)
	if err != nil {
		t.Error(err)
	}
	want := []string{"begin main openai", "paste " + address, "cancel main openai", "done work openai openai:dave@example.com"}
	if !reflect.DeepEqual(d.calls, want) {
		t.Errorf("asked for %q, want %q", d.calls, want)
	}
}

// TestLoginRefused: what the watchdog says about it reaches the person, word
// for word.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	dir, d := shortDir(t), &desk{fail: errors.New("the pasted address is not it: it belongs to another login")}
	serveWith(t, listen(t, dir), fixed("status"), d)
	c := NewClient(dir)
	if err := c.PasteLogin(t.Context(), "x"); err == nil || err.Error() != d.fail.Error() {
		t.Errorf("paste: %v", err)
	}
	if _, err := c.BeginLogin(t.Context(), "main", "openai"); err == nil || err.Error() != d.fail.Error() {
		t.Errorf("begin: %v", err)
	}
	if _, err := c.BeginLogin(t.Context(), "", "openai"); err == nil || !strings.Contains(err.Error(), "needs an agent") {
		t.Errorf("without an agent: %v", err)
	}
}

func TestLoginWithoutWatchdog(t *testing.T) {
	t.Parallel()
	if err := NewClient(shortDir(t)).PasteLogin(t.Context(), "x"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

// TestLoginsAreTheOwners: over loopback, where every account of the machine can
// ask, nothing can be started.
func TestLoginsAreTheOwners(t *testing.T) {
	t.Parallel()
	l, err := ListenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{}
	serveWith(t, l, fixed("status"), d)
	for _, path := range []string{pathLogin, pathLoginPaste, pathLoginCancel, pathLoginDone} {
		if status, _, body := ask(t, l, http.MethodPost, "localhost", path); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if len(d.calls) > 0 {
		t.Errorf("it did %q", d.calls)
	}
}
