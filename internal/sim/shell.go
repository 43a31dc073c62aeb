package sim

import (
	"slices"
	"time"
)

// Shell is what watchdogs in shell scripts do: every ten minutes they put the
// account first whose access token lasts longest, and where the first one's
// calls failed since, they restart the gateway.
type Shell struct{}

const shellEvery = 10 * time.Minute

// Act implements Controller.
func (Shell) Act(now time.Time, v View) time.Time {
	ids := slices.Clone(v.Order())
	paid := map[string]bool{}
	for _, a := range v.Accounts() {
		paid[a.ID] = a.Paid
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		switch {
		case paid[a] != paid[b] && paid[a]:
			return 1 // a key has no token that could last
		case paid[a] != paid[b]:
			return -1
		}
		return v.TokenEnds(b).Compare(v.TokenEnds(a))
	})
	if !slices.Equal(ids, v.Order()) {
		v.SetOrder(ids)
	}
	if v.FirstRefused() {
		v.Restart(now)
	}
	return now.Add(shellEvery)
}
