package web

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// TestThroughAProxy: a proxy on this machine that does TLS, as each of the usual
// ones passes requests on.
func TestThroughAProxy(t *testing.T) {
	t.Parallel()
	for name, rewrite := range map[string]func(r *httputil.ProxyRequest){
		"its headers, our name": func(r *httputil.ProxyRequest) { r.SetXForwarded() },
		"its headers, its name": func(r *httputil.ProxyRequest) { r.SetXForwarded(); r.Out.Host = r.In.Host },
		"no header, our name":   func(*httputil.ProxyRequest) {},
		"no header, its name":   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var target url.URL
			front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&target); rewrite(r) }})
			defer front.Close()
			port := Port{Address: "127.0.0.1:0", URL: front.URL, Token: secret.New(testToken)}
			l, err := port.Listen(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			target = url.URL{Scheme: "http", Host: l.Addr().String()}
			b, done := newBoardAt(t, port, zerolog.Nop()), make(chan struct{})
			go func() { defer close(done); b.server.Serve(l) }()
			client := front.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			ask := func(method, path, form, origin string, as func(r *http.Request)) *http.Response {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), method, front.URL+path, strings.NewReader(form))
				if err != nil {
					t.Fatal(err)
				}
				if form != "" {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					r.Header.Set("Origin", origin)
				}
				if as != nil {
					as(r)
				}
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				return resp
			}
			if resp := ask(http.MethodGet, "/", "", "", nil); resp.StatusCode != http.StatusUnauthorized || resp.Body.Close() != nil {
				t.Errorf("nobody gets %d", resp.StatusCode)
			}
			resp := ask(http.MethodGet, "/owner/", "", "", asOwner)
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusOK || err != nil || resp.Body.Close() != nil || !strings.Contains(string(body), "ABCD-1234") {
				t.Errorf("the owner gets %d, %v", resp.StatusCode, err)
			}
			for origin, want := range map[string]int{front.URL: http.StatusSeeOther, "https://evil.example": http.StatusForbidden} {
				resp := ask(http.MethodPost, "/owner/resume", tokenForm().Encode(), origin, asOwner)
				if resp.StatusCode != want || resp.Body.Close() != nil || want == http.StatusSeeOther && resp.Header.Get("Location") != "/owner/?did=resumed" {
					t.Errorf("a form of %s gets %d, to %q", origin, resp.StatusCode, resp.Header.Get("Location"))
				}
			}
			events := ask(http.MethodGet, "/owner/events", "", "", asOwner)
			lines := bufio.NewScanner(events.Body)
			if !lines.Scan() || lines.Text() != "retry: 3000" {
				t.Errorf("the stream begins with %q", lines.Text())
			}
			b.server.Changed()
			for lines.Scan() && lines.Text() == "" {
				continue
			}
			if lines.Text() != "data: changed" {
				t.Errorf("the stream tells %q", lines.Text())
			}
			_ = events.Body.Close()
			_ = b.server.Close()
			<-done
		})
	}
}
