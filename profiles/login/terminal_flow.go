package login

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// limits are how long each part of a login in a terminal may take.
type limits struct {
	life   time.Duration // the whole login
	look   time.Duration // between two looks at the store
	settle time.Duration // what OpenClaw does once it has stored the login
	part   time.Duration // the same, once it has named the profile
	expiry time.Duration // for the line that says when a code ends
	exit   time.Duration // from the end of the output to that of the command
}

func usualLimits() limits {
	return limits{
		// OpenClaw itself gives a code 15 minutes, and a link for ever.
		life: 25 * time.Minute,
		look: time.Second,
		// It puts the profile first, writes its config, may install a plugin,
		// and tells the gateway. Ended before, half of that is missing.
		settle: time.Minute,
		// Naming the profile is nearly the last thing it does, and it is known
		// to hang after it.
		part:   5 * time.Second,
		expiry: time.Second,
		exit:   2 * time.Second,
	}
}

// lookLimit bounds one look at the store, which takes milliseconds.
const lookLimit = 2 * time.Second

// storedFunc reports whether OpenClaw's store shows that the login succeeded.
// approved tells it that the screen said so: only then does another credential
// of a profile that was there before mean this login, and not a refresh.
type storedFunc func(ctx context.Context, approved bool) bool

// terminalFlow is a login under way in a terminal.
type terminalFlow struct {
	term   *openclaw.Terminal
	stored func(approved bool) bool
	limits limits

	mu    sync.Mutex
	seen  sight
	typed []string // the secrets that were typed, lest an error quotes one

	news     chan struct{} // the screen has changed
	read     chan struct{} // closed once nothing more will come
	prompted chan struct{} // closed once what is set
	what     Prompt
	stop     chan struct{} // closed by cancel
	stopOnce sync.Once
	done     chan struct{} // closed once err is set
	err      error
}

