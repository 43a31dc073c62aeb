package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

const testPassword = "WORDWORDWORDWORDWORDWORDWO"

// board is a dashboard with what was asked of it.
type board struct {
	server *Server
	wish   *wish
	desk   *desk
}

func newBoard(t *testing.T) board {
	t.Helper()
	return newBoardAt(t, Port{Address: "127.0.0.1:18790"}, zerolog.Nop())
}

// newBoardAt is a board behind port.
func newBoardAt(t *testing.T, port Port, log zerolog.Logger) board {
	t.Helper()
	b := board{server: New(fixed("status"), nil, log), wish: &wish{}, desk: &desk{}}
	b.server.Guard(port)
	err := b.server.ServeDashboard(Dashboard{
		Address: "127.0.0.1:18790", Password: secret.New(testPassword), Wishes: b.wish, Logins: b.desk,
		World: func(context.Context, bool) page.World {
			return page.World{
				Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Host: "srv1",
				Policy: func(string) failover.Policy { return failover.DefaultPolicy() },
				Status: watchdog.Status{Pools: []watchdog.PoolStatus{{
					Agent: "main", Provider: "openai", State: failover.PoolOK,
					Profiles: []watchdog.ProfileStatus{{ID: "openai:alice@example.com", State: failover.Available}},
				}}},
				Logins: []relogin.Status{{Agent: "main", Provider: "openai", URL: "https://example.com/device", Code: "ABCD-1234", Paste: true}},
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send makes one request as change has it.
func (b board) send(method, path string, form url.Values, change func(r *http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:18790"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	rw := httptest.NewRecorder()
	b.server.public.Handler.ServeHTTP(rw, r)
	return rw
}

// tokenForm is a form with nothing but what only the page has.
func tokenForm() url.Values { return url.Values{"token": {formToken(secret.New(testPassword))}} }

func asOwner(r *http.Request) { r.SetBasicAuth("owner", testPassword) }

// TestPageForEverybody: without the password there is nothing that lets its
// reader log in, and nothing to press.
func TestPageForEverybody(t *testing.T) {
	t.Parallel()
	rw := newBoard(t).send(http.MethodGet, "/", nil, asOwner)
	body := rw.Body.String()
	if rw.Code != http.StatusOK || !strings.Contains(body, "openai:alice@example.com") {
		t.Fatalf("%d %s", rw.Code, body)
	}
	for _, never := range []string{"ABCD-1234", "example.com/device", "<form", "<button", formToken(secret.New(testPassword)), testPassword} {
		if strings.Contains(body, never) {
			t.Errorf("the page for everybody has %q", never)
		}
	}
}

func TestPageForOwner(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	body := b.send(http.MethodGet, "/owner/", nil, asOwner).Body.String()
	for _, part := range []string{"ABCD-1234", "https://example.com/device", `class="qr"`, "<textarea", "Put first", formToken(secret.New(testPassword))} {
		if !strings.Contains(body, part) {
			t.Errorf("the owner's page lacks %q", part)
		}
	}
	if strings.Contains(body, testPassword) {
		t.Error("the page has the password")
	}
	if said := b.send(http.MethodGet, "/owner/?did=resumed", nil, asOwner).Body.String(); !strings.Contains(said, "Resumed.") {
		t.Error("the page does not say what was done")
	}
	if said := b.send(http.MethodGet, "/owner/?did=send+money", nil, asOwner).Body.String(); strings.Contains(said, "money") {
		t.Error("the page says what an address wants it to")
	}
}

// TestPassword: who may see the owner's page and use its forms.
func TestPassword(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(r *http.Request)
		ok     bool
	}{
		"nothing":         {nil, false},
		"the password":    {asOwner, true},
		"another":         {func(r *http.Request) { r.SetBasicAuth("owner", "WORD") }, false},
		"none":            {func(r *http.Request) { r.SetBasicAuth("owner", "") }, false},
		"another user":    {func(r *http.Request) { r.SetBasicAuth("admin", testPassword) }, false},
		"as a bearer":     {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testPassword) }, false},
		"in a cookie":     {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "owner", Value: testPassword}) }, false},
		"in the address":  {func(r *http.Request) { r.URL.RawQuery = "password=" + testPassword }, false},
		"with a tail":     {func(r *http.Request) { r.SetBasicAuth("owner", testPassword+"X") }, false},
		"not quite basic": {func(r *http.Request) { r.Header.Set("Authorization", "Basic "+testPassword) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoard(t)
			form := tokenForm()
			see, act := b.send(http.MethodGet, "/owner/", nil, tc.change), b.send(http.MethodPost, "/owner/resume", form, tc.change)
			if tc.ok {
				if see.Code != http.StatusOK || act.Code != http.StatusSeeOther {
					t.Errorf("see %d, act %d", see.Code, act.Code)
				}
				return
			}
			if see.Code != http.StatusUnauthorized || act.Code != http.StatusUnauthorized || len(b.wish.calls) > 0 {
				t.Errorf("see %d, act %d, did %q", see.Code, act.Code, b.wish.calls)
			}
			if !strings.HasPrefix(see.Header().Get("WWW-Authenticate"), "Basic ") || strings.Contains(see.Body.String(), "ABCD") {
				t.Errorf("%v %s", see.Header(), see.Body)
			}
		})
	}
}

