package openclaw

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// healthOf asks a server that answers the two paths as given.
func healthOf(t *testing.T, healthz, readyz http.HandlerFunc) Health {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", readyz)
	mux.HandleFunc("GET /elsewhere", says(http.StatusOK, "application/json", `{"ok":true,"ready":true}`))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return clientFor(t, server.URL).install.Health(t.Context())
}

func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

const jsonType = "application/json; charset=utf-8"

func TestHealth(t *testing.T) {
	live := says(http.StatusOK, jsonType, `{"ok":true,"status":"live"}`)
	ready := says(http.StatusOK, jsonType, `{"ready":true,"failing":[],"uptimeMs":4831}`)
	html := says(http.StatusOK, "text/html; charset=utf-8", "<html>secret page</html>")
	cases := []struct {
		name            string
		healthz, readyz http.HandlerFunc
		want            Health // Detail: a part of it
	}{
		{"well", live, ready, Health{Live: true, Ready: true, Uptime: 4831 * time.Millisecond}},
		{"starting", live, says(http.StatusServiceUnavailable, jsonType, `{"ready":false,"failing":["startup-sidecars"],"uptimeMs":1e999}`), Health{Live: true, Detail: "cannot be read"}},
		{"not ready", live, says(http.StatusServiceUnavailable, jsonType, `{"ready":false,"failing":["startup-sidecars"],"uptimeMs":1e30}`), Health{Live: true, Detail: "not ready: [startup-sidecars]"}},
		{"barred", live, says(http.StatusForbidden, "text/plain", "forbidden"), Health{Live: true, Barred: true, Detail: "status 403"}},
		{"a page", html, html, Health{Detail: "not JSON"}},
		{"a page for ready", live, html, Health{Live: true, Detail: "not JSON"}},
		{"JSON by name only", says(http.StatusOK, jsonType, "<html>"), ready, Health{Detail: "cannot be read"}},
		{"other JSON", says(http.StatusOK, jsonType, `{"status":"up"}`), ready, Health{Detail: "says that it is not live"}},
		{"plain text", says(http.StatusOK, "text/plain", `{"ok":true}`), ready, Health{Detail: "not JSON"}},
		{"no type", says(http.StatusOK, ";;", `{"ok":true}`), ready, Health{Detail: "not JSON"}},
		{"not found", says(http.StatusNotFound, jsonType, `{"ok":true}`), ready, Health{Detail: "status 404"}},
		{"redirect", http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP, ready, Health{Detail: "status 302"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := healthOf(t, c.healthz, c.readyz)
			if got.Live != c.want.Live || got.Ready != c.want.Ready || got.Barred != c.want.Barred || got.Uptime != c.want.Uptime || !strings.Contains(got.Detail, c.want.Detail) || (got.Detail == "") != got.Ready {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if !got.Answers || got.Down {
				t.Error("something listens there, and it is taken for nothing")
			}
			if strings.Contains(got.Detail, "secret page") {
				t.Error("the detail quotes the body")
			}
		})
	}
}

func TestHealthSlow(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if h := clientFor(t, server.URL).install.Health(ctx); h.Live || h.Answers || h.Down || !strings.Contains(h.Detail, "deadline") {
		t.Errorf("%+v", h)
	}
}

func TestHealthNothingListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	i := clientFor(t, server.URL).install
	server.Close()
	if h := i.Health(t.Context()); h.Live || h.Ready || h.Answers || !h.Down || !strings.Contains(h.Detail, "refused") {
		t.Errorf("%+v", h)
	}
}

func TestHealthBrokenConfig(t *testing.T) {
	i := newInstall(t, map[string]string{"openclaw.json": "{"})
	if h := i.Health(t.Context()); h.Live || h.Down || !strings.Contains(h.Detail, i.ConfigPath) {
		t.Errorf("%+v", h)
	}
	if u := i.Gateway().URL(); u != "" {
		t.Errorf("URL %q", u)
	}
}

