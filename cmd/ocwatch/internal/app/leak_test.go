package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// locked is a buffer that a log and a test may use at once.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestNoSecretAnywhere plays a whole story, faults included, and looks for
// every secret of the world in everything that ocwatch wrote, said and served.
func TestNoSecretAnywhere(t *testing.T) {
	world, hook := startWorld(t)
	secrets := secretsOf(t, world, hook)
	var log locked
	cfg := configFor(t, world, hook)
	phone, monitor := listener(t), listener(t)
	cfg.Notify.Channels = []config.Channel{{Name: "phone", URL: secret.New("ntfy://:tk_channelsecret@" + phone.address + "/topicsecret?scheme=http"), Language: "zh"}}
	cfg.Heartbeat = config.Heartbeat{URL: secret.New("http://" + monitor.address + "/beatsecret"), Every: 30 * time.Second}
	secrets["the channel's token"], secrets["the channel's topic"], secrets["the heartbeat's id"] = "tk_channelsecret", "topicsecret", "beatsecret"
	secrets["the code in a pasted address"] = pastedCode
	openPort(t, cfg, secrets)
	pace := fastPace()
	a, err := New(t.Context(), Options{
		Config: cfg, Log: zerolog.New(&log).Level(zerolog.TraceLevel), Version: "test", Pace: &pace,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	said := runStory(t, a, world, hook)
	for what, after := range secretsOf(t, world, hook) { // the login's too
		secrets[what+", after the login"] = after
	}

	password, err := web.LoadPassword(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	secrets["the dashboard's password"] = password.Reveal()
	said["log"] = log.String()
	for _, d := range hook.Deliveries() {
		said["webhook "+string(d.Event.Type)] = string(d.Body)
	}
	for _, name := range files(t, cfg.DataDir) {
		if filepath.Base(name) == web.PasswordName {
			continue // it is what it holds
		}
		content, err := os.ReadFile(name)
		if err != nil {
			continue // the socket
		}
		said["file "+filepath.Base(name)] = string(content)
	}
	for where, text := range said {
		for what, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s holds %s", where, what)
			}
		}
	}
	if !monitor.heard("/beatsecret/fail") || !phone.heard("/") {
		t.Error("neither the monitor nor the phone heard of it: there was nothing to look through")
	}
	if !strings.Contains(said["status"], "127.0.0.1:1: ") || !strings.Contains(said["status"], ": 400 Bad Request") {
		t.Errorf("no receiver failed: there was nothing to look through in %s", said["status"])
	}
	if !strings.Contains(said["log"], "order set") || !strings.Contains(said["status"], "openai:bob@example.com") ||
		!strings.Contains(said["metrics"], "openai:bob@example.com") {
		t.Errorf("the story was not told: there was nothing to look through")
	}
}

// pastedCode is the authorization code of an address that is pasted.
const pastedCode = "pasted-authorization-code"

// runStory runs the watchdog through a switch, provider faults, a depletion and
// the logins that end it, and returns what its API said.
func runStory(t *testing.T, a *App, world *sandbox.World, hook *sandbox.Webhook) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	waitEvent(t, hook, event.WatchdogStarted)
	world.SetUsed("openai:alice@example.com", quota.FiveHour, 97)
	waitEvent(t, hook, event.PoolSwitched)
	world.SetFault("openai:carol@example.com", sandbox.TokenInvalidated)
	waitEvent(t, hook, event.ProfileLoginRequired)
	world.SetFault("openai:carol@example.com", sandbox.NoFault)
	for _, name := range []string{"alice", "bob", "carol"} {
		world.SetUsed("openai:"+name+"@example.com", quota.FiveHour, 100)
	}
	said := logIn(t, a, world, hook)
	status, err := web.NewClient(a.opts.Config.DataDir).Status(t.Context())
	if err != nil {
		t.Error(err)
	}
	said["status"], said["metrics"] = string(status), scrape(t, a)
	maps.Copy(said, everybodysAnswers(t, a, "in the end", nil))
	stop()
	<-done
	return said
}

// logIn answers the request for a login: the first with the account that is
// spent already, then with a new one, over a code that was asked for. It returns
// what the API said.
func logIn(t *testing.T, a *App, world *sandbox.World, hook *sandbox.Webhook) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := web.NewClient(a.opts.Config.DataDir)
	code, err := world.AwaitLogin(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	wanted := awaitEvent(t, hook, event.PoolDepleted)
	if l := wanted.Data.Login; l == nil || l.Code != code || l.URL == "" || l.Command != "ocwatch login --provider openai" || l.Chat != "/login codex" {
		t.Errorf("the request for a login carries %+v, the code is %s", l, code)
	}
	waiting, err := client.Status(ctx)
	if err != nil || !strings.Contains(string(waiting), `"code":"`+code+`"`) {
		t.Errorf("the status shows no login: %v", err)
	}
	said := everybodysAnswers(t, a, "during a login", map[string]string{"the login's code": code, "the login's link": wanted.Data.Login.URL})
	pasted := client.PasteLogin(ctx, "http://localhost:1455/auth/callback?code="+pastedCode+"&state=s")
	if pasted == nil {
		t.Error("a login by code took an address")
	}
	if err := world.Approve(code, sandbox.Account{Profile: "openai:alice@example.com"}); err != nil {
		t.Fatal(err)
	}
	again := awaitEvent(t, hook, event.LoginFailed)
	if l := again.Data.Login; l == nil || l.Code == "" || l.Code == code || !strings.Contains(again.Data.Reason, "spent already") {
		t.Errorf("the same account again: %+v", again.Data)
	}
	begun, err := client.BeginLogin(ctx, "main", "openai")
	if err != nil {
		t.Fatal(err)
	}
	waitEvent(t, hook, event.LoginStarted)
	if err := world.Approve(begun.Code, sandbox.Account{Profile: "openai:dave@example.com"}); err != nil {
		t.Fatal(err)
	}
	done := awaitEvent(t, hook, event.LoginCompleted)
	waitEvent(t, hook, event.PoolRecovered)
	if done.Data.Profile != "openai:dave@example.com" || !strings.Contains(done.Data.Reason, "plan plus") || done.Data.Order[0] != done.Data.Profile {
		t.Errorf("the login is told as %+v", done.Data)
	}
	said["status during a login"], said["the answer to a pasted address"] = string(waiting), pasted.Error()
	return said
}

