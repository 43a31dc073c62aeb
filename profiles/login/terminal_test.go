package login

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// deviceScreen and linkScreen are what OpenClaw shows, in short.
const (
	deviceScreen = `printf '◒  Requesting device code…\r\033[2K◇  OpenAI Codex device code ──╮\r\n│  URL: <https://auth.openai.com/codex/device>  │\r\n│  Code: ABCD-12345  │\r\n│  Code expires in 15 minutes. Never share it.  │\r\n├──╯\r\n'
`
	linkScreen = `printf 'Open this URL in your LOCAL browser:\r\n\r\nhttps://auth.openai.com/oauth/authorize?response_type=code&state=` + goodState + `\r\n\r\n◆  Paste the authorization code (or full redirect URL):\r\n│  _\r\n└\r\n'
`
	// approvedScreen waits until somebody approves.
	approvedScreen = `while [ ! -e approved ]; do sleep 0.02; done
printf '◇  OpenAI device code complete\r\n'
`
	namedScreen = `printf 'Auth profile: openai:dave@example.com (openai/oauth)\r\n'
`
)

// stage is a stand-in for OpenClaw's command, and a store that shows what it
// does: openai:dave@example.com once the file "stored" is there, and another
// credential of openai:alice once "renewed" is.
type stage struct {
	dir   string
	store *fileStore
	*Starter
}

// newStage runs script for a login. Its files are in the working directory.
func newStage(t *testing.T, script string) *stage {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, ".openclaw")
	command := filepath.Join(home, "openclaw")
	content := `#!/bin/sh
echo "$*" >>calls
case "$*" in
*" login --help") [ -e no-codes ] || option="  --device-code      Use the provider device-code auth method"
	printf 'Usage: openclaw models auth login [options]\n\nOptions:\n%s\n' "$option"; exit 0 ;;
esac
echo $$ >pid
` + script
	for path, text := range map[string]string{filepath.Join(dir, "openclaw.json"): "{}", command: content} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	i, err := openclaw.Find(openclaw.Options{Home: home, Command: command, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{dir: dir, store: &fileStore{dir: dir}}
	s.Starter = New(Options{CLI: i.CLI(), Store: s.store, Log: zerolog.Nop()})
	s.limits.look = 20 * time.Millisecond
	return s
}

type fileStore struct {
	dir string

	mu  sync.Mutex
	err error
}

func (s *fileStore) Snapshot(context.Context) (profiles.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := revisions{"openai:alice": 1}
	if s.has("stored") {
		r["openai:dave@example.com"] = 3
	}
	if s.has("renewed") {
		r["openai:alice"] = 2
	}
	return of(pool("main", "openai", r)), s.err
}

func (s *fileStore) has(name string) bool {
	_, err := os.Stat(filepath.Join(s.dir, name))
	return err == nil
}

func (s *stage) touch(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) begin(t *testing.T) *Attempt {
	t.Helper()
	a, err := s.Start(t.Context(), Request{Agent: "main", Provider: "openai"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Cancel)
	return a
}

// ended fails unless the login command has gone, and what it started with it.
func (s *stage) ended(t *testing.T) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the login's process group is gone", func() bool {
		return errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH)
	})
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !condition(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		}
	}
}

