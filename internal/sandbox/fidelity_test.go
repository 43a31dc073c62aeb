package sandbox_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/sandbox"
)

const golden = "testdata/gateway-2026.9.6.txt"

// To record the golden anew: a fresh install of the real gateway with the
// accounts of realAccounts and no order, then
//
//	go test -run TestRecordRealGateway -real-url ws://… -real-token …
var (
	realURL   = flag.String("real-url", "", "a real gateway to record")
	realToken = flag.String("real-token", "", "its token")
)

// realAccounts are those that the golden was recorded with.
func realAccounts() []sandbox.Account {
	return append(trio(),
		sandbox.Account{Profile: "anthropic:acc1", Type: "token"},
		sandbox.Account{Profile: "anthropic:acc2", Type: "token"},
		sandbox.Account{Profile: "openai:backup", Type: "api_key"},
	)
}

// step is one request of the recorded conversation.
type step struct {
	name   string
	method string
	params any
}

func conversation() []step {
	type m = map[string]any
	all := []string{carol, bob, alice, "openai:backup"}
	return []step{
		{"status without an order", "models.authStatus", m{}},
		{"set an order", "models.authOrderSet", m{"provider": "openai", "agentId": "main", "profileIds": all}},
		{"status with an order", "models.authStatus", m{"agentId": "main"}},
		{"set a subset", "models.authOrderSet", m{"provider": "openai", "profileIds": []string{bob}}},
		{"set an unknown profile", "models.authOrderSet", m{"provider": "openai", "profileIds": []string{"openai:nope"}}},
		{"set for an unknown provider", "models.authOrderSet", m{"provider": "nope", "profileIds": []string{"openai:nope"}}},
		{"set without a provider", "models.authOrderSet", m{"profileIds": 3}},
		{"set duplicates", "models.authOrderSet", m{"provider": "openai", "profileIds": append(slices.Clone(all), bob)}},
		{"set for an unknown agent", "models.authOrderSet", m{"provider": "openai", "agentId": "nope", "profileIds": all}},
		{"refresh", "models.authRefresh", m{"operation": "update", "agentId": "main"}},
		{"refresh nothing", "models.authRefresh", m{}},
		{"refresh something unknown", "models.authRefresh", m{"operation": "bogus"}},
		{"preflight", "gateway.restart.preflight", m{}},
		{"a method that is not there", "nope.method", m{}},
		{"status of an unknown agent", "models.authStatus", m{"agentId": "nope"}},
		{"clear the order", "models.authOrderSet", m{"provider": "openai"}},
		{"reload secrets", "secrets.reload", m{}},
		{"restart", "gateway.restart.request", m{"reason": "test"}},
	}
}

// refusals are the ways in which a connection is turned away.
func refusals(token string) []step {
	with := func(change func(map[string]any)) map[string]any {
		p := connectParams(token)
		change(p)
		return p
	}
	return []step{
		{"wrong token", "connect", connectParams("wrong")},
		{"no token", "connect", with(func(p map[string]any) { p["auth"] = map[string]any{} })},
		{"protocol too old", "connect", with(func(p map[string]any) { p["maxProtocol"] = 3 })},
		{"unknown client", "connect", with(func(p map[string]any) { p["client"].(map[string]any)["id"] = "other" })},
		{"no params", "connect", map[string]any{}},
		{"another method first", "models.authStatus", map[string]any{}},
	}
}

