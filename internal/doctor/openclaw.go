package doctor

import (
	"cmp"
	"errors"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

func configuration(w World) []Finding {
	if w.Config.Err == nil {
		return nil
	}
	return []Finding{{
		ID: ConfigInvalid, Severity: Error, About: w.Config.Path, What: w.Config.Err.Error(),
		Why: "ocwatch does not start with it, and a running one keeps the configuration that it had. Nothing else was examined: it says which OpenClaw is meant",
		Fix: "mend the file, then run: ocwatch config check",
	}}
}

// found says whether there is an OpenClaw, and whether it is the one meant.
func found(w World) []Finding {
	if w.OpenClaw == nil {
		return nil
	}
	o, list := *w.OpenClaw, []Finding{}
	if o.Err != nil {
		return append(list, notFound(o.Err))
	}
	if o.ConfigErr != nil {
		list = append(list, Finding{
			ID: OpenClawConfig, Severity: Error, About: o.Config, What: cause(o.ConfigErr),
			Why: "OpenClaw's own config says which agents there are and how the gateway is reached, so nothing is watched",
			Fix: "openclaw config validate",
		})
	}
	if o.NoCommand {
		list = append(list, Finding{
			ID: OpenClawNoCommand, Severity: commandMatters(w.Gateway), About: o.Command,
			What: "the openclaw command was not found",
			Why:  "it sets the order where the gateway is down, too old or does not let ocwatch in; without it ocwatch can then only watch",
			Fix:  "put openclaw on PATH, or set openclaw.command in ocwatch's config to its full path",
		})
	}
	if len(o.Others) > 0 {
		list = append(list, Finding{
			ID: OpenClawSeveral, Severity: Warning, About: strings.Join(o.Others, ", "),
			What: "there are further OpenClaw state directories; " + o.StateDir + " is watched",
			Why:  "a gateway that runs on another one is not watched",
			Fix:  "set openclaw.state_dir in ocwatch's config, to this or to another one",
		})
	}
	return list
}

// cause is what is wrong, without the file's name and the advice around it.
func cause(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	return err.Error()
}

// commandMatters: without the gateway, the command is all there is.
func commandMatters(g *Gateway) Severity {
	if g != nil && g.Err != nil {
		return Error
	}
	return Warning
}

func notFound(err error) Finding {
	f := Finding{
		ID: OpenClawNotFound, Severity: Error, What: err.Error(),
		Why: "there is nothing to watch",
		Fix: "run ocwatch as the account that runs OpenClaw, or set openclaw.state_dir in ocwatch's config",
	}
	if access, ok := errors.AsType[*openclaw.AccessError](err); ok {
		f.ID, f.About, f.What, f.Fix = OpenClawNoAccess, access.Path, access.Path+" "+access.What, access.Fix
		f.Why = "what OpenClaw has cannot be read, so nothing is watched"
	}
	return f
}

var storeIDs = map[profiles.ProblemKind]ID{
	profiles.NeedsMigration: StoreNeedsMigration,
	profiles.UnknownSchema:  StoreUnknownSchema,
	profiles.Corrupt:        StoreCorrupt,
	profiles.NotPermitted:   StoreNotPermitted,
	profiles.Busy:           StoreBusy,
}

// stores says which auth stores could not be read, and whether there is any.
func stores(w World) []Finding {
	if w.Auth == nil {
		return nil
	}
	if w.Auth.Err != nil {
		return []Finding{{
			ID: StoreNotPermitted, Severity: Error, What: w.Auth.Err.Error(),
			Why: "what OpenClaw has cannot be read, so nothing is watched",
			Fix: "run ocwatch as the account that runs OpenClaw; then: openclaw doctor",
		}}
	}
	var list []Finding
	for _, p := range w.Auth.Snapshot.Problems {
		list = append(list, storeProblem(p))
	}
	if len(list) == 0 && len(w.Auth.Snapshot.Pools) == 0 {
		list = append(list, Finding{
			ID: StoreEmpty, Severity: Warning, What: "OpenClaw has no auth profile",
			Why: "there is no account to watch or to switch to", Fix: "ocwatch login --provider openai",
		})
	}
	return list
}

func storeProblem(p profiles.Problem) Finding {
	f := Finding{
		ID: storeIDs[p.Reason], Severity: Error, About: p.Agent, What: p.What, Fix: cmp.Or(p.Fix, "openclaw doctor"),
		Why: "the agent's accounts are unknown to ocwatch, and nothing of it is switched; the others are watched all the same",
	}
	switch p.Reason {
	case profiles.NeedsMigration:
		f.Why = "OpenClaw itself does not use these accounts either, and 2026.9 does not even start its gateway, until its doctor has moved them into its database"
	case profiles.Busy:
		f.Severity = Warning
	case profiles.UnknownSchema, profiles.Corrupt, profiles.NotPermitted:
	}
	return f
}
