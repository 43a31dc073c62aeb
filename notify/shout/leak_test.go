package shout

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/notify"
)

// TestKeepsSecrets makes every kind of failure happen to every service and
// looks for the address's secrets in all that is shown. The receivers send back
// whatever they were told, as a badly written one might.
func TestKeepsSecrets(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	untrusted := quietTLS(t)
	_, pool := certificate()

	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			all := fmt.Sprint(r.URL, r.Header)
			w.Header().Set("Location", "https://example.com/?"+r.URL.String())
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"ok": false, "error": all, "description": all, "message": all, "msg": all, "errmsg": all, "code": 19, "errcode": 19,
			})
		}
	}
	to := func(s *httptest.Server) func(*testing.T) wires {
		return func(t *testing.T) wires {
			t.Helper()
			return wires{client: wired(t, pool, address(s))}
		}
	}
	ways := map[string]func(*testing.T) wires{
		"refused":   to(closed),
		"no TLS":    to(plain),
		"untrusted": to(untrusted),
		"no name": func(*testing.T) wires {
			return wires{client: &http.Client{Transport: &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
				return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
			}}}}
		},
		"a proxy's words": func(*testing.T) wires {
			return wires{client: &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, fmt.Errorf("proxy http://me:s3cr3t@proxy.example.com refused %s", telegramURL)
			}}}}
		},
		"cut off": func(t *testing.T) wires {
			t.Helper()
			return newChatServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "{")
			}).wires
		},
	}
	for _, status := range []int{200, 204, 302, 307, 400, 401, 403, 404, 410, 418, 429, 500, 503} {
		ways[fmt.Sprint("an echo with ", status)] = func(t *testing.T) wires {
			t.Helper()
			return newChatServer(t, echo(status)).wires
		}
	}
	for service, address := range httpURLs() {
		for way, wires := range ways {
			t.Run(service+"/"+way, func(t *testing.T) {
				s := mustNew(t, address, wires(t))
				a := send(t, s, "hello\nworld")
				if a.Kind == notify.Accepted {
					t.Errorf("delivered?")
				}
				if a.Text == "" {
					t.Error("no words for a person")
				}
				var log strings.Builder
				logger := zerolog.New(&log)
				logger.Info().Interface("sender", s).Any("answer", a).Send()
				shown := strings.Join([]string{
					a.Text, s.Shown(), s.Target(), log.String(),
					fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s),
					fmt.Sprintf("%+v %#v", struct{ s notify.Sender }{s}, []any{s}),
				}, "\n")
				if strings.Contains(strings.ToLower(shown), "s3cr3t") {
					t.Errorf("a secret is shown:\n%s", shown)
				}
			})
		}
	}
}

func address(s *httptest.Server) string { return s.Listener.Addr().String() }

// TestFollowsNoRedirect: link and code go nowhere but to the service.
func TestFollowsNoRedirect(t *testing.T) {
	for service, address := range httpURLs() {
		t.Run(service, func(t *testing.T) {
			r := newChatServer(t, answering(307, map[string]string{"Location": "https://ntfy.sh/elsewhere"}, ""))
			if a := send(t, mustNew(t, address, r.wires), "hello"); a.Kind != notify.Refused {
				t.Errorf("got %+v", a)
			}
			if n := len(r.requests()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// TestIsBounded: a service that takes the connection and says nothing
// costs 15 s, and leaves nothing behind: the bubble fails on a goroutine that
// goes on.
func TestIsBounded(t *testing.T) {
	for service, address := range httpURLs() {
		t.Run(service, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := make(chan net.Conn, 1)
				client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					near, other := net.Pipe()
					far <- other
					go io.Copy(io.Discard, other) //nolint:errcheck // it ends with the connection
					return near, nil
				}}}
				s := mustNew(t, address, wires{client: client})
				start := time.Now()
				a := s.Send(context.Background(), notify.Outgoing{ID: "msg_1", Body: []byte("hello")})
				if a != (notify.Answer{Kind: notify.Failed, Text: "no answer in time"}) || time.Since(start) != timeout {
					t.Errorf("got %+v after %s", a, time.Since(start))
				}
				_ = (<-far).Close()
				s.CloseIdleConnections()
			})
		})
	}
}

// TestStops: an attempt ends with its context.
func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	r := newChatServer(t, func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	})
	defer close(release)
	a := mustNew(t, telegramURL, r.wires).Send(ctx, notify.Outgoing{ID: "msg_1", Body: []byte("hello")})
	if a != (notify.Answer{Kind: notify.Failed, Text: "cut short, because ocwatch is stopping"}) {
		t.Errorf("got %+v", a)
	}
}

// TestTransport: as for webhooks, a sender's client is its own. What other
// code does to the global one changes nothing.
func TestTransport(t *testing.T) {
	s := mustNew(t, telegramURL, wires{})
	bot, ok := s.service.(telegramBot)
	if !ok {
		t.Fatalf("%T", s.service)
	}
	transport, ok := bot.client.Transport.(*http.Transport)
	if !ok || bot.client == http.DefaultClient || bot.client.Transport == http.DefaultTransport {
		t.Fatal("the global client is used")
	}
	if c := transport.TLSClientConfig; c != nil && c.InsecureSkipVerify {
		t.Error("certificates are not checked")
	}
	if bot.client.CheckRedirect == nil || bot.client.Jar != nil {
		t.Error("redirects or cookies")
	}
}
