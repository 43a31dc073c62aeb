package failover

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// withBlock merges OpenClaw's own record in: the usage reading says how much
// is left, the block says what OpenClaw will refuse.
func withBlock(now time.Time, c Candidate, a Assessment) Assessment {
	b := c.Block
	if !now.Before(b.Until) || a.State == Dead {
		return a
	}
	brief := briefBlockBlind
	if c.readable() {
		brief = briefBlock
	}
	if b.Transient && b.Until.Sub(now) <= brief {
		return a
	}
	if c.contradicted() && now.Sub(c.Usage.At) < contradicts {
		a.Shunned = true
		if !b.Transient && b.Failed.After(c.Usage.At) {
			a.Refused = true
			a.Reason = fmt.Sprintf("OpenClaw recorded %s until %s, after the provider last said usable", cmp.Or(b.Reason, "a block"), clock(b.Until))
			return a
		}
		a.Reason = fmt.Sprintf("blocked by OpenClaw until %s, provider says usable", clock(b.Until))
		return a
	}
	if a.State == Exhausted && (a.Until.After(b.Until) || a.Until.IsZero() && b.guessed()) {
		return a // the end of a cooldown brings no quota back
	}
	return Assessment{
		State: Exhausted, Sure: true, Until: b.Until, Hiccup: a.State != Exhausted && b.hiccup(c.readable()),
		Reason: fmt.Sprintf("OpenClaw recorded %s until %s", cmp.Or(b.Reason, "a block"), clock(b.Until)),
	}
}

// readable reports whether the provider tells what the account has left. That it
// takes a key says nothing of the key's credit.
func (c Candidate) readable() bool {
	return c.Usage.Verdict != "" && c.Usage.Source != quota.FromValidity && c.Latest.Verdict != quota.Unsupported
}

// contradicted reports whether the provider's newest word is against OpenClaw's
// block. A key that is valid is no refused one, whatever OpenClaw took an answer
// for; but it may well be without credit.
func (c Candidate) contradicted() bool {
	if c.Usage.Verdict != quota.OK || c.Latest.Verdict == quota.Unsupported {
		return false
	}
	return c.readable() || c.Block.Reason == "auth" || c.Block.Reason == "auth_permanent"
}

// guessed reports whether OpenClaw made up when b ends: it doubles a pause from
// failure to failure. Only a recorded limit ends when the provider said.
func (b Block) guessed() bool {
	return b.Transient || b.Reason == "billing" || b.Reason == "auth_permanent"
}

// hiccup reports whether b comes from errors that say nothing of the account:
// an outage, an overload, a cut connection. OpenClaw's word for a rate limit is
// among them where the provider itself can be asked, since an outage answers
// with 429 too; where usage cannot be read it is the only sign of spent quota.
func (b Block) hiccup(readable bool) bool {
	if !b.Transient {
		return false
	}
	switch b.Reason {
	case "auth", "auth_permanent", "session_expired", "billing":
		return false
	case "rate_limit", "subscription_limit", "":
		return readable
	}
	return true
}
