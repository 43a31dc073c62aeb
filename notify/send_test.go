package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// raw answers every connection by writing to it as it likes.
func raw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 64<<10))
			f(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

func reset(c net.Conn) {
	if tc, ok := c.(*net.TCPConn); ok {
		_ = tc.SetLinger(0)
	}
}

func says(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

func quietTLS(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// hidden are what no error and no log may hold: the secret parts of the URL,
// the signing secret, and what the other side wrote.
var hidden = []string{"pa55word", "T0PSECRET", "qu3rytoken", "MfKQ9r8G", "r3sponse"}

func mustHide(t *testing.T, what, text string) {
	t.Helper()
	for _, s := range hidden {
		if strings.Contains(text, s) {
			t.Errorf("%s holds %q: %s", what, s, text)
		}
	}
}

func withSecrets(base string) secret.Value {
	return secret.New(strings.Replace(base, "://", "://user:pa55word@", 1) + "/services/T0PSECRET/hook?token=qu3rytoken")
}

// Real sockets, real faults: what each comes to, and that nothing leaks.
func TestFaults(t *testing.T) {
	tlsServer := quietTLS(t)
	closed := raw(t, reset)
	unused := func() string {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		return "http://" + l.Addr().String()
	}()
	huge := "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n" + strings.Repeat("r3sponse", 1<<15)
	cases := map[string]struct {
		url    string
		result journal.Result
		text   string
	}{
		"taken":              {raw(t, says("HTTP/1.1 204 No Content\r\n\r\n")), journal.Delivered, ""},
		"a huge body":        {raw(t, says(huge)), journal.Delivered, ""},
		"a short body":       {raw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nr3sponse")), journal.Delivered, ""},
		"RST":                {closed, journal.Retry, "connection reset by peer"},
		"nobody there":       {unused, journal.Retry, "connection refused"},
		"no such host":       {"http://nowhere.invalid", journal.Retry, "cannot be resolved"},
		"closed":             {raw(t, says("")), journal.Retry, "closed without an answer"},
		"not HTTP":           {raw(t, says("r3sponse\r\n\r\n")), journal.Retry, "not HTTP"},
		"a bad status line":  {raw(t, says("HTTP/1.1 r3sponse\r\n\r\n")), journal.Retry, "not HTTP"},
		"endless headers":    {raw(t, says("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("r3sponse", 1<<18)+"\r\n\r\n")), journal.Retry, "not HTTP"},
		"an odd reason":      {raw(t, says("HTTP/1.1 400 r3sponse\r\nContent-Length: 8\r\n\r\nr3sponse")), journal.Retry, "400 Bad Request"},
		"a redirect":         {raw(t, says("HTTP/1.1 302 Found\r\nLocation: /T0PSECRET\r\nContent-Length: 0\r\n\r\n")), journal.Retry, "not followed"},
		"a broken redirect":  {raw(t, says("HTTP/1.1 307 X\r\nLocation: http://[T0PSECRET\r\nContent-Length: 0\r\n\r\n")), journal.Retry, ""},
		"an unknown CA":      {tlsServer.URL, journal.Retry, "authority is not known"},
		"plain HTTP for TLS": {strings.Replace(raw(t, says("HTTP/1.1 200 OK\r\n\r\nr3sponse")), "http:", "https:", 1), journal.Retry, "does not speak TLS"},
		"TLS for plain HTTP": {strings.Replace(tlsServer.URL, "https:", "http:", 1), journal.Retry, "400 Bad Request"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			logged := &safeBuffer{}
			n := oneEndpoint(t, withSecrets(c.url), logged)
			w := n.workers[0]
			m := journal.Message{ID: "msg_1", Endpoint: "ops", Body: []byte(`{}`), CreatedAt: w.now()}
			list := w.attempt(t.Context(), pack([]journal.Message{m}, false, reader{}, w.now()))
			if len(list) != 1 || list[0].Result != c.result || !strings.Contains(list[0].Err, c.text) {
				t.Fatalf("outcomes %+v; want %s, %q", list, c.result, c.text)
			}
			o := list[0]
			if o.Err != "" && !strings.HasPrefix(o.Err, c.url+": ") {
				t.Errorf("the error does not say where: %q", o.Err)
			}
			mustHide(t, "the outcome", fmt.Sprintf("%+v %#v", o, o))
			r := n.Test(t.Context())[0]
			mustHide(t, "the test's result", fmt.Sprintf("%+v %v", r, r.Err))
			mustHide(t, "the log", logged.String())
			mustHide(t, "the notifier", fmt.Sprintf("%+v", w.Endpoint))
			closeIdle(n)
		})
	}
}

// closeIdle is what Run does in the end.
func closeIdle(n *Notifier) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n.Run(ctx)
}

func oneEndpoint(t *testing.T, url secret.Value, w io.Writer) *Notifier {
	t.Helper()
	n, err := New(Options{
		Endpoints: []Endpoint{{Name: "ops", Sender: hooked(t, url, secret.New(testSecret), nil)}},
		Store:     &memory{}, Log: zerolog.New(w), Host: "srv1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCertificateProblemsAreNamed(t *testing.T) {
	s := quietTLS(t)
	tr, ok := s.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("no transport")
	}
	tr.TLSClientConfig.ServerName = "other.example.org"
	tr.TLSClientConfig.MinVersion = tls.VersionTLS12
	w := hooked(t, withSecrets(s.URL), secret.Value{}, s.Client())
	if a := w.Send(t.Context(), Outgoing{ID: "msg_1"}); a.Kind != Failed || !strings.Contains(a.Text, "for another host") {
		t.Errorf("answer: %+v", a)
	}
}

// Known secrets, everything that can go wrong, and then a look at all that was
// written: logs, the journal's files, what a person is shown.
func TestNothingLeaks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	j := openJournal(t, filepath.Join(dir, "journal.db"))
	logged := &safeBuffer{}
	urls := []string{
		raw(t, reset), raw(t, says("HTTP/1.1 410 Gone\r\nContent-Length: 8\r\n\r\nr3sponse")),
		raw(t, says("HTTP/1.1 404 r3sponse\r\nContent-Length: 8\r\n\r\nr3sponse")), raw(t, says("r3sponse")),
	}
	o := Options{Store: j, Log: zerolog.New(logged), Host: "srv1"}
	for i, u := range urls {
		o.Endpoints = append(o.Endpoints, Endpoint{Name: fmt.Sprint("ops", i), Sender: hooked(t, withSecrets(u), secret.New(testSecret), nil)})
	}
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ms, err := n.Route(event.Event{Type: event.Test})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Commit(t.Context(), journal.Round{At: n.now(), Messages: ms}); err != nil {
		t.Fatal(err)
	}
	for _, w := range n.workers {
		if _, err := w.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	statuses, err := j.Outbox(t.Context())
	if err != nil || len(statuses) != len(urls) {
		t.Fatalf("%+v, %v", statuses, err)
	}
	for _, s := range statuses {
		if s.LastError == "" {
			t.Errorf("no error of %s was stored", s.Endpoint)
		}
	}
	mustHide(t, "the status", fmt.Sprintf("%+v", statuses))
	mustHide(t, "the log", logged.String())
	if !strings.Contains(logged.String(), "404 Not Found") {
		t.Errorf("the log says nothing: %s", logged)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		mustHide(t, f, string(bytes.ToValidUTF8(b, nil)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	closeIdle(n)
}

func TestTestAsksEveryEndpoint(t *testing.T) {
	r := &receiver{answer: func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }}
	s := httptest.NewServer(r)
	defer s.Close()
	store := &memory{}
	n, err := New(Options{Store: store, Host: "srv1", Endpoints: []Endpoint{
		{Name: "ops", Sender: hooked(t, secret.New(s.URL), secret.Value{}, nil), Events: []event.Type{event.PoolDepleted}},
		{Name: "down", Sender: hooked(t, withSecrets(raw(t, reset)), secret.Value{}, nil)},
		{Name: "gone", Sender: hooked(t, secret.New(raw(t, says("HTTP/1.1 410 Gone\r\n\r\n"))), secret.Value{}, nil)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := n.Test(t.Context())
	if len(got) != 3 || got[0].Endpoint != "ops" || got[1].Endpoint != "down" || got[2].Endpoint != "gone" {
		t.Fatalf("results: %+v", got)
	}
	if got[0].Err != nil || got[0].Answer != "202 Accepted" || got[0].Took <= 0 {
		t.Errorf("ops: %+v", got[0])
	}
	if got[1].Err == nil || !strings.Contains(got[1].Answer, "reset") {
		t.Errorf("down: %+v", got[1])
	}
	if got[2].Err == nil || got[2].Answer != "410 Gone" {
		t.Errorf("gone: %+v", got[2])
	}
	all := r.seen()
	if len(all) != 1 || !strings.Contains(all[0].body, `"message":"This is a test from ocwatch on srv1.`) {
		t.Errorf("arrived: %+v", all)
	}
	if all[0].header.Get("Webhook-Signature") != "" {
		t.Error("signed without a secret")
	}
	if store.left() != 0 || len(store.outcomes) != 0 || store.gone != "" {
		t.Error("a test was stored")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range n.Test(ctx) {
		if r.Err == nil {
			t.Errorf("a cancelled test succeeded: %+v", r)
		}
	}
	closeIdle(n)
}