func (s *stage) calls(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, "calls"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestTerminalLoginByCode(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		limits       func(*limits)
		want         Result
	}{
		{"to the end", approvedScreen + "touch stored\n" + namedScreen, nil, Result{"openai:dave@example.com", true}},
		{"hangs once it is stored", approvedScreen + "touch stored\nsleep 300", func(l *limits) { l.settle = time.Millisecond }, Result{"openai:dave@example.com", true}},
		{"hangs once it is named", approvedScreen + "touch stored\n" + namedScreen + "sleep 300", func(l *limits) { l.part = time.Millisecond }, Result{"openai:dave@example.com", true}},
		{"hangs, and a grown-up profile is named", approvedScreen + "touch renewed\nprintf 'Auth profile: openai:alice (openai/oauth)\\n'; sleep 300", func(l *limits) { l.part = time.Millisecond }, Result{"openai:alice", false}},
		{"the same account again, and it hangs", approvedScreen + "touch renewed\nsleep 300", func(l *limits) { l.settle = time.Millisecond }, Result{"openai:alice", false}},
		{
			"asks about restrictions",
			approvedScreen + "touch stored\n" + namedScreen + `stty raw; printf '◆  Your current model restrictions may hide OpenAI models. Choose which models to show.\r\n│  ● Keep current restrictions\r\n'
[ "$(dd bs=1 count=1 2>/dev/null | od -An -c | tr -d ' ')" = '\r' ] && touch kept`,
			nil,
			Result{"openai:dave@example.com", true},
		},
		{"fails after it is stored", approvedScreen + "touch stored\necho 'Error: the config cannot be written'; exit 1", nil, Result{"openai:dave@example.com", true}},
		{"closes its terminal once it is stored", approvedScreen + "touch stored\nexec sleep 300 <&- >&- 2>&-", func(l *limits) { l.exit = time.Millisecond }, Result{"openai:dave@example.com", true}},
		{"no store to see", approvedScreen + namedScreen, nil, Result{}},
		{"much to say", "head -c 3000000 /dev/zero | tr '\\0' x; echo; yes 'a line of no use' | head -n 20000\n" + deviceScreen + approvedScreen + "touch stored", nil, Result{"openai:dave@example.com", true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, deviceScreen+tc.script)
			if tc.limits != nil {
				tc.limits(&s.limits)
			}
			a := s.begin(t)
			p := a.Prompt()
			left := time.Until(p.ExpiresAt)
			if p.URL != "https://auth.openai.com/codex/device" || p.Code != "ABCD-12345" || p.Paste || p.Via != ViaTerminal || left < 14*time.Minute || left > 15*time.Minute {
				t.Errorf("prompt %+v", p)
			}
			if err := a.Paste(t.Context(), good); !errors.Is(err, ErrNoPaste) {
				t.Errorf("a login by code takes an address: %v", err)
			}
			s.touch(t, "approved")
			got, err := a.Wait(within(t))
			if err != nil || got != tc.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tc.want)
			}
			if tc.name == "asks about restrictions" && !s.store.has("kept") {
				t.Error("Enter did not arrive")
			}
			s.ended(t)
		})
	}
}

func TestTerminalLoginCallsOpenClaw(t *testing.T) {
	s := newStage(t, deviceScreen+"touch stored; "+namedScreen)
	a, err := s.Start(t.Context(), Request{Agent: "work", Provider: "openai", Profile: "openai:dave@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Cancel)
	want := []string{"models auth login --help", "models auth --agent work login --provider openai --device-code --profile-id openai:dave@example.com"}
	if got := s.calls(t); !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
}

func TestTerminalLoginThatFails(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		limits       func(*limits)
		want         error
		words        string
	}{
		{"denied", "echo 'OpenAI device authorization failed: access_denied (The request was denied by the user.)'; exit 1", nil, nil, "denied"},
		{"expired at the provider", "echo 'Error: OpenAI device authorization failed: expired_token (The code has expired.)'; exit 1", nil, ErrExpired, ""},
		{"expired at openclaw", "echo 'OpenAI device authorization timed out after 15 minutes.'; exit 1", nil, ErrExpired, ""},
		{"nobody ends it", "sleep 300", func(l *limits) { l.life = time.Second }, ErrExpired, ""},
		{"left like a prompt", "exit 0", nil, nil, "without having stored"},
		{"killed", "kill -9 $$", nil, nil, "ended from outside"},
		{"a crash without a word", "exec >/dev/null 2>&1; exit 9", nil, nil, "exit code"},
		{"a network that is down", "echo 'Error: getaddrinfo ENOTFOUND auth.openai.com'; exit 1", nil, nil, "could not reach"},
		{"words nobody knows", "echo 'Error: the moon is in the wrong phase'; exit 1", nil, nil, "the moon is in the wrong phase"},
		{"a question", "printf '◆  Overwrite the existing profile?\\r\\n'; sleep 300", nil, nil, "Overwrite the existing profile"},
		{"closes its terminal", "exec sleep 300 <&- >&- 2>&-", func(l *limits) { l.exit = time.Millisecond }, nil, ""},
		{"another login's credential meanwhile", "touch renewed; sleep 0.3; exit 1", nil, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, deviceScreen+"while [ ! -e approved ]; do sleep 0.02; done\n"+tc.script)
			if tc.limits != nil {
				tc.limits(&s.limits)
			}
			a := s.begin(t)
			s.touch(t, "approved")
			_, err := a.Wait(within(t))
			failed, ok := errors.AsType[*FailedError](err)
			switch {
			case tc.want != nil && !errors.Is(err, tc.want):
				t.Errorf("got %v, want %v", err, tc.want)
			case tc.want == nil && (!ok || !strings.Contains(failed.Error(), tc.words)):
				t.Errorf("got %v, want words %q", err, tc.words)
			}
			s.ended(t)
		})
	}
}

