package restart

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

var errFault = errors.New("injected fault")

// world is a machine with a gateway on it: everything that a restart can see
// and do, in the time of a synctest bubble. Its defaults are a healthy gateway
// of today that is up for an hour and idle, without a systemd unit.
type world struct {
	mu sync.Mutex

	// What the machine is like.
	methods  []string      // announced RPC methods
	noUptime bool          // health does not tell it, as the oldest releases
	outage   time.Duration // from the stop to an answering /healthz
	delay    time.Duration // from the asking to the stop
	broken   bool          // a restarted gateway does not come up
	deaf     bool          // asked by RPC, it says yes and does nothing
	active   []int         // active work, one entry a preflight, the last for ever
	status   string        // of gateway.restart.request
	cliSays  string
	managed  bool      // the command knows a service of its own
	mute     bool      // /healthz answers in HTML, as the oldest releases
	user     *fakeUnit // nil: no bus
	system   *fakeUnit
	history  []time.Time
	faultAt  int // the n-th effect, from 1; 0: none
	fault    faultKind

	// What happened.
	gone     time.Time // the gateway stops answering
	boot     time.Time // and a new one answers from here
	old      time.Time // when the one before was started
	restarts int
	effects  int
	asked    []string
	params   map[string]any
}

type faultKind string

const (
	fails          faultKind = "fails"
	hangs          faultKind = "hangs"
	failsAfterward faultKind = "fails after doing it"
)

// fakeUnit is the gateway's unit in one service manager.
type fakeUnit struct {
	name       string
	state      UnitState
	job        string // result of a restart; "": done
	limit      bool   // the next restart hits the start limit
	limitAgain bool   // also after a reset
	spentBy    string // what used the limit up: the result that then stays; "": the restarts
	failAfter  bool   // it fails a while after its job is done
	deaf       bool   // a stop or start is "done" without having been done
	busGone    bool   // the bus goes away during the restart, which happens
	resets     int
	starts     int
}

func runningUnit() *fakeUnit {
	return &fakeUnit{name: "openclaw-gateway.service", state: UnitState{Load: "loaded", Active: "active", Sub: "running", Result: "success", Invocation: "0"}}
}

func newWorld() *world {
	up := time.Now().Add(-time.Hour)
	return &world{
		methods: []string{preflightMethod, requestMethod}, outage: 5 * time.Second, delay: 100 * time.Millisecond,
		status: "scheduled", gone: up, boot: up, old: up, cliSays: `{"action":"restart","ok":true,"result":"not-loaded"}`,
	}
}

func (w *world) options() Options {
	return Options{
		Gateway: w, CLI: fakeCLI{w}, Health: w, History: w, Log: zerolog.Nop(),
		UserBus:   func(ctx context.Context) (Manager, func(), error) { return w.dial(ctx, w.user) },
		SystemBus: func(ctx context.Context) (Manager, func(), error) { return w.dial(ctx, w.system) },
	}
}

// effect counts one effect and lets it go wrong where it is its turn. done says
// whether it is to happen.
func (w *world) effect(ctx context.Context) (done bool, err error) {
	w.mu.Lock()
	w.effects++
	mine := w.effects == w.faultAt
	w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	switch {
	case !mine:
		return true, nil
	case w.fault == hangs:
		<-ctx.Done()
		return false, ctx.Err()
	case w.fault == failsAfterward:
		return true, errFault
	}
	return false, errFault
}

// restart stops the gateway after delay and starts it again. Asked once more
// before it is back, it starts over.
func (w *world) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.restarts++
	if w.up(time.Now()) {
		w.old = w.boot
	}
	w.gone = time.Now().Add(w.delay)
	w.boot = w.gone.Add(w.outage)
	if w.broken {
		w.boot = w.gone.Add(1e6 * time.Hour)
	}
}

func (w *world) up(now time.Time) bool { return now.Before(w.gone) || !now.Before(w.boot) }

