//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// kept is a credential that OpenClaw's own command stores.
type kept struct {
	id, secret string
	token      bool // pasted as a token, not as a key
	night      bool // stored at night only: each takes seconds
	shows      string
}

func (k kept) provider() string {
	provider, _, _ := strings.Cut(k.id, ":")
	return provider
}

func someProviders() []kept {
	key := func(name string) string { return "sk-lab-" + name + strings.Repeat("0", 40) }
	all := []kept{
		{id: "zai:one", secret: key("zai-one"), shows: "available, ok, plan Pro, 5h 25, weekly 9"},
		{id: "zai:two", secret: key("zai-two"), shows: "available, ok, plan Pro, 5h 25, weekly 9"},
		{id: "openrouter:manual", secret: key("openrouter"), night: true, shows: "available, ok, paid, spend 30"},
		{id: "kimi:manual", secret: key("kimi"), night: true, shows: "available, ok, plan intermediate, weekly 40, 5h 10"},
		{id: "deepseek:manual", secret: key("deepseek"), night: true, shows: "available, ok, paid"},
		{id: "qwen:manual", secret: key("qwen"), shows: "available, unsupported, paid"},
		{
			id: "github-copilot:github", secret: "gho_lab" + strings.Repeat("0", 33), token: true,
			shows: "available, ok, plan individual, monthly 60",
		},
	}
	if os.Getenv("OCWATCH_NIGHT") != "" {
		return all
	}
	return slices.DeleteFunc(all, func(k kept) bool { return k.night })
}

// Keys of several providers, stored by OpenClaw's own command: each is asked at
// its own provider, told in its own terms, and of two keys of a plan the spent
// one goes behind the other, which the running gateway confirms.
func TestProviders(t *testing.T) {
	t.Parallel()
	l := lab.New(t, lab.Options{Version: lab.SharedDatabase, Config: withoutPlugins})
	for _, k := range someProviders() {
		paste(t, l, k)
	}
	quotas := newQuotas(t)
	d := newDaemon(t, &stage{Lab: l}, quotas.config()...)
	checked := d.check(t)
	for _, k := range someProviders() {
		if got := checked[k.id].String(); got != k.shows {
			t.Errorf("%s: %q, want %q", k.id, got, k.shows)
		}
	}
	quotas.assertNobodyElses(t)

	l.Start(t)
	quotas.spend("zai:one")
	d.start(t)
	r := l.Dial(t)
	deadline := time.Now().Add(limit)
	for want := []string{"zai:two", "zai:one"}; ; time.Sleep(200 * time.Millisecond) { // a poll with a deadline on a real gateway
		order := gatewayOrder(t, r, "zai")
		if slices.Equal(order, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the gateway goes by %v, want %v: the first key's five hours are spent", order, want)
		}
	}
	d.stop(t)
	quotas.assertNobodyElses(t)
	assertKept(t, filepath.Dir(d.config))
}

// shown is what the test reads of a profile in check --json.
type shown struct {
	ID, State, Verdict, Plan string
	Paid                     bool
	Windows                  []struct {
		Name string   `json:"name"`
		Used *float64 `json:"used_percent"`
	}
}

func (p shown) String() string {
	out := []string{p.State, p.Verdict}
	if p.Paid {
		out = append(out, "paid")
	}
	if p.Plan != "" {
		out = append(out, "plan "+p.Plan)
	}
	for _, w := range p.Windows {
		if w.Used != nil {
			out = append(out, fmt.Sprintf("%s %.4g", w.Name, *w.Used))
		}
	}
	return strings.Join(out, ", ")
}

// check runs `ocwatch check --json` and returns its profiles by id.
func (d *daemon) check(t *testing.T) map[string]shown {
	t.Helper()
	out, _ := d.run(t, "check", "--json") // its status tells of the worst pool
	var doc struct {
		Pools []struct {
			Profiles []shown `json:"profiles"`
		} `json:"pools"`
	}
	must(t, json.Unmarshal([]byte(out), &doc))
	all := map[string]shown{}
	for _, p := range doc.Pools {
		for _, pr := range p.Profiles {
			all[pr.ID] = pr
		}
	}
	return all
}

// quotas plays the usage endpoints of several providers, each at its own path.
type quotas struct {
	*httptest.Server

	mu     sync.Mutex
	spent  string   // the secret of the key that is
	strays []string // paths at which a credential of another provider came
}

func newQuotas(t *testing.T) *quotas {
	t.Helper()
	q := &quotas{}
	q.Server = httptest.NewServer(q)
	t.Cleanup(q.Close)
	return q
}

// endpoints are the paths that ocwatch is told of, by provider.
func endpoints() map[string]string {
	return map[string]string{
		"zai": "/api/monitor/usage/quota/limit", "openrouter": "/api/v1/key", "kimi": "/coding/v1/usages",
		"deepseek": "/user/balance", "github-copilot": "/copilot_internal/user",
	}
}

