//go:build prometheus

// Package prometheus has a real Prometheus read /metrics of a running ocwatch,
// and judge it by the rules that ocwatch ships. It needs bin/ocwatch, and
// Prometheus in .cache/prometheus: scripts/test-promtool sees to both.
package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

const (
	binary = "../../bin/ocwatch"
	tools  = "../../.cache/prometheus"
	rules  = "../../deploy/prometheus/alerts.yml"
	limit  = 2 * time.Minute // for anything to happen
)

const config = `openclaw: {state_dir: %q}
probe: {every: 30s, providers: {openai: {url: %q}, anthropic: {url: %q}}}
notify: {webhooks: [{name: ops, url: "http://127.0.0.1:9/hook", secret: %q}]}
data_dir: %q
listen: %s
`

// watch runs ocwatch on a world of its own, and returns where it listens. Both
// accounts of OpenAI serve, the one of Anthropic is spent.
func watch(t *testing.T) (address string) {
	t.Helper()
	dir := t.TempDir()
	account := func(profile string, used float64) sandbox.Account {
		return sandbox.Account{Profile: profile, Windows: []sandbox.Window{{Name: quota.FiveHour, UsedPercent: used}}}
	}
	world, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Accounts: []sandbox.Account{
		account("openai:alice@example.com", 10), account("openai:bob@example.com", 20), account("anthropic:carol@example.com", 100),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	address = freeAddress(t)
	file := filepath.Join(dir, "config.yaml")
	doc := fmt.Sprintf(config, world.StateDir(), world.UsageURL("openai"), world.UsageURL("anthropic"),
		"whsec_"+strings.Repeat("A", 43)+"=", filepath.Join(dir, "data"), address)
	write(t, file, doc)
	start(t, "HOME="+dir, binary, "run", "--config", file)
	await(t, "the first round", func() (string, bool) {
		text, err := get(t.Context(), "http://"+address+"/metrics")
		return fmt.Sprint(text, err), strings.Contains(text, "ocwatch_pool_state{")
	})
	return address
}

// TestPromtoolLikesTheMetrics: names, types and help keep the conventions.
func TestPromtoolLikesTheMetrics(t *testing.T) {
	t.Parallel()
	text, err := get(t.Context(), "http://"+watch(t)+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), filepath.Join(tools, "promtool"), "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// TestScrape: what a real Prometheus makes of it, and that an alert comes of it.
func TestScrape(t *testing.T) {
	t.Parallel()
	p := startPrometheus(t, watch(t))
	for _, tc := range []struct{ name, query, want string }{
		{"it is up", `up{job="ocwatch"}`, "1"},
		{"quota of a window", `ocwatch_window_used_ratio{provider="openai",profile="openai:alice@example.com",window="5h",scope=""}`, "0.1"},
		{"the window resets", `ocwatch_window_reset_timestamp_seconds{profile="openai:alice@example.com",window="5h"} > bool time()`, "1"},
		{"who is spent", `ocwatch_profile_state{profile="anthropic:carol@example.com",state="exhausted"}`, "1"},
		{"who serves", `ocwatch_pool_available_profiles{agent="main",provider="openai"}`, "2"},
		{"a pool without quota", `ocwatch_pool_state{provider="anthropic",state="depleted"}`, "1"},
		{"accounts were asked", `sum(ocwatch_probes_total) >= bool 3`, "1"},
		{"and it took time", `sum(ocwatch_probe_duration_seconds_count) >= bool 3`, "1"},
		{"the round is young", `ocwatch_round_age_seconds < bool 60`, "1"},
		{"the next is due", `ocwatch_round_interval_seconds`, "30"},
		{"nobody takes the messages", `ocwatch_outbox_pending_messages{endpoint="ops"} > bool 0`, "1"},
		{"the budget of restarts", `ocwatch_restart_budget_limit`, "3"},
		{"the build", `ocwatch_build_info`, "1"},
		{"the alert of the spent pool", `count(ALERTS{alertname="OcwatchPoolDepleted",provider="anthropic"})`, "1"},
		{"and no other alarm of such weight", `count(ALERTS{severity="critical",alertname!="OcwatchPoolDepleted"}) or vector(0)`, "0"},
	} {
		await(t, tc.name+": "+tc.want+" for "+tc.query, func() (string, bool) {
			got := p.value(t, tc.query)
			return got, got == tc.want
		})
	}
}

// prometheusServer is a Prometheus, by its address.
type prometheusServer string

// startPrometheus runs a Prometheus that scrapes targets every second, and judges
// them by the rules.
func startPrometheus(t *testing.T, targets ...string) prometheusServer {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	alerts, err := filepath.Abs(rules)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	write(t, file, fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs: [{job_name: ocwatch, static_configs: [{targets: ["%s"]}]}]
`, alerts, strings.Join(targets, `", "`)))
	start(t, "HOME="+dir, filepath.Join(tools, "prometheus"), "--config.file", file,
		"--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address, "--log.level", "warn")
	return prometheusServer(address)
}

// api asks for a path of the API, and returns the data of the answer, or what
// else there is.
func (p prometheusServer) api(t *testing.T, path string) json.RawMessage {
	t.Helper()
	text, err := get(t.Context(), "http://"+string(p)+"/api/v1/"+path)
	if err != nil {
		return json.RawMessage(err.Error())
	}
	var answer struct{ Data json.RawMessage }
	if json.Unmarshal([]byte(text), &answer) != nil || answer.Data == nil {
		return json.RawMessage(text)
	}
	return answer.Data
}

// value is the value of an expression that has one, and else the answer.
func (p prometheusServer) value(t *testing.T, query string) string {
	t.Helper()
	text := p.api(t, "query?query="+url.QueryEscape(query))
	var data struct {
		Result []struct{ Value [2]any }
	}
	if json.Unmarshal(text, &data) != nil || len(data.Result) != 1 {
		return string(text)
	}
	return fmt.Sprint(data.Result[0].Value[1])
}

// start runs a program until the test ends, and tells its log where that failed.
func start(t *testing.T, env, program string, args ...string) {
	t.Helper()
	var log strings.Builder // read once the program ended
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	cmd.Env = []string{env, "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; make test-promtool brings what is needed", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("%s ended with %v:\n%s", program, err, log.String())
		}
	})
}

// await asks until it is told that all is well.
func await(t *testing.T, what string, ask func() (got string, done bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		got, done := ask()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s; last: %s", what, limit, got)
		case <-tick.C:
		}
	}
}

func get(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
