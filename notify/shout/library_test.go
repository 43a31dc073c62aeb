package shout

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"
)

// TestWhyTheLibraryDoesNotSend pins down what keeps shoutrrr from sending here.
// Where it fails with a new release of the library, the faults are mended there,
// and the comment at type sender can be looked at again.
func TestWhyTheLibraryDoesNotSend(t *testing.T) {
	parse := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	t.Run("Telegram: a 502 and a refused connection are no error", func(t *testing.T) {
		server := httptest.NewServer(answering(502, nil, "<html>Bad Gateway</html>"))
		defer server.Close()
		client := &http.Client{Transport: redirected(server)}
		old := jsonclient.DefaultClient
		jsonclient.DefaultClient = jsonclient.NewWithHTTPClient(client)
		defer func() { jsonclient.DefaultClient = old }()
		var s telegram.Service
		if err := s.Initialize(parse(telegramURL), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Send("hello", nil); err != nil {
			t.Errorf("a 502: %v", err)
		}
		server.Close()
		if err := s.Send("hello", nil); err != nil {
			t.Errorf("a refused connection: %v", err)
		}
	})
	t.Run("ntfy: every message has the first one's title", func(t *testing.T) {
		var titles []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			titles = append(titles, r.Header.Get("Title"))
			answering(200, nil, `{}`)(w, r)
		}))
		defer server.Close()
		var s ntfy.Service
		if err := s.Initialize(parse("ntfy://"+address(server)+"/topic?scheme=http"), nil); err != nil {
			t.Fatal(err)
		}
		for _, title := range []string{"spent", "back"} {
			if err := s.Send("hello", &types.Params{"title": title}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(titles, []string{"spent", "spent"}) {
			t.Errorf("titles %q", titles)
		}
	})
}

// redirected takes every request to one server, without TLS.
func redirected(s *httptest.Server) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", address(s)
		return s.Client().Transport.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
