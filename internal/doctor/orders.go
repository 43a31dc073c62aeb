package doctor

import (
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// orders says which pools have no order, or one that leaves profiles out.
func orders(w World) []Finding {
	if w.Auth == nil {
		return nil
	}
	var list []Finding
	for _, p := range w.Auth.Snapshot.Pools {
		switch {
		case len(p.Profiles) < 2:
		case p.Source == profiles.OrderNone:
			list = append(list, noOrder(p)...)
		default:
			list = append(list, someOrder(p, slices.Contains(w.Config.NeverPaid, quota.Canonical(p.Provider)))...)
		}
	}
	return list
}

func noOrder(p profiles.Pool) []Finding {
	all, excluded := split(p, func(pr profiles.Profile) bool { return pr.Excluded })
	list := []Finding{{
		ID: OrderNone, Severity: Note, About: poolName(p),
		What: "nobody set an order of profiles",
		Why:  "OpenClaw takes whichever was unused for longest, until ocwatch has a reason to set an order: then that holds",
		Fix:  orderCommand(p, all),
	}}
	if len(excluded) > 0 {
		list = append(list, Finding{
			ID: OrderExcluded, Severity: Warning, About: poolName(p),
			What: "auth.profiles in openclaw.json does not name " + strings.Join(excluded, ", "),
			Why:  "it names other profiles of the provider, so OpenClaw never tries these as long as there is no order",
			Fix:  orderCommand(p, all),
		})
	}
	return list
}

func someOrder(p profiles.Pool, neverPaid bool) []Finding {
	var list []Finding
	if p.Source == profiles.OrderConfig {
		list = append(list, Finding{
			ID: OrderInConfig, Severity: Note, About: poolName(p),
			What: "the order stands in openclaw.json (auth.order)",
			Why:  "the gateway refuses to change such an order, so ocwatch's first switch takes the slower openclaw command; what that sets goes before the file's from then on",
			Fix:  orderCommand(p, p.Order),
		})
	}
	_, missing := split(p, func(pr profiles.Profile) bool {
		return !slices.Contains(p.Order, pr.ID) && (!neverPaid || !pr.Paid())
	})
	if len(missing) > 0 {
		list = append(list, Finding{
			ID: OrderIncomplete, Severity: Warning, About: poolName(p),
			What: "the order leaves out " + strings.Join(missing, ", "),
			Why:  "OpenClaw never tries a profile that its order does not name, whatever becomes of the others",
			Fix:  orderCommand(p, slices.Concat(p.Order, missing)),
		})
	}
	return list
}

// split lists the ids of all profiles, and of those that match.
func split(p profiles.Pool, matches func(profiles.Profile) bool) (all, some []string) {
	for _, pr := range p.Profiles {
		all = append(all, pr.ID)
		if matches(pr) {
			some = append(some, pr.ID)
		}
	}
	return all, some
}

func poolName(p profiles.Pool) string { return p.Agent + " / " + p.Provider }

// orderCommand passes ids behind "--", so that none can be taken for an option.
func orderCommand(p profiles.Pool, order []string) string {
	args := append([]string{"openclaw", "models", "auth", "order", "set", "--provider", p.Provider, "--agent", p.Agent, "--"}, order...)
	for i, a := range args {
		args[i] = quote(a)
	}
	return strings.Join(args, " ")
}

// quote makes one word for a shell of what may hold anything: ids come from a
// file.
func quote(s string) string {
	odd := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:@._+/-=", r)
	}
	if s != "" && !strings.ContainsFunc(s, odd) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