func TestTerminalLoginThatHasNoPrompt(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         error
		words        string
	}{
		{"a menu", "printf '◆  Auth method for Example\\r\\n│  ● One\\r\\n'; sleep 300", ErrNotOffered, ""},
		{"no such method", "echo 'Error: Unknown auth method. Run …'; exit 1", ErrNotOffered, ""},
		{"no such provider", "echo 'No provider plugins found. Install one via …'; exit 1", ErrNotOffered, ""},
		{"no such agent", `echo 'Unknown agent id "nosuch". Use …'; exit 1`, nil, "no agent of this name"},
		{"a crash", "echo 'Error: cannot find module x'; exit 1", nil, "cannot find module"},
		{"taken over", "touch stored; echo 'Auth profile: openai:dave@example.com (openai/oauth, imported)'", nil, "took over the sign-in of another program"},
		{"nothing asked", "touch stored; " + namedScreen, nil, "without asking anybody"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, tc.script)
			_, err := s.Start(t.Context(), Request{Agent: "main", Provider: "openai"})
			failed, ok := errors.AsType[*FailedError](err)
			if tc.want != nil && !errors.Is(err, tc.want) || tc.want == nil && (!ok || !strings.Contains(failed.Error(), tc.words)) {
				t.Errorf("got %v, want %v %q", err, tc.want, tc.words)
			}
			s.ended(t)
		})
	}
}

func TestTerminalLoginThatShowsNothingInTime(t *testing.T) {
	s := newStage(t, "sleep 300")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := s.Start(ctx, Request{Agent: "main", Provider: "openai"})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "neither a code nor a link") {
		t.Errorf("got %v", err)
	}
	s.ended(t)
}

// A release that does not say when a code ends is not waited for.
func TestTerminalLoginWithoutExpiry(t *testing.T) {
	s := newStage(t, `printf '│  URL: https://example.com/device  │\r\n│  Code: ABCD-EFGH  │\r\n'; sleep 300`)
	s.limits.expiry = 20 * time.Millisecond
	if p := s.begin(t).Prompt(); p.Code != "ABCD-EFGH" || !p.ExpiresAt.IsZero() {
		t.Errorf("prompt %+v", p)
	}
}

// linkScript takes one line and stores what is right.
const linkScript = linkScreen + `IFS= read -r line; line=$(printf %s "$line" | tr -d '\r')
printf '│  %s\r\n' "$line"
case "$line" in
"` + callbackAddress + `?code=ac_invented-Code.0123456789~x&state=` + goodState + `") touch stored; ` + namedScreen + ` ;;
*) printf 'Error: token exchange: {"error":"bad","got":"%s"}\r\n' "$line"; exit 1 ;;
esac`

