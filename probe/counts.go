package probe

import (
	"math"
	"time"
)

// ofCounts returns how much of a limit is used, in percent, from whichever of
// used and remaining the answer has: providers leave out members that are zero,
// so either may be missing and neither is taken for zero. More than the limit
// counts as all of it.
func ofCounts(o object, limit, used, remaining string) (float64, bool) {
	most, ok := o.number(limit)
	if !ok || most <= 0 {
		return 0, false
	}
	gone, known := o.number(used)
	if left, said := o.number(remaining); !known && said {
		gone, known = most-left, true
	}
	if p := math.Min(100*gone/most, 100); known && !math.IsInf(p, 0) && !math.IsNaN(p) {
		return p, true
	}
	return 0, false
}

// lengthOf returns the length of n units, 0 where there is no believable one.
func lengthOf(n float64, unit time.Duration) time.Duration {
	if n <= 0 || n*float64(unit) > float64(horizon) {
		return 0
	}
	return time.Duration(n * float64(unit))
}
