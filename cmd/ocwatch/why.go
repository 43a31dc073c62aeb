package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/web"
)

// whyOptions are what the flags of why say.
type whyOptions struct {
	profile, agent, provider string
	asJSON                   bool
}

func newWhyCommand(g *global) *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use:   "why [PROFILE]",
		Short: "explain the present order",
		Long: `Explains the present order: who set it, and for each account the evidence with
its age, the rule that placed it, what would change that, and when ocwatch looks
again. Asks the running watchdog; where none runs it asks every account once, as
check does, and changes nothing.`,
		Args: atMostOneProfile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.profile = args[0]
			}
			why, err := g.why(cmd)
			if err != nil {
				return err
			}
			if err := o.narrow(&why); err != nil {
				return err
			}
			if !o.asJSON {
				out := cmd.OutOrStdout()
				_, err = out.Write([]byte(whyText(why, lookOf(out, os.Getenv).textWidth(), time.Now())))
				return err
			}
			return writeJSON(cmd.OutOrStdout(), why)
		},
	}
	cmd.Flags().StringVar(&o.agent, "agent", "", "only this `agent`")
	cmd.Flags().StringVar(&o.provider, "provider", "", "only this `provider`")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

// why asks the watchdog, and where none runs it looks for itself, which it says
// to a person.
func (g *global) why(cmd *cobra.Command) (why watchdog.Why, err error) {
	ctx := cmd.Context()
	cfg, _, err := g.load()
	if err != nil {
		return why, err
	}
	doc, err := web.NewClient(cfg.DataDir).Why(ctx)
	switch {
	case errors.Is(err, web.ErrNotRunning):
		why, err = app.CheckWhy(ctx, app.Options{Config: cfg, Log: newLog(cfg.Log, os.Stderr).Level(quiet), Version: version})
		if err == nil {
			cmd.PrintErrln("no watchdog is running: this is what one look found")
		}
		return oneLook(why), err
	case err != nil:
		return why, err
	}
	if err := json.Unmarshal(doc, &why); err != nil {
		return why, fmt.Errorf("why: answer not understood: %w (is another version running?)", err)
	}
	return why, nil
}

// oneLook drops what only a running watchdog does: nobody looks again.
func oneLook(why watchdog.Why) watchdog.Why {
	for _, p := range why.Pools {
		for i := range p.Profiles {
			p.Profiles[i].AsksNext, p.Profiles[i].OpenUntil = nil, nil
		}
	}
	return why
}

// narrow leaves what was asked for.
func (o *whyOptions) narrow(why *watchdog.Why) error {
	pools := make([]string, len(why.Pools))
	for i, p := range why.Pools {
		pools[i] = p.Agent + " / " + p.Provider
	}
	why.Pools = slices.DeleteFunc(why.Pools, func(p watchdog.PoolWhy) bool {
		return o.agent != "" && p.Agent != o.agent || o.provider != "" && !sameProvider(o.provider, p.Provider) ||
			o.profile != "" && !slices.ContainsFunc(p.Profiles, o.means)
	})
	switch {
	case len(why.Pools) == 0 && o.profile != "":
		return fmt.Errorf("openclaw has no profile %q there; ocwatch why lists them", o.profile)
	case len(why.Pools) == 0 && len(pools) > 0:
		return fmt.Errorf("openclaw has no profiles there: it has some of %s", strings.Join(pools, ", "))
	case o.profile == "":
		return nil
	}
	for i, p := range why.Pools {
		why.Pools[i].Profiles = slices.DeleteFunc(p.Profiles, func(pr watchdog.ProfileWhy) bool { return !o.means(pr) })
	}
	return nil
}

func (o *whyOptions) means(p watchdog.ProfileWhy) bool { return p.ID == o.profile }
