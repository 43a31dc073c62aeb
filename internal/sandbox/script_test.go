package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// The demo's story in figures: a watchdog that looks twice a second sees every
// account pass 95 percent, there is a time when all are spent, and an end in
// which the account that a person signed in as serves.
func TestDemoAddsUp(t *testing.T) {
	accounts, script := sandbox.Demo()
	perSecond := script.Cost / script.Every.Seconds()
	if headroom := 5 / perSecond; headroom < 0.8 {
		t.Errorf("95 to 100 percent takes %.2f s", headroom)
	}
	var left float64
	first := 24 * time.Hour
	for _, a := range accounts {
		left += 100 - a.Windows[0].UsedPercent
		first = min(first, a.Windows[0].ResetsAfter)
		if drain := (100 - a.Windows[0].UsedPercent) / perSecond; drain < 4 || drain > 8 {
			t.Errorf("%s drains in %.1f s", a.Profile, drain)
		}
		if w := a.Windows[1]; w.Name != quota.Weekly || w.UsedPercent+100*w.Rate >= 50 {
			t.Errorf("%s: the weekly window would spoil the story: %+v", a.Profile, a.Windows[1])
		}
	}
	if first < 4*script.For {
		t.Errorf("the first account is back after %v, which would spoil the story", first)
	}
	spent := time.Duration(left / perSecond * float64(time.Second))
	helped := spent + script.Phone.After
	dave := script.Phone.Account.Windows[0].UsedPercent + perSecond*(script.For-helped).Seconds()
	if script.For-helped < 4*time.Second || dave > 80 {
		t.Errorf("spent after %v, helped after %v, over after %v with %.0f %% of the new account used", spent, helped, script.For, dave)
	}
}

func TestScriptPlaysAgainstTheOrder(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour, ResetsAfter: time.Hour})})
	ctx, cancel := context.WithCancel(deadline(t))
	var served []string
	failed := 0
	err := sandbox.Script{For: time.Hour, Every: time.Millisecond, Cost: 20}.Play(ctx, w, func(turn sandbox.Turn) {
		if turn.ServedBy != "" {
			served = append(served, turn.ServedBy)
			return
		}
		if failed++; failed == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
	want := strings.Repeat(alice+" ", 5) + strings.Repeat(bob+" ", 5) + strings.Repeat(carol+" ", 5)
	if got := strings.Join(served, " ") + " "; got != want {
		t.Errorf("served by %s", got)
	}
	if err := (sandbox.Script{For: 10 * time.Millisecond, Every: time.Millisecond}).Play(t.Context(), w, nil); err != nil {
		t.Errorf("a script that is over: %v", err)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	w, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Accounts: trio(fiveHours)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := open(deadline(t), w.GatewayURL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.call(deadline(t), "connect", connectParams(w.Token().Reveal())); err != nil {
		t.Fatal(err)
	}
	idle, err := open(deadline(t), w.GatewayURL()) // never gets to its handshake
	if err != nil {
		t.Fatal(err)
	}
	w.SetFault(alice, sandbox.Slow)
	req, err := http.NewRequestWithContext(deadline(t), http.MethodGet, w.UsageURL("openai"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+credential(t, w, alice))
	hanging := make(chan struct{})
	transport := &http.Transport{}
	go func() {
		defer close(hanging)
		if res, err := transport.RoundTrip(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	eventually(t, "the slow request arrives", func() bool { return len(w.Requests()) == 1 })
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = c.end(deadline(t))
		_, _ = idle.end(deadline(t))
	}()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	<-hanging
	<-gone
	_, _ = c.ws.CloseNow(), idle.ws.CloseNow()
	transport.CloseIdleConnections()
	// The database handle that credential opened is closed by its cleanup only.
	eventually(t, "every goroutine ends", func() bool { return runtime.NumGoroutine() <= before+1 })
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"a profile without a provider":  {Dir: t.TempDir(), Accounts: []sandbox.Account{{Profile: "alice"}}},
		"a directory that is not there": {Dir: t.TempDir() + "/none\x00"},
	} {
		if w, err := sandbox.Start(t.Context(), o); err == nil {
			t.Errorf("%s: started, %v", name, w.Close())
		}
	}
}
