// Package failover decides. Breakers mark accounts as spent, Decide turns what
// is known of a pool into the order its profiles should have, and says why.
// Nothing here touches network, files or processes: the watchdog and restart
// packages below carry a Plan out.
package failover

import (
	"slices"
	"time"
)

// Paid is what may happen with profiles that are billed per token.
type Paid string

// The paid policies.
const (
	PaidLast  Paid = "last"  // after every subscription that can serve
	PaidNever Paid = "never" // left out of the order
)

// Policy is the owner's wish for one pool.
type Policy struct {
	Strategy Strategy
	// SwitchAt and ReturnBelow are used percentages, 0 to 100, with
	// ReturnBelow < SwitchAt: a profile is left from SwitchAt on, and comes
	// back below ReturnBelow or once the window that drove it out was reset.
	SwitchAt    float64
	ReturnBelow float64
	// MinDwell is the least time between two voluntary switches.
	MinDwell time.Duration
	Paid     Paid
	// LoginAfter: a depleted pool that recovers sooner than this waits, one
	// that does not asks for a login.
	LoginAfter time.Duration
	// RemindEvery is how often a login that nobody did is asked for again; 0
	// is never.
	RemindEvery time.Duration
	// Prefer is the configured order of preference, possibly of only some
	// profiles.
	Prefer []string
	// Keep is the reserve, in percent left by profile id: with only that much
	// left a profile comes after every other subscription that can serve, and
	// is used to the end when none can.
	Keep map[string]float64
	// Models are those whose own windows count as the account's.
	Models []string
}

// DefaultPolicy is what holds without a config file.
func DefaultPolicy() Policy {
	return Policy{
		Strategy:    Priority,
		SwitchAt:    95,
		ReturnBelow: 80,
		MinDwell:    5 * time.Minute,
		Paid:        PaidLast,
		LoginAfter:  10 * time.Minute,
		RemindEvery: 6 * time.Hour,
	}
}

const (
	// unreachableRise is how many probes in a row must fail to reach the
	// provider before a profile is taken for unreachable: one lost packet or
	// one restarted proxy must not cost a switch.
	unreachableRise = 3

	// briefBlock is the longest remaining time of an OpenClaw cooldown that
	// is left to OpenClaw alone. Its ladder for transient errors is 30 s,
	// 1 m, 5 m, and it skips the profile by itself meanwhile; moving it away
	// and back would cost two switches for nothing.
	briefBlock = 5 * time.Minute

	// briefBlockBlind is the same for an account whose usage cannot be read:
	// there a second refusal in a row is the only sign of spent quota there
	// will ever be, and OpenClaw answers it with a minute.
	briefBlockBlind = 45 * time.Second

	// contradicts is how long a reading that says usable outweighs OpenClaw's
	// block. OpenClaw looks again every 5 minutes before it refuses a turn, so
	// a block that is wrong does not live longer than two of those.
	contradicts = 10 * time.Minute

	// resetSlack is how much sooner another spent profile must come back
	// before the order among spent profiles is worth a write. Providers'
	// reset times jitter by seconds.
	resetSlack = 5 * time.Minute

	// forcedBudget is how many switches an hour may go out at once because
	// the first profile was spent. Beyond it the readings contradict
	// themselves, and MinDwell holds for those too.
	forcedBudget = 12

	// retryFirst and retryMost bound the pause after an order could not be
	// set: the command line costs seconds and half a gigabyte.
	retryFirst = time.Minute
	retryMost  = 15 * time.Minute

	// loginPatience is how long the outcome of a login waits for a probe of the
	// new credential. The person who logged in is looking at the phone.
	loginPatience = 2 * time.Minute

	// promotes is how long after a login an order that has its profile first,
	// and the others as they were, is taken for OpenClaw's doing.
	promotes = 10 * time.Minute

	// loginRetries is how many fresh codes an episode gives out because the
	// login that came was a spent account again.
	loginRetries = 3
)

// limits are the used percentages at which a profile is left and below which it
// is come back to. A reserve is left earlier, with as much room between the two.
func (p Policy) limits(id string) (leave, back float64) {
	leave = p.SwitchAt
	if keep, kept := p.Keep[id]; kept {
		leave = min(leave, 100-keep)
	}
	return leave, leave - (p.SwitchAt - p.ReturnBelow)
}

func (p Policy) counts(scope string) bool {
	return scope == "" || slices.Contains(p.Models, scope)
}
