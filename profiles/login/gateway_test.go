package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// The steps are as OpenClaw 2026.9.6 sends them.
const (
	stepStarting = `{"done":false,"status":"running","step":{"id":"s1","type":"progress","message":"Starting device code flow…","executor":"gateway"}}`
	stepCode     = `{"done":false,"status":"running","step":{"title":"OpenAI Codex device code","deviceCode":{"code":"TC6Z-ISEQO","expiresInMinutes":15,"message":"Enter this one-time code on the sign-in page."},` +
		`"message":"Enter this one-time code","id":"s2","type":"progress","executor":"gateway","externalUrl":"https://auth.openai.com/codex/device"}}`
	stepKeep = `{"done":false,"status":"running","step":{"type":"select","message":"Your current model restrictions may hide OpenAI models.","options":[{"value":"all","label":"Show all"},{"value":"keep","label":"Keep"}],` +
		`"initialValue":"keep","executor":"client","externalUrl":"https://auth.openai.com/codex/device","id":"s3"}}`
	stepHelp  = `{"done":false,"status":"running","step":{"type":"note","title":"OAuth help","message":"Trouble with device code login?","executor":"client","id":"s4"}}`
	stateDone = `{"done":true,"status":"done"}`

	capabilities = `{"providerCapabilities":[{"provider":"anthropic","apiKeySupported":true},` +
		`{"provider":"openai","loginOptions":[{"id":"openai/openai","kind":"oauth","featured":true},{"id":"openai/other","kind":"device-code"},` +
		`{"id":"openai/openai-device-code","kind":"device-code","featured":true},{"id":"openai/third","kind":"device-code"}]}]}`
)

// fakeGateway plays a gateway from a script: each wizard.next takes the next
// line, and waits where there is none.
type fakeGateway struct {
	lacks  string // a method that is not announced
	refuse map[string]error
	script chan string
	stuck  bool // wizard.cancel is not answered

	mu      sync.Mutex
	calls   []string
	answers []string
	choice  string
	closed  chan struct{}
	cancels int
}

func newFakeGateway(script ...string) *fakeGateway {
	g := &fakeGateway{refuse: map[string]error{}, script: make(chan string, 32), closed: make(chan struct{})}
	for _, line := range script {
		g.script <- line
	}
	return g
}

func (g *fakeGateway) Has(_ context.Context, method string) (bool, error) {
	return method != g.lacks, g.refuse["hello"]
}

func (g *fakeGateway) Call(ctx context.Context, method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.calls = append(g.calls, method)
	g.mu.Unlock()
	if err := g.refuse[method]; err != nil {
		return err
	}
	switch method {
	case methodStatus:
		return json.Unmarshal([]byte(capabilities), result)
	case methodLogin:
		var p struct{ AuthChoice, AgentID, SessionID string }
		err := json.Unmarshal(raw, &p)
		g.choice = p.AgentID + " " + p.AuthChoice
		return err
	case methodCancel:
		return g.cancel(ctx)
	case methodNext:
		return g.next(ctx, raw, result)
	case "models.authRefresh", "secrets.reload":
		return nil
	default:
		return fmt.Errorf("unexpected call of %s", method)
	}
}

func (g *fakeGateway) cancel(ctx context.Context) error {
	g.mu.Lock()
	g.cancels++
	g.mu.Unlock()
	if g.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	g.script <- `{"done":true,"status":"cancelled","error":"cancelled"}`
	return nil
}