func TestGatewayURL(t *testing.T) {
	cases := []struct{ name, config, option, port, want string }{
		{"default", ``, "", "", "ws://127.0.0.1:18789"},
		{"config", `gateway:{port:1234,bind:"lan"}`, "", "", "ws://127.0.0.1:1234"},
		{"environment", `gateway:{port:1234}`, "", "5678", "ws://127.0.0.1:5678"},
		{"environment with host", ``, "", "[::1]:5678", "ws://127.0.0.1:5678"},
		{"odd environment", `gateway:{port:1234}`, "", "http", "ws://127.0.0.1:1234"},
		{"odd port", `gateway:{port:70000}`, "", "", "ws://127.0.0.1:18789"},
		{"TLS", `gateway:{tls:{enabled:true}}`, "", "", "wss://127.0.0.1:18789"},
		{"option", `gateway:{port:1234}`, "wss://host.example.com/path?q#f", "5678", "wss://host.example.com/path"},
		{"odd option", ``, "http://host.example.com", "", ""},
		{"option with a user", ``, "wss://u:p@host.example.com", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := newInstallEnv(t, map[string]string{"openclaw.json": "{" + c.config + "}"}, map[string]string{"OPENCLAW_GATEWAY_PORT": c.port})
			i.opts.GatewayURL = c.option
			if got := i.Gateway().URL(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	const both = `gateway:{auth:{token:"ct",password:"cp"}}`
	vars := map[string]string{"OPENCLAW_GATEWAY_TOKEN": "et", "OPENCLAW_GATEWAY_PASSWORD": "ep"}
	cases := []struct {
		name, config, url, option string
		vars                      map[string]string
		token, password           string
	}{
		{"config before environment", both, "", "", vars, "ct", "cp"},
		{"environment", ``, "", "", vars, "et", "ep"},
		{"option", both, "", "ot", vars, "ot", ""},
		{"mode token", `gateway:{auth:{mode:"token",token:"ct"}}`, "", "", vars, "ct", ""},
		{"mode password", `gateway:{auth:{mode:"password",password:"cp"}}`, "", "", vars, "", "cp"},
		{"another host is not shown the config's", both, "wss://host.example.com", "", nil, "", ""},
		{"another host, given", both, "wss://host.example.com", "ot", nil, "ot", ""},
		{"another port here", both, "ws://localhost:99", "", nil, "ct", "cp"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := newInstallEnv(t, map[string]string{"openclaw.json": "{" + c.config + "}"}, c.vars)
			i.opts.GatewayURL, i.opts.GatewayToken = c.url, secretOf(c.option)
			e := i.endpoint()
			if e.err != nil || e.token.Reveal() != c.token || e.password.Reveal() != c.password {
				t.Errorf("token %q, password %q, %v", e.token.Reveal(), e.password.Reveal(), e.err)
			}
		})
	}
}

func TestTokenIsNotSentInTheClear(t *testing.T) {
	i := newInstall(t, nil)
	i.opts.GatewayURL, i.opts.GatewayToken = "ws://192.0.2.1:18789", secretOf("testtok")
	_, err := dial(t.Context(), t.Context(), i.endpoint())
	if err == nil || !strings.Contains(err.Error(), "wss://") || strings.Contains(err.Error(), "testtok") {
		t.Errorf("err = %v", err)
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "[::1]": true, "localhost": true, "[::ffff:127.0.0.1]": true, "localhost.example.com": false, "0.0.0.0": false, "10.0.0.1": false} {
		e := endpoint{url: &url.URL{Scheme: "ws", Host: host + ":1"}}
		if e.private() != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

// The gateway's certificate is its own work and names no host: the one in the
// state directory is accepted, and no other.
func TestTLS(t *testing.T) {
	// Loading the machine's roots takes seconds under the race detector on a
	// busy machine, which is not what the limit of Health is about.
	if _, err := x509.SystemCertPool(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(says(http.StatusOK, jsonType, `{"ok":true,"ready":true}`))
	defer server.Close()
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	other := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("other")}))
	cases := map[string]struct {
		cert string
		live bool
		want string
	}{
		"its own": {own, true, ""},
		"other":   {other, false, "is not the one in the state directory"},
		"none":    {"", false, "certificate"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			i := newInstall(t, map[string]string{filepath.Join("gateway", "tls", "gateway-cert.pem"): c.cert})
			i.opts.GatewayURL = "wss" + strings.TrimPrefix(server.URL, "https")
			if h := i.Health(t.Context()); h.Live != c.live || !strings.Contains(h.Detail, c.want) {
				t.Errorf("%+v", h)
			}
		})
	}
}
