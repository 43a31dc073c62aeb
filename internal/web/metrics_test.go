package web

import (
	"io"
	"net/http"
	"testing"

	"github.com/rs/zerolog"
)

// TestMetricsAreServed on the port and on the socket, to this machine alone.
func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	tcp, err := ListenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	socket := listen(t, dir)
	s := New(fixed(nil), nil, zerolog.Nop())
	s.ServeMetrics(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(rw, "ocwatch_paused 0\n")
	}))
	done := make(chan struct{}, 2)
	go func() { s.Serve(tcp); done <- struct{}{} }()
	go func() { s.ServeOwner(socket); done <- struct{}{} }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-done
		<-done
	})
	for _, tc := range []struct {
		name, method, host string
		want               int
	}{
		{"a scrape", http.MethodGet, "127.0.0.1:18790", http.StatusOK},
		{"a page elsewhere", http.MethodGet, "attacker.example", http.StatusMisdirectedRequest},
		{"another method", http.MethodPost, "localhost", http.StatusMethodNotAllowed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			code, kind, body := ask(t, tcp, tc.method, tc.host, pathMetrics)
			if code != tc.want {
				t.Errorf("%d: %s", code, body)
			}
			if code == http.StatusOK && (body != "ocwatch_paused 0\n" || kind != "text/plain; version=0.0.4") {
				t.Errorf("%s: %q", kind, body)
			}
		})
	}
	body, err := NewClient(dir).do(t.Context(), http.MethodGet, pathMetrics, nil)
	if err != nil || string(body) != "ocwatch_paused 0\n" {
		t.Errorf("the socket answers %q, %v", body, err)
	}
}
