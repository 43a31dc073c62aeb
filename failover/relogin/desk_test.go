package relogin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// attempt is a login that a test ends.
type attempt struct {
	prompt login.Prompt
	deaf   bool // Cancel does not end it
	slow   time.Duration

	once   sync.Once
	over   chan struct{}
	result login.Result
	err    error

	mu       sync.Mutex
	pasted   []string
	pasteErr error
}

func (a *attempt) finish(r login.Result, err error) {
	a.once.Do(func() {
		a.result, a.err = r, err
		close(a.over)
	})
}

func (a *attempt) Prompt() login.Prompt { return a.prompt }

func (a *attempt) Wait(ctx context.Context) (login.Result, error) {
	select {
	case <-a.over:
		return a.result, a.err
	case <-ctx.Done():
		return login.Result{}, ctx.Err()
	}
}

func (a *attempt) Paste(_ context.Context, address string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pasted = append(a.pasted, address)
	return a.pasteErr
}

func (a *attempt) Cancel() {
	time.Sleep(a.slow)
	if !a.deaf {
		a.finish(login.Result{}, login.ErrCancelled)
	}
}

// rig is a desk in front of logins that the test ends.
type rig struct {
	*Desk
	t *testing.T

	mu       sync.Mutex
	attempts []*attempt
	takes    time.Duration // to begin
	refuse   error
	make     func(n int) *attempt
	news     []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t}
	r.make = func(n int) *attempt {
		return &attempt{prompt: login.Prompt{URL: "https://auth.example.com/device", Code: fmt.Sprint("CODE-", n), Via: login.ViaGateway}}
	}
	r.Desk = New(Options{
		Start: r.start, Dir: t.TempDir(), Log: zerolog.Nop(),
		OnStarted: func(agent, provider string, l event.Login) { r.note("started", agent, provider, l.Code) },
		OnDone: func(agent, provider string, res login.Result, err error) {
			r.note("done", agent, provider, res.Profile, fmt.Sprint(err))
		},
	})
	t.Cleanup(r.Close)
	return r
}

func (r *rig) start(ctx context.Context, _ login.Request) (Attempt, error) {
	select {
	case <-time.After(r.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		return nil, r.refuse
	}
	a := r.make(len(r.attempts) + 1)
	a.over = make(chan struct{})
	r.attempts = append(r.attempts, a)
	return a, nil
}

func (r *rig) note(parts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news = append(r.news, strings.Join(parts, " "))
}

// told is what the callbacks heard.
func (r *rig) told() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.news, "; ")
}

// code asks for a code and gives it, or the error.
func (r *rig) code(agent, provider string) string {
	l, err := r.Prompt(r.t.Context(), agent, provider)
	if err != nil {
		return err.Error()
	}
	return l.Code
}

func (r *rig) under() string {
	var out []string
	for _, s := range r.List() {
		out = append(out, s.Agent+"/"+s.Provider+" "+s.Code)
	}
	return strings.Join(out, "; ")
}

func (r *rig) is(got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%q, want %q", got, want)
	}
}

