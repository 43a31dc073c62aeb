package notify

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	// heartbeatTimeout bounds one request, the answer's body included.
	heartbeatTimeout = 10 * time.Second
	// heartbeatRetry doubles while nobody answers, up to Every.
	heartbeatRetry = 30 * time.Second
)

// HeartbeatOptions make a Heartbeat.
type HeartbeatOptions struct {
	// URL is asked with GET while all is well, and URL + "/fail" is sent the
	// reason with POST while it is not, as healthchecks.io and others have it.
	// The id in it is a secret.
	URL secret.Value
	// Every is the least time between two beats of the same kind.
	Every     time.Duration
	UserAgent string
	Client    *http.Client // only its transport is used; nil: one of its own
	Log       zerolog.Logger
}

// Heartbeat tells a monitor that the watchdog lives. The monitor raises the
// alarm when it hears nothing, which covers what no message of ours can: a
// machine that is off, or a network that is down.
type Heartbeat struct {
	o      HeartbeatOptions
	client *http.Client
	wake   chan struct{}

	mu     sync.Mutex
	latest pulse

	// Of Run alone:
	pace pace
	last Answer // the last one logged
}

// pulse is what one round had to say.
type pulse struct {
	n       int // counts them; 0 is none
	failing string
	at      time.Time
}

// NewHeartbeat returns a heartbeat that Run sends.
func NewHeartbeat(o HeartbeatOptions) *Heartbeat {
	return &Heartbeat{o: o, client: NewClient(o.Client), wake: make(chan struct{}, 1)}
}

// Beat notes the end of a round: failing is "" where all is well, else why not
// in a few words. It never blocks. What was noted before and is not sent yet is
// forgotten. A nil Heartbeat does nothing.
func (h *Heartbeat) Beat(failing string) {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.latest = pulse{n: h.latest.n + 1, failing: failing, at: time.Now()}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default: // Run has not yet looked since the last time
	}
}

// Run sends until ctx ends, and a second longer where a beat is under way.
func (h *Heartbeat) Run(ctx context.Context) {
	if h == nil {
		return
	}
	defer h.client.CloseIdleConnections()
	for ctx.Err() == nil {
		p := h.noted()
		wait, ok := h.pace.until(p, time.Now(), h.o.Every)
		switch {
		case !ok:
			h.sleep(ctx, nil)
		case wait > 0:
			t := time.NewTimer(wait)
			h.sleep(ctx, t.C)
			t.Stop()
		default:
			h.send(ctx, p)
		}
	}
}

func (h *Heartbeat) noted() pulse {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.latest
}

func (h *Heartbeat) sleep(ctx context.Context, until <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-h.wake:
	case <-until:
	}
}

func (h *Heartbeat) send(ctx context.Context, p pulse) {
	start := time.Now()
	sendCtx, cancel := withGrace(ctx, heartbeatTimeout)
	defer cancel()
	a := h.ask(sendCtx, p.failing)
	if ctx.Err() != nil && a.Kind != Accepted {
		return // cut short; that says nothing of the monitor
	}
	h.pace.tried(p, a, start, time.Now(), h.o.Every)
	h.report(a)
}

// ask makes one request.
func (h *Heartbeat) ask(ctx context.Context, failing string) Answer {
	address, err := url.Parse(h.o.URL.Reveal())
	if err != nil {
		return Answer{Text: "no request can be made of the url"}
	}
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if failing != "" {
		method, body = http.MethodPost, strings.NewReader(failing)
		address = address.JoinPath("fail")
	}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return Answer{Text: "no request can be made of the url"}
	}
	req.Header.Set("User-Agent", h.o.UserAgent)
	if failing != "" {
		req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	return exchange(h.client, req)
}

// report logs an answer that is not like the one before it.
func (h *Heartbeat) report(a Answer) {
	before := h.last
	if a.Text == before.Text || a.Kind == Accepted && before.Kind == Accepted {
		return
	}
	h.last = a
	log := h.o.Log.With().Str("answer", a.Text).Logger()
	switch {
	case a.Kind != Accepted:
		log.Warn().Msg("the heartbeat was not taken; its monitor will raise the alarm if this goes on")
	case before.Text == "":
		log.Info().Msg("the heartbeat is taken")
	default:
		log.Info().Msg("the heartbeat is taken again")
	}
}

// pace says when a pulse is to be sent. It is pure.
type pace struct {
	n       int  // the last pulse that was taken
	beaten  bool // whether one was tried at all
	failing bool // what that one said
	misses  int  // how many were not taken in a row
	next    time.Time
	floor   time.Time // the monitor asked for quiet until then
}

// until returns how long p has to wait, and false where it is not to be sent: it
// was, or it is so old that it would say of a watchdog that it lives which may
// have died since.
func (c *pace) until(p pulse, now time.Time, every time.Duration) (time.Duration, bool) {
	if p.n == c.n {
		return 0, false
	}
	at := now
	if c.beaten && c.failing == (p.failing != "") {
		at = c.next
	}
	if c.floor.After(at) {
		at = c.floor
	}
	if at.Sub(p.at) > every || now.Sub(p.at) > every {
		return 0, false
	}
	return max(at.Sub(now), 0), true
}

// tried notes how sending p went.
func (c *pace) tried(p pulse, a Answer, start, now time.Time, every time.Duration) {
	c.beaten, c.failing = true, p.failing != ""
	if a.Kind == Accepted {
		c.n, c.misses, c.next, c.floor = p.n, 0, start.Add(every), time.Time{}
		return
	}
	wait := min(heartbeatRetry<<min(c.misses, 10), every)
	c.misses++
	c.next = now.Add(wait)
	c.floor = now.Add(min(a.RetryAfter, every))
}
