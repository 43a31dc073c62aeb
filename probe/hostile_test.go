package probe

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// way is one way in which an account is probed.
type way struct{ provider, profileType string }

// everyFunc lists them all, by the table.
var everyFunc = ways()

func ways() []way {
	all := []way{{"openai-codex", "oauth"}}
	for _, known := range Known() {
		for _, t := range known.Types {
			all = append(all, way{known.ID, t})
		}
	}
	return all
}

// hostile are endpoints in every kind of bad state. None may panic a probe, end
// in a verdict about the account, or see the token carried elsewhere.
var hostile = map[string]http.HandlerFunc{
	"truncated json":         writes(200, "application/json", `{"rate_limit":{"allowed":fal`),
	"empty":                  writes(200, "application/json", ``),
	"html":                   writes(200, "text/html", portal),
	"html called json":       writes(200, "application/json", portal),
	"json called html":       writes(200, "text/html", `{"rate_limit":{"allowed":true},"data":[]}`),
	"image":                  writes(200, "image/png", "\x89PNG\r\n"),
	"array":                  writes(200, "application/json", `[{"data":1}]`),
	"string":                 writes(200, "application/json", `"rate_limit"`),
	"null":                   writes(200, "application/json", `null`),
	"absent fields":          writes(200, "application/json", `{}`),
	"nulls":                  writes(200, "application/json", `{"rate_limit":null,"five_hour":null,"limits":null,"data":null,"credits":null}`),
	"wrong types":            writes(200, "application/json", `{"rate_limit":[1],"five_hour":"x","limits":{},"extra_usage":3,"credits":[[]]}`),
	"inner error":            writes(200, "application/json", `{"error":{"type":"server_error","message":"x"}}`),
	"deep":                   writes(200, "application/json", strings.Repeat(`{"rate_limit":`, 20_000)),
	"ten megabytes":          writes(200, "application/json", `{"a":"`+strings.Repeat("a", 10<<20)+`"}`),
	"gzip bomb":              zipped(10 << 20),
	"not really gzip":        header("Content-Encoding", "gzip", 200, "application/json", `{"rate_limit":{"allowed":true},"data":[]}`),
	"shorter than announced": header("Content-Length", "5000", 200, "application/json", `{"rate_limit":{"allowed":true},"data":[]}`),
	"redirect away":          header("Location", "http://127.0.0.2:9/steal", 302, "text/plain", ""),
	"redirect for ever":      header("Location", "https://chatgpt.com/steal", 308, "text/plain", ""),
	"redirect in place":      header("Location", "?again", 307, "text/plain", ""),
	"server error":           writes(500, "application/json", `{"error":{"code":"account_deactivated"}}`),
	"challenge":              writes(403, "text/html", portal),
	"reset":                  resets,
	"silence":                silent,
	"echo":                   echoes,
	"a thousand header lines": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3000 {
			w.Header().Set(fmt.Sprint("X-Filler-", i), strings.Repeat("x", 100))
		}
	},
}

func writes(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func header(name, value string, status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		writes(status, contentType, body)(w, r)
	}
}

func zipped(size int) http.HandlerFunc {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = fmt.Fprintf(z, `{"a":"%s"}`, strings.Repeat("a", size))
	_ = z.Close()
	return header("Content-Encoding", "gzip", 200, "application/json", b.String())
}

