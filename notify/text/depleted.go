package text

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ocwatch/ocwatch/internal/event"
)

// longestText is the length of a message in characters that the list of
// profiles does not go beyond: a phone's screen or two.
const longestText = 900

// ailment is what keeps a profile from serving.
type ailment int

const (
	isSpent   ailment = iota // no quota; it comes back by itself
	isDead                   // only a login brings it back
	isShunned                // OpenClaw does not try it for a while, after errors
	ailments
)

func ailmentOf(p event.Profile) ailment {
	switch {
	case p.State == "dead":
		return isDead
	case p.Refused:
		return isShunned
	}
	return isSpent
}

// outWords say in one language that profiles cannot serve for one reason.
type outWords struct {
	only string // provider, agent
	all  string // words.all
	some string // how many
	bare string // without a reason
}

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
		if s.Data.Paused {
			s.line(s.w.paused)
		}
	case s.Data.Action == event.ActionLogin:
		s.line(s.firstBack(), s.sentence(s.asWhom()))
	default:
		s.line(s.firstBack())
	}
	s.listProfiles()
}

// runsDry says ahead when nothing will be left, when something is back, and
// what keeps it from happening.
func (s *telling) runsDry() {
	dry, back := *s.Data.RunsDryAt, s.Data.RecoversAt
	key := s.paidNext()
	headline := s.w.runsDry
	if key != "" {
		headline = s.w.freeRunsDry
	}
	s.line(fmt.Sprintf(headline, s.pool(), s.clock.moment(dry)+s.clock.hint(dry)))
	if back == nil {
		s.line(s.w.backUnknown)
	} else {
		s.line(fmt.Sprintf(s.w.firstBack, cmp.Or(s.Data.FirstBack, s.w.oneOfThem), s.clock.at(*back)+s.clock.hint(*back)), s.gap(dry, *back))
	}
	s.line(formatAny(s.w.paidNext, key))
	ask := s.w.addAccount
	if len(s.dead()) > 0 {
		ask = s.asWhom()
	}
	s.login(ask)
}

// gap says for how long nothing is left.
func (s *telling) gap(dry, back time.Time) string {
	long := back.Sub(dry).Round(time.Minute)
	if long <= 0 {
		return ""
	}
	return fmt.Sprintf(s.w.gapOf, s.w.span(spanOf(long)))
}

// paidNext is who serves when the subscriptions do not, for money.
func (s *telling) paidNext() string {
	for _, p := range s.Data.Profiles {
		if p.Paid && p.State != "dead" && p.State != "exhausted" {
			return cmp.Or(p.ID, s.w.aPaidProfile)
		}
	}
	return ""
}

// allOut is the headline.
func (s *telling) allOut() string {
	n, of, agent := max(len(s.Data.Order), len(s.Data.Profiles)), s.account(), s.ofAgent()
	if n == 0 {
		return s.because(fmt.Sprintf(s.w.everyOut, of, agent), s.reason())
	}
	count := [ailments]int{isSpent: n - len(s.Data.Profiles)} // what is not listed is not told to be worse
	for _, p := range s.Data.Profiles {
		count[ailmentOf(p)]++
	}
	var counts []string
	for a, k := range count {
		switch k {
		case 0:
		case n:
			if n == 1 {
				return s.because(fmt.Sprintf(s.w.out[a].only, of, agent), s.onlyReason())
			}
			return fmt.Sprintf(s.w.out[a].all, s.w.all(n, of, agent))
		default:
			counts = append(counts, fmt.Sprintf(s.w.out[a].some, k))
		}
	}
	return fmt.Sprintf(s.w.mixed, s.w.all(n, of, agent), strings.Join(counts, s.w.comma))
}

// dead are the profiles that need a login.
func (s *telling) dead() []string {
	var ids []string
	for _, p := range s.Data.Profiles {
		if ailmentOf(p) == isDead && !p.Paid && !p.Key {
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
		if ailmentOf(p) == isDead {
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
	case s.Data.Login != nil && s.Data.Login.Key:
		return s.w.giveKey
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
	text := cmp.Or(p.ID, s.w.aProfile) + s.w.colon + cmp.Or(s.clause(p.Reason, p.Until), s.w.out[ailmentOf(p)].bare)
	if p.Until != nil {
		text += fmt.Sprintf(s.w.until, s.clock.moment(*p.Until))
	}
	return text
}