// TestForgedForms: what another page makes the owner's browser send, password
// and all, does nothing.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	good := tokenForm()
	header := func(name, value string) func(r *http.Request) {
		return func(r *http.Request) { asOwner(r); r.Header.Set(name, value) }
	}
	for name, tc := range map[string]struct {
		form   url.Values
		change func(r *http.Request)
		code   int
	}{
		"the page itself":          {good, header("Sec-Fetch-Site", "same-origin"), http.StatusSeeOther},
		"the page, older browser":  {good, header("Origin", "http://127.0.0.1:18790"), http.StatusSeeOther},
		"a script of the owner's":  {good, asOwner, http.StatusSeeOther},
		"another site":             {good, header("Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"another port":             {good, header("Sec-Fetch-Site", "same-site"), http.StatusForbidden},
		"another origin":           {good, header("Origin", "http://127.0.0.1:9999"), http.StatusForbidden},
		"no origin to tell":        {good, header("Origin", "null"), http.StatusForbidden},
		"no token":                 {nil, asOwner, http.StatusForbidden},
		"another token":            {url.Values{"token": {"0"}}, asOwner, http.StatusForbidden},
		"JSON":                     {good, header("Content-Type", "application/json"), http.StatusBadRequest},
		"plain text":               {good, header("Content-Type", "text/plain"), http.StatusBadRequest},
		"the token in the address": {nil, func(r *http.Request) { asOwner(r); r.URL.RawQuery = good.Encode() }, http.StatusForbidden},
		"too much":                 {url.Values{"token": good["token"], "address": {strings.Repeat("x", maxRequest)}}, asOwner, http.StatusBadRequest},
		"a name of elsewhere":      {good, func(r *http.Request) { asOwner(r); r.Host = "rebound.example.com" }, http.StatusMisdirectedRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoard(t)
			rw := b.send(http.MethodPost, "/owner/resume", tc.form, tc.change)
			if rw.Code != tc.code {
				t.Errorf("%d, want %d: %s", rw.Code, tc.code, rw.Body)
			}
			if did := len(b.wish.calls) > 0; did != (tc.code == http.StatusSeeOther) {
				t.Errorf("did %q", b.wish.calls)
			}
		})
	}
}

