package sandbox_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/test/lab"
)

// -record-login writes down what a real gateway says to the conversation about
// logins. The stand-in is then held to that record.
var recordLogin = flag.Bool("record-login", false, "record a login at a real gateway")

const loginGolden = "testdata/login-2026.9.6.txt"

// phone is the person who is asked to approve.
type phone struct {
	approve func(code, email string)
	deny    func(code string)
	expire  func(code string)
}

// loginTalk is one conversation about logins.
type loginTalk struct {
	ctx   context.Context //nolint:containedctx // it bounds the conversation
	open  func() (*client, error)
	phone phone
	c     *client
	out   strings.Builder
}

func (l *loginTalk) title(format string, args ...any) {
	fmt.Fprintf(&l.out, "## "+format+"\n", args...)
}

// say calls a method and writes down every word of the answer.
func (l *loginTalk) say(c *client, method string, params m) (frame, error) {
	f, err := c.call(l.ctx, method, params)
	if err != nil {
		return f, fmt.Errorf("%s: %w", method, err)
	}
	l.note(f)
	return f, nil
}

var (
	idPattern   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	codePattern = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{5}\b`)
)

func (l *loginTalk) note(f frame) {
	var v any
	_ = json.Unmarshal(f.raw, &v) // call has decoded it already
	lines := map[string]int{}
	shape(lines, "", v, true)
	text := strings.Join(slices.Sorted(maps.Keys(lines)), "")
	l.out.WriteString("answer\n" + codePattern.ReplaceAllString(idPattern.ReplaceAllString(text, "<id>"), "<code>"))
}

type wizardAnswer struct {
	Done bool
	Step struct {
		ID, Type, Message string
		DeviceCode        struct{ Code string }
	}
}

func login(session string) m {
	return m{"sessionId": session, "agentId": "main", "authChoice": "openai/openai-device-code"}
}

// begin starts a login and follows it until somebody has to approve.
func (l *loginTalk) begin(c *client, session string) (code string, err error) {
	if _, err := l.say(c, "models.authLogin", login(session)); err != nil {
		return "", err
	}
	for range 10 {
		f, err := l.say(c, "wizard.next", m{"sessionId": session})
		if err != nil {
			return "", err
		}
		var a wizardAnswer
		if err := json.Unmarshal(f.Payload, &a); err != nil || a.Done {
			return "", fmt.Errorf("the login ended early: %s %w", f.raw, err)
		}
		if strings.Contains(a.Step.Message, "Waiting for device authorization") {
			return a.Step.DeviceCode.Code, nil
		}
	}
	return "", fmt.Errorf("no code came")
}

// follow goes on to the end, and answers what has to be answered.
func (l *loginTalk) follow(c *client, session string) error {
	params := m{"sessionId": session}
	for range 20 {
		f, err := l.say(c, "wizard.next", params)
		if err != nil {
			return err
		}
		var a wizardAnswer
		if err := json.Unmarshal(f.Payload, &a); err != nil || a.Done {
			return err
		}
		params = m{"sessionId": session}
		switch a.Step.Type {
		case "select":
			params["answer"] = m{"stepId": a.Step.ID, "value": "keep"}
		case "note":
			params["answer"] = m{"stepId": a.Step.ID, "value": true}
		}
	}
	return fmt.Errorf("the login does not end")
}

// settled begins a login, has act decide it, and follows it.
func (l *loginTalk) settled(session string, act func(code string)) error {
	code, err := l.begin(l.c, session)
	if err != nil {
		return err
	}
	act(code)
	return l.follow(l.c, session)
}

// converse holds the whole conversation.
func (l *loginTalk) converse() (err error) {
	if l.c, err = l.open(); err != nil {
		return err
	}
	defer func() { _ = l.c.ws.CloseNow() }()
	for _, part := range []struct {
		name string
		hold func() error
	}{
		{"a login that is not offered", func() error {
			_, err := l.say(l.c, "models.authLogin", m{"sessionId": "none", "agentId": "main", "authChoice": "openai/nope"})
			return err
		}},
		{"an agent that is not there", func() error {
			if _, err := l.say(l.c, "models.authLogin", m{"sessionId": "nobody", "agentId": "nobody", "authChoice": "openai/openai-device-code"}); err != nil {
				return err
			}
			return l.follow(l.c, "nobody")
		}},
		{"cancelled while others try", l.cancelled},
		{"denied", func() error { return l.settled("denied", l.phone.deny) }},
		{"expired", func() error { return l.settled("expired", l.phone.expire) }},
		{"a new account", func() error {
			return l.settled("dave", func(code string) { l.phone.approve(code, "dave@example.com") })
		}},
		{"an account that is there", func() error {
			return l.settled("alice", func(code string) { l.phone.approve(code, "alice@example.com") })
		}},
		{"a connection that is gone", l.dropped},
		{"logged out", l.logout},
	} {
		l.title("%s", part.name)
		if err := part.hold(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func (l *loginTalk) cancelled() error {
	if _, err := l.begin(l.c, "one"); err != nil {
		return err
	}
	other, err := l.open()
	if err != nil {
		return err
	}
	defer func() { _ = other.ws.CloseNow() }()
	for _, s := range []struct {
		c       *client
		method  string
		session string
	}{
		{l.c, "models.authLogin", "two"},
		{other, "models.authLogin", "two"},
		{other, "models.authLogin", "one"},
		{other, "wizard.next", "one"},
		{other, "wizard.cancel", "one"},
	} {
		params := m{"sessionId": s.session}
		if s.method == "models.authLogin" {
			params = login(s.session)
		}
		if _, err := l.say(s.c, s.method, params); err != nil {
			return err
		}
	}
	// The gateway answers others while somebody waits for the next step.
	waiting, err := l.c.send(l.ctx, "wizard.next", m{"sessionId": "one"})
	if err != nil {
		return err
	}
	again, err := l.c.send(l.ctx, "wizard.next", m{"sessionId": "one"})
	if err != nil {
		return err
	}
	cancelling, err := l.c.send(l.ctx, "wizard.cancel", m{"sessionId": "one"})
	if err != nil {
		return err
	}
	answers, err := l.c.collect(l.ctx, waiting, again, cancelling)
	if err != nil {
		return err
	}
	for _, f := range answers {
		l.note(f)
	}
	_, err = l.say(l.c, "wizard.next", m{"sessionId": "one"})
	return err
}

// dropped: the login ends with its connection, and makes way for the next.
func (l *loginTalk) dropped() error {
	other, err := l.open()
	if err != nil {
		return err
	}
	if _, err := l.begin(other, "gone"); err != nil {
		return err
	}
	_ = other.ws.CloseNow()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for { // it takes the gateway a moment to see it
		f, err := l.c.call(l.ctx, "models.authLogin", login("next"))
		if err != nil {
			return err
		}
		if *f.OK {
			break
		}
		<-tick.C
	}
	if _, err := l.say(l.c, "wizard.next", m{"sessionId": "gone"}); err != nil {
		return err
	}
	_, err = l.say(l.c, "wizard.cancel", m{"sessionId": "next"})
	return err
}

func (l *loginTalk) logout() error {
	for _, params := range []m{
		{},
		{"provider": "openai", "profileIds": []string{}, "agentId": "main"},
		{"provider": "openai", "profileIds": []string{"openai:nobody@example.com"}, "agentId": "main"},
		{"provider": "openai", "profileIds": []string{"openai:dave@example.com"}, "agentId": "main"},
		{"provider": "openai", "profileIds": []string{"openai:dave@example.com"}, "agentId": "main"},
	} {
		if _, err := l.say(l.c, "models.authLogout", params); err != nil {
			return err
		}
	}
	return nil
}

func TestRecordRealLogin(t *testing.T) {
	if !*recordLogin {
		t.Skip("no -record-login: nothing to record")
	}
	install := lab.New(t, lab.Options{Version: lab.SharedDatabase})
	install.Start(t)
	talk := &loginTalk{
		ctx:  t.Context(),
		open: func() (*client, error) { return admin(t.Context(), install.GatewayURL(), lab.Token) },
		phone: phone{
			approve: func(code, email string) { install.Provider.Approve(t, code, strings.TrimSuffix(email, "@example.com")) },
			deny:    func(code string) { install.Provider.Deny(t, code) },
			expire:  func(code string) { install.Provider.Expire(t, code) },
		},
	}
	if err := talk.converse(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(loginGolden, []byte(talk.out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLogsInLikeTheRealGateway(t *testing.T) {
	recorded, err := os.ReadFile(loginGolden)
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, sandbox.Options{Accounts: trio(), RestrictModels: true})
	did := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	talk := &loginTalk{
		ctx:  deadline(t),
		open: func() (*client, error) { return admin(deadline(t), w.GatewayURL(), w.Token().Reveal()) },
		phone: phone{
			approve: func(code, email string) { did(w.Approve(code, sandbox.Account{Profile: "openai:" + email})) },
			deny:    func(code string) { did(w.Deny(code)) },
			expire:  func(code string) { did(w.Expire(code)) },
		},
	}
	if err := talk.converse(); err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(recorded), "\n"), strings.Split(talk.out.String(), "\n")
	if len(want) < 200 {
		t.Fatalf("only %d lines recorded", len(want))
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("line %d: recorded\n%s\nthe stand-in\n%s", i+1, excerpt(want, i), excerpt(got, i))
		}
	}
}

// excerpt is what surrounds line i.
func excerpt(lines []string, i int) string {
	return strings.Join(lines[min(max(i-6, 0), len(lines)):min(i+6, len(lines))], "\n")
}
