// Package profiles knows what OpenClaw has: pools, profiles, their order and
// their credentials, read only. It also sets the order, through OpenClaw's own
// interfaces, and reads it back.
package profiles

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Type is the kind of an OpenClaw credential.
type Type string

// The credential types, as OpenClaw spells them.
const (
	OAuth  Type = "oauth"
	Token  Type = "token"
	APIKey Type = "api_key"
)

// Status says whether a credential can be used to ask its provider anything.
type Status string

// The statuses.
const (
	// Usable: there is a token and it has not expired.
	Usable Status = "usable"
	// Stale: the access token expired; OpenClaw refreshes it when it next
	// needs it. Not a logout.
	Stale Status = "stale"
	// Refreshing: OpenClaw holds a refresh fence in place of the token.
	Refreshing Status = "refreshing"
	// LoginRequired: OpenClaw recorded that the login is dead (a failed
	// refresh fence, auth_permanent), or a pasted token is past its end, which
	// nothing refreshes.
	LoginRequired Status = "login_required"
	// Unreadable: the token is not in the store (SecretRef, oauthRef, an
	// inactive replacement) or is not understood. Nothing is wrong with the
	// account; ocwatch cannot see.
	Unreadable Status = "unreadable"
)

// Profile is one OpenClaw auth profile.
type Profile struct {
	ID       string
	Provider string // OpenClaw's provider id, as stored
	Type     Type
	Email    string
	// Account is the key of who is billed: the same on every host, hashed.
	// Profiles with equal Account share quota.
	Account string
	// AccountID is the provider's own account id, "" where unknown.
	AccountID string
	// BaseURL is where OpenClaw sends the profile's requests, or the host that
	// its login is for; "" for the provider's usual one.
	BaseURL string
	// Project is the provider's own project id (Google's), "" where unknown.
	Project   string
	Plan      string    // from the token's claims; may lag
	FedRAMP   bool      // openai only
	ExpiresAt time.Time // of the access token, or of a long-lived token; zero: does not, or unknown
	Status    Status
	Reason    string // why Status is not Usable, in words
	Fix       string // the command that mends it, "" where nothing needs to be done
	Block     Block  // OpenClaw's account-wide block; zero: none
	// ModelBlocks are blocks of one model, which leave the account usable
	// for others.
	ModelBlocks []Block
	// LastUsed is when OpenClaw last served with it; zero where it does not
	// record that (2026.9, for shared profiles).
	LastUsed time.Time
	// Excluded: auth.profiles in openclaw.json names other profiles of this
	// provider and not this one, so OpenClaw does not try it as long as there
	// is no order. Any order that names it brings it in; OpenClaw's own
	// interface for orders demands every profile.
	Excluded bool
	// Revision changes when the credential does: at a login, and when OpenClaw
	// refreshes the tokens. It compares within one process only and means
	// nothing outside of it; never keep or show it.
	Revision uint64

	// ignored: OpenClaw itself does not see this entry, so no order can name it.
	ignored bool
}

// Paid reports whether the profile is billed per token, as far as the store
// tells: API keys are. That a key belongs to a plan its usage tells.
func (p Profile) Paid() bool { return p.Type == APIKey }

// Block is OpenClaw's record that it will not use a profile for a while.
type Block struct {
	Until  time.Time
	Kind   BlockKind
	Reason string // OpenClaw's word: subscription_limit, rate_limit, auth, billing, auth_permanent, …
	Source string // blockedSource or cooldownClassification: wham, codex_rate_limits, wham_token_expired, …
	Model  string // "" for the whole account
	// Failed is when OpenClaw last failed with the profile; zero for a cooldown,
	// and where it did not note that.
	Failed time.Time
}

// Active reports whether b holds at now.
func (b Block) Active(now time.Time) bool { return now.Before(b.Until) }

// BlockKind is which of OpenClaw's three fields a block came from.
type BlockKind string

// The kinds.
const (
	Blocked  BlockKind = "blocked"  // blockedUntil: quota
	Cooldown BlockKind = "cooldown" // cooldownUntil: transient
	Disabled BlockKind = "disabled" // disabledUntil: billing, auth_permanent
)

// OrderSource is where a pool's order came from.
type OrderSource string

// The order sources.
const (
	OrderStored OrderSource = "stored" // models auth order set, the Control UI, ocwatch
	OrderConfig OrderSource = "config" // auth.order in openclaw.json
	OrderNone   OrderSource = "none"   // nobody set one; profiles as listed
)

// Pool is what OpenClaw may rotate among for one agent and provider.
type Pool struct {
	Agent    string
	Provider string
	// Profiles are all there are, in the order of OpenClaw's store; where
	// nobody set an order, in the order in which OpenClaw would try them now.
	Profiles []Profile
	// Order is the order in force, without profiles that no longer exist. It
	// may omit profiles, which OpenClaw then never tries; entries that
	// OpenClaw cannot read (and so cannot order) stand at its end. Empty where
	// Source is OrderNone.
	Order  []string
	Source OrderSource
}

// Problem is a reason why part of OpenClaw's state could not be read, with the
// command that mends it. A problem is never "no profiles".
type Problem struct {
	Agent  string // "" where it concerns the whole install
	What   string
	Fix    string
	Reason ProblemKind
}

// ProblemKind tells problems apart.
type ProblemKind string

// The problem kinds.
const (
	NeedsMigration ProblemKind = "needs-migration" // a store of an older release awaits openclaw doctor --fix
	UnknownSchema  ProblemKind = "unknown-schema"
	Corrupt        ProblemKind = "corrupt"
	NotPermitted   ProblemKind = "not-permitted"
	Busy           ProblemKind = "busy"
)

// Snapshot is OpenClaw's auth state at one moment.
type Snapshot struct {
	At       time.Time
	Layout   openclaw.Layout
	Pools    []Pool
	Problems []Problem
}