// TestForms: each does one thing, and ends on the page or says why not.
func TestForms(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path, form string
		code       int
		calls      string
		says       string
	}{
		"pause":                  {"pause", "for=", 303, "pause 0001-01-01T00:00:00Z from the dashboard", ""},
		"pause of no length":     {"pause", "for=-1h", 409, "", "no length of time"},
		"pause of ages":          {"pause", "for=9000h", 409, "", "up to a year"},
		"resume":                 {"resume", "", 303, "resume", ""},
		"switch":                 {"switch", "profile=alice&agent=main", 303, "switch alice", ""},
		"switch to nobody":       {"switch", "", 409, "", "no account was named"},
		"switch that is refused": {"switch", "profile=bob", 409, "switch bob", "Not done: bob needs a login"},
		"login":                  {"login", "agent=main&provider=openai", 303, "begin main openai", ""},
		"login for nothing":      {"login", "agent=main", 409, "", "needs an agent and a provider"},
		"paste":                  {"login/paste", "address=http%3A%2F%2Flocalhost%2F%3Fcode%3Dc", 303, "paste http://localhost/?code=c", ""},
		"cancel":                 {"login/cancel", "agent=main&provider=openai", 303, "cancel main openai", ""},
		"no such form":           {"reboot", "", 404, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoard(t)
			form, err := url.ParseQuery(tc.form)
			if err != nil {
				t.Fatal(err)
			}
			form.Set("token", formToken(secret.New(testPassword)))
			rw := b.send(http.MethodPost, "/owner/"+tc.path, form, asOwner)
			if rw.Code != tc.code || !strings.Contains(rw.Body.String(), tc.says) {
				t.Errorf("%d, want %d with %q: %s", rw.Code, tc.code, tc.says, rw.Body)
			}
			if got := strings.Join(append(b.wish.calls, b.desk.calls...), "; "); got != tc.calls {
				t.Errorf("asked for %q, want %q", got, tc.calls)
			}
			if where := rw.Header().Get("Location"); rw.Code == http.StatusSeeOther && !strings.HasPrefix(where, "/owner/?did=") {
				t.Errorf("ends on %q", where)
			}
		})
	}
}

// TestFormFails: what went wrong is said on the page, and is only text there.
func TestFormFails(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	b.desk.fail = errors.New("it belongs to <b>another</b> login")
	form := url.Values{"token": {formToken(secret.New(testPassword))}, "address": {"http://localhost/?code=NEVERSHOWN"}}
	rw := b.send(http.MethodPost, "/owner/login/paste", form, asOwner)
	if body := rw.Body.String(); rw.Code != http.StatusConflict || !strings.Contains(body, "&lt;b&gt;another") || strings.Contains(body, "NEVERSHOWN") {
		t.Errorf("%d %s", rw.Code, body)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		method, path string
		code         int
	}{
		{http.MethodOptions, "/", http.StatusMethodNotAllowed},
		{http.MethodOptions, "/owner/pause", http.StatusMethodNotAllowed},
		{http.MethodTrace, "/", http.StatusMethodNotAllowed},
		{http.MethodHead, "/owner/", http.StatusOK},
		{http.MethodHead, "/events", http.StatusOK},
		{http.MethodPut, "/owner/pause", http.StatusMethodNotAllowed},
		{http.MethodGet, pathNewPassword, http.StatusNotFound},
		{http.MethodPost, pathNewPassword, http.StatusNotFound},
		{http.MethodGet, "/", http.StatusOK},
		{http.MethodHead, "/", http.StatusOK},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
		{http.MethodGet, "/index.html", http.StatusNotFound},
		{http.MethodGet, "/owner", http.StatusPermanentRedirect},
		{http.MethodPost, "/owner/", http.StatusMethodNotAllowed},
		{http.MethodGet, "/owner/pause", http.StatusMethodNotAllowed},
		{http.MethodGet, "/owner/switch?profile=alice", http.StatusMethodNotAllowed},
		{http.MethodPost, "/pause", http.StatusNotFound},
		{http.MethodPost, "/events", http.StatusMethodNotAllowed},
		{http.MethodGet, "/assets/", http.StatusNotFound},
		{http.MethodGet, pathAccess, http.StatusNotFound},
		{http.MethodPost, pathPause, http.StatusNotFound},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			b := newBoard(t)
			if rw := b.send(tc.method, tc.path, nil, asOwner); rw.Code != tc.code || len(b.wish.calls) > 0 {
				t.Errorf("%d, want %d; did %q", rw.Code, tc.code, b.wish.calls)
			}
		})
	}
}

