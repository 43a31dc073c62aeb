package page

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/say"
)

// view is what the template shows, in words.
type view struct {
	Style, Script, Path string
	Host, Version, Zone string
	Owner               bool
	Token, Did, Alert   string
	Seen                string // when the last round ended
	Summary             string
	Paused              string
	Gateway             string
	Down                bool // the gateway
	Problems            []string
	Warnings            []string
	Logins              []loginView
	Pools               []poolView
	Days                []string
	Entries             []entryView
	Trouble             string
	For                 []choice
}

// choice is one of a select's.
type choice struct{ Value, Text string }

type loginView struct {
	Agent, Provider, URL, Code, Expires, Begun string
	Link, Paste                                bool // Link: URL is one that may be followed
	QR                                         *qrView
}

type poolView struct {
	N               int
	Agent, Provider string
	State           failover.PoolState
	Reason          string
	Pending         string
	Pinned          template.HTMLAttr // the profile, as the value of a button
	PinnedText      string
	Ahead           string
	Order           string
	Profiles        []profileView
	Lanes           []lane
}

// newView says w in words.
func newView(w World) view {
	s := w.Status
	v := view{
		Path: "/", Host: w.Host, Version: s.Version, Zone: w.Now.Format("MST"), Owner: w.Owner, Token: w.Token, Did: w.Did, Alert: w.Alert,
		Gateway: gatewayText(s.Gateway, w.Detail), Down: !s.Gateway.Healthy, Warnings: w.Warnings, Trouble: w.History.Trouble, For: durations(),
		Entries: entries(w.History, w.Now),
	}
	if w.Owner {
		v.Path = "/owner/"
	}
	if !s.At.IsZero() {
		v.Seen = ago(s.At, w.Now)
	}
	if s.Paused {
		v.Paused = pausedText(s, w.Now)
	}
	for _, p := range s.Problems {
		v.Problems = append(v.Problems, problemText(p))
	}
	for _, l := range w.Logins {
		v.Logins = append(v.Logins, newLogin(l, w.Owner, w.Now))
	}
	for i, p := range s.Pools {
		v.Pools = append(v.Pools, newPool(i, p, w))
	}
	for i := range days {
		v.Days = append(v.Days, midnight(w.Now, i+1-days).Format("Mon 2"))
	}
	v.Summary = summary(v)
	return v
}

// durations are how long a person may want something.
func durations() []choice {
	return []choice{{"", "until I end it"}, {"1h", "for 1 hour"}, {"4h", "for 4 hours"}, {"12h", "for 12 hours"}, {"48h", "for 2 days"}, {"168h", "for a week"}}
}

func gatewayText(g watchdog.GatewayStatus, detail string) string {
	name := strings.TrimSpace("gateway " + g.Version)
	switch {
	case g.Healthy && detail == "":
		return name + ": live"
	case g.Healthy:
		return name + ": live, but cannot be asked: " + detail
	case detail == "":
		return name + ": not live"
	default:
		return name + ": not live: " + detail
	}
}

func pausedText(s watchdog.Status, now time.Time) string {
	text := "Paused"
	if s.PausedUntil != nil {
		text += " until " + say.Clock(*s.PausedUntil, now)
	}
	if s.PausedReason != "" {
		text += " (" + s.PausedReason + ")"
	}
	return text + ": ocwatch watches and tells, and changes nothing."
}

func problemText(p watchdog.Problem) string {
	text := p.What
	if p.Agent != "" {
		text = p.Agent + ": " + text
	}
	if p.Fix != "" {
		text += ". To mend it: " + p.Fix
	}
	return text
}

// newLogin leaves out what lets its reader log in, for whoever is not the owner.
func newLogin(l relogin.Status, owner bool, now time.Time) loginView {
	v := loginView{Agent: l.Agent, Provider: l.Provider, Begun: ago(l.Since, now)}
	if l.ExpiresAt != nil {
		v.Expires = ahead(*l.ExpiresAt, now)
	}
	if owner {
		v.URL, v.Code, v.Paste, v.Link = l.URL, l.Code, l.Paste, isLink(l.URL)
		if v.Link {
			v.QR = newQR(l.URL)
		}
	}
	return v
}

// isLink: what a provider answers is shown, but led to only where it is an
// address of the web.
func isLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

func newPool(n int, p watchdog.PoolStatus, w World) poolView {
	v := poolView{
		N: n, Agent: p.Agent, Provider: p.Provider, State: p.State, Reason: say.Sentence(p.Reason), Pending: say.Sentence(capital(p.Pending)),
		Ahead: say.AheadOf(p, w.Now), Order: say.OrderSource(p.OrderSource), Lanes: lanes(p, w),
	}
	if p.Pinned != nil {
		v.Pinned, v.PinnedText = valueOf(p.Pinned.Profile), p.Pinned.Profile+" is pinned"
		if p.Pinned.Until != nil {
			v.PinnedText += " until " + say.Clock(*p.Pinned.Until, w.Now)
		}
		v.PinnedText += say.NotFirst(p.Pinned.Profile, p) + "."
	}
	why := whyOf(w.Why, p.Agent, p.Provider)
	for i, pr := range p.Profiles {
		v.Profiles = append(v.Profiles, newProfile(i, pr, why[pr.ID], w.Policy(p.Provider), w.Now))
	}
	return v
}

func whyOf(list []watchdog.PoolWhy, agent, provider string) map[string]watchdog.ProfileWhy {
	out := map[string]watchdog.ProfileWhy{}
	for _, p := range list {
		if p.Agent != agent || p.Provider != provider {
			continue
		}
		for _, pr := range p.Profiles {
			out[pr.ID] = pr
		}
	}
	return out
}

// summary is the one sentence that a screen reader is told when it changes.
func summary(v view) string {
	if len(v.Pools) == 0 {
		return "No pool is known yet."
	}
	var parts []string
	for _, p := range v.Pools {
		text := fmt.Sprintf("%s / %s: %s", p.Agent, p.Provider, p.State)
		if len(p.Profiles) > 0 {
			text += ", first is " + p.Profiles[0].ID
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ") + "."
}

// qrView is a QR code: one path of squares on a white ground.
type qrView struct {
	Box  string
	Path template.HTMLAttr
}
