package replace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

var errFault = errors.New("injected fault")

type faultKind string

const (
	fails      faultKind = "fails"
	hangs      faultKind = "hangs until it is cancelled"
	failsAfter faultKind = "fails after doing it"
	killed     faultKind = "is where ocwatch is killed"
	killedAt   faultKind = "is done, and then ocwatch is killed"
)

// account is who a login bills.
type account struct{ id, email, token string }

func person(name string) account { return account{id: "acct-" + name, email: name + "@example.com"} }

// disk is what OpenClaw keeps.
type disk struct {
	accounts map[string]account // by profile id
	listed   []string
	order    []string
}

func (d disk) clone() disk {
	return disk{maps.Clone(d.accounts), slices.Clone(d.listed), slices.Clone(d.order)}
}

// world is a machine with an OpenClaw, its gateway, a provider, and a person who
// approves logins.
type world struct {
	t   *testing.T
	dir string

	layout     openclaw.Layout
	version    string
	way        profiles.RemoveWay
	foreground bool
	mute       bool
	name       func(account) string // the id that a login gets
	approves   account
	refuses    error // of the login
	verdicts   map[string]quota.Verdict
	pins       []openclaw.Pin
	view       profiles.GatewayView
	noStart    bool // the gateway does not come up again

	disk     disk
	running  bool
	memory   disk // what the gateway read at its start
	intact   map[string]account
	faultAt  int
	fault    faultKind
	effects  int
	dead     bool
	cancel   context.CancelFunc
	logins   int
	stops    int
	removals []string
	log      []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, dir: t.TempDir(), layout: openclaw.SharedDatabase, version: "2026.9.6", way: profiles.RemoveByCommand,
		name: func(a account) string { return "openai:" + a.email }, approves: person("dave"),
		verdicts: map[string]quota.Verdict{}, view: profiles.ViewConfirmed,
		disk: disk{accounts: map[string]account{}}, running: true,
	}
	for _, name := range []string{"alice", "bob", "carol"} {
		id := "openai:" + name + "@example.com"
		w.disk.accounts[id] = person(name)
		w.disk.listed = append(w.disk.listed, id)
	}
	w.disk.order = slices.Clone(w.disk.listed)
	w.memory = w.disk.clone()
	w.intact = maps.Clone(w.disk.accounts)
	return w
}

// Where every profile's requests go, which a probe is told.
const (
	baseURL = "https://example.com/v1"
	project = "project-1"
)

const (
	alice = "openai:alice@example.com"
	bob   = "openai:bob@example.com"
	carol = "openai:carol@example.com"
	dave  = "openai:dave@example.com"
)

func (w *world) replacer() *Replacer {
	return New(Options{Store: w, Login: w, Prober: w, Orderer: w, Remover: w, Gateway: w, Install: w, Dir: w.dir, Log: zerolog.Nop()})
}

func (w *world) run(ctx context.Context, q Request) (Result, error) {
	if q.Old == "" {
		q.Old = alice
	}
	ctx, w.cancel = context.WithCancel(ctx)
	defer w.cancel()
	return w.replacer().Run(ctx, q)
}

// effect counts one effect and lets it go wrong where it is its turn. done says
// whether it is to happen.
func (w *world) effect(ctx context.Context, what string) (done bool, err error) {
	w.effects++
	w.log = append(w.log, what)
	mine := w.effects == w.faultAt
	switch {
	case w.dead:
		return false, errFault
	case ctx.Err() != nil:
		return false, ctx.Err()
	case !mine:
		return true, nil
	}
	switch w.fault {
	case hangs: // until the person gives up
		w.cancel()
		<-ctx.Done()
		return false, ctx.Err()
	case failsAfter:
		return true, errFault
	case killed, killedAt:
		w.dead = true
		return w.fault == killedAt, errFault
	case fails:
	}
	return false, errFault
}

// turn is the gateway at work: an old one writes what it read at its start.
func (w *world) turn() {
	if w.running && w.writesBack() {
		w.disk = w.memory.clone()
	}
	w.watch()
}

func (w *world) writesBack() bool { return w.version == "2026.3.13" }

// watch holds what may never be otherwise.
func (w *world) watch() {
	w.t.Helper()
	for id, a := range w.intact {
		if id != alice && w.disk.accounts[id] != a {
			w.t.Fatalf("%s was lost or changed; %v", id, w.log)
		}
	}
	if _, there := w.disk.accounts[alice]; !there && len(w.removals) > 0 {
		first := ""
		if len(w.disk.order) > 0 {
			first = w.disk.order[0]
		}
		if first == "" || w.disk.accounts[first].id != w.approves.id || first == alice {
			w.t.Fatalf("the old profile is gone, and the first is %q; %v", first, w.log)
		}
	}
}