// TestPageIsGuarded: it loads nothing from elsewhere, runs nothing that is
// written into it, and stands in no other page.
func TestPageIsGuarded(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	paths := []string{"/", "/owner/"}
	for _, a := range page.Assets() {
		paths = append(paths, a.Path)
	}
	for _, path := range paths {
		rw := b.send(http.MethodGet, path, nil, asOwner)
		policy := rw.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy %q lacks %q", path, policy, part)
			}
		}
		if rw.Code != http.StatusOK || strings.Contains(policy, "unsafe") || rw.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, rw.Code, rw.Header())
		}
	}
}

func TestLoadPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, PasswordName)
	first, err := LoadPassword(dir)
	if err != nil || len(first.Reveal()) < 26 {
		t.Fatalf("%d letters, %v", len(first.Reveal()), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadPassword(dir); err != nil || again != first {
		t.Errorf("another one, %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info, err)
	}
	// As a crash leaves it, for everybody to read.
	if err := errors.Join(os.WriteFile(path, []byte(first.Reveal()[:5]), 0o600), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
	if next, err := LoadPassword(dir); err != nil || next == first || len(next.Reveal()) < 26 {
		t.Errorf("%d letters, %v", len(next.Reveal()), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the new one: %v, %v", info, err)
	}
	// Nowhere to keep it: good for now.
	if lone, err := LoadPassword(filepath.Join(dir, "none")); err == nil || len(lone.Reveal()) < 26 {
		t.Errorf("%d letters, %v", len(lone.Reveal()), err)
	}
}

// TestAccess: only the socket tells the password.
func TestAccess(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	b := newBoard(t)
	go b.server.ServeOwner(listen(t, dir))
	t.Cleanup(func() { _ = b.server.Close() })
	got, err := NewClient(dir).Dashboard(t.Context())
	want := Access{URL: "http://127.0.0.1:18790/owner/", User: "owner", Password: testPassword}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestNewPassword: the one before is of no use at once, nor what was made with it.
func TestNewPassword(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	s := New(fixed("status"), nil, zerolog.Nop())
	err := s.ServeDashboard(Dashboard{
		Address: "127.0.0.1:18790", Password: secret.New(testPassword), Wishes: &wish{},
		NewPassword: func() (secret.Value, error) { return NewPassword(dir) },
		World:       func(context.Context, bool) page.World { return page.World{Now: time.Now()} },
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.ServeOwner(listen(t, dir))
	t.Cleanup(func() { _ = s.Close() })
	b := board{server: s}
	if rw := b.send(http.MethodGet, "/owner/", nil, asOwner); rw.Code != http.StatusOK {
		t.Fatal(rw.Code)
	}
	is, err := NewClient(dir).NewPassword(t.Context())
	if err != nil || is.Password == testPassword || len(is.Password) < 26 {
		t.Fatalf("%d letters, %v", len(is.Password), err)
	}
	asNow := func(r *http.Request) { r.SetBasicAuth("owner", is.Password) }
	for name, tc := range map[string]struct {
		as   func(r *http.Request)
		form string
		code int
	}{
		"the one before":     {asOwner, testPassword, http.StatusUnauthorized},
		"a form of before":   {asNow, testPassword, http.StatusForbidden},
		"the new one's form": {asNow, is.Password, http.StatusSeeOther},
	} {
		form := url.Values{"token": {formToken(secret.New(tc.form))}}
		if rw := b.send(http.MethodPost, "/owner/resume", form, tc.as); rw.Code != tc.code {
			t.Errorf("%s: %d", name, rw.Code)
		}
	}
	if body := b.send(http.MethodGet, "/owner/", nil, asNow).Body.String(); !strings.Contains(body, formToken(secret.New(is.Password))) {
		t.Error("the page has the forms of before")
	}
	if kept, err := LoadPassword(dir); err != nil || kept.Reveal() != is.Password {
		t.Errorf("another one is kept, %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, PasswordName)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, PasswordName, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(dir).NewPassword(t.Context()); err == nil || !strings.Contains(err.Error(), "keep the dashboard's password") {
		t.Errorf("one that cannot be kept: %v", err)
	}
	if rw := b.send(http.MethodGet, "/owner/", nil, asNow); rw.Code != http.StatusOK {
		t.Errorf("then the one before gets %d", rw.Code)
	}
}

func TestAccessToNothing(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	s := New(fixed("status"), nil, zerolog.Nop())
	if err := s.ServeDashboard(Dashboard{Password: secret.New(testPassword)}); err != nil {
		t.Fatal(err)
	}
	go s.ServeOwner(listen(t, dir))
	t.Cleanup(func() { _ = s.Close() })
	if _, err := NewClient(dir).Dashboard(t.Context()); err == nil || !strings.Contains(err.Error(), "set listen") {
		t.Errorf("%v", err)
	}
}

// TestPageIsMadeOnce: a hundred pages that ask after a change are all served
// one rendering, of after the change.
func TestPageIsMadeOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(fixed("status"), nil, zerolog.Nop())
		var made atomic.Int64
		world := func(ctx context.Context, _ bool) page.World {
			time.Sleep(20 * time.Millisecond) // as a journal takes
			if ctx.Err() != nil {
				t.Error("the page of all is given up with the one who asked first")
			}
			made.Add(1)
			return page.World{Now: time.Now(), Host: "srv1"}
		}
		if err := s.ServeDashboard(Dashboard{Password: secret.New(testPassword), World: world}); err != nil {
			t.Fatal(err)
		}
		ask := func(path string, n int) {
			var all sync.WaitGroup
			ctx, hangUp := context.WithCancel(t.Context())
			for i := range n {
				all.Go(func() {
					r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:18790"+path, nil)
					if i == 0 {
						r = r.WithContext(ctx)
					}
					asOwner(r)
					rw := httptest.NewRecorder()
					s.public.Handler.ServeHTTP(rw, r)
					if i == 0 {
						return // it hung up
					}
					if rw.Code != http.StatusOK || !strings.Contains(rw.Body.String(), "srv1") {
						t.Errorf("%s: %d", path, rw.Code)
					}
				})
				if i == 0 {
					synctest.Wait()
				}
			}
			synctest.Wait()
			hangUp()
			all.Wait()
		}
		for _, tc := range []struct {
			what string
			do   func()
			want int64
		}{
			{"at first", func() { ask("/", 100) }, 1},
			{"at once again", func() { ask("/", 100) }, 1},
			{"the owner's", func() { ask("/owner/", 100) }, 2},
			{"after a change", func() { s.Changed(); ask("/", 100) }, 3},
			{"later", func() { time.Sleep(pageAge); ask("/", 100) }, 4},
			{"with something to say", func() { ask("/owner/?did=resumed", 2) }, 6},
		} {
			if tc.do(); made.Load() != tc.want {
				t.Errorf("%s: %d were made, want %d", tc.what, made.Load(), tc.want)
			}
		}
	})
}

// TestPageOfAfterTheChange: a page that is being made when something changes is
// not served to whoever was told of the change.
func TestPageOfAfterTheChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(fixed("status"), nil, zerolog.Nop())
		var host atomic.Value
		host.Store("before")
		world := func(context.Context, bool) page.World {
			w := page.World{Now: time.Now(), Host: host.Load().(string)}
			time.Sleep(20 * time.Millisecond)
			return w
		}
		if err := s.ServeDashboard(Dashboard{Password: secret.New(testPassword), World: world}); err != nil {
			t.Fatal(err)
		}
		go knock(s, "/", nil)
		time.Sleep(10 * time.Millisecond)
		host.Store("after")
		s.Changed()
		if body := knock(s, "/", nil).Body.String(); !strings.Contains(body, "ocwatch on after") {
			t.Error("the page is of before the change")
		}
	})
}
