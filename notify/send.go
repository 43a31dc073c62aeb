package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// Sender carries messages to one receiver.
type Sender interface {
	// Send makes one attempt and ends with ctx at the latest. A sender may give
	// up earlier.
	Send(ctx context.Context, m Outgoing) Answer
	// Shown is what may be shown of the address: scheme and host.
	Shown() string
	// Target is a hash that changes when the address does.
	Target() string
	// Joins tells a chat, which is sent texts, many events as one where they
	// come in a burst, from a webhook, which is sent each event by itself as JSON.
	Joins() bool
}

// Outgoing is what is sent.
type Outgoing struct {
	ID   string // the same over all attempts to send the same
	Body []byte // a webhook's JSON, a chat's UTF-8 text
}

// Answer is what one attempt met with.
type Answer struct {
	Kind       AnswerKind
	Text       string        // for a person; holds no secret and nothing of the receiver's own words
	RetryAfter time.Duration // when to come again, 0 where the receiver did not say
}

// AnswerKind is what an answer means for the message.
type AnswerKind int

// The kinds of answers.
const (
	Failed   AnswerKind = iota // nobody could take it now; it is tried again
	Accepted                   // delivered
	Refused                    // a definite no; three of these end it
	Gone                       // the receiver wants nothing more at this address
)

// Result is what one endpoint answered to a test event.
type Result struct {
	Endpoint string
	Answer   string // "204 No Content", or why there was none
	Took     time.Duration
	Err      error // nil where the event was delivered
}

// Test sends one test event straight to every endpoint, whatever events it
// wants, all at the same time. Nothing is stored and nothing is retried.
func (n *Notifier) Test(ctx context.Context) []Result {
	results := make([]Result, len(n.workers))
	var wg sync.WaitGroup
	for i, w := range n.workers {
		wg.Go(func() {
			results[i] = Result{Endpoint: w.Name}
			body, err := n.body(event.Event{Type: event.Test}, w.Language, n.now())
			if err != nil {
				results[i].Err = err
				return
			}
			results[i] = w.test(ctx, body)
		})
	}
	wg.Wait()
	return results
}

func (w *worker) test(ctx context.Context, body []byte) Result {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	start := w.now()
	test := []journal.Message{{ID: newID(), Body: body}}
	a := w.Sender.Send(ctx, pack(test, w.Sender.Joins(), w.reader, start).out)
	r := Result{Endpoint: w.Name, Answer: a.Text, Took: w.now().Sub(start)}
	if a.Kind != Accepted {
		r.Err = errors.New(w.Sender.Shown() + ": " + a.Text)
	}
	return r
}
