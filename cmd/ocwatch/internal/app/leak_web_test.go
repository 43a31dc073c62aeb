package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web"
)

// The secrets of what is served, and of endpoints that fail.
const (
	readersToken  = "readers-token-0123456789abcdef"
	brokenAddress = "/hooks/brokensecret"
	echoed        = "echoedsecret"
)

// openPort has cfg serve everything with a token, and adds two receivers that
// fail: one that is not there, and one that says back what it was sent.
func openPort(t *testing.T, cfg *config.Config, secrets map[string]string) {
	t.Helper()
	cfg.Listen, cfg.Web.Token = "127.0.0.1:0", secret.New(readersToken)
	echo := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(rw, "%s %v", r.URL, r.Header)
	}))
	t.Cleanup(echo.Close)
	key := secret.New("whsec_ZWNob2VkLXNpZ25pbmcta2V5LTAxMjM0NTY3ODk=")
	cfg.Notify.Webhooks = append(cfg.Notify.Webhooks,
		config.Webhook{Name: "broken", URL: "http://127.0.0.1:1" + brokenAddress, Secret: key},
		config.Webhook{Name: "echo", URL: echo.URL + "/?key=" + echoed, Secret: key})
	secrets["the token of what is served"], secrets["the key of broken receivers"] = readersToken, key.Reveal()
	secrets["a broken receiver's address"], secrets["an echoing receiver's address"] = "brokensecret", echoed
}

// asked is everything that the port answers to somebody, headers too.
func asked(t *testing.T, a *App, who string) map[string]string {
	t.Helper()
	access, err := web.NewClient(a.opts.Config.DataDir).Dashboard(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(access.URL, "/owner/")
	said := map[string]string{}
	send := func(method, path, body string) string {
		t.Helper()
		// A stream has no end: what it says within a moment has to do.
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		switch who {
		case "owner":
			req.SetBasicAuth(access.User, access.Password)
		case "reader":
			req.Header.Set("Authorization", "Bearer "+readersToken)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer func() { _ = resp.Body.Close() }()
		text := fmt.Sprintf("%s %v\n", resp.Status, resp.Header)
		if strings.HasSuffix(path, "events") && resp.StatusCode == http.StatusOK {
			lines := bufio.NewScanner(resp.Body)
			for lines.Scan() && lines.Text() != "data: changed" {
				text += lines.Text() + "\n"
			}
			text += lines.Text()
		} else {
			content, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			text += string(content)
		}
		said[fmt.Sprintf("%s %s for %s", method, path, who)] = text
		return text
	}
	page := send(http.MethodGet, "/owner/", "")
	for _, path := range []string{"/", "/events", "/owner/events", "/metrics", "/api/v1/status", "/api/v1/dashboard", "/none?token=" + "x", "/assets/x"} {
		send(http.MethodGet, path, "")
	}
	form := "token=" + firstMatch(page, `name="token" value="([^"]+)"`)
	send(http.MethodPost, "/owner/login/paste", form+"&address=http%3A%2F%2Flocalhost%2F%3Fcode%3D"+pastedCode)
	send(http.MethodPost, "/owner/switch", form+"&agent=main&profile=openai%3Anobody")
	send(http.MethodPost, "/owner/resume", "token=forged")
	return said
}

func firstMatch(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// everybodysAnswers is what the port says to the owner, to a reader and to
// nobody. What lets its reader log in, or act, is the owner's alone.
func everybodysAnswers(t *testing.T, a *App, when string, owners map[string]string) map[string]string {
	t.Helper()
	said := map[string]string{}
	for _, who := range []string{"owner", "reader", "nobody"} {
		for what, text := range asked(t, a, who) {
			said[what+" "+when] = text
			for secret, value := range owners {
				if who != "owner" && strings.Contains(text, value) {
					t.Errorf("%s holds %s", what, secret)
				}
			}
			if ok := strings.HasPrefix(text, "401"); who == "nobody" && !ok {
				t.Errorf("%s is answered: %s", what, text)
			}
		}
	}
	if page := said["GET /owner/ for owner "+when]; !strings.Contains(page, "openai:bob@example.com") || !strings.Contains(page, "<form") {
		t.Errorf("the owner's page says nothing, so there was nothing to look through: %s", page)
	}
	if text := said["GET /events for reader "+when]; !strings.Contains(text, "data: changed") {
		t.Errorf("the stream says nothing: %s", text)
	}
	return said
}
