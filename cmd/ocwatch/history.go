package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/internal/journal"
)

// historyOptions are what the flags of history say.
type historyOptions struct {
	since    string
	agent    string
	provider string
	kinds    []string
	newest   int
	asJSON   bool
}

// defaultSince is how far history looks back where nothing says otherwise.
const defaultSince = "7d"

func newHistoryCommand(g *global) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history",
		Short: "show what happened: switches, episodes, restarts, logins",
		Long: `Shows what happened, newest last: which account went first and why, when a
pool was depleted or could not be seen, restarts of the gateway, logins. Reads
the journal in data_dir; the watchdog may run or not.

Restarts concern every agent, so --agent and --provider leave them in.`,
		Example: `  ocwatch history --since 24h
  ocwatch history --kind switch,episode --provider openai -n 20
  ocwatch history --json | jq -r '.entries[] | select(.by == "other") | .at'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			return o.run(cmd, filepath.Join(cfg.DataDir, journal.FileName))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "how far to look back: a `time` like 12h, 7d or 2w, or a date\n(default "+defaultSince+"; with -n, all that is kept)")
	f.StringVar(&o.agent, "agent", "", "only what concerns this `agent`")
	f.StringVar(&o.provider, "provider", "", "only what concerns this `provider`")
	f.StringSliceVar(&o.kinds, "kind", nil, "only these `kinds`: "+strings.Join(historyKinds(), ", "))
	f.IntVarP(&o.newest, "newest", "n", 0, "only the newest `n`")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func (o *historyOptions) run(cmd *cobra.Command, path string) error {
	now := time.Now()
	filter, err := o.filter(now)
	if err != nil {
		return err
	}
	h := history{Version: version, At: now.UTC(), Since: filter.since.UTC(), Entries: []historyEntry{}}
	// What the journal says of itself is for a person; for a program an empty
	// list is the answer.
	missing := false
	h.Entries, err = readHistory(cmd.Context(), path, filter)
	if errors.Is(err, journal.ErrNone) {
		missing, h.Entries, err = true, []historyEntry{}, nil
	}
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case o.asJSON:
		return writeJSON(out, h)
	case missing:
		_, err = fmt.Fprintf(out, "There is no history yet: ocwatch run has not kept any in %s.\n", filepath.Dir(path))
	case len(h.Entries) == 0:
		_, err = fmt.Fprintf(out, "Nothing happened %s.%s\n", o.scope(filter), o.further())
	default:
		_, err = out.Write([]byte(historyText(h.Entries, lookOf(out, os.Getenv).textWidth(), now)))
	}
	return err
}

// scope says what was looked at, in words.
func (o *historyOptions) scope(f historyFilter) string {
	var b strings.Builder
	b.WriteString("as far as the history goes back")
	if !f.since.IsZero() {
		b.Reset()
		b.WriteString("since " + f.since.Local().Format("Mon 2 Jan 2006 15:04"))
	}
	if len(o.kinds) > 0 {
		b.WriteString(" of kind " + strings.Join(o.kinds, ", "))
	}
	if o.agent != "" {
		b.WriteString(" to agent " + o.agent)
	}
	if o.provider != "" {
		b.WriteString(" to provider " + o.provider)
	}
	return b.String()
}

func (o *historyOptions) further() string {
	if o.newest > 0 && o.since == "" {
		return ""
	}
	return " Look further back with --since 90d."
}

// historyFilter is what of the history is wanted.
type historyFilter struct {
	since           time.Time // zero: all
	agent, provider string
	kinds           []string // empty: all
	newest          int      // 0: all
}

func (o *historyOptions) filter(now time.Time) (f historyFilter, err error) {
	f = historyFilter{agent: o.agent, provider: o.provider, kinds: o.kinds, newest: o.newest}
	if o.newest < 0 {
		return f, fmt.Errorf("-n %d: want how many of the newest, 1 or more", o.newest)
	}
	for _, k := range o.kinds {
		if !slices.Contains(historyKinds(), k) {
			return f, fmt.Errorf("--kind %q: want some of %s", k, strings.Join(historyKinds(), ", "))
		}
	}
	since := o.since
	switch {
	case since == "" && o.newest > 0:
		return f, nil
	case since == "":
		since = defaultSince
	}
	f.since, err = parseSince(since, now)
	return f, err
}

func (f historyFilter) wants(kind string) bool {
	return len(f.kinds) == 0 || slices.Contains(f.kinds, kind)
}

// concerns reports whether what is about a pool was asked for. What is about
// none concerns them all.
func (f historyFilter) concerns(agent, provider string) bool {
	return (f.agent == "" || agent == "" || f.agent == agent) &&
		(f.provider == "" || provider == "" || sameProvider(f.provider, provider))
}

// readHistory reads the journal for as short as can be: the watchdog may want
// to write.
func readHistory(ctx context.Context, path string, f historyFilter) (list []historyEntry, err error) {
	j, err := journal.OpenReadOnly(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return collect(ctx, j, f)
}
