package gather

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/doctor"
)

func TestAhead(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		date, age string
		want      time.Duration
		said      bool
	}{
		"the same":         {date: "Sun, 22 Nov 2026 10:00:00 GMT", said: true},
		"we are ahead":     {date: "Sun, 22 Nov 2026 09:55:00 GMT", want: 5 * time.Minute, said: true},
		"we are behind":    {date: "Sun, 22 Nov 2026 10:01:30 GMT", want: -90 * time.Second, said: true},
		"a cache kept it":  {date: "Sun, 22 Nov 2026 09:50:00 GMT", age: "600", said: true},
		"an age of no use": {date: "Sun, 22 Nov 2026 10:00:00 GMT", age: "-5", said: true},
		"no date":          {},
		"no date at all":   {date: "yesterday"},
	} {
		t.Run(name, func(t *testing.T) {
			got, said := ahead(now, http.Header{"Date": {tt.date}, "Age": {tt.age}})
			if got != tt.want || said != tt.said {
				t.Errorf("got %s, %v", got, said)
			}
		})
	}
}

// TestClocks: a HEAD without a credential, redirects not followed, and an error
// that quotes nothing of the address but its host.
func TestClocks(t *testing.T) {
	var got []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r)
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	list := Clocks(t.Context(), nil, "ocwatch/test", []Site{
		{Provider: "openai", URL: server.URL + "/usage?key=hidden"}, {Provider: "acme", URL: closed.URL + "/hidden"},
	})
	if len(got) != 1 || got[0].Method != http.MethodHead || got[0].URL.Path != "/" || got[0].URL.RawQuery != "" ||
		got[0].Header.Get("Authorization") != "" || got[0].UserAgent() != "ocwatch/test" {
		t.Errorf("asked %v", got)
	}
	if c := list[0]; !c.Said || c.Ahead.Round(time.Minute) != time.Hour || c.URL != server.URL || c.Err != nil {
		t.Errorf("clock: %+v", c)
	}
	if c := list[1]; c.Err == nil || strings.Contains(c.Err.Error(), "hidden") || c.URL != closed.URL {
		t.Errorf("no answer: %+v", c)
	}
}

