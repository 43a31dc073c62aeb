//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// report is what the tests read of doctor --json.
type report struct {
	OK       bool `json:"ok"`
	OpenClaw struct {
		Version string   `json:"version"`
		Layout  string   `json:"layout"`
		Scopes  []string `json:"scopes"`
	} `json:"openclaw"`
	Findings []finding `json:"findings"`
}

type finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	About    string `json:"about"`
	What     string `json:"what"`
	Why      string `json:"why"`
	Fix      string `json:"fix"`
}

// doctor runs ocwatch doctor --json, whose exit status says the same as its
// document.
func (d *daemon) doctor(t *testing.T) report {
	t.Helper()
	out, code := d.run(t, "doctor", "--json")
	var r report
	must(t, json.Unmarshal([]byte(out), &r))
	if r.OK != (code == 0) {
		t.Errorf("ok is %v and the exit status %d", r.OK, code)
	}
	return r
}

// of are the findings of one kind.
func (r report) of(id string) []finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f finding) bool { return f.ID != id })
}

// kinds are the ids of the findings of one severity.
func (r report) kinds(severity string) (ids []string) {
	for _, f := range r.Findings {
		if f.Severity == severity {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// one is the single finding of a kind, about something.
func (r report) one(t *testing.T, id, severity, about string) finding {
	t.Helper()
	for _, f := range r.of(id) {
		if f.About == about {
			if f.Severity != severity {
				t.Errorf("%s about %s is of severity %s, want %s", id, about, f.Severity, severity)
			}
			return f
		}
	}
	t.Errorf("doctor finds no %s about %s; it finds %+v", id, about, r.Findings)
	return finding{}
}

// awaitDoctor returns what doctor says once want is content: a gateway writes
// down what a chat command did some time after it answered.
func (d *daemon) awaitDoctor(t *testing.T, what string, want func(report) bool) report {
	t.Helper()
	var r report
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(300 * time.Millisecond) {
		if r = d.doctor(t); want(r) {
			return r
		}
	}
	t.Fatalf("%s did not come: %+v", what, r.Findings)
	return r
}

// mend runs the command of a finding, which is what it is there for.
func mend(t *testing.T, l *lab.Lab, f finding) {
	t.Helper()
	if !strings.HasPrefix(f.Fix, "openclaw ") {
		t.Errorf("%s: %q is no command of OpenClaw's", f.ID, f.Fix)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", f.Fix)
	cmd.Env, cmd.Dir = l.Env(), l.Home
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %s: %v\n%s", f.ID, f.Fix, err, out)
	}
}

// Of a set-up that works, doctor has nothing to complain; it leaves everything
// as it is, asks no account anything and shows no credential to anybody.
func findsNothingWrong(t *testing.T, s *stage) {
	t.Helper()
	s.reset(t, s.Dial(t))
	d := newDaemon(t, s)
	own := filepath.Dir(d.config)
	before, docs, theirs, mark := s.SnapshotFiles(t), s.AuthDocuments(t), tree(t, own), s.Provider.Mark()
	r := d.doctor(t)
	if wrong := slices.Concat(r.kinds("error"), r.kinds("warning")); len(wrong) > 0 || !r.OK {
		t.Errorf("a healthy set-up has %v: %+v", wrong, r.Findings)
	}
	if r.OpenClaw.Version != s.Install.Version || !slices.Contains(r.OpenClaw.Scopes, "operator.admin") {
		t.Errorf("the gateway is told as %+v", r.OpenClaw)
	}
	if text, code := d.run(t, "doctor"); code != 0 || !strings.Contains(text, "note ") || strings.Contains(text, "\x1b") {
		t.Errorf("exit status %d, and it prints %q", code, text)
	}
	if got := s.AuthDocuments(t); got != docs {
		t.Errorf("OpenClaw's auth documents changed\nfrom %s\nto   %s", docs, got)
	}
	changed := slices.DeleteFunc(lab.Changed(before, s.SnapshotFiles(t)), func(name string) bool { return s.ownedByGateway(name) })
	if len(changed) > 0 {
		t.Errorf("files of OpenClaw changed: %v", changed)
	}
	if s.OrderRPC() {
		r.one(t, "account.paid", "note", s.ID("backup"))
	}
	r.one(t, "account.unmetered", "note", s.ID("acc1")+", "+s.ID("acc2"))
	r.one(t, "order.none", "note", "main / anthropic")
	if got := tree(t, own); got != theirs {
		t.Errorf("ocwatch's own files changed\nfrom\n%s\nto\n%s", theirs, got)
	}
	for _, q := range s.Provider.Requests(mark) {
		if strings.HasPrefix(q.Agent, "ocwatch") && (q.Account != "" || q.Usage() || q.Path != "/") {
			t.Errorf("a provider was asked for %s by %s, as %q", q.Path, q.Agent, q.Account)
		}
	}
}

// tree lists every file below dir with its mode and content.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b.WriteString(info.Mode().String() + " " + path)
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.WriteString(" " + string(content))
		}
		b.WriteByte('\n')
		return nil
	}))
	return b.String()
}

