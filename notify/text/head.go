package text

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// longestHost is how many characters of a lock screen's sixty the host gets.
const longestHost = 20

// From is what a text of host's begins with where several hosts write to one
// chat: "srv1: ", the first label of the name; "" where there is no host.
func From(host string, lang Language) string {
	host = printable(host)
	if _, err := netip.ParseAddr(host); err != nil { // of an address the first part says nothing
		host, _, _ = strings.Cut(host, ".")
	}
	if host == "" {
		return ""
	}
	return abbreviate(host, longestHost) + wordsOf(lang).colon
}

// NamesHost reports whether the first line of e's message says by itself which
// host it is of. A host may be called what the line has anyway, such as ocwatch:
// so it is looked whether the line is another without it.
func NamesHost(e event.Event, lang Language) bool {
	nameless := e
	nameless.Data.Host = ""
	return strings.Contains(firstLine(e.Data.Message), name(e.Data.Host)) &&
		firstLine(Of(e, lang, nil)) != firstLine(Of(nameless, lang, nil))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Late is the line above a text that is sent at now and tells of something long
// before, at: such as "in 3 h" is counted from then. Times are told as in Of.
func Late(at, now time.Time, lang Language, loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	w := wordsOf(lang)
	return w.polish(fmt.Sprintf(w.late, clock{now: now, loc: loc, w: w}.moment(at)))
}
