package page

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/say"
)

// mostEntries is how many events the page lists; ocwatch history has them all.
const mostEntries = 15

// entryView is one thing that happened.
type entryView struct {
	at                     time.Time
	Stamp, When            string
	Kind, Pool, What, Text string
}

// entries are the newest first.
func entries(h History, now time.Time) []entryView {
	var list []entryView
	for _, s := range h.Switches {
		list = append(list, entryView{at: s.At, Kind: "switch", Pool: pool(s.Agent, s.Provider), What: switched(s), Text: s.Reason})
	}
	for _, e := range h.Episodes {
		list = append(list, entryView{at: e.Since, Kind: string(e.Kind), Pool: pool(e.Agent, e.Provider), What: lastedText(e, now), Text: e.Reason})
	}
	for _, r := range h.Restarts {
		list = append(list, entryView{at: r.At, Kind: "restart", What: restarted(r), Text: r.Reason})
	}
	for _, l := range h.Logins {
		list = append(list, entryView{at: l.At, Kind: "login", Pool: pool(l.Agent, l.Provider), What: strings.TrimSpace(string(l.Outcome) + " " + l.Profile), Text: l.Reason})
	}
	slices.SortStableFunc(list, func(a, b entryView) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.Kind, b.Kind)) })
	list = list[:min(len(list), mostEntries)]
	for i, e := range list {
		list[i].Stamp, list[i].When, list[i].Text = e.at.UTC().Format(time.RFC3339), say.Clock(e.at, now), say.Sentence(e.Text)
	}
	return list
}

func pool(agent, provider string) string {
	if provider == "" {
		return ""
	}
	return agent + " / " + provider
}

func switched(s journal.Switch) string {
	what := cmp.Or(say.First(s), "the order changed behind "+s.To)
	switch s.By {
	case journal.ByPerson:
		what += ", by a person"
	case journal.ByOpenClaw:
		what += ", by OpenClaw"
	case journal.ByOther:
		what += ", by somebody past ocwatch"
	}
	return what
}

func restarted(r journal.Restart) string {
	if r.OK {
		return "the gateway was restarted in " + say.Span(r.Took)
	}
	return say.Sentence("the gateway could not be restarted: " + r.Err)
}

func lastedText(e journal.Episode, now time.Time) string {
	what := map[journal.EpisodeKind]string{
		journal.EpisodeDepleted: "no account could serve", journal.EpisodeBlind: "nothing could be learned",
	}[e.Kind]
	switch {
	case !e.Until.IsZero():
		return what + " for " + say.Span(e.Until.Sub(e.Since))
	case e.Lost:
		return what + "; the end was not seen"
	default:
		return what + ", for " + say.Span(now.Sub(e.Since)) + " so far"
	}
}
