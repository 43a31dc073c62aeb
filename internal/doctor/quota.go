package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

const (
	// passing is how long OpenClaw's cooldowns after an error last at most: they
	// are its own business.
	passing = 5 * time.Minute
	// unusedLong is well within the time after which providers let a login lapse
	// that nobody used, ten days at the least.
	unusedLong = 7 * day
)

// quotas says what OpenClaw refuses to use, what is billed, and whose quota
// nobody can see.
func quotas(w World) []Finding {
	if w.Auth == nil {
		return nil
	}
	var list []Finding
	for _, p := range w.Auth.Snapshot.Pools {
		list = append(list, blocked(p, w.Now)...)
		if !slices.Contains(w.Config.NeverPaid, quota.Canonical(p.Provider)) {
			list = append(list, paid(p)...)
		}
		list = append(list, unseen(w, p)...)
	}
	if f, ok := fallback(w); ok {
		list = append(list, f)
	}
	return list
}

// blocked says which profiles OpenClaw has put away, for longer than an error
// does.
func blocked(p profiles.Pool, now time.Time) []Finding {
	away := func(pr profiles.Profile) bool { return pr.Block.Active(now) && pr.Block.Until.Sub(now) > passing }
	var list []Finding
	for _, pr := range p.Profiles {
		if !away(pr) || !alive(pr) {
			continue
		}
		why := pr.Block.Reason
		if why == "" {
			why = string(pr.Block.Kind)
		}
		list = append(list, Finding{
			ID: AccountBlocked, Severity: Note, About: pr.ID,
			What: fmt.Sprintf("OpenClaw does not use it until %s (%s)", pr.Block.Until.UTC().Format("2006-01-02 15:04 UTC"), why),
			Why:  "OpenClaw goes by its own record, also where the provider gave the quota back earlier",
			Fix:  "ocwatch check",
		})
	}
	serves := slices.ContainsFunc(p.Profiles, func(pr profiles.Profile) bool { return alive(pr) && !away(pr) })
	for i := range list {
		if !serves {
			list[i].Severity, list[i].Why = Warning, "no profile of "+poolName(p)+" can serve until the first of them is back"
		}
	}
	return list
}

// paid says which profile goes on at a price when the subscriptions are spent.
func paid(p profiles.Pool) []Finding {
	_, keys := split(p, profiles.Profile.Paid)
	if len(keys) == 0 || len(keys) == len(p.Profiles) {
		return nil
	}
	return []Finding{{
		ID: AccountPaid, Severity: Note, About: strings.Join(keys, ", "), What: "API keys are billed by the token, unless they belong to a plan",
		Why: "when the subscriptions of " + poolName(p) + " are spent, OpenClaw goes on with them by itself",
		Fix: "nothing, if that is meant; else set failover.paid: never in ocwatch's config, which leaves them out of the order",
	}}
}

// unseen says whose quota ocwatch cannot read, so that only a refusal tells.
func unseen(w World, p profiles.Pool) []Finding {
	var ids []string
	var why, fix string
	for _, u := range w.Unmetered {
		if u.Agent == p.Agent && u.Provider == p.Provider {
			ids, why, fix = append(ids, u.Profile), u.Why, u.Fix
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return []Finding{{
		ID: AccountUnmetered, Severity: Note, About: strings.Join(ids, ", "), What: why,
		Why: "that it is spent shows when OpenClaw is refused, and not before: such an account is left late",
		Fix: fix,
	}}
}

// fallback: with another model to go on with, OpenClaw tries two profiles and no
// third, which test/e2e's TestRotation holds.
func fallback(w World) (Finding, bool) {
	many := slices.ContainsFunc(w.Auth.Snapshot.Pools, func(p profiles.Pool) bool { return len(p.Profiles) > 2 })
	if w.OpenClaw == nil || len(w.OpenClaw.Fallbacks) == 0 || !many {
		return Finding{}, false
	}
	return Finding{
		ID: OpenClawFallback, Severity: Note, About: strings.Join(w.OpenClaw.Fallbacks, ", "),
		What: "OpenClaw has models to fall back on (agents.defaults.model.fallbacks)",
		Why:  "a turn tries two profiles and then goes on with the other model, which may cost more or be worse; a third profile is not tried",
		Fix:  "nothing while ocwatch runs, which keeps the first two places for accounts that can serve",
	}, true
}

// idle warns of a login that OpenClaw has not renewed for long.
func idle(pr profiles.Profile, now time.Time) []Finding {
	since := now.Sub(pr.ExpiresAt)
	if pr.Type != profiles.OAuth || pr.ExpiresAt.IsZero() || since < unusedLong {
		return nil
	}
	return []Finding{{
		ID: LoginIdle, Severity: Warning, About: pr.ID,
		What: fmt.Sprintf("its access token ended %s ago, and OpenClaw has not renewed it since", inDays(since)),
		Why:  "nobody uses it, and providers let a login lapse that is not used for weeks: it then fails in the moment when it is needed",
		Fix:  "ocwatch switch " + quote(pr.ID) + " --for 15m, and have OpenClaw answer once",
	}}
}
