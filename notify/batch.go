package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
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

// pack takes from the head of a queue what goes out next. A webhook gets every
// event by itself, a chat all that fit in one text.
func pack(queue []journal.Message, joins bool) parcel {
	head := queue[0]
	if !joins {
		return parcel{queue[:1], Outgoing{head.ID, head.Body}}
	}
	body, n := clip(messageOf(head.Body)), 1
	for _, m := range queue[1:] {
		next := messageOf(m.Body)
		if !together(head, m) || len(body)+len(gap)+len(next) > maxText {
			break
		}
		body, n = body+gap+next, n+1
	}
	return parcel{queue[:n], Outgoing{parcelID(queue[:n]), []byte(body)}}
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

// messageOf is what a person is to read of an event's JSON.
func messageOf(body []byte) string {
	var e event.Event
	if err := json.Unmarshal(body, &e); err != nil || e.Data.Message == "" {
		return string(bytes.ToValidUTF8(body, nil)) // better than nothing
	}
	return e.Data.Message
}

// clip shortens a text to maxText.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText - len(ellipsis)
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
