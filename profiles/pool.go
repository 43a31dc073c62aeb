package profiles

import (
	"cmp"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// content is what holds for one agent, decoded. It is never changed once made.
type content struct {
	agent       string
	layout      openclaw.Layout
	credentials []credential
	state       state
	cfg         openclaw.Config
}

// decode reads the documents of one agent. Its errors say what is wrong and
// quote nothing.
func decode(d openclaw.Documents, cfg openclaw.Config) (content, error) {
	c := content{agent: d.Agent, layout: d.Layout, state: decodeState(d.State), cfg: cfg}
	at := map[string]int{}
	for _, raw := range d.Credentials {
		list, err := decodeCredentials(raw)
		if err != nil {
			return content{}, err
		}
		for _, cred := range list {
			if i, shared := at[cred.id]; shared {
				c.credentials[i] = cred
				continue
			}
			at[cred.id] = len(c.credentials)
			c.credentials = append(c.credentials, cred)
		}
	}
	return c, nil
}

// pools groups the profiles by provider, in the order of the store.
func (c content) pools(now time.Time) []Pool {
	var pools []Pool
	at := map[string]int{}
	for _, cred := range c.credentials {
		i, ok := at[cred.provider]
		if !ok {
			i = len(pools)
			at[cred.provider] = i
			pools = append(pools, Pool{Agent: c.agent, Provider: cred.provider})
		}
		pools[i].Profiles = append(pools[i].Profiles, c.profile(cred, now))
	}
	for i := range pools {
		c.order(&pools[i])
	}
	return pools
}

// profile puts together what is known of one credential.
func (c content) profile(cred credential, now time.Time) Profile {
	stats := c.state.usage[cred.id]
	p := Profile{ID: cred.id, Provider: cred.provider, Type: cred.kind, Revision: cred.revision, ignored: cred.ignored != ""}
	p.Block, p.ModelBlocks = blocks(cred, stats, now)
	p.LastUsed, _ = stats.millis("lastUsed")
	var said claims
	if cred.kind == OAuth && quota.Canonical(cred.provider) == "openai" {
		said = decodeClaims(cred.token.Reveal())
	}
	p.Email = cmp.Or(cred.email, said.Email)
	p.AccountID = cmp.Or(cred.accountID, said.AccountID)
	p.Plan = cmp.Or(said.Plan, cred.plan) // the token is renewed, the record of the login is not
	p.FedRAMP = said.FedRAMP
	p.BaseURL, p.Project = c.baseURL(cred), cred.project
	p.Account = accountKey(cred, p.AccountID, p.Email)
	if cred.fence == noFence { // a fence says 1970
		p.ExpiresAt = cred.expires
		if p.ExpiresAt.IsZero() {
			p.ExpiresAt = said.Expires
		}
	}
	cond := c.condition(cred, p, stats, now)
	p.Status, p.Reason, p.Fix = cond.status, cond.reason, cond.fix
	return p
}

func (c content) condition(cred credential, p Profile, stats entry, now time.Time) condition {
	off := disabled(stats)
	dead := off.Reason == "auth_permanent" && off.Active(now) && !neverBlocked(cred.provider)
	cond := examine(cred, p.ExpiresAt, dead, now)
	if cond.status == Usable || cond.status == Stale {
		if reason := c.mismatch(cred); reason != "" {
			return condition{Unreadable, reason, "mend or remove the entry in auth.profiles of openclaw.json"}
		}
	}
	return cond
}

// mismatch says how auth.profiles contradicts the store, which makes OpenClaw
// pass the profile over.
func (c content) mismatch(cred credential) string {
	named, ok := c.cfg.AuthProfiles[cred.id]
	switch {
	case !ok:
		return ""
	case named.Provider != "" && quota.Canonical(named.Provider) != quota.Canonical(cred.provider):
		return "openclaw.json says that this profile is for " + named.Provider + ", so OpenClaw does not use it"
	case named.Mode == "" || named.Mode == string(cred.kind) || (named.Mode == string(OAuth) && cred.kind == Token):
		return ""
	default:
		return "openclaw.json says that this profile is of mode " + named.Mode + ", and the store has " + string(cred.kind) + ", so OpenClaw does not use it"
	}
}

// order fills in the order in force and where it came from.
func (c content) order(p *Pool) {
	list, source := c.explicit(p.Provider)
	var order, ignored []string
	for _, id := range list {
		if p.has(id) && !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	for _, pr := range p.Profiles {
		if pr.ignored && !slices.Contains(order, pr.ID) {
			ignored = append(ignored, pr.ID)
		}
	}
	// An order of profiles that are all gone is none: OpenClaw falls back to
	// what it has.
	if len(order) == 0 {
		p.Source = OrderNone
		c.rotate(p)
		return
	}
	p.Order, p.Source = append(order, ignored...), source
}

func (p Pool) has(id string) bool {
	return slices.ContainsFunc(p.Profiles, func(pr Profile) bool { return pr.ID == id })
}

// explicit gives the order that somebody set, as it is written. An order under
// openai-codex is none for openai: the migration to SQLite renames the profiles
// and leaves it behind, and OpenClaw does not look at it again.
func (c content) explicit(provider string) ([]string, OrderSource) {
	if ids, source := c.explicitFor(provider); ids != nil {
		return ids, source
	}
	if provider != legacyOpenAI || c.layout != openclaw.JSONFiles {
		return nil, OrderNone
	}
	// To 2026.5 an order for openai served openai-codex too: ids it names
	// come first if it names any of ours, and last otherwise.
	ids, source := c.explicitFor("openai")
	var own []string
	for _, cred := range c.credentials {
		if cred.provider == legacyOpenAI {
			own = append(own, cred.id)
		}
	}
	if !slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(own, id) }) {
		return nil, OrderNone
	}
	return append(slices.Clone(ids), own...), source
}

