package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// distance is how long the provider takes to answer.
const distance = 50 * time.Millisecond

// roundResult is what a child found.
type roundResult struct {
	Took   time.Duration
	Memory memory
}

// measureRound has a child run its first round over a crowd. The store and
// the endpoint are of this process.
func measureRound(ctx context.Context, o options, progress io.Writer) ([]row, error) {
	dir, err := os.MkdirTemp("", "ocwatch-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	world, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Accounts: accounts(o.crowd)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = world.Close() }()
	provider := httptest.NewServer(http.HandlerFunc(distant))
	defer provider.Close()
	var r roundResult
	err = inChild(ctx, job{Part: partRound, StateDir: world.StateDir(), UsageURL: provider.URL, Accounts: o.crowd}, progress, &r)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("round of %d accounts, %s away", o.crowd, distance)
	return []row{
		atMost(name, r.Took.Seconds(), 3, "%.2f s"),
		atMost(name+": peak memory", megabytes(r.Memory.Peak), 100, "%.1f MB"),
	}, nil
}

// oneRound is the child's part: read the store, ask, decide, journal.
func oneRound(ctx context.Context, j job) (err error) {
	rig, err := newRig(ctx, openclaw.Options{StateDir: j.StateDir}, map[string]string{"openai": j.UsageURL}, j.Dir, asItIs)
	if err != nil {
		return err
	}
	defer func() { _ = rig.Close() }()
	began := time.Now()
	rig.Round(ctx)
	r := roundResult{Took: time.Since(began)}
	if r.Memory, err = memoryOf("self"); err != nil {
		return err
	}
	if err := complete(rig.Status(), j.Accounts); err != nil {
		return err
	}
	return j.answer(r)
}

// complete sees to it that what was timed has happened.
func complete(s watchdog.Status, want int) error {
	known := 0
	for _, pool := range s.Pools {
		for _, p := range pool.Profiles {
			if p.Verdict == quota.OK && len(p.Windows) > 0 {
				known++
			}
		}
	}
	if known != want {
		return fmt.Errorf("the round learned of %d accounts, want %d; problems: %v", known, want, s.Problems)
	}
	return nil
}

func asItIs(*watchdog.Options) {}

// accounts makes n accounts that have quota left.
func accounts(n int) []sandbox.Account {
	list := make([]sandbox.Account, n)
	for i := range list {
		list[i] = sandbox.Account{
			Profile: fmt.Sprintf("openai:user%04d@example.com", i),
			Windows: []sandbox.Window{{Name: quota.FiveHour, UsedPercent: 20}, {Name: quota.Weekly, UsedPercent: 10}},
		}
	}
	return list
}

// distant answers as OpenAI's usage endpoint, late.
func distant(w http.ResponseWriter, r *http.Request) {
	late := time.NewTimer(distance)
	defer late.Stop()
	select {
	case <-late.C:
	case <-r.Context().Done():
		return
	}
	window := func(used float64, length time.Duration) map[string]any {
		return map[string]any{
			"used_percent": used, "limit_window_seconds": int(length.Seconds()),
			"reset_after_seconds": 7200, "reset_at": time.Now().Add(2 * time.Hour).Unix(),
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"plan_type": "plus",
		"rate_limit": map[string]any{
			"allowed": true, "limit_reached": false,
			"primary_window": window(20, 5*time.Hour), "secondary_window": window(10, 7*24*time.Hour),
		},
		"additional_rate_limits": []any{},
		"credits":                map[string]any{"has_credits": false, "unlimited": false, "balance": "0"},
	})
}