// newTerminalFlow follows a login in term. It outlives ctx.
func newTerminalFlow(ctx context.Context, term *openclaw.Terminal, stored storedFunc, l limits) *terminalFlow {
	ctx = context.WithoutCancel(ctx)
	look := func(approved bool) bool {
		ctx, stop := context.WithTimeout(ctx, lookLimit)
		defer stop()
		return stored(ctx, approved)
	}
	f := &terminalFlow{
		term: term, stored: look, limits: l,
		news: make(chan struct{}, 1), read: make(chan struct{}), prompted: make(chan struct{}),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go f.watch()
	go f.run()
	return f
}

// watch reads the screen to its end.
func (f *terminalFlow) watch() {
	defer close(f.read)
	var s screen
	buf := make([]byte, 4096)
	for {
		n, err := f.term.Read(buf)
		s.write(buf[:n])
		f.mu.Lock()
		changed := f.seen != s.sight
		f.seen = s.sight
		f.mu.Unlock()
		if changed {
			select {
			case f.news <- struct{}{}:
			default: // it will look anyway
			}
		}
		if err != nil {
			return
		}
	}
}

func (f *terminalFlow) sight() sight {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func (f *terminalFlow) run() {
	defer close(f.done)
	f.err = f.follow()
	f.term.End()
}

// follow stays with the login to its end.
func (f *terminalFlow) follow() error {
	life, look := time.NewTimer(f.limits.life), time.NewTicker(f.limits.look)
	defer life.Stop()
	defer look.Stop()
	var settled, late <-chan time.Time // both wait for OpenClaw's last words on something
	var kept, stored, named bool
	for {
		select {
		case <-f.news:
			s := f.sight()
			if late == nil && s.Code != "" && s.Minutes == 0 {
				late = time.After(f.limits.expiry)
			}
			f.offer(s, s.Minutes > 0)
			if s.Restrictions && !kept {
				kept = true
				_, _ = f.term.Write([]byte("\r")) // where it fails, the command has ended
			}
			if s.Profile != "" && !named {
				named, settled = true, time.After(f.limits.part)
			}
			if err := s.stuck(); err != nil && !named && !stored {
				return err
			}
		case <-late:
			f.offer(f.sight(), true)
		case <-look.C:
			if !stored && !named && f.isStored(true) {
				stored, settled = true, time.After(f.limits.settle)
			}
		case <-f.read:
			select {
			case <-f.term.Done():
			case <-time.After(f.limits.exit): // it closed its terminal and lives on
				f.term.End()
			}
			return f.ending()
		case <-settled:
			return nil
		case <-life.C:
			return f.unlessStored(ErrExpired)
		case <-f.stop:
			return f.unlessStored(ErrCancelled)
		}
	}
}

// stuck is why a login cannot go on by itself, nil where it can.
func (s sight) stuck() error {
	switch {
	case s.Menu:
		return ErrNotOffered
	case s.Question != "":
		return &FailedError{
			What: fmt.Sprintf("openclaw asks something that only a person at its screen can answer: %q", inWords(s.Question)),
			Fix:  "log in with openclaw models auth login",
		}
	default:
		return nil
	}
}

// offer makes the prompt of what the screen shows, once. sure tells that
// nothing of it is still to come.
func (f *terminalFlow) offer(s sight, sure bool) {
	select {
	case <-f.prompted:
		return
	default:
	}
	p := Prompt{URL: s.URL, Via: ViaTerminal}
	switch {
	case s.URL == "":
		return
	case s.Paste:
		p.Paste = true
	case s.Code != "" && sure:
		p.Code = s.Code
		if s.Minutes > 0 {
			p.ExpiresAt = time.Now().Add(time.Duration(s.Minutes) * time.Minute)
		}
	default:
		return
	}
	f.what = p
	close(f.prompted)
}

func (f *terminalFlow) prompt() Prompt { return f.what }

// profile is the profile that OpenClaw named, "" for none.
func (f *terminalFlow) profile() string { return f.sight().Profile }

// isStored looks at the store. The screen says that the provider approved a
// login by code; of one by link it says nothing, so an address that was typed
// counts as long as the command has not failed.
func (f *terminalFlow) isStored(alive bool) bool {
	f.mu.Lock()
	approved := f.seen.Approved || f.seen.Profile != "" || alive && len(f.typed) > 0
	f.mu.Unlock()
	return f.stored(approved)
}

// unlessStored is err, unless the login was stored in the same moment.
func (f *terminalFlow) unlessStored(err error) error {
	if f.sight().Profile != "" || f.isStored(true) {
		return nil
	}
	return err
}

// ending is what a command that ended has made of the login.
func (f *terminalFlow) ending() error {
	s := f.sight()
	if s.Profile != "" {
		return nil
	}
	exit, ok := errors.AsType[*openclaw.CLIError](f.term.Err())
	if f.isStored(!ok) {
		return nil
	}
	if !ok {
		// A prompt that was left ends the command as if all were well.
		return &FailedError{What: "openclaw ended without having stored a login"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return failure(s.Last, exit.ExitCode, f.typed)
}

// unprompted is why a login ended before it had a prompt.
func (f *terminalFlow) unprompted() error {
	switch s := f.sight(); {
	case f.err != nil:
		return f.err
	case s.Imported:
		return &FailedError{
			What: "openclaw took over the sign-in of another program on this machine, as profile " + inWords(s.Profile) + ", instead of asking for a new one",
			Fix:  "try again with a profile id of your choice, which makes it ask",
		}
	default:
		return &FailedError{What: "openclaw stored a login without asking anybody"}
	}
}

// paste types the address, cut down to what OpenClaw needs of it.
func (f *terminalFlow) paste(ctx context.Context, address string) error {
	if !f.what.Paste {
		return ErrNoPaste
	}
	select {
	case <-f.done:
		return f.err
	default:
	}
	state := linkState(f.what.URL)
	code, err := callbackCode(address, state)
	if err != nil {
		return err
	}
	if !f.keep(code, state) {
		return &PasteError{"one was handed over before, and openclaw takes one: wait for its answer"}
	}
	if _, err := f.term.Write([]byte(answerFor(code, state) + "\r")); err != nil {
		f.cancel()
	}
	return f.wait(ctx)
}

// keep notes what is about to be typed, and reports whether it is the first.
func (f *terminalFlow) keep(code, state string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.typed) > 0 {
		return false
	}
	f.typed = []string{code, url.QueryEscape(code)}
	if state != "" {
		f.typed = append(f.typed, state)
	}
	return true
}

// linkState is the state that the link's answer will have, "" for none.
func linkState(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Query().Get("state")
}

func (f *terminalFlow) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *terminalFlow) cancel() {
	f.stopOnce.Do(func() { close(f.stop) })
	<-f.done
}
