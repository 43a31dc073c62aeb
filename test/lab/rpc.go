package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// RPC is a connection to the gateway as a backend client.
type RPC struct {
	// Methods are what the gateway announced.
	Methods []string
	// Server is the gateway's own word of itself.
	Server json.RawMessage

	conn *websocket.Conn
	next int

	mu      sync.Mutex
	waiting map[string]chan frame
	broken  error // set once nothing more is read
}

// RPCError is a refusal by the gateway.
type RPCError struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details"`
}

func (e *RPCError) Error() string { return e.Code + ": " + e.Message }

type frame struct {
	Type    string          `json:"type"`
	ID      string          `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	OK      bool            `json:"ok,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Error   *RPCError       `json:"error,omitempty"`
}

// Dial connects to the lab's gateway with every scope.
func (l *Lab) Dial(t *testing.T) *RPC {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), l.GatewayURL(), nil)
	must(t, err)
	if resp.Body != nil {
		t.Cleanup(func() { _ = resp.Body.Close() }) // the connection owns it
	}
	conn.SetReadLimit(32 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() }) // the test is over
	r := &RPC{conn: conn, waiting: map[string]chan frame{}}
	go r.read(context.WithoutCancel(t.Context()))
	hello, err := r.Call(t.Context(), "connect", map[string]any{
		"minProtocol": 3, "maxProtocol": 4, "role": "operator", "caps": []string{},
		"client": map[string]any{"id": "gateway-client", "version": "lab", "platform": "linux", "mode": "backend"},
		"scopes": []string{"operator.admin", "operator.read", "operator.write"},
		"auth":   map[string]any{"token": Token},
	})
	must(t, err)
	var h struct {
		Server   json.RawMessage `json:"server"`
		Features struct {
			Methods []string `json:"methods"`
		} `json:"features"`
	}
	must(t, json.Unmarshal(hello, &h))
	r.Methods, r.Server = h.Features.Methods, h.Server
	return r
}

// read runs until the connection ends. It never pauses: the gateway drops a
// client that does not answer its pings.
func (r *RPC) read(ctx context.Context) {
	for {
		var f frame
		err := wsjson.Read(ctx, r.conn, &f)
		r.mu.Lock()
		if err != nil {
			r.broken = err
			for _, ch := range r.waiting {
				close(ch)
			}
			r.mu.Unlock()
			return
		}
		if ch := r.waiting[f.ID]; ch != nil && f.Type == "res" {
			delete(r.waiting, f.ID) // a second answer, when an agent's run ends, is not waited for
			ch <- f
		}
		r.mu.Unlock()
	}
}

func (r *RPC) expect() (id string, answer chan frame, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	id, answer = fmt.Sprint(r.next), make(chan frame, 1)
	r.waiting[id] = answer
	return id, answer, r.broken
}

// Call sends one request and returns the payload of its answer. A refusal is
// an *RPCError.
func (r *RPC) Call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id, answer, err := r.expect()
	if err == nil {
		err = wsjson.Write(ctx, r.conn, frame{Type: "req", ID: id, Method: method, Params: params})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	select {
	case f, ok := <-answer:
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: the gateway closed the connection: %w", method, r.broken)
		case f.Error != nil:
			return nil, f.Error
		default:
			return f.Payload, nil
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

// Must is Call for what may not fail.
func (r *RPC) Must(t *testing.T, method string, params any) json.RawMessage {
	t.Helper()
	payload, err := r.Call(t.Context(), method, params)
	if err != nil {
		t.Fatalf("rpc %s: %v", method, err)
	}
	return payload
}