func (w *world) Snapshot(ctx context.Context) (profiles.Snapshot, error) {
	w.turn()
	if done, err := w.effect(ctx, "read"); !done || err != nil {
		return profiles.Snapshot{}, err
	}
	pool := profiles.Pool{Agent: "main", Provider: "openai", Source: profiles.OrderStored}
	for _, id := range w.disk.listed {
		a := w.disk.accounts[id]
		p := profiles.Profile{ID: id, Provider: "openai", Type: profiles.OAuth, Email: a.email, AccountID: a.id, Account: "key-" + a.id, BaseURL: baseURL, Project: project}
		if a.token != "" {
			p.Type, p.Account = profiles.Token, "key-"+a.token
		}
		pool.Profiles = append(pool.Profiles, p)
	}
	for _, id := range w.disk.order {
		if _, there := w.disk.accounts[id]; there {
			pool.Order = append(pool.Order, id)
		}
	}
	return profiles.Snapshot{Layout: w.layout, Pools: []profiles.Pool{{Agent: "work", Provider: "openai"}, pool}}, nil
}

func (w *world) TokenSource(string, string) oauth2.TokenSource { return nil }

func (w *world) Login(ctx context.Context, r login.Request) (login.Result, error) {
	done, err := w.effect(ctx, "login")
	if !done {
		return login.Result{}, err
	}
	if w.refuses != nil {
		return login.Result{}, w.refuses
	}
	if r.Agent != "main" || r.Provider != "openai" {
		w.t.Errorf("login of %+v", r)
	}
	w.logins++
	id := w.name(w.approves)
	if r.Profile != "" {
		id = r.Profile
	}
	_, known := w.disk.accounts[id]
	if !known {
		w.disk.listed = append(w.disk.listed, id)
	}
	w.disk.accounts[id] = w.approves
	w.turn()
	return login.Result{Profile: id, New: !known}, err
}

func (w *world) Probe(ctx context.Context, a probe.Account) quota.Reading {
	if done, err := w.effect(ctx, "probe"); !done || err != nil {
		return quota.Reading{Verdict: quota.Unreachable, Reason: "no route"}
	}
	if a.BaseURL != baseURL || a.Project != project {
		w.t.Errorf("the new login is asked at %q for project %q", a.BaseURL, a.Project)
	}
	verdict := w.verdicts[strings.TrimPrefix(a.Key, "key-acct-")]
	if verdict == "" {
		verdict = quota.OK
	}
	return quota.Reading{Verdict: verdict, Reason: "said so"}
}

func (w *world) Set(ctx context.Context, agent, provider string, list []string) (profiles.Applied, error) {
	done, err := w.effect(ctx, "order "+strings.Join(list, " "))
	if !done {
		return profiles.Applied{}, err
	}
	for _, id := range list {
		if _, there := w.disk.accounts[id]; !there || agent != "main" || provider != "openai" {
			w.t.Errorf("order of %v for %s of %s", list, provider, agent)
		}
	}
	w.disk.order = slices.Clone(list)
	w.turn()
	return profiles.Applied{Stored: true, Gateway: w.view}, err
}

func (w *world) Way(ctx context.Context, _ string) (profiles.RemoveWay, error) {
	if done, err := w.effect(ctx, "way"); !done || err != nil {
		return "", err
	}
	return w.way, nil
}

func (w *world) Remove(ctx context.Context, _, id string, way profiles.RemoveWay) error {
	done, err := w.effect(ctx, "remove "+id)
	if !done {
		return err
	}
	if way == profiles.RemoveByFile && w.running {
		return profiles.ErrGatewayUp
	}
	delete(w.disk.accounts, id)
	w.disk.listed = slices.DeleteFunc(slices.Clone(w.disk.listed), func(s string) bool { return s == id })
	w.removals = append(w.removals, id)
	w.turn()
	return err
}

func (w *world) Service(ctx context.Context) (restart.Service, error) {
	if done, err := w.effect(ctx, "service"); !done || err != nil {
		return restart.Service{}, err
	}
	switch {
	case w.foreground:
		return restart.Service{}, restart.ErrForeground
	case !w.running:
		return restart.Service{}, nil
	}
	return restart.Service{Via: restart.SystemdUser, Unit: "openclaw-gateway.service", Mute: w.mute}, nil
}

func (w *world) Stop(ctx context.Context, _ restart.Service) error {
	done, err := w.effect(ctx, "stop")
	if done {
		w.stops++
		w.running = false
	}
	return err
}

func (w *world) Start(ctx context.Context, s restart.Service) error {
	done, err := w.effect(ctx, "start")
	if !done {
		return err
	}
	if w.noStart {
		return errors.New("it failed (exit-code)")
	}
	if s.Unit != "openclaw-gateway.service" {
		w.t.Errorf("started %+v", s)
	}
	if !w.running {
		w.running, w.memory = true, w.disk.clone()
	}
	return err
}

func (w *world) Health(ctx context.Context) openclaw.Health {
	if done, err := w.effect(ctx, "health"); (!done || err != nil) && !w.running {
		return openclaw.Health{Detail: "no answer"}
	}
	return openclaw.Health{Live: w.running && !w.mute, Answers: w.running, Down: !w.running}
}

func (w *world) Version(ctx context.Context) (string, error) {
	if done, err := w.effect(ctx, "version"); !done || err != nil {
		return "", err
	}
	return w.version, nil
}

func (w *world) Pins(ctx context.Context, _ string) ([]openclaw.Pin, error) {
	if done, err := w.effect(ctx, "pins"); !done || err != nil {
		return nil, err
	}
	return w.pins, nil
}

func (w *world) state() string {
	return fmt.Sprintf("profiles %v, order %v, gateway %v", w.disk.listed, w.disk.order, w.running)
}
