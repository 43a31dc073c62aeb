package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ocwatch/ocwatch/internal/sandbox"
)

// client speaks the gateway's protocol by hand, so that the tests see frames
// and not somebody's idea of them.
type client struct {
	ws     *websocket.Conn
	n      int
	events []string // names, as they came between answers
}

type frame struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Event   string          `json:"event"`
	OK      *bool           `json:"ok"`
	Payload json.RawMessage `json:"payload"`
	raw     json.RawMessage
}

func connectParams(token string, scopes ...string) map[string]any {
	if len(scopes) == 0 {
		scopes = []string{"operator.admin", "operator.read", "operator.write"}
	}
	return map[string]any{
		"minProtocol": 3, "maxProtocol": 4,
		"client": map[string]any{"id": "gateway-client", "version": "test", "platform": "linux", "mode": "backend"},
		"role":   "operator", "scopes": scopes, "caps": []string{},
		"auth": map[string]any{"token": token},
	}
}

// open connects and takes the challenge, no more.
func open(ctx context.Context, url string) (*client, error) {
	ws, _, err := websocket.Dial(ctx, url, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(1 << 24)
	c := &client{ws: ws}
	f, err := c.read(ctx)
	if err == nil && f.Event != "connect.challenge" {
		err = fmt.Errorf("the first frame is %q", f.Event)
	}
	return c, err
}

func (c *client) read(ctx context.Context) (frame, error) {
	var f frame
	_, data, err := c.ws.Read(ctx)
	if err != nil {
		return f, err
	}
	f.raw = data
	return f, json.Unmarshal(data, &f)
}

// send sends a request and gives its id.
func (c *client) send(ctx context.Context, method string, params any) (id string, err error) {
	c.n++
	id = fmt.Sprint(c.n)
	data, err := json.Marshal(map[string]any{"type": "req", "id": id, "method": method, "params": params})
	if err != nil {
		return id, err
	}
	return id, c.ws.Write(ctx, websocket.MessageText, data)
}

// collect gives the answers to requests that were sent, in the order of ids.
func (c *client) collect(ctx context.Context, ids ...string) ([]frame, error) {
	answers := make([]frame, len(ids))
	for missing := len(ids); missing > 0; {
		f, err := c.read(ctx)
		if err != nil {
			return nil, err
		}
		if i := slices.Index(ids, f.ID); i >= 0 && f.Type == "res" {
			answers[i] = f
			missing--
		}
	}
	return answers, nil
}

// call sends a request and gives the whole answer.
func (c *client) call(ctx context.Context, method string, params any) (frame, error) {
	id, err := c.send(ctx, method, params)
	if err != nil {
		return frame{}, err
	}
	for {
		f, err := c.read(ctx)
		if err != nil || f.ID == id {
			return f, err
		}
		c.events = append(c.events, f.Event)
	}
}

// end reads to the end of the connection and gives the close code.
func (c *client) end(ctx context.Context) (websocket.StatusCode, error) {
	for {
		f, err := c.read(ctx)
		if err != nil {
			if closed, ok := errors.AsType[websocket.CloseError](err); ok {
				return closed.Code, nil
			}
			return 0, err
		}
		c.events = append(c.events, f.Event)
	}
}

// deadline bounds everything one test waits for.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start makes a world that ends with the test.
func start(t *testing.T, o sandbox.Options) *sandbox.World {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	w, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// dial connects as an administrator.
func dial(t *testing.T, w *sandbox.World) *client {
	t.Helper()
	c, err := admin(deadline(t), w.GatewayURL(), w.Token().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.ws.CloseNow() })
	return c
}

// admin connects as an administrator.
func admin(ctx context.Context, url, token string) (*client, error) {
	c, err := open(ctx, url)
	if err != nil {
		return nil, err
	}
	f, err := c.call(ctx, "connect", connectParams(token))
	if err == nil && !*f.OK {
		err = fmt.Errorf("connect: %s", f.raw)
	}
	return c, err
}

// must calls a method that has to succeed, and decodes its answer.
func must[T any](t *testing.T, c *client, method string, params any) T {
	t.Helper()
	var v T
	f, err := c.call(deadline(t), method, params)
	if err != nil {
		t.Fatal(err)
	}
	if !*f.OK {
		t.Fatalf("%s: %s", method, f.raw)
	}
	if err := json.Unmarshal(f.Payload, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// eventually polls a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx := deadline(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

const (
	alice = "openai:alice@example.com"
	bob   = "openai:bob@example.com"
	carol = "openai:carol@example.com"
)

func trio(windows ...sandbox.Window) []sandbox.Account {
	return []sandbox.Account{
		{Profile: alice, Windows: windows},
		{Profile: bob, Windows: windows},
		{Profile: carol, Windows: windows},
	}
}
