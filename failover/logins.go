package failover

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// LoginCommand is what a person runs for a fresh login to a pool.
func LoginCommand(agent, provider string) string {
	command := "ocwatch login --provider " + shellWord(provider)
	if agent != "" && agent != "main" {
		command += " --agent " + shellWord(agent)
	}
	return command
}

// KeyCommand is LoginCommand where an API key is what helps: a person pastes
// it, and no login brings one.
func KeyCommand(agent, provider string) string { return LoginCommand(agent, provider) + " --api-key" }

// shellWord quotes what a person will paste into a shell: the names come from
// OpenClaw's files.
func shellWord(s string) string {
	odd := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:@._+/-", r)
	}
	if s != "" && !strings.ContainsFunc(s, odd) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// noticeLogins finds the logins since the last decision: those that were named,
// and profiles or accounts that a known pool did not have.
func (m *Memory) noticeLogins(now time.Time, pool Pool) {
	before := maps.Clone(m.Profiles)
	ids := pool.ids()
	for _, c := range pool.Candidates {
		pm, seen := before[c.ID]
		usable := c.Credential == CredentialUsable
		changed := seen && usable && pm.Account != "" && pm.Account != c.Account
		fresh := m.Known && !seen && !renamed(before, ids, c.Account)
		if changed {
			pm.Low, pm.LowReset = false, time.Time{}
		}
		named := slices.Contains(pool.LoggedIn, c.ID)
		switch l := pm.Login; {
		case named && !changed && !l.At.IsZero() && !l.Named && now.Sub(l.At) < promotes:
			pm.Login.Named = true
		case changed || fresh || named:
			known, dead := had(before, c.Account)
			renewed := seen && !changed
			pm.Login = Login{At: now, Known: known || renewed, Renewed: renewed, Dead: dead || renewed && pm.Announced == Dead, Named: named}
		}
		// What is not usable now may hide who it bills, as while OpenClaw
		// refreshes it.
		if usable {
			pm.Account = c.Account
		}
		pm.Paid = c.Paid
		m.Profiles[c.ID] = pm
	}
}

// had reports whether a profile billed the account, and whether one of those
// needed a login.
func had(before map[string]ProfileMemory, account string) (known, dead bool) {
	for _, pm := range before {
		if pm.Account == account {
			known, dead = true, dead || pm.Announced == Dead
		}
	}
	return known, dead
}

// renamed reports whether a profile of the account is gone: then it has another
// name now, and nobody logged in.
func renamed(before map[string]ProfileMemory, ids []string, account string) bool {
	for id, pm := range before {
		if pm.Account == account && !slices.Contains(ids, id) {
			return true
		}
	}
	return false
}

// promoted reports whether the order is the one last seen with the profile of
// a fresh login moved to its head, which OpenClaw does by itself.
func (m *Memory) promoted(now time.Time, pool Pool) bool {
	first := head(pool.Order)
	login := m.Profiles[first].Login
	if login.At.IsZero() || now.Sub(login.At) >= promotes {
		return false
	}
	rest := without(pool.Order, first)
	for _, was := range [][]string{m.Seen, m.intended()} {
		if was != nil && slices.Equal(rest, without(existing(was, pool), first)) {
			return true
		}
	}
	return len(m.Seen) == 0
}

func (m *Memory) intended() []string {
	if m.Intent == nil {
		return nil
	}
	return m.Intent.Order
}

// prefersLogin says what OpenClaw's promotion of a login is worth. A new
// account stays where OpenClaw put it, behind the configured preference; one
// that was there before keeps its place, since renewing a login is no wish. A
// person's order, where there is one, stays as it is too.
func (m *Memory) prefersLogin(pool Pool) {
	if login := m.Profiles[head(pool.Order)].Login; login.Known || m.ByPerson && len(m.Prefer) > 0 {
		return
	}
	m.Preferred = slices.Clone(pool.Order)
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(x string) bool { return x == id })
}

