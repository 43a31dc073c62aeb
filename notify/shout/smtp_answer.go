package shout

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"

	"github.com/ocwatch/ocwatch/notify"
)

// smtpError is where a mail stopped.
type smtpError struct {
	step  string
	cause error
}

// answer goes by the server's code: its text may quote what it was told.
func (e *smtpError) answer() notify.Answer {
	var (
		said    *textproto.Error
		foreign textproto.ProtocolError
	)
	switch {
	case errors.As(e.cause, &said):
		a := notify.Answer{Text: fmt.Sprintf("%s: the mail server answered %d", e.step, said.Code)}
		if said.Code >= 500 {
			a.Kind = notify.Refused
		}
		if words := smtpWords(said.Code); words != "" {
			a.Text += ", " + words
		}
		return a
	case errors.Is(e.cause, errNotOffered):
		return notify.Answer{Kind: notify.Refused, Text: e.step + ": " + e.cause.Error()}
	case errors.As(e.cause, &foreign):
		return notify.Answer{Text: e.step + ": the other side does not speak SMTP"}
	case errors.Is(e.cause, context.DeadlineExceeded):
		return notify.Answer{Text: e.step + ": no answer in time"}
	}
	return notify.Answer{Text: e.step + ": " + notify.Describe(e.cause)}
}

func smtpWords(code int) string {
	switch code {
	case 421, 450, 451, 452:
		return "it will take it later"
	case 454:
		return "it cannot check a login now"
	case 530:
		return "it wants user and password"
	case 534, 535:
		return "user or password is wrong, or it wants an app password"
	case 550, 551, 553:
		return "it does not take this address"
	case 552, 554:
		return "it does not take this mail"
	}
	return ""
}

var errNotOffered = errors.New("the mail server does not offer it")