// converse holds the conversation and describes every answer: keys and types
// of what succeeded, the very words of what failed.
//
// The real gateway had a run of its own under way when it was recorded; idle
// ends that of the stand-in after the restart was asked for.
func converse(ctx context.Context, url, token string, idle func()) (string, error) {
	var out strings.Builder
	for _, s := range refusals(token) {
		c, err := open(ctx, url)
		if err != nil {
			return "", err
		}
		f, err := c.call(ctx, s.method, s.params)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.name, err)
		}
		code, err := c.end(ctx)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(&out, "## refused: %s\n%sclosed with %d\n", s.name, describe(f), code)
	}
	reader, err := open(ctx, url)
	if err != nil {
		return "", err
	}
	for _, s := range []step{
		{"connect to read", "connect", connectParams(token, "operator.read")},
		{"preflight to read", "gateway.restart.preflight", map[string]any{}},
		{"set an order with the scope to read", "models.authOrderSet", map[string]any{"provider": "openai"}},
	} {
		f, err := reader.call(ctx, s.method, s.params)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.name, err)
		}
		if s.method != "connect" {
			fmt.Fprintf(&out, "## %s\n%s", s.name, describe(f))
		}
	}
	_ = reader.ws.CloseNow()

	c, err := open(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.ws.CloseNow() }()
	for _, s := range append([]step{{"hello", "connect", connectParams(token)}}, conversation()...) {
		f, err := c.call(ctx, s.method, s.params)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(&out, "## %s\n%s", s.name, describe(f))
	}
	idle()
	code, err := c.end(ctx)
	fmt.Fprintf(&out, "last event %s, closed with %d\n", c.events[len(c.events)-1], code)
	return out.String(), err
}

func describe(f frame) string {
	var v any
	_ = json.Unmarshal(f.raw, &v) // call has decoded it already
	lines := map[string]int{}
	shape(lines, "", v, f.OK != nil && !*f.OK)
	return strings.Join(slices.Sorted(maps.Keys(lines)), "")
}

// shape writes one line for every path. What only some elements of an array
// have is marked by a question mark.
func shape(lines map[string]int, path string, v any, literal bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if key != "id" || path != "" {
				shape(lines, path+"."+key, inner, literal)
			}
		}
	case []any:
		lines[path+" array\n"]++
		elements := map[string]int{}
		for _, inner := range v {
			shape(elements, path+"[]", inner, literal)
		}
		for line, n := range elements {
			if n < len(v) && !strings.Contains(line, "?") {
				line = strings.Replace(line, " ", "? ", 1)
			}
			lines[line]++
		}
	default:
		if literal {
			text, _ := json.Marshal(v) // it came from JSON
			lines[path+" = "+string(text)+"\n"]++
			return
		}
		lines[fmt.Sprintf("%s %s\n", path, typeName(v))]++
	}
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}

func TestRecordRealGateway(t *testing.T) {
	if *realURL == "" {
		t.Skip("no -real-url: nothing to record")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	text, err := converse(ctx, *realURL, *realToken, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// leftOut are the parts of the real answers that the stand-in does not have:
// they are about other things than auth and restarts.
func leftOut() []string {
	return []string{
		".payload.controlUi", ".payload.pluginSurfaceUrls", ".payload.auth.recoveryScope",
		".payload.policy.attachments", ".payload.policy.allowedSessionVisibilities", ".payload.policy.hasMultiple",
		".payload.snapshot.presence", ".payload.snapshot.health", ".payload.snapshot.appliedConfigHash",
		".payload.snapshot.sessionDefaults", ".payload.snapshot.updateSchedule",
	}
}

func TestAnswersLikeTheRealGateway(t *testing.T) {
	recorded, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, sandbox.Options{Accounts: realAccounts()})
	w.SetActive(1)
	text, err := converse(deadline(t), w.GatewayURL(), w.Token().Reveal(), func() { w.SetActive(0) })
	if err != nil {
		t.Fatal(err)
	}
	want, got := sections(string(recorded)), sections(text)
	if len(want) < 20 {
		t.Fatalf("only %d answers recorded", len(want))
	}
	for name, lines := range want {
		for _, line := range lines {
			if !slices.Contains(got[name], line) && !isLeftOut(line) {
				t.Errorf("%s: the real gateway says %q", name, line)
			}
		}
	}
	for name, lines := range got {
		for _, line := range lines {
			if !slices.Contains(want[name], line) {
				t.Errorf("%s: only the stand-in says %q", name, line)
			}
		}
	}
}

func isLeftOut(line string) bool {
	return slices.ContainsFunc(leftOut(), func(prefix string) bool { return strings.HasPrefix(line, prefix) })
}

func sections(text string) map[string][]string {
	m, name := map[string][]string{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			name = title
			continue
		}
		m[name] = append(m[name], line)
	}
	return m
}