// tellLogins says what became of each login, once the new credential was
// probed, or could not be for a while.
func (d *decision) tellLogins() {
	for _, a := range d.plan.Profiles {
		pm, c := d.m.Profiles[a.ID], d.candidate(a.ID)
		l := pm.Login
		if !l.pending() || !l.proven(c) && d.now.Sub(l.At) < loginPatience {
			continue
		}
		pm.Login.Told = true
		d.m.Profiles[a.ID] = pm
		if reason := d.loginFault(a, c, l); reason != "" {
			d.tellFailedLogin(a, reason)
			continue
		}
		d.add(event.LoginCompleted, event.Data{
			Profile: a.ID, Reason: d.sayLogin(a, c), RecoversAt: timePtr(a.Until),
			Order: d.plan.Order, Profiles: []event.Profile{profileOf(a)},
		})
	}
}

func (l Login) pending() bool { return !l.At.IsZero() && !l.Told }

// proven reports whether the provider spoke about the credential since the
// login.
func (l Login) proven(c Candidate) bool {
	return !c.Latest.At.Before(l.At) && (c.Latest.Verdict.Conclusive() || c.Latest.Verdict == quota.Unsupported)
}

// loginFault says why a login is of no use, "" for one that is: the provider
// refuses the new credential, or it is an account again that was spent already.
// Whoever logs in at a browser that still knows the old account gets that one.
func (d *decision) loginFault(a Assessment, c Candidate, l Login) string {
	switch {
	case a.State == Dead && l.proven(c):
		return "the provider refuses the new login" + because(a)
	case a.State != Exhausted || a.Hiccup || !l.Known || l.Dead:
		return ""
	}
	who := "it is the account that is spent already"
	if twin := d.twin(c); twin != "" && !l.Renewed {
		who = "it is the account of " + twin + ", which is spent already"
	}
	return who + because(a) + "; the browser was still logged in as it"
}

// tellFailedLogin asks for another login where the pool still needs one.
func (d *decision) tellFailedLogin(a Assessment, reason string) {
	data := event.Data{
		Profile: a.ID, Reason: reason, RecoversAt: timePtr(a.Until), Profiles: []event.Profile{profileOf(a)}, Login: d.loginOf(a),
	}
	e := d.m.Depleted
	if d.plan.State == PoolDepleted && e != nil && e.LoginAsked && e.Retries < loginRetries && d.action() == event.ActionLogin {
		e.Retries++
		data.Action, data.Login = event.ActionLogin, d.login()
	}
	d.add(event.LoginFailed, data)
}

// sayLogin is what a login brought, in clauses.
func (d *decision) sayLogin(a Assessment, c Candidate) string {
	var parts []string
	if plan := cmp.Or(c.Latest.Plan, c.Usage.Plan); plan != "" {
		parts = append(parts, "plan "+plan)
	}
	switch a.State {
	case Exhausted:
		parts = append(parts, "its quota is spent too"+because(a))
	case Low:
		parts = append(parts, "it is low"+because(a))
	case Dead:
		parts = append(parts, "it needs a login"+because(a))
	case Available, Unknown:
		if a.Reason != "" {
			parts = append(parts, a.Reason)
		}
	}
	if twin := d.twin(c); twin != "" {
		parts = append(parts, "it bills the same account as "+twin+", so the two have one quota")
	}
	return strings.Join(parts, "; ")
}

// twin is another profile that bills the account of c, "" where there is none.
func (d *decision) twin(c Candidate) string {
	for _, other := range d.pool.Candidates {
		if other.ID != c.ID && other.Account == c.Account && c.Account != "" {
			return other.ID
		}
	}
	return ""
}

func (d *decision) candidate(id string) Candidate {
	for _, c := range d.pool.Candidates {
		if c.ID == id {
			return c
		}
	}
	return Candidate{}
}

// login is what gives the pool an account: an API key for one that has nothing
// else. Its owner may have no account to log in to, and on releases where a
// login belongs to a pool of its own it would not help this one.
func (d *decision) login() *event.Login {
	return d.byHand(!slices.ContainsFunc(d.pool.Candidates, func(c Candidate) bool { return !c.isKey() }))
}

// loginOf is what renews one profile.
func (d *decision) loginOf(a Assessment) *event.Login { return d.byHand(a.Key) }

func (d *decision) byHand(key bool) *event.Login {
	if key {
		return &event.Login{Command: KeyCommand(d.pool.Agent, d.pool.Provider), Key: true}
	}
	return &event.Login{Command: LoginCommand(d.pool.Agent, d.pool.Provider)}
}
