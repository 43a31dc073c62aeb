package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// replay is what replay prints as JSON. docs/replay.md describes it.
type replay struct {
	Version     string         `json:"version"`
	At          time.Time      `json:"at"`
	Pools       []replayedPool `json:"pools"`
	Assumptions []string       `json:"assumptions"`
}

type replayedPool struct {
	Agent    string    `json:"agent"`
	Provider string    `json:"provider"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Profiles []string  `json:"profiles"`
	// Left are profiles that were left out: without readings, or of an account
	// that is there already.
	Left           []string        `json:"left_out,omitempty"`
	Readings       int             `json:"readings"`
	UnwatchedHours float64         `json:"unwatched_hours"`
	Happened       outcome         `json:"happened"`
	Configured     replayedOutcome `json:"configured"`
	Replayed       replayedOutcome `json:"replayed"`
}

type outcome struct {
	FirstSpentHours float64 `json:"first_spent_hours"`
	AllSpentHours   float64 `json:"all_spent_hours"`
	PaidHours       float64 `json:"paid_hours"`
	Switches        int     `json:"switches"`
}

type replayedOutcome struct {
	Strategy string  `json:"strategy"`
	SwitchAt float64 `json:"switch_at"`
	outcome
}

func (r replayedOutcome) name() string { return fmt.Sprintf("%s, %v %%", r.Strategy, r.SwitchAt) }

func (r replay) text(loc *time.Location) string {
	var b strings.Builder
	for _, p := range r.Pools {
		p.writeTo(&b, loc)
	}
	b.WriteString("What a replay cannot know:\n")
	for _, s := range r.Assumptions {
		b.WriteString("- " + s + "\n")
	}
	return b.String()
}

func (p replayedPool) writeTo(b *strings.Builder, loc *time.Location) {
	const layout = "Mon 2 Jan 15:04"
	fmt.Fprintf(b, "%s / %s: %s to %s; %d profiles, %d readings", p.Agent, p.Provider,
		p.From.In(loc).Format(layout), p.To.In(loc).Format(layout), len(p.Profiles), p.Readings)
	if p.UnwatchedHours >= 0.1 {
		fmt.Fprintf(b, "; nobody looked for %.1f h", p.UnwatchedHours)
	}
	if len(p.Left) > 0 {
		fmt.Fprintf(b, "; left out: %s", strings.Join(p.Left, ", "))
	}
	b.WriteString("\n")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "  \tFIRST SPENT\tALL SPENT\tPAID FIRST\tSWITCHES")
	p.Happened.writeTo(tw, "what happened")
	if p.Configured == p.Replayed {
		p.Replayed.writeTo(tw, p.Replayed.name()+" (configured)")
	} else {
		p.Configured.writeTo(tw, p.Configured.name()+" (configured)")
		p.Replayed.writeTo(tw, p.Replayed.name())
	}
	_ = tw.Flush() // into memory
	b.WriteString("\n")
}

func (o outcome) writeTo(tw *tabwriter.Writer, name string) {
	_, _ = fmt.Fprintf(tw, "  %s\t%.1f h\t%.1f h\t%.1f h\t%d\n", name, o.FirstSpentHours, o.AllSpentHours, o.PaidHours, o.Switches)
}