// config are further lines of probe.providers.
func (q *quotas) config() []string {
	var lines []string
	for provider, path := range endpoints() {
		lines = append(lines, fmt.Sprintf("    %s: {url: %s%s}", provider, q.URL, path))
	}
	return lines
}

func (q *quotas) spend(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spent = secretOf(id)
}

func secretOf(id string) string {
	for _, k := range someProviders() {
		if k.id == id {
			return k.secret
		}
	}
	return ""
}

func (q *quotas) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	whose := ""
	for _, k := range someProviders() {
		if k.secret == token {
			whose = k.provider()
		}
	}
	if path := endpoints()[whose]; path != r.URL.Path && r.URL.Path != "/api/v1/credits" {
		q.strays = append(q.strays, whose+" at "+r.URL.Path)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, usageAnswer(whose, token == q.spent, time.Now())) // the client is ocwatch, which would tell
}

// usageAnswer is what each provider says of its account.
func usageAnswer(provider string, spent bool, now time.Time) string {
	switch provider {
	case "zai":
		five := 25
		if spent {
			five = 100
		}
		return fmt.Sprintf(`{"code":200,"success":true,"data":{"planName":"Pro","limits":[
			{"type":"TOKENS_LIMIT","unit":3,"number":5,"percentage":%d,"nextResetTime":%d},
			{"type":"TOKENS_LIMIT","unit":6,"number":1,"percentage":9,"nextResetTime":%d}]}}`,
			five, now.Add(3*time.Hour).UnixMilli(), now.Add(90*time.Hour).UnixMilli())
	case "openrouter":
		return `{"data":{"limit":50,"limit_remaining":35,"limit_reset":"monthly","usage":15,"total_credits":80,"total_usage":20}}`
	case "kimi":
		return fmt.Sprintf(`{"user":{"membership":{"level":"LEVEL_INTERMEDIATE"}},
			"usage":{"limit":"100","used":"40","remaining":"60","resetTime":%q},
			"limits":[{"window":{"duration":300,"timeUnit":"TIME_UNIT_MINUTE"},"detail":{"limit":"100","used":"10","resetTime":%q}}]}`,
			now.Add(100*time.Hour).UTC().Format(time.RFC3339), now.Add(2*time.Hour).UTC().Format(time.RFC3339))
	case "deepseek":
		return `{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"12.50"}]}`
	case "github-copilot":
		return fmt.Sprintf(`{"copilot_plan":"individual","quota_reset_date":%q,"quota_snapshots":{"premium_interactions":{"entitlement":300,"remaining":120,"percent_remaining":40}}}`,
			now.Add(20*24*time.Hour).UTC().Format(time.DateOnly))
	}
	return `{"error":{"message":"nobody has this key"}}`
}

// assertNobodyElses looks for a credential that reached another provider's path.
func (q *quotas) assertNobodyElses(t *testing.T) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.strays) > 0 {
		t.Errorf("credentials went elsewhere: %v", q.strays)
	}
}

// assertKept looks for the credentials in everything that ocwatch wrote.
func assertKept(t *testing.T, dir string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, k := range someProviders() {
			if strings.Contains(string(b), k.secret) {
				t.Errorf("%s holds the credential of %s", filepath.Base(path), k.id)
			}
		}
		return err
	}))
}

// withoutPlugins keeps OpenClaw from fetching the plugins of these providers,
// which only their turns need.
func withoutPlugins(config map[string]any) {
	entries := map[string]any{}
	for _, id := range []string{"zai", "kimi", "deepseek", "qwen"} {
		entries[id] = map[string]any{"enabled": false}
	}
	config["plugins"] = map[string]any{"entries": entries}
}

func paste(t *testing.T, l *lab.Lab, k kept) {
	t.Helper()
	command := "paste-api-key"
	if k.token {
		command = "paste-token"
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.Install.CLI(), "models", "auth", command, "--provider", k.provider(), "--profile-id", k.id)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = l.Env(), l.Home, lab.OwnGroup()
	cmd.Stdin = strings.NewReader(k.secret + "\n")
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openclaw models auth %s for %s: %v\n%s", command, k.id, err, out)
	}
	t.Logf("%s stored in %s", k.id, time.Since(began).Round(100*time.Millisecond))
}

func gatewayOrder(t *testing.T, r *lab.RPC, provider string) []string {
	t.Helper()
	var status struct {
		Providers []struct {
			Provider     string   `json:"provider"`
			ProfileOrder []string `json:"profileOrder"`
		} `json:"providers"`
	}
	must(t, json.Unmarshal(r.Must(t, "models.authStatus", map[string]any{"agentId": "main"}), &status))
	for _, p := range status.Providers {
		if p.Provider == provider {
			return p.ProfileOrder
		}
	}
	return nil
}