// An order that leaves a profile out, and the command that brings it in.
func findsIncompleteOrder(t *testing.T, s *stage) {
	t.Helper()
	d := newDaemon(t, s)
	names := s.Pool()
	s.OrderSetCLI(t, names[1:]...)
	f := d.doctor(t).one(t, "order.incomplete", "warning", "main / "+s.ProviderID())
	if !strings.Contains(f.What, s.ID(names[0])) {
		t.Errorf("it says %q, and %s was left out", f.What, s.ID(names[0]))
	}
	mend(t, s.Lab, f)
	if again := d.doctor(t).of("order.incomplete"); len(again) > 0 {
		t.Errorf("after its command it still says %+v", again)
	}
	if got := s.StoredOrder(t); len(got) != len(names) || got[len(got)-1] != s.ID(names[0]) {
		t.Errorf("its command made the order %v", got)
	}
}

// Conversations that OpenClaw or a person tied to a profile, made by the chat's
// own commands, and what unties them.
func findsPins(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	d := newDaemon(t, s)
	auto, hand := "agent:main:"+s.fresh(), "agent:main:"+s.fresh()
	if got := s.Chat(t, r, auto); got != "alice" {
		t.Fatalf("%s served the chat, want alice", got)
	}
	s.setLive(t, r, "bob", "carol", "alice")
	byOpenClaw, byHand := s.tied("session.pinned", "alice", auto), s.tied("session.pinned-by-hand", "carol", hand)
	d.awaitDoctor(t, "a conversation that OpenClaw tied", byOpenClaw)
	s.say(t, r, d, hand, "/model "+s.ProviderID()+"/gpt-5.4@"+s.ID("carol")+s.sessionOnly(), byHand)
	f := d.doctor(t).one(t, "session.pinned-by-hand", "note", s.ID("carol"))

	// The advice, to the letter: /new for the one, and not for the other.
	s.send(t, r, hand, "/new")
	s.say(t, r, d, auto, "/new", not(byOpenClaw))
	if !byHand(d.doctor(t)) {
		t.Error("/new unties a conversation that a person tied")
	}
	_, command, _ := strings.Cut(f.Fix, "send: ")
	command, _, _ = strings.Cut(command, " (")
	s.say(t, r, d, hand, strings.Replace(command, "MODEL@", s.ProviderID()+"/gpt-5.4@", 1), not(byHand))
	_, err := r.Call(t.Context(), "sessions.delete", map[string]any{"key": hand})
	must(t, err)
}

// tied is content once one conversation is among those tied to a profile.
func (s *stage) tied(id, profile, session string) func(report) bool {
	return func(r report) bool {
		return slices.ContainsFunc(r.of(id), func(f finding) bool { return f.About == s.ID(profile) && strings.Contains(f.What, session) })
	}
}

func not(f func(report) bool) func(report) bool { return func(r report) bool { return !f(r) } }

// sessionOnly is what /model needs to mean this conversation alone.
func (s *stage) sessionOnly() string {
	if s.OrderRPC() {
		return " -s"
	}
	return ""
}

// send gives a chat command, to which no account answers.
func (s *stage) send(t *testing.T, r *lab.RPC, session, text string) {
	t.Helper()
	r.Must(t, "chat.send", map[string]any{"sessionKey": session, "message": text, "idempotencyKey": session + time.Now().String()})
}