func TestDesk(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(r *rig){
		"a code, and what came of it": func(r *rig) {
			r.is(r.code("main", "openai"), "CODE-1")
			r.is(r.under(), "main/openai CODE-1")
			r.attempts[0].finish(login.Result{Profile: "openai:dave", New: true}, nil)
			r.is(r.told(), "done main openai openai:dave <nil>")
			r.is(r.under(), "")
		},
		"a fresh code cancels the older one, which nobody hears of": func(r *rig) {
			r.is(r.code("main", "openai"), "CODE-1")
			time.Sleep(10 * time.Second)
			r.is(r.code("main", "openai"), "CODE-2")
			r.is(r.told(), "")
			r.is(r.under(), "main/openai CODE-2")
			if !errors.Is(r.attempts[0].err, login.ErrCancelled) {
				r.t.Error("the older one was not cancelled")
			}
		},
		"an older one that works all the same is told": func(r *rig) {
			r.make = func(int) *attempt { return &attempt{deaf: true} }
			r.code("main", "openai")
			r.code("main", "openai")
			r.attempts[0].finish(login.Result{Profile: "openai:dave"}, nil)
			r.is(r.told(), "done main openai openai:dave <nil>")
			r.attempts[1].finish(login.Result{}, login.ErrExpired)
		},
		"agents of one provider share a code for two minutes": func(r *rig) {
			r.is(r.code("main", "openai"), "CODE-1")
			time.Sleep(119 * time.Second)
			r.is(r.code("work", "openai"), "CODE-1")
			time.Sleep(time.Second)
			r.is(r.code("home", "openai"), "CODE-2")
		},
		"two agents at once have one login": func(r *rig) {
			r.takes = 10 * time.Second
			var wg sync.WaitGroup
			for _, agent := range []string{"main", "work", "home"} {
				wg.Go(func() { r.is(r.code(agent, "openai"), "CODE-1") })
			}
			wg.Wait()
			if len(r.attempts) != 1 {
				r.t.Errorf("%d logins", len(r.attempts))
			}
		},
		"the older name of openai is the same provider": func(r *rig) {
			r.is(r.code("main", "openai-codex"), "CODE-1")
			r.is(r.code("work", "openai"), "CODE-1")
		},
		"a pool of the other name leaves the login under way alone": func(r *rig) {
			r.is(r.code("main", "openai-codex"), "CODE-1")
			time.Sleep(shareFor)
			r.is(r.code("main", "openai"), "begin a login to openai: "+errOther.Error())
			r.is(r.under(), "main/openai-codex CODE-1")
			r.is(r.code("main", "openai-codex"), "CODE-2")
		},
		"the other name on request ends the login under way only where it has one": func(r *rig) {
			r.is(r.code("main", "openai-codex"), "CODE-1")
			r.refuse = login.ErrNotOffered
			if _, err := r.Begin(r.t.Context(), "main", "openai"); !errors.Is(err, login.ErrNotOffered) {
				r.t.Error(err)
			}
			r.is(r.under(), "main/openai-codex CODE-1")
			r.refuse = nil
			_, _ = r.Begin(r.t.Context(), "main", "openai")
			r.is(r.under(), "main/openai CODE-2")
			r.is(r.told(), "started main openai CODE-2")
			r.attempts[1].finish(login.Result{}, login.ErrExpired)
			r.told()
			release, err := Lock(r.o.Dir)
			if err != nil {
				r.t.Fatal(err)
			}
			release()
		},
		"making way ends what nobody asked for, and names who was told": func(r *rig) {
			r.code("main", "openai")
			r.code("work", "openai")
			_, _ = r.Begin(r.t.Context(), "main", "xai")
			r.make = func(int) *attempt { return &attempt{prompt: login.Prompt{Via: login.ViaTerminal, Code: "T"}} }
			r.code("main", "other")
			r.Yield(func(agent, provider string) { r.note("void", agent, provider) })
			r.is(r.told(), "started main xai CODE-2; void main openai; void work openai")
			r.is(r.under(), "main/other T; main/xai CODE-2")
		},
		"approved while it makes way": func(r *rig) {
			r.make = func(int) *attempt { return &attempt{slow: time.Second, prompt: login.Prompt{Via: login.ViaGateway}} }
			r.code("main", "openai")
			time.AfterFunc(500*time.Millisecond, func() { r.attempts[0].finish(login.Result{Profile: "openai:dave"}, nil) })
			r.Yield(func(agent, provider string) { r.note("void", agent, provider) })
			r.is(r.told(), "done main openai openai:dave <nil>")
		},
		"providers do not get into each other's way": func(r *rig) {
			r.is(r.code("main", "openai"), "CODE-1")
			r.is(r.code("main", "xai"), "CODE-2")
			r.is(r.under(), "main/openai CODE-1; main/xai CODE-2")
		},
		"what cannot begin is said, and holds nothing": func(r *rig) {
			r.refuse = login.ErrNotOffered
			r.is(r.code("main", "anthropic"), "begin a login to anthropic: "+login.ErrNotOffered.Error())
			r.refuse = nil
			release, err := Lock(r.o.Dir)
			if err != nil {
				r.t.Fatal(err)
			}
			release()
			r.is(r.code("main", "openai"), "CODE-1")
		},
		"a person's login is announced": func(r *rig) {
			l, err := r.Begin(r.t.Context(), "main", "openai")
			if err != nil || l.Code != "CODE-1" {
				r.t.Fatal(l, err)
			}
			r.attempts[0].finish(login.Result{}, login.ErrExpired)
			r.is(r.told(), "started main openai CODE-1; done main openai  "+login.ErrExpired.Error())
		},
		"a person's login just begun serves the watchdog's message too": func(r *rig) {
			_, _ = r.Begin(r.t.Context(), "main", "openai")
			r.is(r.code("main", "openai"), "CODE-1")
			r.Withdraw("main", "openai")
			r.is(r.under(), "main/openai CODE-1")
			time.Sleep(shareFor)
			r.is(r.code("main", "openai"), "CODE-2")
		},
		"a person always gets a fresh code": func(r *rig) {
			r.code("main", "openai")
			l, _ := r.Begin(r.t.Context(), "main", "openai")
			r.is(l.Code, "CODE-2")
		},
		"cancelled by the owner": func(r *rig) {
			r.Cancel("main", "openai")
			r.code("main", "openai")
			r.Cancel("main", "openai")
			r.is(r.told(), "done main openai  "+login.ErrCancelled.Error())
			r.is(r.under(), "")
		},
		"withdrawn by all that had it": func(r *rig) {
			r.code("main", "openai")
			r.code("work", "openai")
			r.Withdraw("main", "openai")
			r.is(r.under(), "work/openai CODE-1")
			r.Withdraw("work", "openai")
			r.Withdraw("work", "openai")
			r.is(r.under(), "")
			r.is(r.told(), "")
		},
		"an address goes to the login that waits for one": func(r *rig) {
			r.is(fmt.Sprint(r.Paste(r.t.Context(), "x")), errPaste.Error())
			r.code("main", "openai")
			r.is(fmt.Sprint(r.Paste(r.t.Context(), "x")), errPaste.Error())
			r.make = func(n int) *attempt { return &attempt{prompt: login.Prompt{Paste: true, Code: fmt.Sprint(n)}} }
			r.code("main", "xai")
			r.is(fmt.Sprint(r.Paste(r.t.Context(), "http://localhost/?code=c")), "<nil>")
			r.is(strings.Join(r.attempts[1].pasted, " "), "http://localhost/?code=c")
			if len(r.attempts[0].pasted) > 0 {
				r.t.Error("the code went to a login that it is not for")
			}
		},
		"of two that wait, the address finds its own": func(r *rig) {
			r.make = func(n int) *attempt {
				a := &attempt{prompt: login.Prompt{Paste: true}}
				if n == 1 {
					a.pasteErr = &login.PasteError{What: "it belongs to another login"}
				}
				return a
			}
			r.code("main", "openai")
			r.code("main", "xai")
			r.is(fmt.Sprint(r.Paste(r.t.Context(), "http://localhost/?code=c")), "<nil>")
			r.attempts[1].pasteErr = &login.FailedError{What: "denied"}
			r.is(fmt.Sprint(r.Paste(r.t.Context(), "http://localhost/?code=c")), "login failed: denied")
		},
		"the caller gives up": func(r *rig) {
			r.takes = time.Hour
			ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
			defer cancel()
			if _, err := r.Prompt(ctx, "main", "openai"); !errors.Is(err, context.DeadlineExceeded) {
				r.t.Error(err)
			}
			r.takes = 0
			r.is(r.code("main", "openai"), "CODE-1")
		},
		"closed: cancelled, untold, and nothing begins": func(r *rig) {
			r.code("main", "openai")
			_, _ = r.Begin(r.t.Context(), "main", "xai")
			r.Close()
			r.is(r.told(), "started main xai CODE-2")
			r.is(r.code("main", "openai"), errClosed.Error())
			release, err := Lock(r.o.Dir)
			if err != nil {
				r.t.Fatal(err)
			}
			release()
		},
		"closed while one begins": func(r *rig) {
			r.takes = time.Hour
			var got string
			var wg sync.WaitGroup
			wg.Go(func() { got = r.code("main", "openai") })
			synctest.Wait()
			r.Close()
			wg.Wait()
			if !strings.Contains(got, errClosed.Error()) {
				r.t.Errorf("%q", got)
			}
		},
		"closing is bounded": func(r *rig) {
			r.make = func(int) *attempt { return &attempt{slow: time.Hour} }
			r.code("main", "openai")
			before := time.Now()
			r.Close()
			if took := time.Since(before); took != closeWithin {
				r.t.Errorf("closing took %s", took)
			}
			time.Sleep(time.Hour) // it ends after all
			r.is(r.under(), "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { play(newRig(t)) })
		})
	}
}

// TestStatusOfLogins: what the status document shows.
func TestStatusOfLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ends := time.Now().Add(15 * time.Minute)
		r.make = func(int) *attempt {
			return &attempt{prompt: login.Prompt{URL: "https://u.example.com", Code: "C", ExpiresAt: ends, Paste: true, Via: login.ViaTerminal}}
		}
		r.code("main", "openai")
		s := r.List()
		if len(s) != 1 || s[0].URL != "https://u.example.com" || s[0].Code != "C" || !s[0].ExpiresAt.Equal(ends) || !s[0].Paste ||
			s[0].Via != login.ViaTerminal || !s[0].Since.Equal(time.Now()) {
			t.Errorf("%+v", s)
		}
	})
}
