package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// protocol is what 2026.9.6 speaks. It takes no client whose newest protocol
// is older.
const protocol = 4

// conn is one RPC connection.
type conn struct {
	gen    *generation
	ws     *websocket.Conn
	id     string
	scopes []string
	raw    net.Conn // below ws, to cut it
	jobs   sync.WaitGroup

	mu  sync.Mutex // guards writing, and seq
	seq int
}

type request struct {
	Type   string          `json:"type"`
	ID     string          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type response struct {
	Type    string    `json:"type"`
	ID      string    `json:"id"`
	OK      bool      `json:"ok"`
	Payload any       `json:"payload,omitempty"`
	Error   *rpcError `json:"error,omitempty"`
}

type rpcError struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Details   any    `json:"details,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

func invalid(message string) *rpcError { return &rpcError{Code: "INVALID_REQUEST", Message: message} }

func (c *conn) serve(ctx context.Context) {
	defer c.jobs.Wait()
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(errOwnerGone) // which ends a login that was begun on this connection
	challenge := map[string]any{"nonce": newUUID(), "ts": time.Now().UnixMilli(), "capabilities": []string{"model-catalog-snapshot"}}
	if c.write(ctx, map[string]any{"type": "event", "event": "connect.challenge", "payload": challenge}) != nil {
		return
	}
	if !c.handshake(ctx) {
		return
	}
	for {
		req, err := c.read(ctx)
		if err != nil {
			return
		}
		if !c.answer(ctx, req) {
			return
		}
	}
}

var errNotARequest = errors.New("invalid request frame")

func (c *conn) read(ctx context.Context) (request, error) {
	_, data, err := c.ws.Read(ctx)
	if err != nil {
		return request{}, err
	}
	var req request
	if json.Unmarshal(data, &req) != nil || req.Type != "req" || req.ID == "" || req.Method == "" {
		_ = c.ws.Close(websocket.StatusPolicyViolation, errNotARequest.Error())
		return request{}, errNotARequest
	}
	return req, nil
}

// later is a payload that takes its time. Others go on meanwhile.
type later func() any

// answer calls the method and reports whether the connection goes on.
func (c *conn) answer(ctx context.Context, req request) bool {
	payload, failure := c.call(ctx, req)
	if wait, ok := payload.(later); ok {
		c.jobs.Go(func() { _ = c.respond(ctx, req.ID, wait(), nil) }) // a client that is gone misses it
		return true
	}
	if err := c.respond(ctx, req.ID, payload, failure); err != nil {
		return false
	}
	if failure == nil && slices.Contains(mutating(), req.Method) {
		c.gen.broadcast(ctx, "chat.metadata.changed", map[string]any{})
	}
	if failure == nil && req.Method == "gateway.restart.request" {
		c.gen.world.gateway.restartIfDue(payload)
	}
	return true
}

func (c *conn) respond(ctx context.Context, id string, payload any, failure *rpcError) error {
	return c.write(ctx, response{Type: "res", ID: id, OK: failure == nil, Payload: payload, Error: failure})
}

func (c *conn) write(ctx context.Context, frame any) error {
	data, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(ctx, data)
}

func (c *conn) writeLocked(ctx context.Context, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, data)
}

// event sends an event with the connection's own sequence number.
func (c *conn) event(ctx context.Context, name string, payload any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	data, err := json.Marshal(map[string]any{"type": "event", "event": name, "payload": payload, "seq": c.seq})
	if err != nil {
		return
	}
	_ = c.writeLocked(ctx, data) // a client that is gone misses it
}

// shutdown says goodbye as the real one does when it restarts or stops.
func (c *conn) shutdown() {
	if c.connected() {
		c.event(context.Background(), "shutdown", map[string]any{"reason": "gateway restarting", "restartExpectedMs": 1500})
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		_ = c.ws.Close(websocket.StatusServiceRestart, "service restart")
	}()
	select {
	case <-said:
	case <-time.After(closeGrace): // a client that does not read now
		_ = c.raw.Close()
		<-said
	}
}

// closeGrace is how long a client may take to answer the close frame.
const closeGrace = 250 * time.Millisecond

// connected reports whether the handshake is through.
func (c *conn) connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scopes != nil
}

func (gen *generation) broadcast(ctx context.Context, name string, payload any) {
	gen.mu.Lock()
	conns := make([]*conn, 0, len(gen.conns))
	for c := range gen.conns {
		if c.connected() {
			conns = append(conns, c)
		}
	}
	gen.mu.Unlock()
	for _, c := range conns {
		c.event(ctx, name, payload)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}