func TestTerminalLoginByLink(t *testing.T) {
	s := newStage(t, linkScript)
	s.touch(t, "no-codes")
	a := s.begin(t)
	p := a.Prompt()
	if !p.Paste || p.Code != "" || !strings.HasPrefix(p.URL, "https://auth.openai.com/oauth/authorize?") || !p.ExpiresAt.IsZero() {
		t.Errorf("prompt %+v", p)
	}
	for _, wrong := range []string{"", "hello", callbackAddress + "?error=access_denied", strings.Replace(good, goodState, "other", 1)} {
		var e *PasteError
		if err := a.Paste(within(t), wrong); !errors.As(err, &e) {
			t.Fatalf("paste of %q: %v", wrong, err)
		}
	}
	if err := a.Paste(within(t), " "+good+"\n"); err != nil {
		t.Fatalf("paste: %v", err)
	}
	if got, err := a.Wait(within(t)); err != nil || got != (Result{"openai:dave@example.com", true}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := a.Paste(within(t), good); err != nil {
		t.Errorf("a paste after the end: %v", err)
	}
	if got := s.calls(t); strings.Contains(got[1], "--device-code") {
		t.Errorf("called %q", got)
	}
}

// The same account again by link, and OpenClaw hangs once it is stored.
func TestTerminalLoginByLinkHangs(t *testing.T) {
	s := newStage(t, linkScreen+"IFS= read -r line; touch renewed; sleep 300")
	s.limits.settle = time.Millisecond
	a := s.begin(t)
	if err := a.Paste(within(t), good); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Wait(within(t)); err != nil || got != (Result{"openai:alice", false}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTerminalLoginByLinkRefused(t *testing.T) {
	s := newStage(t, linkScript)
	a := s.begin(t)
	err := a.Paste(within(t), strings.Replace(good, "ac_invented", "ac_another", 1))
	if _, ok := errors.AsType[*FailedError](err); !ok {
		t.Fatalf("got %v", err)
	}
	_, again := a.Wait(within(t))
	for _, shown := range []string{err.Error(), again.Error()} {
		if strings.Contains(shown, "ac_another") || strings.Contains(shown, goodState) {
			t.Errorf("the error holds what was pasted: %s", shown)
		}
	}
}

// One try is all that OpenClaw gives, so a second paste must not follow the
// first while that is looked at.
func TestTerminalLoginTakesOneAddress(t *testing.T) {
	s := newStage(t, linkScreen+"IFS= read -r line; touch taken; sleep 300")
	a := s.begin(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { first <- a.Paste(ctx, good) }()
	eventually(t, "the first address was taken", func() bool { return s.store.has("taken") })
	var e *PasteError
	if err := a.Paste(t.Context(), good); !errors.As(err, &e) {
		t.Errorf("a second address: %v", err)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
}

func TestTerminalLoginFallsBackToALink(t *testing.T) {
	s := newStage(t, `case "$*" in *--device-code*) echo 'OpenAI Codex device code login is not enabled for this server. Use ChatGPT OAuth instead.'; exit 1 ;; esac
`+linkScreen+"sleep 300")
	if p := s.begin(t).Prompt(); !p.Paste {
		t.Errorf("prompt %+v", p)
	}
}

func TestTerminalLoginCancelled(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         error
	}{
		{"while it waits", "sleep 300 & wait", ErrCancelled},
		{"deaf", "trap '' TERM HUP; while :; do sleep 0.1; done", ErrCancelled},
		{"too late", "touch stored; sleep 300", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, deviceScreen+tc.script)
			s.limits.look = time.Hour // it looks for itself
			a := s.begin(t)
			if tc.want == nil {
				eventually(t, "the login is stored", func() bool { return s.store.has("stored") })
			}
			var all sync.WaitGroup
			for range 3 {
				all.Go(a.Cancel)
			}
			start := time.Now()
			all.Wait()
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if _, err := a.Wait(within(t)); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			s.ended(t)
		})
	}
}

func TestStartRefuses(t *testing.T) {
	unreadable := newStage(t, "")
	unreadable.store.err = errors.New("the disk is on fire")
	for _, tc := range []struct {
		name  string
		stage *stage
		r     Request
		want  string
	}{
		{"anthropic", newStage(t, ""), Request{Agent: "main", Provider: "anthropic"}, ErrNotOffered.Error()},
		{"no agent", newStage(t, ""), Request{Provider: "openai"}, "no agent id"},
		{"an option for a provider", newStage(t, ""), Request{Agent: "main", Provider: "--force"}, "no provider id"},
		{"a profile with a blank", newStage(t, ""), Request{Agent: "main", Provider: "openai", Profile: "a b"}, "no profile id"},
		{"a store that cannot be read", unreadable, Request{Agent: "main", Provider: "openai"}, "on fire"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.stage.Start(t.Context(), tc.r)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if calls := tc.stage.calls(t); calls != nil {
				t.Errorf("openclaw was called: %q", calls)
			}
		})
	}
}

func TestStartPrefersTheGateway(t *testing.T) {
	for _, tc := range []struct {
		name    string
		gateway func() *fakeGateway
		profile string
		want    Via
	}{
		{"it has a login", func() *fakeGateway { return newFakeGateway(stepStarting, stepCode) }, "", ViaGateway},
		{"a chosen id", func() *fakeGateway { return newFakeGateway() }, "openai:work", ViaTerminal},
		{"too old", func() *fakeGateway { g := newFakeGateway(); g.lacks = methodLogin; return g }, "", ViaTerminal},
		{"down", func() *fakeGateway {
			g := newFakeGateway()
			g.refuse["hello"] = fmt.Errorf("%w: refused", openclaw.ErrGatewayDown)
			return g
		}, "", ViaTerminal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, deviceScreen+"sleep 300")
			s.Dial = func() Gateway { return tc.gateway() }
			a, err := s.Start(t.Context(), Request{Agent: "main", Provider: "openai", Profile: tc.profile})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Cancel()
			if got := a.Prompt(); got.Via != tc.want || got.Code == "" {
				t.Errorf("prompt %+v, want %s", got, tc.want)
			}
		})
	}
}

// The gateway's own refusal says more than that the command has nothing.
func TestStartTellsTheGatewaysReason(t *testing.T) {
	s := newStage(t, "echo 'Unknown auth method.'; exit 1")
	g := newFakeGateway()
	g.refuse[methodLogin] = &openclaw.RPCError{Method: methodLogin, Message: "busy", Detail: busyDetail}
	s.Dial = func() Gateway { return g }
	_, err := s.Start(t.Context(), Request{Agent: "main", Provider: "openai"})
	if err == nil || !strings.Contains(err.Error(), "busy with another login") {
		t.Errorf("got %v", err)
	}
}
