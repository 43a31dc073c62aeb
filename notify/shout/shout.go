// Package shout sends texts to chat services, push services and mailboxes that
// shoutrrr's addresses name: Telegram, Slack, Discord, Lark, WeCom, ntfy, SMTP.
package shout

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
)

// timeout bounds one attempt: every chat and every part of a message.
const timeout = 15 * time.Second

// sender sends texts to one chat service or mailbox.
//
// The library shoutrrr gives the addresses: its URLs are what people have
// already, and it knows each service's tokens. It does not send. Its Telegram
// service takes a refused connection or a 502 for delivered, its ntfy service
// repeats the first title for ever, SMTP has no deadline, and most of it knows
// neither a context nor a Retry-After and follows redirects. So the requests
// are made here, by one bounded client, and every answer is read to its end.
type sender struct {
	service service
	target  string

	mu   sync.Mutex
	last string // the message that got is about
	got  []int  // how many parts each room has had
}

// service is one chat service, mail server or push server. Rooms are the
// chats, channels and mailboxes that one address names: each gets everything,
// whatever becomes of the others.
type service interface {
	shown() string // scheme and host
	rooms() int
	letters(text string) []letter // text in parts that the service takes
	deliver(ctx context.Context, room int, l letter) notify.Answer
	close()
}

// letter is one part of a message.
type letter struct {
	id    string // the message's; the same over all attempts
	title string // where the service shows one, else ""
	text  string
}

// wires are how a service gets out; nil fields are the machine's own.
type wires struct {
	client *http.Client
	roots  *x509.CertPool // for mail servers
}

// New makes the sender of a chat channel from a shoutrrr URL such as
// telegram://TOKEN@telegram?chats=ID. Also taken are the addresses that Slack,
// Discord, Lark, Feishu and WeCom show for their webhooks. The URL is a secret:
// errors say which service it names and what is wrong, and quote nothing of it.
func New(address secret.Value) (notify.Sender, error) {
	s, err := newSender(address, wires{})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newSender(address secret.Value, w wires) (*sender, error) {
	raw := strings.TrimSpace(address.Reveal())
	d, u, err := parse(raw)
	if err != nil {
		return nil, err
	}
	w.client = notify.NewClient(w.client)
	svc, err := d.build(u, w)
	if err != nil {
		return nil, d.wrong(err)
	}
	return &sender{service: svc, target: notify.TargetOf(raw)}, nil
}

// Shown serves Sender.
func (s *sender) Shown() string { return s.service.shown() }

// Target serves Sender.
func (s *sender) Target() string { return s.target }

// Joins serves Sender.
func (s *sender) Joins() bool { return true }

// String and GoString keep package fmt from printing tokens.
func (s *sender) String() string { return s.Shown() }

// GoString is String.
func (s *sender) GoString() string { return s.Shown() }

// CloseIdleConnections ends what is kept open between messages.
func (s *sender) CloseIdleConnections() { s.service.close() }

// Send serves Sender. What a room has had is not sent to it again when the same
// message is tried again, as long as this process lives.
func (s *sender) Send(ctx context.Context, m notify.Outgoing) notify.Answer {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	parts := s.service.letters(plainBody(m.Body))
	if len(parts) == 0 {
		return notify.Answer{Kind: notify.Refused, Text: "the message has no text"}
	}
	got := s.progress(m.ID)
	var failed []notify.Answer
	for room := range got {
		for got[room] < len(parts) {
			l := parts[got[room]]
			l.id = m.ID
			a := s.service.deliver(ctx, room, l)
			if a.Kind != notify.Accepted {
				failed = append(failed, a)
				break
			}
			got[room]++
		}
	}
	s.keep(m.ID, got)
	return sumUp(failed, len(got))
}

func (s *sender) progress(id string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == id && s.got != nil {
		return slices.Clone(s.got)
	}
	return make([]int, s.service.rooms())
}

func (s *sender) keep(id string, got []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.got = id, got
}

// sumUp makes one answer of those of the rooms that did not take the message. As
// long as one may take it yet, it is tried again; Gone is only what all say.
func sumUp(failed []notify.Answer, rooms int) notify.Answer {
	if len(failed) == 0 {
		return notify.Answer{Kind: notify.Accepted, Text: "delivered"}
	}
	out := failed[0]
	for _, a := range failed {
		if a.Kind == notify.Failed && out.Kind != notify.Failed {
			out = a
		}
	}
	for _, a := range failed {
		out.RetryAfter = max(out.RetryAfter, a.RetryAfter)
		if out.Kind == notify.Gone && a.Kind != notify.Gone {
			out.Kind = notify.Refused
		}
	}
	if out.Kind == notify.Gone && len(failed) < rooms {
		out.Kind = notify.Refused
	}
	if rooms > 1 {
		out.Text = fmt.Sprintf("not delivered to %d of %d recipients: %s", len(failed), rooms, out.Text)
	}
	return out
}

// plainBody makes a text of what may hold anything: UTF-8 without control
// characters, so that no service refuses it for them.
func plainBody(body []byte) string {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text))
}

// unreadable is the answer for a success that is none: a gateway's or a login
// page's 200.
func unreadable(status int, name string) notify.Answer {
	return notify.Answer{Text: fmt.Sprintf("%d %s, but it is not what %s answers; something stands between", status, http.StatusText(status), name)}
}

// later bounds what a service asks to be left alone for.
func later(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	if seconds > notify.MaxWait.Seconds() {
		return notify.MaxWait
	}
	return time.Duration(seconds * float64(time.Second))
}
