package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// gateway plays `openclaw gateway run`: health over HTTP and RPC over
// WebSocket, on one port that stays the same over restarts.
type gateway struct {
	world *World
	jobs  sync.WaitGroup // restarts under way

	mu       sync.Mutex
	addr     string
	running  *generation // nil while stopped
	age      time.Duration
	closed   bool
	restarts int
	active   int  // runs that a restart waits for
	deferred bool // a restart that waits for them
	underway bool // a restart; another request joins it
}

// generation is the gateway between two restarts.
type generation struct {
	world   *World
	server  *http.Server
	bootID  string
	started time.Time
	served  sync.WaitGroup

	mu    sync.Mutex
	conns map[*conn]struct{}
	over  bool
}

func newGateway(w *World) *gateway {
	return &gateway{world: w, addr: "127.0.0.1:0", age: w.opts.GatewayUptime}
}

func (g *gateway) address() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addr
}

// start reads the store, as the real one does, and serves. It is a no-op on a
// running gateway.
func (g *gateway) start(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running != nil || g.closed {
		return nil
	}
	if err := g.world.loadMemory(ctx); err != nil {
		return err
	}
	listener, err := listen(ctx, g.addr)
	if err != nil {
		return err
	}
	g.addr = listener.Addr().String()
	gen := &generation{world: g.world, bootID: newUUID(), started: time.Now().Add(-g.age), conns: map[*conn]struct{}{}}
	g.age = 0
	gen.server = &http.Server{
		Handler: gen, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quietLog(),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, rawConn{}, c) },
	}
	gen.served.Go(func() { _ = gen.server.Serve(listener) })
	g.running = gen
	return nil
}

// rawConn is the key of the connection in a request's context.
type rawConn struct{}

// listen tries for a while: during an outage somebody else's outgoing
// connection may borrow the port.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			return listener, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("sandbox: the gateway's port: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the running generation, if any, and waits for its connections.
func (g *gateway) stop() error {
	g.mu.Lock()
	gen := g.running
	g.running = nil
	g.mu.Unlock()
	if gen == nil {
		return nil
	}
	return gen.end()
}

func (g *gateway) close() error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	err := g.stop()
	g.jobs.Wait()
	return err
}

// restart plays a restart within the process: the port is closed for
// RestartOutage, the clients are told, and memory is read anew.
func (g *gateway) restart() {
	g.mu.Lock()
	joined := g.underway
	g.underway, g.deferred = true, false
	g.mu.Unlock()
	if !joined {
		g.jobs.Go(g.replace)
	}
}

func (g *gateway) replace() {
	err := g.stop()
	time.Sleep(g.world.opts.RestartOutage)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(err, g.start(ctx))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underway = false
	if err == nil && g.running != nil {
		g.restarts++
	}
}

// StopGateway closes the port and every connection, as a stopped service does.
func (w *World) StopGateway() error { return w.gateway.stop() }

// StartGateway starts it again on the same port.
func (w *World) StartGateway(ctx context.Context) error { return w.gateway.start(ctx) }

// Restarts counts the restarts that were asked for by RPC or command and are
// through.
func (w *World) Restarts() int {
	w.gateway.mu.Lock()
	defer w.gateway.mu.Unlock()
	return w.gateway.restarts
}

// SetActive says how many agent runs are under way; a restart that was asked
// for meanwhile happens once there is none.
func (w *World) SetActive(runs int) {
	g := w.gateway
	g.mu.Lock()
	g.active = runs
	due := runs == 0 && g.deferred
	g.deferred = g.deferred && !due
	g.mu.Unlock()
	if due {
		g.restart()
	}
}

// ServeHTTP answers health, WebSocket, and the control UI's page for the rest.
func (gen *generation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		gen.accept(w, r)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case "/healthz", "/health":
		writeJSON(w, map[string]any{"ok": true, "status": "live"})
	case "/readyz", "/ready":
		writeJSON(w, map[string]any{
			"ready": true, "failing": []string{}, "uptimeMs": time.Since(gen.started).Milliseconds(),
			"eventLoop": map[string]any{"degraded": false, "degradedSinceMs": nil, "reasons": []string{}},
		})
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html>\n<html lang=\"en\"><head><title>OpenClaw</title></head><body></body></html>\n"))
	}
}

func (gen *generation) accept(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	raw, _ := r.Context().Value(rawConn{}).(net.Conn)
	c := &conn{gen: gen, ws: ws, raw: raw, id: newUUID()}
	gen.mu.Lock()
	if gen.over {
		gen.mu.Unlock()
		_ = ws.CloseNow()
		return
	}
	gen.conns[c] = struct{}{}
	gen.served.Add(1)
	gen.mu.Unlock()

	defer gen.served.Done()
	defer func() {
		gen.mu.Lock()
		delete(gen.conns, c)
		gen.mu.Unlock()
		_ = ws.CloseNow()
	}()
	c.serve(context.WithoutCancel(r.Context()))
}

// end closes the port, tells the clients and waits for them to be served.
func (gen *generation) end() error {
	gen.mu.Lock()
	gen.over = true
	conns := make([]*conn, 0, len(gen.conns))
	for c := range gen.conns {
		conns = append(conns, c)
	}
	gen.mu.Unlock()
	err := gen.server.Close()
	var closing sync.WaitGroup
	for _, c := range conns {
		closing.Go(c.shutdown)
	}
	closing.Wait()
	gen.served.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
