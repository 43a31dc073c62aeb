package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// mainAgent is the agent that every OpenClaw begins with.
const mainAgent = "main"

// Target is the pool that a login is for.
type Target struct {
	Agent    string
	Provider string        // as this OpenClaw spells it
	Pool     profiles.Pool // as it was before; without profiles where there was none
	Known    []string      // the providers that the agent has profiles of
}

// chooseTarget finds the pool that is meant. What was left out is chosen where
// there is no doubt.
func chooseTarget(snap profiles.Snapshot, agents []string, agent, provider string) (Target, error) {
	if agent == "" {
		agent = mainAgent
		if !slices.Contains(agents, mainAgent) && len(agents) > 0 {
			agent = agents[0]
		}
	}
	if !slices.Contains(agents, agent) && len(agents) > 0 {
		return Target{}, fmt.Errorf("openclaw has no agent %q: --agent is one of %s", agent, strings.Join(agents, ", "))
	}
	var pools []profiles.Pool
	var names []string
	for _, p := range snap.Pools {
		if p.Agent != agent {
			continue
		}
		names = append(names, p.Provider)
		if provider == "" || quota.Canonical(p.Provider) == quota.Canonical(provider) {
			pools = append(pools, p)
		}
	}
	slices.Sort(names)
	switch {
	case len(pools) == 1:
		return Target{Agent: agent, Provider: pools[0].Provider, Pool: pools[0], Known: names}, nil
	case provider != "" && len(pools) > 1:
		// Both names of openai are in use, as after half an update: the one that
		// was typed counts.
		for _, p := range pools {
			if p.Provider == provider {
				return Target{Agent: agent, Provider: provider, Pool: p, Known: names}, nil
			}
		}
		return Target{Agent: agent, Provider: pools[0].Provider, Pool: pools[0], Known: names}, nil
	case provider != "":
		return Target{Agent: agent, Provider: provider, Pool: profiles.Pool{Agent: agent, Provider: provider}, Known: names}, nil
	case len(names) == 0:
		return Target{}, fmt.Errorf("agent %s has no profile yet, so say where to log in: --provider openai or --provider anthropic", agent)
	}
	return Target{}, fmt.Errorf("agent %s has profiles of several providers, so say where to log in: --provider is one of %s", agent, strings.Join(names, ", "))
}

// TargetLike is the pool that a profile of this id would be in.
func TargetLike(agent, profile string) Target {
	provider, _, _ := strings.Cut(profile, ":")
	return Target{Agent: cmp.Or(agent, mainAgent), Provider: provider}
}

// targetOf finds the pool that has profile.
func targetOf(snap profiles.Snapshot, agent, profile string) (Target, error) {
	var found []Target
	for _, p := range snap.Pools {
		has := slices.ContainsFunc(p.Profiles, func(pr profiles.Profile) bool { return pr.ID == profile })
		if has && (agent == "" || p.Agent == agent) {
			found = append(found, Target{Agent: p.Agent, Provider: p.Provider, Pool: p})
		}
	}
	for _, t := range found {
		if t.Agent == mainAgent {
			return t, nil
		}
	}
	if len(found) == 0 {
		return Target{}, fmt.Errorf("openclaw has no profile %s%s; ocwatch check lists them", profile, ofAgent(agent))
	}
	return found[0], nil
}

func ofAgent(agent string) string {
	if agent == "" {
		return ""
	}
	return " for agent " + agent
}
