package main

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/probe"
)

// A key was pressed: better nothing than a shell that hangs. The watchdog
// answers out of its memory, and has half of the time.
const completeWithin = time.Second

// complete says what can stand behind each command and flag, so that a shell
// offers that, and no files.
func (g *global) complete(root *cobra.Command) {
	times := []string{"30m", "2h", "8h", "1d", "1w"}
	flags := map[string]cobra.CompletionFunc{
		"agent":      g.completeKnown(func(p knownProfile) (string, string) { return p.agent, "" }),
		"provider":   g.completeKnown(func(p knownProfile) (string, string) { return p.provider, "" }),
		"replace":    g.completeProfile,
		"only":       g.completeEndpoint,
		"kind":       listOf(historyKinds()),
		"strategy":   wordsOf(strategyNames()),
		"for":        wordsOf(times),
		"since":      wordsOf([]string{"12h", "24h", "7d", "30d"}),
		"expires-in": wordsOf([]string{"30d", "365d"}),
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		switch cmd.Name() {
		case "switch", "why":
			cmd.ValidArgsFunction = g.completeFirst
		default:
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			words := flags[f.Name]
			switch {
			case words == nil:
				words = cobra.NoFileCompletions
			case cmd.Name() == "login" && f.Name == "provider":
				words = alsoNew(words)
			}
			_ = cmd.RegisterFlagCompletionFunc(f.Name, words) // fails for a flag that does not exist
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // as above
}

// wordsOf offers words, in their order.
func wordsOf(words []string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
}

// listOf offers words for a list with commas.
func listOf(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var out []cobra.Completion
		for _, word := range words {
			if !slices.Contains(strings.Split(before, ","), word) {
				out = append(out, before+word)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// alsoNew offers the providers as well that a login may be the first one to.
func alsoNew(known cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		out, directive := known(cmd, args, typed)
		for _, p := range probe.Known() {
			if !slices.Contains(out, p.ID) {
				out = append(out, p.ID)
			}
		}
		return out, directive
	}
}

// completeFirst offers a profile, where none is there yet.
func (g *global) completeFirst(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return g.completeProfile(cmd, args, typed)
}

// completeProfile offers profiles, each with what is known of it.
func (g *global) completeProfile(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return g.completeKnown(func(p knownProfile) (string, string) { return p.id, p.note })(cmd, args, typed)
}

// completeKnown offers what word makes of each profile.
func (g *global) completeKnown(word func(knownProfile) (word, note string)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		agent, provider := flagValue(cmd, "agent"), flagValue(cmd, "provider")
		var out []cobra.Completion
		seen := map[string]bool{}
		for _, p := range g.known(ctx) {
			text, note := word(p)
			meant := (agent == "" || p.agent == agent) && (provider == "" || sameProvider(provider, p.provider))
			// A shell would take what is behind a space for another word, or for a note.
			if !meant || !strings.HasPrefix(text, typed) || text == "" || seen[text] || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
				continue
			}
			seen[text] = true
			out = append(out, cobra.CompletionWithDesc(text, note))
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

func flagValue(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// completeEndpoint offers the names of endpoints.
func (g *global) completeEndpoint(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	cfg, _, err := g.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, w := range cfg.Notify.Webhooks {
		out = append(out, w.Name)
	}
	for _, c := range cfg.Notify.Channels {
		out = append(out, c.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// knownProfile is a profile that can be named.
type knownProfile struct{ agent, provider, id, note string }

// known are the profiles, none where nobody can tell before ctx ends: a store
// may be on a disk that does not answer.
func (g *global) known(ctx context.Context) []knownProfile {
	found := make(chan []knownProfile, 1)
	go func() {
		cfg, _, err := g.load()
		if err != nil {
			found <- nil
			return
		}
		known := watched(ctx, cfg)
		if len(known) == 0 {
			known = stored(ctx, cfg)
		}
		found <- known
	}()
	select {
	case known := <-found:
		return known
	case <-ctx.Done():
		return nil
	}
}

// watched are those that the running watchdog knows.
func watched(ctx context.Context, cfg *config.Config) []knownProfile {
	ctx, cancel := context.WithTimeout(ctx, completeWithin/2)
	defer cancel()
	s, err := askStatus(ctx, web.NewClient(cfg.DataDir))
	if err != nil {
		return nil
	}
	var known []knownProfile
	for _, p := range s.Pools {
		for _, pr := range p.Profiles {
			known = append(known, knownProfile{p.Agent, p.Provider, pr.ID, p.Agent + " / " + p.Provider + ", " + string(pr.State)})
		}
	}
	return known
}

// stored are those that OpenClaw has.
func stored(ctx context.Context, cfg *config.Config) []knownProfile {
	snap, err := app.Stored(ctx, app.Options{Config: cfg, Log: zerolog.Nop(), Version: version})
	if err != nil {
		return nil
	}
	var known []knownProfile
	for _, p := range snap.Pools {
		for _, pr := range p.Profiles {
			known = append(known, knownProfile{p.Agent, p.Provider, pr.ID, p.Agent + " / " + p.Provider})
		}
	}
	return known
}