// ear is a server that remembers the paths that it was asked for.
type ear struct {
	address string
	mu      sync.Mutex
	paths   []string
}

func listener(t *testing.T) *ear {
	t.Helper()
	e := &ear{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		e.mu.Lock()
		e.paths = append(e.paths, r.URL.Path)
		e.mu.Unlock()
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"id":"sPs71M8A2T","time":1643935928,"event":"message","topic":"t","message":"x"}`)
	}))
	t.Cleanup(server.Close)
	e.address = strings.TrimPrefix(server.URL, "http://")
	return e
}

func (e *ear) heard(path string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.paths, path)
}

func startWorld(t *testing.T) (*sandbox.World, *sandbox.Webhook) {
	t.Helper()
	account := func(name string) sandbox.Account {
		return sandbox.Account{Profile: "openai:" + name + "@example.com", Windows: []sandbox.Window{{Name: quota.FiveHour, UsedPercent: 10}}}
	}
	world, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir:      t.TempDir(),
		Accounts: []sandbox.Account{account("alice"), account("bob"), account("carol")},
		Order:    map[string][]string{"openai": {"openai:alice@example.com", "openai:bob@example.com", "openai:carol@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	hook, err := sandbox.StartWebhook()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hook.Close() })
	return world, hook
}

func configFor(t *testing.T, world *sandbox.World, hook *sandbox.Webhook) *config.Config {
	t.Helper()
	cfg, err := config.Load("", func(string) string { return t.TempDir() })
	if err != nil {
		t.Fatal(err)
	}
	cfg.DataDir, cfg.Listen = filepath.Join(t.TempDir(), "data"), ""
	cfg.OpenClaw.StateDir = world.StateDir()
	cfg.Probe.Providers = map[string]config.Provider{"openai": {URL: world.UsageURL("openai")}}
	cfg.Failover.MinDwell = time.Second
	cfg.Notify.Webhooks = []config.Webhook{{Name: "ops", URL: hook.URL(), Secret: hook.Secret()}}
	return cfg
}

// constantly is a schedule for tests, finer than a second.
type constantly time.Duration

func (c constantly) Next(t time.Time) time.Time { return t.Add(time.Duration(c)) }

func fastPace() Pace {
	return Pace{
		Schedule: constantly(100 * time.Millisecond), MinGap: 20 * time.Millisecond,
		Breaker: failover.BreakerTiming{Recheck: 50 * time.Millisecond, Settle: 10 * time.Millisecond, First: 50 * time.Millisecond, Most: 50 * time.Millisecond},
		Next: func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(50 * time.Millisecond)
		},
	}
}

// secretsOf collects what must never show: access and refresh tokens, the
// gateway's token, the webhook's secret.
func secretsOf(t *testing.T, world *sandbox.World, hook *sandbox.Webhook) map[string]string {
	t.Helper()
	in, err := openclaw.Find(openclaw.Options{StateDir: world.StateDir()})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"the gateway's token": world.Token().Reveal(), "the signing secret": hook.Secret().Reveal()}
	docs, err := in.Documents(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs.Credentials {
		var store struct {
			Profiles map[string]map[string]any `json:"profiles"`
		}
		if err := json.Unmarshal(doc, &store); err != nil {
			t.Fatal(err)
		}
		for id, p := range store.Profiles {
			for _, field := range []string{"access", "refresh", "token", "key"} {
				if s, ok := p[field].(string); ok && s != "" {
					out[field+" of "+id] = s
				}
			}
		}
	}
	if _, err := profiles.NewStore(in, profiles.Options{}).TokenSource("main", "openai:alice@example.com").Token(); err != nil || len(out) < 8 {
		t.Fatalf("%d secrets found, %v", len(out), err)
	}
	return out
}

func waitEvent(t *testing.T, hook *sandbox.Webhook, want event.Type) {
	t.Helper()
	awaitEvent(t, hook, want)
}

func awaitEvent(t *testing.T, hook *sandbox.Webhook, want event.Type) event.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	d, err := hook.Wait(ctx, func(e event.Event) bool { return e.Type == want })
	if err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	return d.Event
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
