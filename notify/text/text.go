// Package text tells events to people: one event is one text, in English or in
// Chinese. Reasons come in the English of whoever decided, and are put into the
// reader's language by a table.
package text

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// Language is the language of what a person reads.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Of tells e to a person, short enough for a phone: first what happened, for
// a lock screen; then what comes by itself, and when; then what to do. Links,
// codes and commands have lines of their own, so that they can be tapped and
// copied. Times are in UTC, and in loc where the clock there shows another
// (nil: UTC alone), and are seen from e's own timestamp. A language that is
// not known is English.
func Of(e event.Event, lang Language, loc *time.Location) string {
	s := newTelling(e, lang, loc)
	if tell, ok := stories[e.Type]; ok {
		tell(s)
	} else {
		s.line(s.because(cmp.Or(string(s.Type), "event"), s.Data.Reason))
	}
	return strings.Join(s.lines, "\n")
}

// stories has for each type what is told of it. How that is said, is in words.
var stories = map[event.Type]func(*telling){
	event.ProfileLow:           (*telling).low,
	event.ProfileExhausted:     (*telling).exhausted,
	event.ProfileRecovered:     (*telling).recovered,
	event.ProfileLoginRequired: (*telling).loginRequired,
	event.ProfileExpiring:      (*telling).expiring,
	event.PoolSwitched:         (*telling).switched,
	event.PoolPaid:             (*telling).paid,
	event.PoolDepleted:         (*telling).depleted,
	event.PoolRecovered:        (*telling).poolRecovered,
	event.LoginStarted:         (*telling).loginStarted,
	event.LoginCompleted:       (*telling).loginCompleted,
	event.LoginFailed:          (*telling).loginFailed,
	event.GatewayRestarted:     (*telling).gatewayRestarted,
	event.GatewayDown:          (*telling).gatewayDown,
	event.WatchdogBlind:        (*telling).blind,
	event.WatchdogStarted:      (*telling).started,
	event.WatchdogStopped:      func(s *telling) { s.line(fmt.Sprintf(s.w.stopped, s.place())) },
	event.Test:                 func(s *telling) { s.line(fmt.Sprintf(s.w.test, s.place())) },
}

func (s *telling) low() {
	if s.Data.RunsDryAt != nil {
		s.runsDry()
		return
	}
	s.line(s.because(fmt.Sprintf(s.w.low, s.profile()), s.reason()))
	s.line(s.when(s.w.resets, s.Data.RecoversAt), s.w.nothingToDo)
}

func (s *telling) exhausted() {
	s.line(s.because(fmt.Sprintf(s.w.spent, s.profile()), s.reason()))
	if s.Data.RecoversAt == nil {
		s.line(s.w.backUnknown, s.w.looking)
		s.advise()
		return
	}
	s.line(s.when(s.w.back, s.Data.RecoversAt), s.w.nothingToDo)
}

func (s *telling) recovered() {
	s.line(s.because(fmt.Sprintf(s.w.recovered, s.profile()), s.reason()))
}

func (s *telling) loginRequired() {
	s.line(s.because(fmt.Sprintf(s.w.loginRequired, s.profile()), s.reason()))
	s.line(s.w.notUrgent)
	ask := fmt.Sprintf(s.w.loginAs, cmp.Or(s.Data.Profile, s.w.aProfile))
	if l := s.Data.Login; l != nil && l.Key {
		ask = s.w.giveKey
	}
	s.login(ask)
}

// expiring counts in days, which is how it is warned of: 30, 7 and 1.
func (s *telling) expiring() {
	var until *time.Time
	if len(s.Data.Profiles) > 0 {
		until = s.Data.Profiles[0].Until
	}
	s.line(s.because(fmt.Sprintf(s.w.expires, s.profile(), s.clock.days(until)), s.reason()))
	if until != nil {
		s.line(fmt.Sprintf(s.w.expiresAt, s.clock.at(*until)), s.w.afterwards)
	}
	s.login(s.w.renew)
}

func (s *telling) switched() {
	to := cmp.Or(s.Data.To, s.w.anotherProfile)
	if s.Data.From == "" {
		s.line(fmt.Sprintf(s.w.switched, s.pool(), to))
	} else {
		s.line(fmt.Sprintf(s.w.switchedFrom, s.pool(), to, s.Data.From))
	}
	s.line(s.why(), s.w.nothingToDo)
}

func (s *telling) paid() {
	s.line(fmt.Sprintf(s.w.paid, s.pool(), cmp.Or(s.served(), s.w.aPaidProfile)))
	s.line(s.why())
	s.line(s.when(s.w.firstFree, s.Data.RecoversAt), s.w.backFromPaid)
}

func (s *telling) poolRecovered() {
	s.line(fmt.Sprintf(s.w.poolBack, s.pool(), cmp.Or(s.served(), s.w.anAccount)))
}

// gatewayRestarted tells too that a gateway came back by itself.
func (s *telling) gatewayRestarted() {
	text := s.w.restarted
	if understand(s.Data.Reason).advice == itself {
		text = s.w.up
	}
	s.line(s.sentence(fmt.Sprintf(text, s.place())))
	s.line(s.why())
}

func (s *telling) gatewayDown() {
	s.line(s.sentence(fmt.Sprintf(s.w.down, s.place())))
	s.line(s.why())
	s.line(fmt.Sprintf(s.w.look, s.place()))
	s.copied("openclaw gateway status")
}

// blind is told of a pool that no provider answers for, and of an OpenClaw that
// cannot be read. The network is only to blame for the former.
func (s *telling) blind() {
	s.line(s.sentence(fmt.Sprintf(s.w.blind, s.account())))
	s.line(s.why())
	if s.Data.Provider == "" {
		s.line(s.w.unchanged)
		return
	}
	s.line(s.w.unchanged, fmt.Sprintf(s.w.lookAtNetwork, s.place()))
}

// started tells too that ocwatch is no longer blind.
func (s *telling) started() {
	if s.Data.Ends == "" {
		s.line(fmt.Sprintf(s.w.started, s.place()))
		return
	}
	s.line(s.because(fmt.Sprintf(s.w.seesAgain, s.place()), s.reason()))
}