// resets breaks the connection with a RST instead of an answer.
func resets(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// silent never answers. It reads the question first: a server notices that a
// client is gone only once it has the whole of a POST.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// echoes sends the credential back in every member that is shown.
func echoes(w http.ResponseWriter, r *http.Request) {
	got := r.Header.Get("Authorization") + r.Header.Get("X-Api-Key")
	w.Header().Set("Retry-After", got)
	w.Header().Set("X-Error-Json", got)
	writes(200, "application/json", fmt.Sprintf(`{"plan_type":%[1]q,"error":{"code":%[1]q,"message":%[1]q},
		"rate_limit":{"primary_window":null},"additional_rate_limits":[{"limit_name":%[1]q,"rate_limit":{"primary_window":{"used_percent":3}}}],
		"limits":[{"kind":%[1]q,"group":"weekly","percent":2,"scope":{"model":{"display_name":%[1]q}}}],
		"extra_usage":{"is_enabled":true,"currency":%[1]q}}`, got))(w, r)
}

// dials counts where connections go.
type dials struct {
	mu    sync.Mutex
	addrs map[string]int
}

func (d *dials) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	d.addrs[addr]++
	d.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func TestHostileEndpoints(t *testing.T) {
	t.Parallel()
	for name, handler := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			d := &dials{addrs: map[string]int{}}
			tr := newTransport()
			tr.DialContext = d.dial
			t.Cleanup(tr.CloseIdleConnections)
			for _, f := range everyFunc {
				// A Prober each: the breaker is not the subject here.
				p := New(Options{Transport: tr, Timeout: 500 * time.Millisecond})
				a := account(f.provider, f.profileType)
				a.Endpoint = server.URL + "/usage"
				r := p.Probe(t.Context(), a)
				if r.Verdict != quota.Unreachable && r.Verdict != quota.Unknown {
					t.Errorf("%s %s: %s (%s)", f.provider, f.profileType, r.Verdict, r.Reason)
				}
				mustNotLeak(t, r)
			}
			if len(d.addrs) != 1 || d.addrs[server.Listener.Addr().String()] == 0 {
				t.Errorf("connected to %v", d.addrs)
			}
		})
	}
}

func mustNotLeak(t *testing.T, r quota.Reading) {
	t.Helper()
	doc, err := json.Marshal(r)
	if err != nil {
		t.Errorf("reading cannot be stored: %v", err)
	}
	for _, shown := range []string{fmt.Sprintf("%+v", r), fmt.Sprintf("%#v", r), string(doc)} {
		if strings.Contains(shown, secretToken) {
			t.Errorf("the token is in %s", shown)
		}
	}
}

// Whatever is refused, neither the token nor the answer's words get out.
func TestReadingsHoldNoSecretsAndNoBodies(t *testing.T) {
	t.Parallel()
	const theirs = "words-of-theirs"
	for status := 200; status < 600; status++ {
		if http.StatusText(status) == "" && status != 529 {
			continue
		}
		body := fmt.Sprintf(`{"error":{"code":%q,"message":"%s %s"}}`, theirs, theirs, secretToken)
		p := New(Options{Transport: replying(status, body, isJSON)})
		for _, f := range everyFunc {
			r := p.Probe(t.Context(), account(f.provider, f.profileType))
			mustNotLeak(t, r)
			if strings.Contains(fmt.Sprintf("%+v", r), theirs) {
				t.Errorf("%d, %s: the answer's words are in %+v", status, f.provider, r)
			}
		}
	}
}

func TestTransportFailuresAreNamed(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewUnstartedServer(writes(200, "application/json", `{"rate_limit":{"allowed":true}}`))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := httptest.NewServer(writes(200, "application/json", `{"rate_limit":{"allowed":true}}`))
	t.Cleanup(plain.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	tests := map[string]struct{ endpoint, want string }{
		"untrusted certificate": {untrusted.URL, "the provider's certificate was not accepted"},
		"no tls there":          {strings.Replace(plain.URL, "http:", "https:", 1), "tls failed"},
		"nobody listens":        {closed.URL, "connection refused"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{})
			t.Cleanup(p.Close)
			a := account("openai", "oauth")
			a.Endpoint = tt.endpoint
			r := p.Probe(t.Context(), a)
			if r.Verdict != quota.Unreachable || r.Reason != tt.want {
				t.Errorf("%s (%s), want %s", r.Verdict, r.Reason, tt.want)
			}
			mustNotLeak(t, r)
		})
	}
}

func TestNamesThatDoNotResolve(t *testing.T) {
	t.Parallel()
	p := New(Options{Transport: transport(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host " + secretToken, Name: "chatgpt.com"}}
	})})
	r := p.Probe(t.Context(), account("openai", "oauth"))
	if r.Verdict != quota.Unreachable || r.Reason != "the provider's name could not be resolved" {
		t.Errorf("%+v", r)
	}
}

func TestGzipIsRead(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(`{"rate_limit":{"allowed":true}}`))
	_ = z.Close()
	server := httptest.NewServer(header("Content-Encoding", "gzip", 200, "application/json", b.String()))
	t.Cleanup(server.Close)
	p := New(Options{})
	t.Cleanup(p.Close)
	a := account("openai", "oauth")
	a.Endpoint = server.URL
	if r := p.Probe(t.Context(), a); r.Verdict != quota.OK {
		t.Errorf("%+v", r)
	}
}
