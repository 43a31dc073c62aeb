package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/notify/text"
)

const (
	// burstWindow is how long a chat's oldest message waits for others to go
	// with it: long enough for what one round and the switch after it tell,
	// too short to matter to whoever reads it. It is counted from the oldest,
	// so that a burst without end delays nothing.
	burstWindow = 10 * time.Second
	// maxText is how long a chat's text may be, in bytes. The narrowest of the
	// services takes 4096.
	maxText = 3500
	// hostRoom and lateRoom are how many bytes of it are left free: for the host
	// in front of it, and for the line above each message that is sent late. They
	// are left free always, so that what is tried again is not parted otherwise
	// once it is late.
	hostRoom = 84
	lateRoom = 128
	// longestMessage is what there is room for in a text of one message.
	longestMessage = maxText - hostRoom - lateRoom
	// lateAfter is when a message has to say how old it is: the hints in it, such
	// as "in 3 h", would mislead.
	lateAfter = 15 * time.Minute
	// maxQueue is how many messages are looked at to join them.
	maxQueue = 64

	gap      = "\n\n" // between joined texts
	ellipsis = "…"
)

// parcel is what one attempt sends.
type parcel struct {
	members []journal.Message // in the order of the queue, at least one
	out     Outgoing
}

// reader is who reads a chat.
type reader struct {
	lang text.Language
	loc  *time.Location
}

// pack takes from the head of a queue what goes out next. A webhook gets every
// event by itself, a chat all that fit in one text.
func pack(queue []journal.Message, joins bool, r reader, now time.Time) parcel {
	if !joins {
		return parcel{queue[:1], Outgoing{queue[0].ID, queue[0].Body}}
	}
	members := queue[:fitting(queue)]
	return parcel{members, Outgoing{parcelID(members), []byte(r.tell(members, now))}}
}

// fitting is how many messages from the head of a queue go into one text.
func fitting(queue []journal.Message) int {
	n, room := 1, longestMessage-len(clip(messageOf(queue[0].Body)))
	for _, m := range queue[1:] {
		room -= len(gap) + lateRoom + len(messageOf(m.Body))
		if room < 0 || !together(queue[0], m) {
			break
		}
		n++
	}
	return n
}

// tell makes one text of messages.
func (r reader) tell(members []journal.Message, now time.Time) string {
	told := make([]string, len(members))
	for i, m := range members {
		told[i] = r.delay(m, now) + clip(messageOf(m.Body))
	}
	return r.opening(members[0], now) + strings.Join(told, gap)
}

// opening is what a text begins with: its host, unless its first message says
// that first.
func (r reader) opening(first journal.Message, now time.Time) string {
	e, ok := eventOf(first.Body)
	if !ok || text.NamesHost(e, r.lang) && r.delay(first, now) == "" {
		return ""
	}
	return text.From(e.Data.Host, r.lang)
}

// delay is the line above a message that is sent long after what it tells of.
func (r reader) delay(m journal.Message, now time.Time) string {
	e, ok := eventOf(m.Body)
	if !ok || e.Timestamp.IsZero() || now.Sub(e.Timestamp) <= lateAfter {
		return ""
	}
	return text.Late(e.Timestamp, now, r.lang, r.loc) + "\n"
}

// together reports whether two messages may share a text. Those that were sent
// together are sent together again, and nothing joins them: what is tried again
// is the same content under the same id. Those that were refused part: one may
// be to blame, and the others are not to be given up with it.
func together(a, b journal.Message) bool {
	return a.Attempts == b.Attempts && a.NextAt.Equal(b.NextAt) && a.Refusals == 0 && b.Refusals == 0
}

// parcelID is the same for the same members.
func parcelID(members []journal.Message) string {
	if len(members) == 1 {
		return members[0].ID
	}
	h := sha256.New()
	for _, m := range members {
		h.Write([]byte(m.ID + "\n"))
	}
	return "msg_" + base32.StdEncoding.EncodeToString(h.Sum(nil))[:26]
}

// eventOf reads a queued event, and reports whether it has a message.
func eventOf(body []byte) (e event.Event, ok bool) {
	err := json.Unmarshal(body, &e)
	return e, err == nil && e.Data.Message != ""
}

// messageOf is what a person is to read of an event's JSON.
func messageOf(body []byte) string {
	if e, ok := eventOf(body); ok {
		return e.Data.Message
	}
	return string(bytes.ToValidUTF8(body, nil)) // better than nothing
}

// clip shortens a message to what a text has room for.
func clip(s string) string {
	if len(s) <= longestMessage {
		return s
	}
	end := longestMessage - len(ellipsis)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// untilFull is how long a chat's message still waits for others. A message from
// the future means that the clock was set back: then it waits no longer.
func untilFull(head journal.Message, window time.Duration, now time.Time) time.Duration {
	age := now.Sub(head.CreatedAt)
	if head.Attempts > 0 || age < 0 {
		return 0
	}
	return max(window-age, 0)
}
