package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// sizes of a pool: a large household's, and beyond any that was seen.
func sizes() []int { return []int{10, 100} }

func BenchmarkDecide(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("%d profiles", n), func(b *testing.B) {
			now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
			pool := drained(n, now)
			if plan := failover.Decide(now, failover.DefaultPolicy(), pool); !plan.Change || plan.Order[0] != pool.Candidates[n-1].ID {
				b.Fatalf("the last profile has quota left, and the order is %v", plan.Order)
			}
			b.ReportAllocs()
			for b.Loop() {
				failover.Decide(now, failover.DefaultPolicy(), pool)
			}
		})
	}
}

// drained is a pool with everything to decide: each profile has less used than
// the one before it, and only the last is below the threshold.
func drained(n int, now time.Time) failover.Pool {
	pool := failover.Pool{Agent: "main", Provider: "openai"}
	for i := range n {
		id := fmt.Sprintf("openai:user%04d@example.com", i)
		used := 100 - 4*float64(i)/float64(n)
		if i == n-1 {
			used = 20
		}
		r := quota.Reading{
			Account: id, Provider: "openai", At: now, Source: quota.FromUsage, Verdict: quota.OK,
			Windows: []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(used), ResetsAt: now.Add(time.Hour)}},
		}
		pool.Order = append(pool.Order, id)
		pool.Candidates = append(pool.Candidates, failover.Candidate{
			ID: id, Account: id, Credential: failover.CredentialUsable, Latest: r, Usage: r,
		})
	}
	return pool
}

// BenchmarkRound is a whole round of an idle watchdog on the stand-in world,
// whose servers' share is in the figure.
func BenchmarkRound(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("%d profiles", n), func(b *testing.B) {
			world, err := sandbox.Start(b.Context(), sandbox.Options{Dir: b.TempDir(), Accounts: accounts(n)})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = world.Close() })
			usage := map[string]string{"openai": world.UsageURL("openai")}
			rig, err := newRig(b.Context(), openclaw.Options{StateDir: world.StateDir()}, usage, b.TempDir(), asItIs)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = rig.Close() })
			b.ReportAllocs()
			for b.Loop() {
				rig.Round(b.Context())
			}
			if err := complete(rig.Status(), n); err != nil {
				b.Fatal(err)
			}
		})
	}
}
