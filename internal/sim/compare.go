package sim

import (
	"runtime"
	"sync"

	"github.com/ocwatch/ocwatch/failover"
)

// Assumptions says what a comparison stands on.
const Assumptions = `Each world is a week of 400 to 2000 turns on 1 to 6 accounts (a quarter of the worlds with a paid key behind them), drawn
from its seed: plans of two sizes with a 5-hour and a weekly window that begin with their first use, demand of 20 to 110 % of
what the accounts hold, mostly in office hours and in bursts, 60 % of it in four chats that begin anew each day and keep their
account while OpenClaw can use it. Mishaps: outages of the provider, usage endpoints that refuse to be asked, windows given
back early, access tokens that end on idle accounts, and in 30 % of the worlds somebody who uses the first account elsewhere.
OpenClaw is a model of 2026.9: cooldowns of 30 s doubling with each refusal, blocks until the reset where it can read usage
(openai, 70 % of the worlds), and in half of the worlds a second model of the same provider, for which it gives up after one
rotation. A failed turn is not asked for again; turns during an outage count for nobody; nobody logs in. The shell watchdog
looks every 10 minutes, puts the longest-lived access token first, and restarts the gateway (20 s) where the first account
refused a call since. ocwatch runs its real breakers, pace and decision; an order takes effect at the next turn.`

// Way is one way of deciding that is compared.
type Way struct {
	Name string
	// New makes its controller for a world; nil leaves OpenClaw alone.
	New func(*World) Controller
}

// Ways are OpenClaw alone, a shell script, and ocwatch with each strategy.
func Ways() []Way {
	ways := []Way{
		{"OpenClaw alone", func(*World) Controller { return nil }},
		{"shell watchdog", func(*World) Controller { return Shell{} }},
	}
	for _, s := range failover.Strategies() {
		ways = append(ways, Way{"ocwatch " + string(s), func(w *World) Controller {
			policy := failover.DefaultPolicy()
			policy.Strategy = s
			return NewWatchdog(policy, w.Seed)
		}})
	}
	return ways
}

// Compare plays the worlds of seeds 1 to weeks in each way. results[i][j] is
// way i in the world of seed j+1.
func Compare(ways []Way, weeks int) (results [][]Result) {
	results = make([][]Result, len(ways))
	for i := range results {
		results[i] = make([]Result, weeks)
	}
	seeds := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for j := range seeds {
				w := Draw(uint64(j + 1)) //nolint:gosec // j counts from 0
				for i, way := range ways {
					results[i][j] = Play(w, way.New(w))
				}
			}
		})
	}
	for j := range weeks {
		seeds <- j
	}
	close(seeds)
	workers.Wait()
	return results
}
