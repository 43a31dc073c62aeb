package notify

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// maxListed is how many profiles a message lists; a phone shows no more.
const maxListed = 6

// dead is the state of a profile that only a login brings back.
const dead = "dead"

// depletedText says that nothing is left, when something is back, and what a
// person has to do; then why each profile cannot serve.
func depletedText(e event.Event) string {
	d := e.Data
	todo := loginText(e)
	if d.Action == event.ActionWait {
		todo = "Nothing to do: it comes back by itself."
	}
	return sentences(allSpent(d), firstBack(e), todo) + reasons(e)
}

// allSpent is the headline.
func allSpent(d event.Data) string {
	n, logins := max(len(d.Order), len(d.Profiles)), 0
	for _, p := range d.Profiles {
		if p.State == dead {
			logins++
		}
	}
	switch {
	case n == 0:
		return because("Every "+account(d)+"account"+ofAgent(d)+" is spent", d.Reason)
	case n == 1 && logins == 1:
		return because("The only "+account(d)+"account"+ofAgent(d)+" needs a fresh login", onlyReason(d))
	case n == 1:
		return because("The only "+account(d)+"account"+ofAgent(d)+" is spent", onlyReason(d))
	}
	who := fmt.Sprintf("All %d %saccounts%s ", n, account(d), ofAgent(d))
	if n == 2 {
		who = fmt.Sprintf("Both %saccounts%s ", account(d), ofAgent(d))
	}
	switch logins {
	case 0:
		return who + "are spent."
	case n:
		return who + "need a fresh login."
	}
	return who + fmt.Sprintf("are out: %d spent, %d in need of a fresh login.", n-logins, logins)
}

// firstBack says which profile is back first, and when; "" where none comes
// back by itself.
func firstBack(e event.Event) string {
	id, at, waiting := "one of them", e.Data.RecoversAt, len(e.Data.Profiles) == 0
	var first *time.Time
	for _, p := range e.Data.Profiles {
		if p.State == dead {
			continue
		}
		waiting = true
		if p.Until != nil && (first == nil || p.Until.Before(*first)) {
			id, first = p.ID, p.Until
		}
	}
	if at == nil {
		at = first
	}
	switch {
	case !waiting:
		return ""
	case at == nil:
		return "Nobody said when one is back."
	}
	return "First back: " + id + " " + when(at, e) + "."
}

func onlyReason(d event.Data) string {
	if len(d.Profiles) == 0 {
		return d.Reason
	}
	return d.Profiles[0].Reason
}

// reasons lists why each profile cannot serve, one a line. The reason of a
// single one stands in the headline.
func reasons(e event.Event) string {
	d := e.Data
	if len(d.Profiles) < 2 {
		return ""
	}
	var b strings.Builder
	for i, p := range d.Profiles {
		if i == maxListed {
			fmt.Fprintf(&b, "\n… and %d more", len(d.Profiles)-i)
			break
		}
		b.WriteString("\n" + p.ID + ": " + cmp.Or(p.Reason, p.State))
		if p.Until != nil {
			b.WriteString(", until " + clock(*p.Until, e.Timestamp))
		}
	}
	return b.String()
}