func (w *world) Health(ctx context.Context) openclaw.Health {
	done, err := w.effect(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if !done || err != nil || !w.up(now) {
		return openclaw.Health{Down: done && err == nil, Detail: "connection refused"}
	}
	if w.mute {
		return openclaw.Health{Answers: true, Detail: "HTML"}
	}
	h := openclaw.Health{Live: true, Ready: true, Answers: true, Uptime: now.Sub(w.boot) + time.Millisecond}
	if now.Before(w.gone) {
		h.Uptime = now.Sub(w.old) + time.Millisecond
	}
	if w.noUptime {
		h.Uptime = 0
	}
	return h
}

func (w *world) Has(ctx context.Context, method string) (bool, error) {
	if done, err := w.effect(ctx); !done || err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.up(time.Now()) {
		return false, openclaw.ErrGatewayDown
	}
	return slices.Contains(w.methods, method), nil
}

func (w *world) Call(ctx context.Context, method string, params, result any) error {
	done, err := w.effect(ctx)
	if !done {
		return err
	}
	if said := w.answer(method, params, result); said != nil {
		return said
	}
	return err
}

func (w *world) answer(method string, params, result any) error {
	w.mu.Lock()
	if !w.up(time.Now()) {
		w.mu.Unlock()
		return openclaw.ErrGatewayDown
	}
	w.asked = append(w.asked, method)
	var reply string
	switch method {
	case preflightMethod:
		n := 0
		if len(w.active) > 0 {
			n = w.active[0]
			w.active = w.active[min(1, len(w.active)-1):]
		}
		reply = fmt.Sprintf(`{"safe":%v,"counts":{"totalActive":%d}}`, n == 0, n)
	case requestMethod:
		w.params, _ = params.(map[string]any)
		reply = fmt.Sprintf(`{"ok":true,"status":%q}`, w.status)
	}
	status, deaf := w.status, w.deaf
	w.mu.Unlock()
	switch {
	case method == requestMethod && status == "refused":
		return &openclaw.RPCError{Method: method, Code: "INVALID_REQUEST", Message: "restarts are disabled"}
	case method == requestMethod && !deaf:
		w.restart()
	}
	return json.Unmarshal([]byte(reply), result)
}

func (w *world) Restarts(ctx context.Context, since time.Time) ([]time.Time, error) {
	if done, err := w.effect(ctx); !done || err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var ts []time.Time
	for _, t := range w.history {
		if !t.Before(since) {
			ts = append(ts, t)
		}
	}
	return ts, nil
}

func (w *world) Restarting(ctx context.Context, at time.Time, _ string) error {
	done, err := w.effect(ctx)
	if done {
		w.mu.Lock()
		w.history = append(w.history, at)
		w.mu.Unlock()
	}
	return err
}

// switchUnit stops or starts the gateway along with its unit. A unit that
// cannot start fails.
func (w *world) switchUnit(u *fakeUnit, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.job != "" || u.deaf {
		return
	}
	switch {
	case on && u.failAfter:
		u.state.Active, u.state.Result = "failed", "exit-code"
	case on:
		u.starts++
		u.state.Active, u.state.Sub, u.state.Invocation = "active", "running", fmt.Sprint(u.starts)
		w.turnOn(true)
	default:
		u.state.Active, u.state.Sub, u.state.Result = "inactive", "dead", "success"
		w.turnOn(false)
	}
}

// turnOn has the gateway stop, or answer after its outage.
func (w *world) turnOn(on bool) {
	now := time.Now()
	switch {
	case !on:
		w.gone, w.boot = now.Add(w.delay), now.Add(1e6*time.Hour)
	case w.up(now): // left alone
	case w.broken:
		w.boot = now.Add(1e6 * time.Hour)
	default:
		w.boot = now.Add(w.outage)
	}
}

type fakeCLI struct{ w *world }

func (c fakeCLI) Run(ctx context.Context, _ io.Reader, args ...string) (openclaw.Output, error) {
	done, err := c.w.effect(ctx)
	if !done {
		return openclaw.Output{}, err
	}
	if args[1] != "restart" {
		return openclaw.Output{Stdout: []byte(c.w.service(args[1]))}, err
	}
	if note, said := readCLI([]byte(c.w.cliSays)); said == nil && note != "" {
		c.w.restart()
		if said := sleep(ctx, c.w.delay+c.w.outage+3*time.Second); said != nil { // it waits for health itself
			return openclaw.Output{}, said
		}
	}
	return openclaw.Output{Stdout: []byte(c.w.cliSays)}, err
}

// service is what the command says of a service that it manages, in the words of
// the real one.
func (w *world) service(verb string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case verb == "status":
		return fmt.Sprintf(`{"service":{"label":"systemd user","loaded":%v,"runtime":{"status":"running"}}}`, w.managed)
	case !w.managed:
		return `{"action":"` + verb + `","ok":true,"result":"not-loaded"}`
	}
	w.turnOn(verb == "start")
	return `{"action":"` + verb + `","ok":true,"result":"done"}`
}

func (w *world) dial(ctx context.Context, u *fakeUnit) (Manager, func(), error) {
	if done, err := w.effect(ctx); !done || err != nil {
		return nil, nil, err
	}
	if u == nil {
		return nil, nil, errors.New("no bus")
	}
	return &fakeManager{w, u}, func() {}, nil
}

type fakeManager struct {
	w *world
	u *fakeUnit
}

func (m *fakeManager) State(ctx context.Context, name string) (UnitState, error) {
	if done, err := m.w.effect(ctx); !done || err != nil {
		return UnitState{}, err
	}
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	if name != m.u.name {
		return UnitState{Load: "not-found", Active: "inactive", Sub: "dead"}, nil
	}
	return m.u.state, nil
}

func (m *fakeManager) Do(ctx context.Context, job Job, _ string) (string, error) {
	done, err := m.w.effect(ctx)
	if !done {
		return "", err
	}
	if job != JobRestart {
		m.w.switchUnit(m.u, job == JobStart)
		return cmp.Or(m.u.job, "done"), err
	}
	if m.u.limit {
		m.w.mu.Lock()
		m.u.state.Active, m.u.state.Result = "failed", StartLimitHit
		if m.u.spentBy != "" {
			m.u.state.Result = m.u.spentBy
		}
		m.w.gone, m.w.boot = time.Now(), time.Now().Add(1e6*time.Hour) // it was stopped first
		m.w.mu.Unlock()
		return "failed", err
	}
	if m.u.job != "" {
		return m.u.job, err
	}
	m.w.restart()
	if m.u.busGone {
		return "", errBusGone
	}
	if said := sleep(ctx, m.w.delay); said != nil {
		return "", said
	}
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	m.u.starts++
	m.u.state.Active, m.u.state.Sub, m.u.state.Invocation = "active", "running", fmt.Sprint(m.u.starts)
	if m.u.failAfter {
		time.AfterFunc(2*time.Second, func() {
			m.w.mu.Lock()
			defer m.w.mu.Unlock()
			m.u.state.Active, m.u.state.Result = "failed", "exit-code"
		})
	}
	return "done", err
}

func (m *fakeManager) ResetFailed(ctx context.Context, _ string) error {
	done, err := m.w.effect(ctx)
	if done {
		m.w.mu.Lock()
		defer m.w.mu.Unlock()
		m.u.resets++
		m.u.limit = m.u.limitAgain
		m.u.state.Active, m.u.state.Result, m.u.state.Invocation = "inactive", "success", ""
	}
	return err
}
