package failover

import (
	"maps"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// State is what a profile can do, derived from all evidence.
type State string

// The states of a profile.
const (
	Available State = "available"
	Low       State = "low"       // past the switch threshold
	Exhausted State = "exhausted" // cannot serve before Until
	Dead      State = "dead"      // needs a login
	Unknown   State = "unknown"
)

// PoolState sums a pool up.
type PoolState string

// The states of a pool.
const (
	PoolOK       PoolState = "ok"
	PoolWarning  PoolState = "warning"  // serves, but something needs an eye
	PoolDepleted PoolState = "depleted" // nothing can serve
	PoolBlind    PoolState = "blind"    // nothing could be learned: network, not quota
	PoolUnknown  PoolState = "unknown"  // nothing is known yet
)

// Credential is what the store says of a profile's credential.
type Credential string

// The credential conditions that the decision tells apart.
const (
	CredentialUsable        Credential = "usable"
	CredentialUnreadable    Credential = "unreadable" // stale, being refreshed, a reference: nothing is wrong with the account
	CredentialLoginRequired Credential = "login_required"
)

// Block is OpenClaw's record that it will not use a profile before Until.
type Block struct {
	Until  time.Time
	Reason string
	// Failed is when OpenClaw last failed with the profile, zero: unknown.
	Failed time.Time
	// Transient is true for a cooldown, which OpenClaw sets on any hiccup,
	// and false for a recorded limit or a disabled profile.
	Transient bool
}

// Candidate is one profile with all the evidence there is about it.
type Candidate struct {
	ID      string
	Account string
	// Paid: it is billed per token.
	Paid bool
	// Key: it is an API key, which no login brings or renews. Whatever is
	// billed per token is one; a plan's key is one, too.
	Key        bool
	Credential Credential
	// CredentialReason says in words why the credential is not usable.
	CredentialReason string
	// Latest is the newest probe, whatever came of it; zero if there was none.
	Latest quota.Reading
	// Usage is the newest probe that told something of the account; zero if
	// there was none.
	Usage quota.Reading
	// Failures counts probes in a row that did not reach the provider.
	Failures int
	Block    Block
	// ExpiresAt is when a long-lived token ends that nothing renews; zero for
	// every other credential.
	ExpiresAt time.Time
}

// isKey reports whether only another key helps c, and no login.
func (c Candidate) isKey() bool { return c.Key || c.Paid }

// Pool is one agent's profiles of one provider, as they are now.
type Pool struct {
	Agent    string
	Provider string
	// Candidates are listed as OpenClaw lists them.
	Candidates []Candidate
	// Order is the order in force, which may leave profiles out. Empty where
	// nobody set one.
	Order []string
	// LoggedIn are the profiles that a login brought which ended since the last
	// decision. Those that somebody else's login brought need not be named.
	LoggedIn []string
	// Pin is what a person wants first; zero: nobody wants anything.
	Pin Pin
	// Paused: nothing is to be changed, only told.
	Paused bool
	// Memory is the Plan.Memory of the last decision.
	Memory Memory
}

// Memory is what a decision must know of earlier ones and cannot read from
// OpenClaw. It is journalled as JSON.
type Memory struct {
	// Seen is the order as last read or set, and Ours tells that ocwatch set
	// it. An order that is neither Seen nor Intent was set by somebody else.
	Seen []string `json:"seen,omitempty"`
	Ours bool     `json:"ours,omitempty"`
	// Intent is the order ocwatch is about to set. It is journalled before
	// the deed, so that after a crash the new order is known for our own.
	Intent *Intent `json:"intent,omitempty"`
	// Preferred is the order somebody else set, or the one OpenClaw had when
	// ocwatch first saw the pool; empty where there was none.
	Preferred []string `json:"preferred,omitempty"`
	// Prefer is the configured preference that Preferred was taken under; an
	// edited config makes the older wish of a person void.
	Prefer []string `json:"prefer,omitempty"`
	// ByPerson: Preferred was set by somebody else while ocwatch watched,
	// and goes before the config.
	ByPerson bool `json:"by_person,omitempty"`
	// Known: the pool was seen before.
	Known bool `json:"known,omitempty"`
	// Chosen is the profile that somebody put first although it was low or
	// paid. It is not left for being that, only for being spent.
	Chosen string `json:"chosen,omitempty"`
	// Held is the profile that somebody put first: no strategy leaves it before
	// it is low, spent or gone.
	Held string `json:"held,omitempty"`
	// Writes are the times of the last hour's changes of the order.
	Writes []time.Time `json:"writes,omitempty"`
	// SwitchedAt is when the first profile was last changed, by anybody.
	SwitchedAt time.Time `json:"switched_at,omitzero"`
	// RetryAt and Attempts bound how often a failing change is tried.
	RetryAt  time.Time `json:"retry_at,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
	// Profiles remembers each profile's threshold and what was announced.
	Profiles map[string]ProfileMemory `json:"profiles,omitempty"`
	Depleted *Episode                 `json:"depleted,omitempty"`
	Blind    *Episode                 `json:"blind,omitempty"`
	// Paid is set while a paid profile is first by ocwatch's doing.
	Paid bool `json:"paid,omitempty"`
}

// Intent is a change that was decided and is not yet confirmed.
type Intent struct {
	Order  []string  `json:"order"`
	From   string    `json:"from,omitempty"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// RecoversAt is when the first spent profile was expected back then.
	RecoversAt time.Time `json:"recovers_at,omitzero"`
	// Asked: a person asked for it, by a pin.
	Asked bool `json:"asked,omitempty"`
}

// ProfileMemory is what must be remembered of one profile.
type ProfileMemory struct {
	// Low holds from SwitchAt on until ReturnBelow, or until LowReset passed.
	Low      bool      `json:"low,omitempty"`
	LowReset time.Time `json:"low_reset,omitzero"`
	// Announced is the last state that an event told.
	Announced State `json:"announced,omitempty"`
	// Account is who the profile billed when its credential could last be
	// read. A journal of before has none: then nothing is known to be new.
	Account string `json:"account,omitempty"`
	// Paid: it was billed per token then.
	Paid bool `json:"paid,omitempty"`
	// Login is the last login to the profile.
	Login Login `json:"login,omitzero"`
	// Expiry is the end that Warned was told of.
	Expiry Expiry `json:"expiry,omitzero"`
}

// Login is a login to one profile, seen or heard of.
type Login struct {
	At time.Time `json:"at"`
	// Known: the pool had the account before.
	Known bool `json:"known,omitempty"`
	// Renewed: the profile had the account before.
	Renewed bool `json:"renewed,omitempty"`
	// Dead: the account needed the login.
	Dead bool `json:"dead,omitempty"`
	// Named: it was heard of, too. What is seen first is heard of a little
	// later, and is one login all the same.
	Named bool `json:"named,omitempty"`
	// Told: an event said what became of it.
	Told bool `json:"told,omitempty"`
}

// Expiry is what was told of the end of a long-lived token.
type Expiry struct {
	At time.Time `json:"at"`
	// Days is the smallest notice given, in days; 0: none yet.
	Days int `json:"days,omitempty"`
	// ToldAt is when it was given.
	ToldAt time.Time `json:"told_at,omitzero"`
}

// Episode is one stretch of a pool being depleted or blind.
type Episode struct {
	Since time.Time `json:"since"`
	// Announced: an event went out, and its counterpart is owed.
	Announced bool `json:"announced,omitempty"`
	// LoginAsked: the event asked for a login.
	LoginAsked bool      `json:"login_asked,omitempty"`
	RemindAt   time.Time `json:"remind_at,omitzero"`
	// Retries counts the fresh codes that were asked for because a login
	// brought a spent account again.
	Retries int `json:"retries,omitempty"`
}

func (m Memory) clone() Memory {
	m.Seen = slices.Clone(m.Seen)
	m.Preferred = slices.Clone(m.Preferred)
	m.Prefer = slices.Clone(m.Prefer)
	m.Writes = slices.Clone(m.Writes)
	profiles := make(map[string]ProfileMemory, len(m.Profiles))
	maps.Copy(profiles, m.Profiles)
	m.Profiles = profiles
	m.Intent = clonePtr(m.Intent)
	m.Depleted = clonePtr(m.Depleted)
	m.Blind = clonePtr(m.Blind)
	return m
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (p Pool) ids() []string {
	ids := make([]string, len(p.Candidates))
	for i, c := range p.Candidates {
		ids[i] = c.ID
	}
	return ids
}
