package app

import (
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/profiles"
)

func TestChooseTarget(t *testing.T) {
	t.Parallel()
	snap := snapshotOf("main/openai", "main/anthropic", "work/openai-codex", "both/openai", "both/openai-codex")
	agents := []string{"main", "work", "both", "new"}
	for _, tc := range []struct {
		name, agent, provider string
		want, err             string
	}{
		{name: "both said", agent: "main", provider: "anthropic", want: "main/anthropic"},
		{name: "main unless said", provider: "openai", want: "main/openai"},
		{name: "the only provider", agent: "work", want: "work/openai-codex"},
		{name: "openai is openai-codex on an older release", agent: "work", provider: "openai", want: "work/openai-codex"},
		{name: "both names in use", agent: "both", provider: "openai-codex", want: "both/openai-codex"},
		{name: "a provider without profiles", provider: "xai", want: "main/xai"},
		{name: "several providers", err: "--provider is one of anthropic, openai"},
		{name: "nothing there yet", agent: "new", err: "no profile yet"},
		{name: "no such agent", agent: "mian", err: "--agent is one of main, work"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := chooseTarget(snap, agents, tc.agent, tc.provider)
			checkTarget(t, got, err, tc.want, tc.err)
		})
	}
}

func TestTargetOf(t *testing.T) {
	t.Parallel()
	snap := snapshotOf("work/openai", "main/openai", "solo/anthropic")
	for _, tc := range []struct{ name, agent, profile, want, err string }{
		{name: "of the main agent", profile: "openai:alice", want: "main/openai"},
		{name: "of the agent that was said", agent: "work", profile: "openai:alice", want: "work/openai"},
		{name: "of the only agent that has it", profile: "anthropic:alice", want: "solo/anthropic"},
		{name: "of nobody", profile: "openai:bob", err: "no profile openai:bob; ocwatch check lists them"},
		{name: "not of that agent", agent: "solo", profile: "openai:alice", err: "for agent solo"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := targetOf(snap, tc.agent, tc.profile)
			checkTarget(t, got, err, tc.want, tc.err)
		})
	}
}

// snapshotOf has one profile, alice's, in each pool, given as agent/provider.
func snapshotOf(pools ...string) profiles.Snapshot {
	var s profiles.Snapshot
	for _, p := range pools {
		agent, provider, _ := strings.Cut(p, "/")
		s.Pools = append(s.Pools, profiles.Pool{Agent: agent, Provider: provider, Profiles: []profiles.Profile{{ID: provider + ":alice"}}})
	}
	return s
}

func checkTarget(t *testing.T, got Target, err error, want, wantErr string) {
	t.Helper()
	if wantErr != "" {
		if err == nil || !strings.Contains(err.Error(), wantErr) {
			t.Errorf("error %v, want %q", err, wantErr)
		}
		return
	}
	if err != nil || got.Agent+"/"+got.Provider != want {
		t.Errorf("%s/%s, %v, want %s", got.Agent, got.Provider, err, want)
	}
}