func (g *fakeGateway) next(ctx context.Context, raw []byte, result any) error {
	var p struct {
		Answer *struct {
			StepID string `json:"stepId"`
			Value  any    `json:"value"`
		} `json:"answer"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	if p.Answer != nil {
		g.mu.Lock()
		g.answers = append(g.answers, fmt.Sprint(p.Answer.StepID, "=", p.Answer.Value))
		g.mu.Unlock()
	}
	select {
	case line := <-g.script:
		if line == "lost" {
			return fmt.Errorf("%w: the connection was lost", openclaw.ErrGatewayDown)
		}
		if line == "draining" {
			return &openclaw.RPCError{Method: methodNext, Code: "UNAVAILABLE", Message: "wizard.next unavailable during gateway restart", Retryable: true}
		}
		if line == "gone" {
			return &openclaw.RPCError{Method: methodNext, Code: "INVALID_REQUEST", Message: "wizard not found", Detail: "WIZARD_NOT_FOUND"}
		}
		return json.Unmarshal([]byte(line), result)
	case <-g.closed:
		return fmt.Errorf("%w: this client was closed", openclaw.ErrGatewayDown)
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}

func (g *fakeGateway) Close() error {
	close(g.closed) // twice is a mistake, and panics
	return nil
}

func (g *fakeGateway) isClosed() bool {
	select {
	case <-g.closed:
		return true
	default:
		return false
	}
}

func request() Request { return Request{Agent: "main", Provider: "openai"} }

func TestGatewayLoginGivesLinkAndCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGateway(stepStarting, stepCode, stepCode)
		f, err := startGateway(t.Context(), g, request())
		if err != nil {
			t.Fatal(err)
		}
		want := Prompt{
			URL: "https://auth.openai.com/codex/device", Code: "TC6Z-ISEQO", Via: ViaGateway,
			ExpiresAt: time.Now().Add(15 * time.Minute),
		}
		if got := f.prompt(); got != want {
			t.Errorf("prompt %+v, want %+v", got, want)
		}
		if g.choice != "main openai/openai-device-code" {
			t.Errorf("chose %q, want the featured login by code", g.choice)
		}
		if err := f.paste(t.Context(), "http://localhost:1455/"); !errors.Is(err, ErrNoPaste) {
			t.Errorf("paste: %v, want ErrNoPaste", err)
		}
		g.script <- stepKeep
		g.script <- stepHelp
		g.script <- stateDone
		for range 2 { // it may be asked again
			if err := f.wait(t.Context()); err != nil {
				t.Errorf("the login failed: %v", err)
			}
		}
		if want := []string{"s3=keep", "s4=true"}; !slices.Equal(g.answers, want) {
			t.Errorf("answers %v, want %v", g.answers, want)
		}
		if !g.isClosed() {
			t.Error("the connection stayed open")
		}
		f.cancel() // too late, and no harm
	})
}

func TestGatewayLoginThatCannotStart(t *testing.T) {
	down := fmt.Errorf("%w at 127.0.0.1:1", openclaw.ErrGatewayDown)
	refuse := func(method string, err error) func(*fakeGateway) {
		return func(g *fakeGateway) { g.refuse[method] = err }
	}
	say := func(lines ...string) func(*fakeGateway) {
		return func(g *fakeGateway) {
			for _, line := range lines {
				g.script <- line
			}
		}
	}
	for _, tc := range []struct {
		name    string
		gateway func(*fakeGateway)
		request Request
		is      error  // what it is, or
		says    string // what a *FailedError says
	}{
		{"an older gateway", func(g *fakeGateway) { g.lacks = methodLogin }, request(), ErrNotOffered, ""},
		{"no login by code for the provider", say(), Request{Agent: "main", Provider: "anthropic"}, ErrNotOffered, ""},
		{"an id of our own", say(), Request{Agent: "main", Provider: "openai", Profile: "openai:work"}, ErrNotOffered, ""},
		{"no gateway", refuse("hello", down), request(), openclaw.ErrGatewayDown, ""},
		{"a gateway that goes", refuse(methodLogin, down), request(), openclaw.ErrGatewayDown, ""},
		{"a gateway that is slow", refuse(methodStatus, context.DeadlineExceeded), request(), context.DeadlineExceeded, ""},
		{
			"another login under way", refuse(methodLogin, &openclaw.RPCError{
				Code: "UNAVAILABLE", Message: "OpenClaw setup is already in progress; try again when it finishes.", Detail: busyDetail,
			}),
			request(), nil, "another login",
		},
		{
			"a refusal", refuse(methodLogin, &openclaw.RPCError{Code: "INVALID_REQUEST", Message: "That provider login is no longer available."}),
			request(), nil, "no longer available",
		},
		{
			"an agent that is not there", say(`{"done":true,"status":"error","error":"Unknown agent id \"nobody\". Use \"openclaw agents list\"."}`),
			request(), nil, "Unknown agent id",
		},
		{
			"no login by code for the account", say(stepStarting, `{"done":true,"status":"error","error":"OpenAI Codex device code login is not enabled for this server. Use ChatGPT OAuth instead."}`),
			request(), nil, "no login by code",
		},
		{"a code without a link", say(strings.Replace(stepCode, "https://auth.openai.com/codex/device", "javascript:alert(1)", 1)), request(), nil, "no link"},
		{"a lost connection", say(stepStarting, "lost"), request(), nil, "connection to the gateway was lost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newFakeGateway()
				tc.gateway(g)
				f, err := startGateway(t.Context(), g, tc.request)
				if f != nil || err == nil {
					t.Fatalf("it started: %v", f)
				}
				if tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("got %v, want %v", err, tc.is)
				}
				if failed, ok := errors.AsType[*FailedError](err); tc.says != "" && (!ok || !strings.Contains(failed.What, tc.says)) {
					t.Errorf("got %v, want a failure that says %q", err, tc.says)
				}
				if !g.isClosed() {
					t.Error("the connection stayed open")
				}
			})
		})
	}
}

func TestGatewayLoginEnds(t *testing.T) {
	failed := func(text string) string { return `{"done":true,"status":"error","error":"` + text + `"}` }
	for _, tc := range []struct {
		name, last string
		is         error
		says       string
	}{
		{"done", stateDone, nil, ""},
		{"denied", failed("OpenAI device authorization failed: access_denied (The request was denied by the user.)"), nil, "denied"},
		{"expired at the provider", failed("OpenAI device authorization failed: expired_token (The code has expired.)"), ErrExpired, ""},
		{"expired at OpenClaw", failed("OpenAI device authorization timed out after 15 minutes."), ErrExpired, ""},
		{"a request that took too long is no expiry", failed("OpenAI device code token exchange timed out after 30000ms"), nil, "token exchange timed out"},
		{"the wizard's own time", `{"done":true,"status":"cancelled","error":"cancelled"}`, ErrExpired, ""},
		{"stored, and the gateway does not know it yet", failed("Your sign-in was saved, but the connection update could not be confirmed. Send /login refresh in chat to try again."), nil, ""},
		{"stored, without its place in the order", failed("The auth profile was saved, but its order could not be updated because the auth store is busy."), nil, ""},
		{"stored, without the provider's settings", failed("Credentials saved, but provider settings could not be applied: no"), nil, ""},
		{"not stored", failed("The credentials could not be saved."), nil, "could not be saved"},
		{"the gateway stops", failed("Gateway is shutting down; restart it before continuing setup."), nil, "shutting down"},
		{"no reason", failed(""), nil, "no reason"},
		{"the connection is lost", "lost", nil, "connection to the gateway was lost"},
		{"the gateway restarts", "draining", nil, "stops or restarts"},
		{"a new connection", "gone", nil, "connection to the gateway was lost"},
		{"a question for a person", `{"done":false,"status":"running","step":{"id":"x","type":"text","message":"Your tenant?"}}`, nil, "Your tenant?"},
		{"a choice without keep", `{"done":false,"status":"running","step":{"id":"x","type":"select","message":"Which?","options":[{"value":"all"},{"value":7}]}}`, nil, "Which?"},
		{"something unheard of", `{"done":false,"status":"running","step":{"id":"x","type":"hologram","message":"?"}}`, nil, "only a person"},
		{"neither a step nor an end", `{"done":false,"status":"running"}`, nil, "only a person"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newFakeGateway(stepCode, tc.last)
				f, err := startGateway(t.Context(), g, request())
				if err != nil {
					t.Fatal(err)
				}
				err = f.wait(t.Context())
				if failed, ok := errors.AsType[*FailedError](err); tc.says != "" && (!ok || !strings.Contains(failed.What, tc.says)) {
					t.Errorf("got %v, want a failure that says %q", err, tc.says)
				}
				if tc.says == "" && !errors.Is(err, tc.is) {
					t.Errorf("got %v, want %v", err, tc.is)
				}
				if !g.isClosed() {
					t.Error("the connection stayed open, and the login with it")
				}
			})
		})
	}
}

func TestGatewayLoginIsNotCutOffWhileNobodyApproves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGateway(stepCode, stepKeep)
		f, err := startGateway(t.Context(), g, request())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Minute)
		g.script <- stateDone
		if err := f.wait(t.Context()); err != nil {
			t.Errorf("approved after 14 minutes: %v", err)
		}
		if want := []string{"s3=keep"}; !slices.Equal(g.answers, want) {
			t.Errorf("answers %v, want %v: an answer goes along once", g.answers, want)
		}
	})
}

func TestGatewayLoginHasAnEndOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGateway(stepCode)
		f, err := startGateway(t.Context(), g, request())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := f.wait(t.Context()); !errors.Is(err, ErrExpired) {
			t.Errorf("got %v, want ErrExpired", err)
		}
		if took := time.Since(began); took != gatewayLife || g.cancels != 1 || !g.isClosed() {
			t.Errorf("ended after %v, cancelled %d times, closed %v", took, g.cancels, g.isClosed())
		}
	})
}

func TestGatewayLoginIsCancelled(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		t.Run(fmt.Sprint("a gateway that is stuck: ", stuck), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newFakeGateway(stepCode)
				g.stuck = stuck
				f, err := startGateway(t.Context(), g, request())
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				f.cancel()
				f.cancel()
				if took := time.Since(began); took > cancelLimit {
					t.Errorf("it took %v", took)
				}
				if err := f.wait(t.Context()); !errors.Is(err, ErrCancelled) {
					t.Errorf("got %v, want ErrCancelled", err)
				}
				if g.cancels != 1 || !g.isClosed() {
					t.Errorf("cancelled %d times, closed %v", g.cancels, g.isClosed())
				}
			})
		})
	}
}

func TestGatewayLoginThatIsStoredCannotBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGateway(stepCode)
		f, err := startGateway(t.Context(), g, request())
		if err != nil {
			t.Fatal(err)
		}
		g.script <- stateDone
		f.cancel()
		if err := f.wait(t.Context()); err != nil {
			t.Errorf("it was stored first: %v", err)
		}
	})
}

func TestGatewayLoginWithoutACodeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGateway(stepStarting)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := startGateway(ctx, g, request())
		if !errors.Is(err, context.DeadlineExceeded) || g.cancels != 1 || !g.isClosed() {
			t.Errorf("got %v, cancelled %d times, closed %v", err, g.cancels, g.isClosed())
		}
	})
}

func TestOpenClawsWordsAreQuotedShortAndWithoutSecrets(t *testing.T) {
	for _, tc := range []struct{ name, said, want string }{
		{"plain", "Unknown agent id \"nobody\".", "Unknown agent id \"nobody\"."},
		{"lines and colours", "one\n\ttwo\x1b[0m", "one two [0m"},
		{"what may be a token", "exchange failed: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkYXZlIn0.c2ln and sk-ant-oat01-" + strings.Repeat("x", 80), "exchange failed: … and …"},
		{"a link", "See https://docs.openclaw.ai/start/faq", "See https://docs.openclaw.ai/start/faq"},
		{"long", strings.Repeat("ab ", 200), strings.Repeat("ab ", 100) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := inWords(tc.said); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Whatever OpenClaw says, what is quoted is one short line without anything
// that could be a token.
func TestOpenClawsWordsAreAlwaysSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringMatching(`[A-Za-z0-9_-]{30,90}`).Draw(t, "token")
		said := rapid.String().Draw(t, "before") + " " + token + rapid.SampledFrom([]string{"", ".", "\"", " ", "\n", "/"}).Draw(t, "after") + rapid.String().Draw(t, "rest")
		got := inWords(said)
		if len(got) > wordsCap+len("…") || strings.ContainsFunc(got, unicode.IsControl) || tokenLike.MatchString(got) || strings.Contains(got, token) {
			t.Fatalf("%q became %q", said, got)
		}
	})
}