// say sends a chat command and returns once doctor sees what comes of it. The
// gateway drops a command that meets another one under way.
func (s *stage) say(t *testing.T, r *lab.RPC, d *daemon, session, text string, want func(report) bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		s.send(t, r, session, text)
		for again := time.Now().Add(10 * time.Second); time.Now().Before(again); time.Sleep(500 * time.Millisecond) {
			if want(d.doctor(t)) {
				return
			}
		}
	}
	t.Fatalf("nothing came of %s in %s: %+v", text, session, d.doctor(t).Findings)
}

// A gateway that does not let ocwatch in, or not far enough: it takes a reverse
// proxy on its own machine for a stranger.
func findsGatewayTooStrict(t *testing.T, s *stage) {
	t.Helper()
	wrong := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(wrong, []byte("not-the-token\n"), 0o600))
	d := newDaemon(t, s, "openclaw: {gateway: {token_file: "+wrong+"}}")
	d.doctor(t).one(t, "gateway.unauthorized", "warning", s.GatewayURL())

	target, err := url.Parse(strings.Replace(s.GatewayURL(), "ws:", "http:", 1))
	must(t, err)
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.SetXForwarded()
	}})
	defer front.Close()
	behind := strings.Replace(front.URL, "http:", "ws:", 1)
	want := "gateway.scopes"
	if s.OrderRPC() {
		want = "gateway.refused"
	}
	got := newDaemon(t, s, "openclaw: {gateway: {url: "+behind+"}}").doctor(t)
	if f := got.one(t, want, "warning", behind); !strings.Contains(f.Fix, "openclaw.gateway.url") || slices.Contains(got.OpenClaw.Scopes, "operator.admin") {
		t.Errorf("behind a proxy: scopes %v, %+v", got.OpenClaw.Scopes, f)
	}
}

// The world around OpenClaw: a provider's clock, a provider, receivers, and who
// may write ocwatch's config.
func findsWorldWrong(t *testing.T, s *stage) {
	t.Helper()
	clock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	defer clock.Close()
	d := newDaemon(t, s, "heartbeat: {url: 'http://127.0.0.1:1/secret-path'}")
	b, err := os.ReadFile(d.config)
	must(t, err)
	nobody := "http://127.0.0.1:2"
	text := strings.ReplaceAll(string(b), s.Provider.URL+"/backend-api", clock.URL+"/backend-api")
	text = strings.ReplaceAll(text, s.Provider.URL+"/api/oauth", nobody+"/api/oauth")
	must(t, os.WriteFile(d.config, []byte(text), 0o600))
	r := d.doctor(t)
	r.one(t, "clock.skew", "error", clock.URL)
	r.one(t, "provider.unreachable", "warning", nobody)
	r.one(t, "notify.unreachable", "warning", "heartbeat")

	d = newDaemon(t, s)
	must(t, os.Chmod(d.config, 0o620))
	f := d.doctor(t).one(t, "file.mode", "warning", d.config)
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", f.Fix).CombinedOutput(); err != nil {
		t.Errorf("%s: %v %s", f.Fix, err, out)
	}
	if again := d.doctor(t).of("file.mode"); len(again) > 0 {
		t.Errorf("after its command it still says %+v", again)
	}
}

// Of an OpenClaw that is stopped, doctor says so, and looks without a trace; one
// whose config is broken it can tell nothing else of.
func findsStopped(t *testing.T, s *stage) {
	t.Helper()
	s.gateway.Stop(t)
	d := newDaemon(t, s)
	before := s.SnapshotFiles(t)
	s.mustFind(t, d.doctor(t), "error", "gateway.down")
	changed := slices.DeleteFunc(lab.Changed(before, s.SnapshotFiles(t)), func(name string) bool {
		return strings.HasSuffix(name, ".sqlite-shm") || strings.HasSuffix(name, ".sqlite-wal")
	})
	if len(changed) > 0 {
		t.Errorf("looking at a stopped OpenClaw changed %v", changed)
	}

	path := filepath.Join(s.StateDir, "openclaw.json")
	whole, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
	r := d.doctor(t)
	s.mustFind(t, r, "error", "openclaw.config")
	f := r.one(t, "openclaw.config", "error", path)
	args := strings.Fields(strings.TrimPrefix(f.Fix, "openclaw "))
	if out, stderr, err := s.TryCLI(t, args...); err == nil || !strings.Contains(out+stderr, "JSON5") {
		t.Errorf("%s says %q, %v: not what is wrong with the file", f.Fix, out+stderr, err)
	}
	must(t, os.WriteFile(path, whole, 0o600))
}