func (c content) explicitFor(provider string) ([]string, OrderSource) {
	if ids := c.state.order[provider]; ids != nil {
		return ids, OrderStored
	}
	for key, ids := range c.cfg.AuthOrder {
		if normalProvider(key) == provider && len(ids) > 0 {
			return ids, OrderConfig
		}
	}
	return nil, OrderNone
}

// rotate puts p's profiles into the order in which OpenClaw tries them while
// nobody set one: those it can use, by type (oauth, token, api_key) and then
// the one unused for longest first; then those it blocked, soonest back first;
// then those it would not try.
func (c content) rotate(p *Pool) {
	restricted := slices.ContainsFunc(p.Profiles, func(pr Profile) bool { return c.named(pr.ID) })
	for i := range p.Profiles {
		p.Profiles[i].Excluded = restricted && !c.named(p.Profiles[i].ID)
	}
	slices.SortStableFunc(p.Profiles, func(a, b Profile) int {
		if d := cmp.Compare(standing(a), standing(b)); d != 0 {
			return d
		}
		if standing(a) == waiting {
			return a.Block.Until.Compare(b.Block.Until)
		}
		return cmp.Or(
			cmp.Compare(a.Type.rank(), b.Type.rank()),
			c.compareStale(a, b),
			a.LastUsed.Compare(b.LastUsed),
		)
	})
}

func (c content) named(id string) bool {
	_, ok := c.cfg.AuthProfiles[id]
	return ok
}

// compareStale puts logins that need a refresh last, which OpenClaw does since
// 2026.9.
func (c content) compareStale(a, b Profile) int {
	if c.layout != openclaw.SharedDatabase {
		return 0
	}
	stale := func(p Profile) int {
		if p.Status == Stale {
			return 1
		}
		return 0
	}
	return cmp.Compare(stale(a), stale(b))
}

// The standings, best first.
const (
	ready = iota
	waiting
	unused
)

// standing is how OpenClaw looks at a profile when it picks one.
func standing(p Profile) int {
	switch {
	case p.ignored, p.Excluded, p.Status == Refreshing:
		return unused
	case p.Status == Unreadable && p.Fix != "":
		return unused // what needs no fix is a reference, which OpenClaw can follow
	case p.Status == LoginRequired && p.Block.Until.IsZero():
		return unused
	case !p.Block.Until.IsZero():
		return waiting
	default:
		return ready
	}
}

// rank is OpenClaw's preference among types: subscriptions before what is
// billed per token.
func (t Type) rank() int {
	switch t {
	case OAuth:
		return 0
	case Token:
		return 1
	case APIKey:
		return 2
	default:
		return 3
	}
}
