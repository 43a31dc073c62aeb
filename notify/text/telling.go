package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ocwatch/ocwatch/internal/event"
)

// telling is one event on its way to one reader.
type telling struct {
	event.Event // presentable
	w           *words
	clock       clock
	lines       []string
}

func newTelling(e event.Event, lang Language, loc *time.Location) *telling {
	w := wordsOf(lang)
	if loc == nil {
		loc = time.UTC
	}
	return &telling{Event: presentable(e), w: w, clock: clock{now: e.Timestamp, loc: loc, w: w}}
}

// The longest names and reasons that are told, in characters: what is longer is
// not read on a phone, and must not push the rest out of the message.
const (
	longestName   = 64
	longestReason = 200
)

// presentable returns e with nothing in it that could break a line or pass for one
// of ours: ids come from files and reasons from errors. What a person copies is
// not cut.
func presentable(e event.Event) event.Event {
	d := e.Data
	e.Type = event.Type(name(string(e.Type)))
	d.Host, d.Agent, d.Provider, d.Profile = name(d.Host), name(d.Agent), name(d.Provider), name(d.Profile)
	d.From, d.To, d.Reason = name(d.From), name(d.To), printable(d.Reason)
	d.Order = slices.Clone(d.Order)
	for i, id := range d.Order {
		d.Order[i] = name(id)
	}
	d.Profiles = slices.Clone(d.Profiles)
	for i, p := range d.Profiles {
		p.ID, p.State, p.Reason = name(p.ID), name(p.State), printable(p.Reason)
		d.Profiles[i] = p
	}
	if d.Login != nil {
		l := *d.Login
		l.URL, l.Code, l.Command, l.Chat = printable(l.URL), printable(l.Code), printable(l.Command), printable(l.Chat)
		d.Login = &l
	}
	e.Data = d
	return e
}

func name(s string) string { return abbreviate(printable(s), longestName) }

// printable keeps what can be seen, on one line. Bytes that are no UTF-8 are
// seen as �.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r): // control, and what turns the direction of writing
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func abbreviate(s string, longest int) string {
	if r := []rune(s); len(r) > longest {
		return strings.TrimSpace(string(r[:longest-1])) + "…"
	}
	return s
}

// line adds one line of the sentences that there are.
func (s *telling) line(sentences ...string) {
	there := slices.DeleteFunc(sentences, func(x string) bool { return x == "" })
	if len(there) > 0 {
		s.lines = append(s.lines, s.w.polish(strings.TrimSpace(strings.Join(there, s.w.gap))))
	}
}

// copied adds a line that is nothing but what a person taps or copies.
func (s *telling) copied(text string) { s.lines = append(s.lines, text) }

// because is text with what it is more exactly, unless it says the same.
func (s *telling) because(text, reason string) string {
	if strings.HasSuffix(text, reason) {
		return s.sentence(text)
	}
	return s.sentence(text + s.w.colon + reason)
}

// why is a reason as a sentence of its own.
func (s *telling) why() string { return s.sentence(ifAny(s.w.why, s.reason())) }

// sentence ends text, which may have an end of its own.
func (s *telling) sentence(text string) string {
	if text = strings.TrimRight(text, " .。"); text == "" || strings.HasSuffix(text, "…") {
		return text
	}
	return text + s.w.stop
}

// formatAny is format with text in it, "" where there is no text.
func formatAny(format, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(format, text)
}

func ifAny(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func (s *telling) reason() string { return s.clause(s.Data.Reason, s.Data.RecoversAt) }

// clause is a reason in the reader's language. A time in it that is told beside
// it anyway, and better, is left out.
func (s *telling) clause(reason string, until *time.Time) string {
	if until != nil {
		reason = endsWithTime.ReplaceAllString(reason, "")
	}
	return abbreviate(s.w.reason(reason), longestReason)
}

// advise adds what the reason says should be done.
func (s *telling) advise() {
	switch understand(s.Data.Reason).advice {
	case payAdvice:
		s.line(s.w.pay)
	case browserAdvice:
		s.line(s.w.otherBrowser)
	case noAdvice, itself:
	}
}

// place is where commands are run.
func (s *telling) place() string { return cmp.Or(s.Data.Host, s.w.theServer) }

// profile, pool and account name what an event is about. The agent is told
// only where it is not the one that everyone has.
func (s *telling) profile() string { return cmp.Or(s.Data.Profile, s.w.aProfile) + s.ofAgent() }

func (s *telling) pool() string { return cmp.Or(s.Data.Provider, s.w.thePool) + s.ofAgent() }

func (s *telling) account() string {
	if s.Data.Provider == "" {
		return ""
	}
	return fmt.Sprintf(s.w.ofProvider, s.Data.Provider)
}

func (s *telling) ofAgent() string {
	if s.Data.Agent == "" || s.Data.Agent == "main" {
		return ""
	}
	return fmt.Sprintf(s.w.ofAgent, s.Data.Agent)
}

// served is the profile that serves after a change of the pool.
func (s *telling) served() string {
	first := ""
	if len(s.Data.Order) > 0 {
		first = s.Data.Order[0]
	}
	return cmp.Or(s.Data.To, s.Data.Profile, first)
}

// when tells t in the words of format, "" for nil.
func (s *telling) when(format string, t *time.Time) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf(format, s.clock.at(*t)+s.clock.hint(*t))
}
