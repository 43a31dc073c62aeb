package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
)

// TestStopsDespiteSlowReceiver: a webhook that hangs does not keep a person
// waiting who wants ocwatch to end.
func TestStopsDespiteSlowReceiver(t *testing.T) {
	world, hook := startWorld(t)
	reached := make(chan struct{}, 1)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the client leave
		select {
		case reached <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	defer slow.Close()
	cfg := configFor(t, world, hook)
	cfg.Notify.Webhooks = []config.Webhook{{Name: "slow", URL: slow.URL, Secret: hook.Secret()}}
	a, err := New(t.Context(), Options{Config: cfg, Log: zerolog.Nop(), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	<-reached
	begin := time.Now()
	stop()
	<-done
	// A second more than it takes, for a machine that is busy.
	if took := time.Since(begin); took > farewell+2*time.Second {
		t.Errorf("stopping took %v", took)
	}
}
