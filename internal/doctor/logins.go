package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/profiles"
)

const (
	day = 24 * time.Hour
	// expiresSoon is within a holiday; expiresNow within a working week.
	expiresSoon = 30 * day
	expiresNow  = 7 * day
)

// accounts says which profiles share quota, and where there is nothing to
// switch to.
func accounts(w World) []Finding {
	if w.Auth == nil {
		return nil
	}
	var list []Finding
	for _, p := range w.Auth.Snapshot.Pools {
		same := map[string][]string{}
		var keys []string
		for _, pr := range p.Profiles {
			key := cmp.Or(pr.Account, pr.ID)
			if same[key] == nil {
				keys = append(keys, key)
			}
			same[key] = append(same[key], pr.ID)
		}
		for _, key := range keys {
			if ids := same[key]; len(ids) > 1 {
				list = append(list, duplicate(ids))
			}
		}
		if len(keys) == 1 {
			list = append(list, Finding{
				ID: AccountAlone, Severity: Note, About: poolName(p), What: "there is only one account",
				Why: "ocwatch can tell when it is spent and when it is back, and has nothing to switch to",
				Fix: "ocwatch login --agent " + quote(p.Agent) + " --provider " + quote(p.Provider),
			})
		}
	}
	return list
}

func duplicate(ids []string) Finding {
	return Finding{
		ID: AccountDuplicate, Severity: Warning, About: strings.Join(ids, ", "),
		What: "these profiles are one account",
		Why:  "they share one quota: when it is spent, all of them are. The usual cause is a browser that was still logged in as the old account",
		Fix:  "ocwatch login --replace " + quote(ids[len(ids)-1]),
	}
}

// logins says which logins are dead, end soon, or cannot be read.
func logins(w World) []Finding {
	if w.Auth == nil {
		return nil
	}
	var list []Finding
	for _, p := range w.Auth.Snapshot.Pools {
		for _, pr := range p.Profiles {
			for _, f := range login(p, pr, w.Now) {
				// Agents may share a store, and it is one login all the same.
				if !slices.Contains(list, f) {
					list = append(list, f)
				}
			}
		}
	}
	return list
}

// heard takes over what the watchdog knows and OpenClaw's store does not say.
func (w World) heard() World {
	if w.Auth == nil || len(w.Dead) == 0 {
		return w
	}
	auth := *w.Auth
	auth.Snapshot.Pools = slices.Clone(auth.Snapshot.Pools)
	for i, p := range auth.Snapshot.Pools {
		p.Profiles = slices.Clone(p.Profiles)
		for j, pr := range p.Profiles {
			k := slices.IndexFunc(w.Dead, func(d Dead) bool { return d.Agent == p.Agent && d.Profile == pr.ID })
			if k >= 0 && alive(pr) {
				p.Profiles[j].Status, p.Profiles[j].Reason, p.Profiles[j].Fix = profiles.LoginRequired, w.Dead[k].Reason, w.Dead[k].Fix
			}
		}
		auth.Snapshot.Pools[i] = p
	}
	w.Auth = &auth
	return w
}

func login(p profiles.Pool, pr profiles.Profile, now time.Time) []Finding {
	f := Finding{About: pr.ID, What: pr.Reason, Fix: cmp.Or(pr.Fix, pr.LoginCommand())}
	switch pr.Status {
	case profiles.LoginRequired:
		f.ID, f.Severity = LoginDead, Warning
		f.Why = "no quota helps it: only a person who logs in does. The other profiles of the pool have to do without it"
		if !slices.ContainsFunc(p.Profiles, alive) {
			f.Severity, f.Why = Error, "no profile of "+poolName(p)+" can serve, and only a person who logs in changes that"
		}
	case profiles.Unreadable:
		f.ID, f.Severity = LoginUnreadable, Warning
		f.Why = "OpenClaw passes it over, and ocwatch cannot ask what it has left"
		if pr.Fix == "" {
			f.ID, f.Severity = LoginUnseen, Note
			f.Why = "only OpenClaw can read it: what OpenClaw records of refusals is all that ocwatch knows of its quota"
			f.Fix = "nothing, unless its quota shall be seen: " + pr.LoginCommand()
		}
	case profiles.Usable:
		return expiring(pr, now)
	case profiles.Stale:
		if pr.Fix == "" {
			return idle(pr, now) // OpenClaw renews it when it next needs it
		}
		f.ID, f.Severity, f.Why = LoginDead, Warning, "nothing can renew it: OpenClaw has no refresh token. The other profiles of the pool have to do without it"
	case profiles.Refreshing:
		return nil // OpenClaw is at it
	}
	return []Finding{f}
}

func alive(pr profiles.Profile) bool {
	return pr.Status != profiles.LoginRequired && (pr.Status != profiles.Unreadable || pr.Fix == "")
}

// expiring warns of long-lived tokens: OAuth access tokens end all the time,
// and OpenClaw renews them.
func expiring(pr profiles.Profile, now time.Time) []Finding {
	left := pr.ExpiresAt.Sub(now)
	if pr.Type != profiles.Token || pr.ExpiresAt.IsZero() || left > expiresSoon {
		return nil
	}
	f := Finding{
		ID: LoginExpiring, Severity: Note, About: pr.ID,
		What: fmt.Sprintf("the token ends at %s, in %s", pr.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"), inDays(left)),
		Why:  "nothing renews it: from then on OpenClaw passes the profile over",
		Fix:  pr.LoginCommand(),
	}
	if left <= expiresNow {
		f.Severity = Warning
	}
	return []Finding{f}
}

func inDays(d time.Duration) string {
	switch n := int(d / day); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}
