package login

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// lineCap is far above any line of a login. What is longer is cut, and a cut
// link is none.
const lineCap = 16 << 10

// sight is what a login's screen has shown so far.
type sight struct {
	URL     string
	Code    string
	Minutes int // for which Code is good; 0: it does not say
	// Paste: it waits for the address that the browser ends on.
	Paste bool
	// Restrictions: it asks whether to keep the owner's list of models, and
	// Enter keeps it.
	Restrictions bool
	// Menu: it asks which of several logins is meant.
	Menu bool
	// Question is what it asks besides, which only a person can answer.
	Question string
	// Approved: the provider has said yes to the code, and the login is about to
	// be stored. Of a login by link it says nothing of the kind.
	Approved bool
	// Profile was stored.
	Profile string
	// Imported: it took over the sign-in of another program instead.
	Imported bool
	// Last is the last line that is not decoration, as it was shown. It may
	// hold what was typed.
	Last string
}

// screen reads what openclaw shows during a login. It looks at lines and not at
// places: whatever matters is written out once in full, and what the prompts
// redraw afterwards is only more lines. It holds one line at a time.
type screen struct {
	sight

	text textReader
	line []byte
	cut  bool   // line was longer than lineCap
	link string // a link that the next line may go on with
}

// write takes what was shown next, in pieces of any size.
func (s *screen) write(p []byte) {
	for _, b := range p {
		switch s.text.next(b) {
		case textByte:
			if len(s.line) < lineCap {
				s.line = append(s.line, b)
			} else {
				s.cut = true
			}
		case lineEnd:
			s.endLine()
		case nothing:
		}
	}
}

func (s *screen) endLine() {
	line, cut := strings.ToValidUTF8(string(s.line), ""), s.cut
	s.line, s.cut = s.line[:0], false
	if cut {
		s.link = ""
		return
	}
	s.read(line)
}

// Marks of the prompts: one that waits for an answer, and one that refused it.
const (
	asking  = '◆'
	refused = '▲'
)

var (
	labelledLink = regexp.MustCompile(`^(?:URL|Open|Open manually|Visit): <?(https://[!#-;=?-~]+)>?$`)
	bareLink     = regexp.MustCompile(`^https://[!#-;=?-~]+$`)
	linkRest     = regexp.MustCompile(`^[!#-;=?-~]+$`)
	codeLine     = regexp.MustCompile(`^(?:User |One-time )?[Cc]ode: ([A-Za-z0-9]{2,16}(?:-[A-Za-z0-9]{2,16}){0,3})$`)
	expiryLine   = regexp.MustCompile(`\bexpires in (\d{1,4}) minutes?\b`)
	storedLine   = regexp.MustCompile(`^Auth profile: (\S.*) \([^()]+/[^()]+?(, imported)?\)$`)
	menuLine     = regexp.MustCompile(`^(?:auth method for|token method for|select a provider)\b`)
	approvedLine = regexp.MustCompile(`^\S+ device code complete$`)
)

// read takes one whole line.
func (s *screen) read(raw string) {
	mark := []rune(strings.TrimSpace(raw) + " ")[0]
	line := undecorated(raw)
	s.readLink(line)
	if line == "" {
		return
	}
	if !boxed(raw) && !strings.HasPrefix(line, "Try: ") {
		s.Last = line
	}
	if mark == asking || mark == refused {
		s.ask(line)
		return
	}
	s.readFacts(line)
}

// ask takes a question.
func (s *screen) ask(line string) {
	switch low := strings.ToLower(line); {
	case strings.HasPrefix(low, "paste the authorization code"), strings.HasPrefix(low, "paste the redirect url"):
		s.Paste = true
	case strings.Contains(low, "model restrictions may hide"):
		s.Restrictions = true
	case menuLine.MatchString(low):
		s.Menu = true
	default:
		s.Question = line
	}
}

func (s *screen) readFacts(line string) {
	if m := codeLine.FindStringSubmatch(line); m != nil && len(m[1]) >= 4 {
		s.Code = m[1]
	}
	if m := expiryLine.FindStringSubmatch(line); m != nil {
		s.Minutes, _ = strconv.Atoi(m[1]) // digits
	}
	if m := storedLine.FindStringSubmatch(line); m != nil {
		s.Profile, s.Imported = m[1], m[2] != ""
	}
	if approvedLine.MatchString(line) {
		s.Approved = true
	}
}

// foldedAt is how much of a link fits a line before it is folded: no terminal
// is narrower.
const foldedAt = 60

// readLink finds the link to approve at: it has a label, or a line of its own.
// A narrow terminal folds it, so a long one may go on in the next line.
func (s *screen) readLink(line string) {
	if s.link != "" {
		if linkRest.MatchString(line) && !strings.Contains(line, "://") && len(s.link)+len(line) <= lineCap {
			s.setLink(s.link + line)
			return
		}
		s.link = ""
	}
	if m := labelledLink.FindStringSubmatch(line); m != nil {
		s.setLink(m[1])
	} else if bareLink.MatchString(line) {
		s.setLink(line)
	}
}

func (s *screen) setLink(link string) {
	s.link = ""
	if len(link) >= foldedAt {
		s.link = link
	}
	if u, err := url.Parse(link); err == nil && u.Host != "" && u.User == nil {
		s.URL = link
	}
}

// undecorated is a line without frames, marks and blanks around it.
func undecorated(line string) string { return strings.TrimFunc(line, decoration) }

func decoration(r rune) bool {
	return r <= ' ' || r == '|' || ('\u2500' <= r && r <= '\u259f') || strings.ContainsRune("◇◆○●◒◐◓◑▲■▪…", r)
}

// boxed reports whether a line is part of a note, a prompt or a spinner:
// OpenClaw says there what to do, never what went wrong.
func boxed(raw string) bool {
	raw = strings.TrimSpace(raw)
	return strings.HasSuffix(raw, "╮") || strings.IndexFunc(raw, func(r rune) bool { return strings.ContainsRune("│└├◇◆▲◒◐◓◑", r) }) == 0
}
