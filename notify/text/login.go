package text

import (
	"cmp"
	"fmt"
	"net/url"
)

func (s *telling) loginStarted() {
	s.line(s.because(fmt.Sprintf(s.w.loginWaits, s.account()), s.reason()))
	s.login(s.w.logIn)
}

func (s *telling) loginCompleted() {
	s.line(s.because(fmt.Sprintf(s.w.loginDone, s.account(), cmp.Or(s.Data.Profile, s.w.theProfile)), s.reason()))
	s.line(s.when(s.w.resets, s.Data.RecoversAt)) // of a spent or a low one
}

func (s *telling) loginFailed() {
	s.line(s.because(fmt.Sprintf(s.w.loginFailed, s.account()), s.reason()))
	s.advise()
	ask := s.w.tryAgain
	if l := s.Data.Login; l != nil && l.Code != "" {
		ask = s.w.tryCode
	}
	s.login(ask)
}

// login says how to log in: ask says as whom, then come link and code, or the
// way back for an address, and after those what does the same otherwise.
func (s *telling) login(ask string) {
	l := s.Data.Login
	switch {
	case l == nil:
		return
	case l.URL != "":
		s.line(ask + s.w.colon)
		s.copied(l.URL)
		s.approval()
		if l.Command != "" {
			s.line(fmt.Sprintf(s.w.orRun, s.place()))
			s.copied(l.Command)
		}
	case l.Command != "":
		s.line(s.sentence(ask), fmt.Sprintf(s.w.run, s.place()))
		s.copied(l.Command)
	}
	if l.Chat != "" {
		s.line(s.w.orChat)
		s.copied(l.Chat)
	}
}

// approval says what to do at the link.
func (s *telling) approval() {
	l := s.Data.Login
	until := ""
	if l.ExpiresAt != nil {
		until = s.clock.moment(*l.ExpiresAt)
	}
	if l.Code != "" {
		s.line(cmp.Or(formatAny(s.w.codeUntil, until), s.w.code))
		s.copied(l.Code)
	} else {
		s.line(formatAny(s.w.linkUntil, until))
	}
	if l.Paste {
		s.line(fmt.Sprintf(s.w.paste, returnAddress(l.URL), s.place()))
		s.copied("ocwatch login --paste '" + s.w.address + "'")
	}
}

// returnAddress is where the browser ends up after a login at link, where
// nothing answers it: the person is told, so as to recognise it.
func returnAddress(link string) string {
	if u, err := url.Parse(link); err == nil {
		if back, err := url.Parse(u.Query().Get("redirect_uri")); err == nil && back.Host != "" {
			return name(back.Scheme + "://" + back.Host)
		}
	}
	return "http://localhost"
}
