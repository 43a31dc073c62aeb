package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// sessions says which conversations do not follow the order, and what that
// means for them.
func sessions(w World) []Finding {
	if w.Auth == nil {
		return nil
	}
	var list []Finding
	for _, s := range w.Sessions {
		if s.Err != nil {
			list = append(list, Finding{
				ID: SessionUnreadable, Severity: Warning, About: s.Agent, What: s.Err.Error(),
				Why: "which conversations are tied to a profile is not known; their accounts are watched all the same",
				Fix: "openclaw doctor",
			})
			continue
		}
		for _, t := range ties(s.Pins) {
			list = append(list, tied(w.Auth.Snapshot, s.Agent, t)...)
		}
	}
	return list
}

// tie are the sessions that are tied to one profile in one way.
type tie struct {
	profile  string
	byPerson bool
	sessions []string
}

func ties(pins []openclaw.Pin) []tie {
	var list []tie
	for _, pin := range pins {
		i := slices.IndexFunc(list, func(t tie) bool { return t.profile == pin.Profile && t.byPerson == pin.ByPerson })
		if i < 0 {
			i, list = len(list), append(list, tie{profile: pin.Profile, byPerson: pin.ByPerson})
		}
		list[i].sessions = append(list[i].sessions, pin.Session)
	}
	return list
}

func tied(snap profiles.Snapshot, agent string, t tie) []Finding {
	first, serves := standing(snap.Pools, agent, t.profile)
	f := Finding{
		ID: SessionPinned, Severity: Note, About: t.profile,
		What: fmt.Sprintf("%s of agent %s %s tied to it: %s", count(len(t.sessions)), agent, isAre(len(t.sessions)), some(t.sessions)),
		Why: "OpenClaw tied them when they began. A switch moves new conversations and leaves these where they are, until the profile is refused: " +
			"then OpenClaw moves them by itself. A restart of the gateway does not",
		Fix: "to move one at once, send /new in it",
	}
	switch {
	case t.byPerson:
		f.ID = SessionPinnedHand
		f.Why, f.Fix = byHand(snap, agent, t.profile)
		if !serves {
			f.ID, f.Severity = SessionPinnedGone, Warning
			f.Why = "it cannot serve, and " + f.Why
		}
	case first:
		return nil // where the order would have them
	}
	return []Finding{f}
}

// byHand is what a profile that a person chose means, and how it is let go: what
// the real releases do. /new lets it go in none of them.
func byHand(snap profiles.Snapshot, agent, profile string) (why, fix string) {
	if snap.Layout != openclaw.SharedDatabase {
		return "a person chose the profile, so no order moves them. OpenClaw tries no other one there: when it is refused, so are they",
			"in each, send: /model default (/new keeps the profile)"
	}
	provider, _, _ := strings.Cut(profile, ":")
	first := provider + ":PROFILE"
	for _, p := range snap.Pools {
		if p.Agent == agent && p.Provider == provider && len(p.Order) > 0 {
			first = p.Order[0]
		}
	}
	return "a person chose the profile, so no order moves them. OpenClaw goes on with another one while it is refused, and comes back to it",
		"in each, with its model for MODEL, send: /model MODEL@" + first + " -s (/new keeps the profile)"
}

// standing says whether the profile is the first of its pool, and whether it
// can serve at all: one that does not exist cannot.
func standing(pools []profiles.Pool, agent, id string) (first, serves bool) {
	for _, p := range pools {
		if p.Agent != agent {
			continue
		}
		for _, pr := range p.Profiles {
			if pr.ID == id {
				return len(p.Order) > 0 && p.Order[0] == id, alive(pr)
			}
		}
	}
	return false, false
}

func count(n int) string {
	if n == 1 {
		return "1 conversation"
	}
	return fmt.Sprintf("%d conversations", n)
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// named is how many conversations are called by name.
const named = 3

func some(sessions []string) string {
	if len(sessions) <= named {
		return strings.Join(sessions, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(sessions[:named], ", "), len(sessions)-named)
}
