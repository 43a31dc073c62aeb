//go:build browser

package browser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

const password = "WORDWORDWORDWORDWORDWORDWO"

// scene is the real page server with a world of the test's. What the page asks
// for happens in that world, and is written down.
type scene struct {
	address string
	portAt  func(address string) (web.Port, error)

	mu     sync.Mutex
	world  page.World
	calls  []string
	why    string // not empty: what is asked for is refused with it
	server *web.Server
}

func newScene(ctx context.Context, world string, portAt func(address string) (web.Port, error)) (*scene, error) {
	s := &scene{address: "127.0.0.1:0", portAt: portAt}
	if err := s.change(world); err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

// change makes another world of it, and open pages hear of that.
func (s *scene) change(name string) error {
	build, ok := worlds[name]
	if !ok {
		return fmt.Errorf("there is no world %q", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world = build(time.Now())
	if s.server != nil {
		s.server.Changed()
	}
	return nil
}

func (s *scene) url() string {
	if port, err := s.portAt(s.address); err == nil && port.CertFile != "" {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// start serves it, at the same address as before.
func (s *scene) start(ctx context.Context) error {
	port, err := s.portAt(s.address)
	if err != nil {
		return err
	}
	server := web.New(func(context.Context, bool) any { return struct{}{} }, nil, zerolog.Nop())
	server.Guard(port)
	err = server.ServeDashboard(web.Dashboard{
		Address: s.address, Password: secret.New(password), Wishes: s, Logins: s,
		World: func(context.Context, bool) page.World { return s.now() },
	})
	if err != nil {
		return err
	}
	l, err := port.Listen(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address, s.server = l.Addr().String(), server
	go server.Serve(l)
	return nil
}

func (s *scene) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		_ = s.server.Close()
		s.server = nil
	}
}

// now is a copy of the world, in which time goes on.
func (s *scene) now() page.World {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.world
	w.Now = time.Now().UTC()
	w.Status.Pools = slices.Clone(w.Status.Pools)
	w.Logins = slices.Clone(w.Logins)
	return w
}

func (s *scene) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.calls...)
}

func (s *scene) refuse(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = why
}

// do notes what was asked for, and does it unless it is to be refused.
func (s *scene) do(call string, then func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	if s.why != "" {
		return errors.New(s.why)
	}
	then()
	return nil
}

func (s *scene) Pause(_ context.Context, r web.PauseRequest) {
	call := "pause"
	if !r.Until.IsZero() {
		call += " for " + time.Until(r.Until).Round(time.Hour).String()
	}
	_ = s.do(call, func() {
		s.world.Status.Paused, s.world.Status.PausedReason = true, r.Reason
		if !r.Until.IsZero() {
			s.world.Status.PausedUntil = &r.Until
		}
	})
}

func (s *scene) Resume(context.Context) bool {
	return s.do("resume", func() { s.world.Status.Paused, s.world.Status.PausedUntil = false, nil }) == nil
}

func (s *scene) Switch(_ context.Context, r web.SwitchRequest) (web.Switched, error) {
	call := "switch " + r.Profile
	if r.Auto {
		call = "unpin " + r.Profile
	}
	return web.Switched{}, s.do(call, func() {
		pool := &s.world.Status.Pools[0]
		pool.Pinned = nil
		if r.Auto {
			return
		}
		pool.Pinned = &watchdog.PinStatus{Profile: r.Profile}
		slices.SortStableFunc(pool.Profiles, func(a, b watchdog.ProfileStatus) int {
			switch r.Profile {
			case a.ID:
				return -1
			case b.ID:
				return 1
			}
			return 0
		})
		pool.Order = nil
		for _, pr := range pool.Profiles {
			pool.Order = append(pool.Order, pr.ID)
		}
	})
}

func (s *scene) Begin(_ context.Context, agent, provider string) (event.Login, error) {
	return event.Login{}, s.do("begin "+agent+" "+provider, func() { s.world.Logins = []relogin.Status{deviceLogin(time.Now())} })
}

func (s *scene) Paste(_ context.Context, address string) error {
	return s.do("paste "+address, func() { s.world.Logins = nil })
}

func (s *scene) Cancel(agent, provider string) {
	_ = s.do("cancel "+agent+" "+provider, func() { s.world.Logins = nil })
}

func (s *scene) LoggedIn(agent, provider, profile string) {
	_ = s.do("done "+agent+" "+provider+" "+profile, func() {})
}
