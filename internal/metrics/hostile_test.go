package metrics

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestAnyStatusCanBeScraped: no window, profile or time of a provider's making
// costs the whole answer.
func TestAnyStatusCanBeScraped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := Snapshot{Status: watchdog.Status{Pools: anyPools(rt)}}
		if _, err := testutil.GatherAndCount(all(New("", fixed(s)))); err != nil {
			rt.Fatal(err)
		}
	})
}

// long is a beginning of names that are one once they are cut.
var long = strings.Repeat("n", maxText)

// anyPools are pools as the watchdog may have them: no two of one agent and
// provider, no profile twice in one of them.
func anyPools(t *rapid.T) []watchdog.PoolStatus {
	word := rapid.OneOf(rapid.SampledFrom([]string{"", "5h", "weekly", "a", "\xff", `"\`, "\n"}), rapid.String())
	instant := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(rapid.Int64().Draw(t, "seconds"), 0) })
	win := rapid.Custom(func(t *rapid.T) watchdog.WindowStatus {
		return watchdog.WindowStatus{Window: quota.Window{
			Name: word.Draw(t, "window"), Scope: word.Draw(t, "scope"), ResetsAt: instant.Draw(t, "resets"),
			UsedPercent: rapid.Ptr(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1)})), true).Draw(t, "used"),
		}}
	})
	prof := rapid.Custom(func(t *rapid.T) watchdog.ProfileStatus {
		return watchdog.ProfileStatus{
			ID: rapid.SampledFrom([]string{"a", "b", "c", "", long + "a", long + "b"}).Draw(t, "id"), Account: word.Draw(t, "account"),
			State:    rapid.SampledFrom(append(profileStates(), "")).Draw(t, "state"),
			ProbedAt: rapid.Ptr(instant, true).Draw(t, "probed"), Windows: rapid.SliceOfN(win, 0, 5).Draw(t, "windows"),
		}
	})
	pool := rapid.Custom(func(t *rapid.T) watchdog.PoolStatus {
		p := watchdog.PoolStatus{
			Agent: rapid.SampledFrom([]string{"main", "work", "", long + "a", long + "b"}).Draw(t, "agent"), Provider: rapid.SampledFrom([]string{"openai", "x"}).Draw(t, "provider"),
			State:      rapid.SampledFrom(append(poolStates(), failover.PoolState(""))).Draw(t, "pool state"),
			RecoversAt: rapid.Ptr(instant, true).Draw(t, "recovers"),
			Profiles:   rapid.SliceOfNDistinct(prof, 0, 3, func(p watchdog.ProfileStatus) string { return p.ID }).Draw(t, "profiles"),
		}
		p.RunsDryAt = rapid.Ptr(instant, true).Draw(t, "dry")
		return p
	})
	return rapid.SliceOfNDistinct(pool, 0, 4, func(p watchdog.PoolStatus) string { return p.Agent + "/" + p.Provider }).Draw(t, "pools")
}