// mustFind: these are all the findings of that severity.
func (s *stage) mustFind(t *testing.T, r report, severity string, ids ...string) {
	t.Helper()
	if got := r.kinds(severity); !slices.Equal(got, ids) {
		t.Errorf("of severity %s it finds %v, want %v: %+v", severity, got, ids, r.Findings)
	}
}

// What OpenClaw's own command leaves behind: a token that ends soon, one that has
// ended, and a config that hides every profile but those two.
func findsPastedTokens(t *testing.T, s *stage) {
	t.Helper()
	// Over is first: it has ended once the next command has run.
	for _, token := range []struct{ name, ends string }{{"anthropic:over", "1s"}, {"anthropic:soon", "5d"}} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		cmd := exec.CommandContext(ctx, s.Install.CLI(), "models", "auth", "paste-token", "--provider", "anthropic", "--profile-id", token.name, "--expires-in", token.ends)
		cmd.Env, cmd.Dir = s.Env(), s.Home
		cmd.Stdin = strings.NewReader("sk-ant-oat01-lab-" + strings.NewReplacer(":", "-").Replace(token.name) + strings.Repeat("x", 80) + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	d := newDaemon(t, s)
	r := d.doctor(t)
	r.one(t, "login.expiring", "warning", "anthropic:soon")
	r.one(t, "login.dead", "warning", "anthropic:over")
	f := r.one(t, "order.excluded", "warning", "main / anthropic")
	if !strings.Contains(f.What, "anthropic:acc1, anthropic:acc2") {
		t.Errorf("hidden are acc1 and acc2, and it says %q", f.What)
	}
	mend(t, s.Lab, f)
	if again := d.doctor(t).of("order.excluded"); len(again) > 0 {
		t.Errorf("after its command it still says %+v", again)
	}
}

// TestDoctorMigration: a current release over the files of an older one, in which
// two profiles are one account and one was not used for long.
func TestDoctorMigration(t *testing.T) {
	t.Parallel()
	if !night() {
		t.Skip("it runs at night: make e2e-night")
	}
	old := lab.New(t, lab.Options{Version: lab.JSONFiles})
	path := filepath.Join(old.StateDir, "agents", "main", "agent", "auth-profiles.json")
	b, err := os.ReadFile(path)
	must(t, err)
	var doc map[string]any
	must(t, json.Unmarshal(b, &doc))
	profiles, _ := doc["profiles"].(map[string]any)
	profiles["openai-codex:work"] = profiles[old.ID("alice")]
	if carol, ok := profiles[old.ID("carol")].(map[string]any); ok {
		carol["expires"] = time.Now().Add(-20 * 24 * time.Hour).UnixMilli()
	}
	b, err = json.Marshal(doc)
	must(t, err)
	must(t, os.WriteFile(path, b, 0o600))
	s := &stage{Lab: old}
	r := newDaemon(t, s).doctor(t)
	r.one(t, "account.duplicate", "warning", old.ID("alice")+", openai-codex:work")
	r.one(t, "login.idle", "warning", old.ID("carol"))

	l := lab.New(t, lab.Options{Version: lab.SharedDatabase})
	for _, name := range []string{"agents", "state"} {
		must(t, os.RemoveAll(filepath.Join(l.StateDir, name)))
	}
	must(t, os.CopyFS(filepath.Join(l.StateDir, "agents"), os.DirFS(filepath.Join(old.StateDir, "agents"))))
	s = &stage{Lab: l}
	if out, stderr, err := l.TryCLI(t, "models", "auth", "list"); err == nil || !strings.Contains(out+stderr, "doctor --fix") {
		t.Errorf("OpenClaw lists profiles that await its doctor: %v %s %s", err, out, stderr)
	}
	d := newDaemon(t, s)
	f := d.doctor(t).one(t, "store.needs-migration", "error", "main")
	f.Fix = strings.TrimPrefix(f.Fix, "run ") + " --non-interactive --yes"
	mend(t, l, f)
	r = d.doctor(t)
	if left := r.of("store.needs-migration"); len(left) > 0 {
		t.Errorf("after its command it still says %+v", left)
	}
	r.one(t, "account.duplicate", "warning", l.ID("alice")+", openai:work")
}
