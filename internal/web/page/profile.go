package page

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/say"
)

type profileView struct {
	N       int // its place, from 1
	ID      string
	Value   template.HTMLAttr // the id, as the value of a button
	State   failover.State
	Paid    bool
	Plan    string
	Reason  string
	Until   string
	Fix     string
	Windows []windowView
	// Evidence is how old, and from where, what is known is; Breaker when it
	// is asked again although it is spent.
	Evidence, Breaker string
}

// windowView is one bar. Low and High are where its colour changes.
type windowView struct {
	Name       string
	Known      bool
	Used       int
	Low, High  int
	Reset      string
	Forecast   string
	Unreported string
}

func newProfile(i int, p watchdog.ProfileStatus, why watchdog.ProfileWhy, policy failover.Policy, now time.Time) profileView {
	v := profileView{
		N: i + 1, ID: p.ID, Value: valueOf(p.ID), State: p.State, Paid: p.Paid, Plan: p.Plan, Reason: p.Reason, Fix: p.Fix,
		Evidence: evidence(p, now), Breaker: breaker(why, now),
	}
	if p.Until != nil && p.Until.After(now) && p.State != failover.Available {
		v.Until = "back " + ahead(*p.Until, now)
	}
	if say.WindowsTell(p) {
		v.Reason = ""
	}
	for _, w := range p.Windows {
		v.Windows = append(v.Windows, newWindow(w, policy, now))
	}
	return v
}

func newWindow(w watchdog.WindowStatus, policy failover.Policy, now time.Time) windowView {
	v := windowView{Name: strings.TrimSpace(w.Name + " " + w.Scope), Low: int(policy.ReturnBelow), High: int(policy.SwitchAt)}
	used, known := w.Used()
	v.Known, v.Used = known, int(used+0.5)
	if !known {
		v.Unreported = "not reported"
	}
	switch at, ok := w.Reset(); {
	case !ok:
	case at.After(now):
		v.Reset = "resets " + ahead(at, now)
	default:
		v.Reset = "was reset " + ago(at, now)
	}
	if at := w.ReachesAt; at.After(now) {
		v.Forecast = fmt.Sprintf("%d %% about %s", v.High, say.About(at, now))
		if w.Forecast != forecast.High {
			v.Forecast += ", roughly"
		}
	}
	return v
}

// evidence says how old what is known of an account is.
func evidence(p watchdog.ProfileStatus, now time.Time) string {
	if p.ProbedAt == nil {
		return "never asked"
	}
	text := "asked " + ago(*p.ProbedAt, now)
	switch p.Source {
	case quota.FromUsage:
	case quota.FromValidity:
		text += ", the key alone"
	case quota.FromOpenClaw:
		text += ", by OpenClaw's record"
	case quota.FromLive:
		text += ", with a real request"
	}
	if p.Verdict != quota.OK && p.Verdict != "" {
		text += ": " + string(p.Verdict)
	}
	return text
}

// breaker tells of an open breaker and of OpenClaw's own block.
func breaker(why watchdog.ProfileWhy, now time.Time) string {
	var parts []string
	if at := why.OpenUntil; at != nil && at.After(now) {
		parts = append(parts, "breaker open for "+say.Span(at.Sub(now)))
	} else if why.ID != "" {
		parts = append(parts, "breaker closed")
	}
	if why.Block != nil && why.Block.Until.After(now) {
		parts = append(parts, "refused by OpenClaw until "+say.Clock(why.Block.Until, now))
	}
	if at := why.AsksNext; at != nil && at.After(now) {
		parts = append(parts, "asked again in "+say.Span(at.Sub(now)))
	}
	return strings.Join(parts, ", ")
}