// TestEndpoints: a connection is all, and what speaks no TLS is no https.
func TestEndpoints(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	direct := func(*http.Request) (*url.URL, error) { return nil, nil }
	behind := func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" || r.URL.Host != "hooks.example.com" {
			t.Errorf("the proxy of %s was asked for", r.URL)
		}
		return url.Parse(server.URL)
	}
	for name, tt := range map[string]struct {
		shown string
		proxy Proxy
		want  doctor.Endpoint
	}{
		"reached":          {server.URL, direct, doctor.Endpoint{Host: host}},
		"a push server":    {"ntfy://" + host, direct, doctor.Endpoint{Host: host}},
		"a mail server":    {"smtp://" + host, behind, doctor.Endpoint{Host: host}},
		"nobody listens":   {closed.URL, direct, doctor.Endpoint{Host: strings.TrimPrefix(closed.URL, "http://"), Err: "connection refused"}},
		"no TLS":           {"https://" + host, direct, doctor.Endpoint{Host: host, Err: "the other side does not speak TLS"}},
		"through a proxy":  {"https://hooks.example.com", behind, doctor.Endpoint{Host: host, Proxy: true}},
		"a chat and proxy": {"telegram://hooks.example.com", behind, doctor.Endpoint{Host: host, Proxy: true}},
		"no host":          {"", direct, doctor.Endpoint{Err: "its address has no host"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want.Name = "ops"
			got := Endpoints(t.Context(), tt.proxy, []Address{{Name: "ops", Shown: tt.shown}})
			if !slices.Equal(got, []doctor.Endpoint{tt.want}) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if asked != 0 {
		t.Errorf("%d requests were made", asked)
	}
}

func TestPorts(t *testing.T) {
	for shown, want := range map[string]string{
		"https://example.com": "443", "http://127.0.0.1": "80", "smtp://mail.example.com": "25",
		"telegram://api.telegram.org": "443", "ntfy://localhost": "80", "socks5://proxy.example.com": "1080", "https://example.com:8443": "8443",
	} {
		u, err := url.Parse(shown)
		if err != nil {
			t.Fatal(err)
		}
		scheme := schemeOf(u)
		if u.Scheme == "socks5" {
			scheme = u.Scheme // a proxy's
		}
		if got := portOf(u, scheme); got != want {
			t.Errorf("%s: port %s, want %s", shown, got, want)
		}
	}
}

type fakeManager map[string]restart.UnitState

func (m fakeManager) State(_ context.Context, unit string) (restart.UnitState, error) {
	if s, ok := m[unit]; ok {
		return s, nil
	}
	return restart.UnitState{Load: "not-found"}, nil
}

func (fakeManager) Do(context.Context, restart.Job, string) (string, error) {
	return "", errors.New("a doctor starts and stops nothing")
}

func (fakeManager) ResetFailed(context.Context, string) error {
	return errors.New("a doctor resets nothing")
}

func (m fakeManager) dial(context.Context) (restart.Manager, func(), error) { return m, func() {}, nil }

func TestService(t *testing.T) {
	active := restart.UnitState{Load: "loaded", Active: "active"}
	root := t.TempDir()
	if err := errors.Join(
		os.MkdirAll(filepath.Join(root, "var/lib/systemd/linger"), 0o755), os.WriteFile(filepath.Join(root, "var/lib/systemd/linger/oc"), nil, 0o600),
		os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	noBus := func(context.Context) (restart.Manager, func(), error) {
		return nil, nil, &net.OpError{Op: "dial", Err: errors.New("no bus")}
	}
	user := fakeManager{"openclaw-gateway.service": active, OwnUnit: active}

	s := Machine{User: user.dial, System: fakeManager{}.dial, Root: root, Account: "oc"}.Service(t.Context(), restart.Units("", ""))
	if !s.Linger || s.NoUserBus || len(s.Failed) != 0 || len(s.Units) != 2 || !s.Units[0].Gateway || !s.Units[0].User || s.Units[1].Gateway {
		t.Errorf("user units: %+v", s)
	}
	s = Machine{User: noBus, System: user.dial, Root: root, Account: "other"}.Service(t.Context(), []string{"openclaw-gateway.service"})
	if s.Linger || !s.NoUserBus || len(s.Failed) != 1 || len(s.Units) != 2 || s.Units[0].User {
		t.Errorf("system units: %+v", s)
	}
	s = Machine{User: noBus, System: noBus, Root: t.TempDir(), Account: "oc"}.Service(t.Context(), nil)
	if !s.NoSystemd || s.NoUserBus || len(s.Failed) != 0 || len(s.Units) != 0 {
		t.Errorf("without systemd: %+v", s)
	}
}

// TestServiceHangs: a bus that takes the connection and never answers is given
// up, and both are asked at once.
func TestServiceHangs(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := Machine{User: hanging, System: hanging, Root: root, Account: "oc"}.Service(t.Context(), []string{"openclaw-gateway.service"})
		if took := time.Since(begun); took != within || len(s.Failed) != 2 {
			t.Errorf("after %s: %+v", took, s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun = time.Now()
		Machine{User: hanging, System: hanging, Root: root}.Service(ctx, nil)
		if took := time.Since(begun); took != time.Second {
			t.Errorf("cancelled after a second, it took %s", took)
		}
	})
}

type mute struct{ fakeManager }

func (mute) State(ctx context.Context, _ string) (restart.UnitState, error) {
	<-ctx.Done()
	return restart.UnitState{}, ctx.Err()
}

func hanging(context.Context) (restart.Manager, func(), error) { return mute{}, func() {}, nil }

// TestFiles: own files alone are looked at and mended, links are left alone.
func TestFiles(t *testing.T) {
	home := t.TempDir()
	configDir, data := filepath.Join(home, "ocwatch"), filepath.Join(home, "data")
	put := func(path string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(configDir, "config.yaml")
	put(path, 0o664)
	put(filepath.Join(configDir, "hook.secret"), 0o644)
	put(filepath.Join(configDir, "sample.json"), 0o644)
	put(filepath.Join(data, "journal.db-wal"), 0o644)
	put(filepath.Join(data, "somebody.else"), 0o666)
	put(filepath.Join(home, "elsewhere"), 0o644)
	if err := errors.Join(os.Chmod(data, 0o755), os.Symlink(filepath.Join(home, "elsewhere"), filepath.Join(data, "lock"))); err != nil {
		t.Fatal(err)
	}
	own := Own{
		Config: path, DataDir: data, Names: []string{"journal.db", "lock"},
		LoadErr: errors.New("x: others can read " + filepath.Join(configDir, "hook.secret") + " (mode 0644); run chmod"),
	}
	done, err := Mend(Files(own))
	if err != nil || len(done) != 4 {
		t.Errorf("mended %q, %v", done, err)
	}
	for name, want := range map[string]os.FileMode{
		"ocwatch": 0o755, "ocwatch/config.yaml": 0o644, "ocwatch/hook.secret": 0o600, "ocwatch/sample.json": 0o644,
		"data": 0o700, "data/journal.db-wal": 0o600, "data/somebody.else": 0o666, "elsewhere": 0o644,
	} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %04o, want %04o", name, got, want)
		}
	}
	if again, err := Mend(Files(own)); err != nil || len(again) != 0 {
		t.Errorf("mended again: %q, %v", again, err)
	}
}

// TestMendChanged: what is no longer what was seen is left alone.
func TestMendChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	list := Files(Own{Config: path})
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if done, err := Mend(list); err == nil || len(done) != 0 {
		t.Errorf("mended %q, %v", done, err)
	}
}
