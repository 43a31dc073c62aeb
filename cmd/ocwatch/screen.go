package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// screen prints the demo, line by line, so that it reads the same on a
// terminal and in a file.
type screen struct {
	w     io.Writer
	look  look
	world *sandbox.World
	hook  *sandbox.Webhook
	start time.Time
	// broken hears that nothing can be printed any more.
	broken func(error)

	print sync.Mutex // bars and messages come from one side, the phone from another

	mu      sync.Mutex
	turns   int
	failed  int
	refused int
	served  string
	shown   int // deliveries printed so far
}

func newScreen(w io.Writer) *screen { return &screen{w: w, look: lookOf(w, os.Getenv)} }

const intro = `ocwatch demo: the watchdog of ocwatch run, on a stand-in OpenClaw with three
accounts. Windows that last hours are played in seconds; nothing leaves this
machine. Bars show how much of the 5-hour window is used.

`

const outro = `
On the machine where OpenClaw runs, next:

  ocwatch check    what every account has left; changes nothing
  ocwatch run      watch, switch before an account is spent, tell when all are
`

func (s *screen) begin(world *sandbox.World, hook *sandbox.Webhook) {
	s.world, s.hook, s.start = world, hook, time.Now()
	s.printf("%s", intro)
}

// follow prints the bars each second and what the webhook received.
func (s *screen) follow(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n%10 == 0 {
			s.bars()
		}
		s.deliveries()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// turn counts what OpenClaw's user saw.
func (s *screen) turn(t sandbox.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns++
	if t.ServedBy == "" {
		s.failed++
	} else {
		s.served = t.ServedBy
		s.refused += min(1, len(t.Refused))
	}
}

// phone tells what the person does whom the message found.
func (s *screen) phone(account string) {
	s.line("  <- on the phone: the code is typed, signed in as " + shortName(account))
}

func (s *screen) bars() {
	s.mu.Lock()
	served := s.served
	s.mu.Unlock()
	var b strings.Builder
	for _, id := range s.world.Profiles("openai") {
		mark := " "
		if id == served {
			mark = ">"
		}
		fmt.Fprintf(&b, "  %s%s %s", mark, shortName(id), s.look.bar(s.world.UsedOf(id, quota.FiveHour), 10))
	}
	s.line(b.String())
}

func (s *screen) deliveries() {
	all := s.hook.Deliveries()
	for _, d := range all[s.shown:] {
		s.tell(d)
	}
	s.shown = len(all)
}

// tell prints a message as the phone shows it. The watchdog's own start is
// no news here.
func (s *screen) tell(d sandbox.Delivery) {
	if d.Err != nil {
		s.line(fmt.Sprintf("  !! webhook not accepted: %v", d.Err))
		return
	}
	switch d.Event.Type { //nolint:exhaustive // a demo shows what matters to a newcomer
	case event.PoolSwitched:
		s.line("  => " + d.Event.Data.Reason)
	case event.PoolDepleted, event.LoginCompleted, event.PoolRecovered:
		s.line(fmt.Sprintf("  ** webhook %s, signature verified:", d.Event.Type))
		for text := range strings.Lines(d.Event.Data.Message) {
			s.printf("           %s\n", strings.TrimSuffix(text, "\n"))
		}
	}
}

func (s *screen) end() {
	s.deliveries()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.printf("\n%d turns: %d served, %d of them after a refusal; %d failed while every account was spent.\n%d order changes, each confirmed by the gateway; %d gateway restarts.\n%s",
		s.turns, s.turns-s.failed, s.refused, s.failed, len(s.world.Writes()), s.world.Restarts(), outro)
}

func (s *screen) line(text string) {
	s.printf("%5.1fs%s\n", time.Since(s.start).Seconds(), text)
}

func (s *screen) printf(format string, args ...any) {
	s.print.Lock()
	defer s.print.Unlock()
	if _, err := fmt.Fprintf(s.w, format, args...); err != nil && s.broken != nil {
		s.broken(err)
	}
}

// shortName is "alice" for "openai:alice@example.com".
func shortName(id string) string {
	_, name, _ := strings.Cut(id, ":")
	name, _, _ = strings.Cut(name, "@")
	return name
}
