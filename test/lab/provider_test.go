package lab

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func account(t *testing.T, name string) Account {
	t.Helper()
	i := slices.IndexFunc(Accounts(), func(a Account) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("no account %s", name)
	}
	return Accounts()[i]
}

func ask(t *testing.T, c *http.Client, method, url, token, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }() // read to its end
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(b)
}

func TestProviderAnswersByAccountAndQuota(t *testing.T) {
	main := `{"model":"m","input":"` + strings.Repeat("x", mainSize) + `"}`
	for _, tc := range []struct {
		name, path, account, body string
		quota                     Quota
		refuse                    int
		status                    int
		want                      string
	}{
		{name: "a turn", path: "/backend-api/codex/responses", account: "bob", body: main, status: 200, want: "ok from bob"},
		{name: "a turn without quota", path: "/backend-api/codex/responses", account: "bob", body: main, quota: Quota{FiveHour: 100}, status: 429, want: "usage_limit_reached"},
		{name: "a week without quota", path: "/backend-api/codex/responses", account: "bob", body: main, quota: Quota{Weekly: 100}, status: 429, want: "resets_at"},
		{name: "usage", path: "/backend-api/wham/usage", account: "alice", quota: Quota{FiveHour: 96}, status: 200, want: `"used_percent":96`},
		{name: "usage without quota", path: "/backend-api/wham/usage", account: "alice", quota: Quota{FiveHour: 100}, status: 200, want: `"limit_reached":true`},
		{name: "anthropic usage", path: "/api/oauth/usage", account: "acc1", quota: Quota{Weekly: 7}, status: 200, want: `"utilization":7`},
		{name: "refused", path: "/backend-api/wham/usage", account: "alice", refuse: 503, status: 503, want: "Service Unavailable"},
		{name: "a key is valid", path: "/v1/models", account: "backup", status: 200, want: `"object":"list"`},
		{name: "no such path", path: "/backend-api/ps", account: "alice", status: 404, want: "no such path"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := NewProvider(t, Accounts())
			p.SetQuota(tc.account, tc.quota)
			p.Refuse(tc.account, tc.refuse, "")
			status, body := ask(t, http.DefaultClient, http.MethodPost, p.URL+tc.path, account(t, tc.account).Secret(), tc.body)
			if status != tc.status || !strings.Contains(body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", status, body, tc.status, tc.want)
			}
			got := p.Requests(0)
			if len(got) != 1 || got[0].Account != tc.account || got[0].Status != tc.status || got[0].Main != (tc.body != "") {
				t.Errorf("recorded %+v", got)
			}
		})
	}
}

func TestProviderRefusesATokenThatNobodyHas(t *testing.T) {
	p := NewProvider(t, Accounts())
	status, _ := ask(t, http.DefaultClient, http.MethodGet, p.URL+"/backend-api/wham/usage", "someone else's", "")
	if status != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", status)
	}
}

func TestHeldTurnsWaitAndOthersDoNot(t *testing.T) {
	p := NewProvider(t, Accounts())
	release := p.Hold()
	done := make(chan struct{})
	go func() {
		defer close(done)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/responses", strings.NewReader(strings.Repeat("x", mainSize+1)))
		if err != nil {
			return
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close() // only the order of events counts
		}
	}()
	p.AwaitWaiting(t, 1)
	ask(t, http.DefaultClient, http.MethodGet, p.URL+"/v1/models", account(t, "backup").Secret(), "")
	ask(t, http.DefaultClient, http.MethodPost, p.URL+"/responses", account(t, "alice").Secret(), "a title, please")
	if got := p.Requests(0); len(got) != 2 {
		t.Fatalf("while turns were held, %+v were answered", got)
	}
	release()
	<-done
	p.Await(t, 0, time.Second, func(r Request) bool { return r.Main })
}

func TestProxyPlaysProvidersAndReachesNobodyElse(t *testing.T) {
	p := NewProvider(t, Accounts())
	pem, err := os.ReadFile(p.CA())
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	proxyURL, err := url.Parse(p.proxy.url)
	must(t, err)
	c := &http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyURL(proxyURL),
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
	t.Cleanup(c.CloseIdleConnections)
	_, body := ask(t, c, http.MethodGet, "https://chatgpt.com/backend-api/wham/usage", account(t, "carol").Secret(), "")
	var usage struct {
		Email string `json:"email"`
	}
	must(t, json.Unmarshal([]byte(body), &usage))
	if usage.Email != "carol@example.com" {
		t.Errorf("usage of %q, want carol's", usage.Email)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://elsewhere.example.com/", http.NoBody)
	must(t, err)
	if resp, err := c.Do(req); err == nil {
		_ = resp.Body.Close() // it should not be
		t.Error("the proxy let a request out")
	}
	if got := p.Refused(); !slices.Equal(got, []string{"elsewhere.example.com:443"}) {
		t.Errorf("refused %v", got)
	}
}
