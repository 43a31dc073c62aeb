package notify

import (
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/ocwatch/ocwatch/internal/event"
)

// longestText is the length of a message in characters that the list of
// profiles does not go beyond: a phone's screen or two.
const longestText = 900

// The states of profiles that a message tells apart.
const (
	dead  = "dead"      // only a login brings it back
	spent = "exhausted" // comes back by itself
)

// depleted says that nothing is left, when something is back, and what a
// person has to do; then why each profile cannot serve.
func (s *telling) depleted() {
	headline := s.allOut()
	if s.Data.Reminder {
		headline = s.w.reminder(headline)
	}
	s.line(headline)
	switch {
	case s.Data.Action == event.ActionWait:
		s.line(s.firstBack(), s.w.byItself)
	case s.Data.Login != nil:
		s.line(s.firstBack())
		s.login(s.asWhom())
	case s.Data.Action == event.ActionLogin:
		s.line(s.firstBack(), s.sentence(s.asWhom()))
	default:
		s.line(s.firstBack())
	}
	s.listProfiles()
}

// allOut is the headline.
func (s *telling) allOut() string {
	n, logins := max(len(s.Data.Order), len(s.Data.Profiles)), len(s.dead())
	of, agent := s.account(), s.ofAgent()
	switch {
	case n == 0:
		return s.because(fmt.Sprintf(s.w.everyOut, of, agent), s.reason())
	case n == 1 && logins == 1:
		return s.because(fmt.Sprintf(s.w.onlyDead, of, agent), s.onlyReason())
	case n == 1:
		return s.because(fmt.Sprintf(s.w.onlySpent, of, agent), s.onlyReason())
	}
	all := s.w.all(n, of, agent)
	switch logins {
	case 0:
		return fmt.Sprintf(s.w.allSpent, all)
	case n:
		return fmt.Sprintf(s.w.allDead, all)
	}
	return fmt.Sprintf(s.w.mixed, all, n-logins, logins)
}

// dead are the profiles that need a login.
func (s *telling) dead() []string {
	var ids []string
	for _, p := range s.Data.Profiles {
		if p.State == dead {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (s *telling) onlyReason() string {
	if len(s.Data.Profiles) == 0 {
		return s.reason()
	}
	p := s.Data.Profiles[0]
	return s.clause(p.Reason, cmp.Or(p.Until, s.Data.RecoversAt))
}

// firstBack says which profile is back first, and when; "" where none comes
// back by itself.
func (s *telling) firstBack() string {
	id, at, waiting := s.w.oneOfThem, s.Data.RecoversAt, len(s.Data.Profiles) == 0
	var first *time.Time
	for _, p := range s.Data.Profiles {
		if p.State == dead {
			continue
		}
		waiting = true
		if p.Until != nil && (first == nil || p.Until.Before(*first)) {
			id, first = cmp.Or(p.ID, s.w.oneOfThem), p.Until
		}
	}
	switch at = cmp.Or(at, first); {
	case !waiting:
		return ""
	case at == nil:
		return s.w.backUnknown
	}
	return fmt.Sprintf(s.w.firstBack, id, s.clock.at(*at)+s.clock.hint(*at))
}

// asWhom says which account helps: a spent one does not.
func (s *telling) asWhom() string {
	logins := s.dead()
	switch {
	case len(logins) == 1 && len(s.Data.Profiles) > 1:
		return fmt.Sprintf(s.w.loginEither, cmp.Or(logins[0], s.w.aProfile))
	case len(logins) > 0 && len(logins) == len(s.Data.Profiles):
		return s.w.loginAgain
	}
	return s.w.loginOther
}

// listProfiles lists why each profile cannot serve, one a line, as far as the
// message has room. The reason of a single one stands in the headline.
func (s *telling) listProfiles() {
	list := s.Data.Profiles
	if len(list) < 2 {
		return
	}
	room := longestText - utf8.RuneCountInString(fmt.Sprintf(s.w.more, len(list))) - 1
	for _, l := range s.lines {
		room -= utf8.RuneCountInString(l) + 1
	}
	for i, p := range list {
		text := s.out(p)
		if room -= utf8.RuneCountInString(text) + 1; room < 0 {
			if i > 0 {
				s.line(fmt.Sprintf(s.w.more, len(list)-i))
			}
			return
		}
		s.line(text)
	}
}

// out says why p cannot serve, and until when.
func (s *telling) out(p event.Profile) string {
	text := cmp.Or(p.ID, s.w.aProfile) + s.w.colon + cmp.Or(s.clause(p.Reason, p.Until), s.w.states[p.State], p.State)
	if p.Until != nil {
		text += fmt.Sprintf(s.w.until, s.clock.moment(*p.Until))
	}
	return text
}
