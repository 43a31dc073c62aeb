package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/coder/websocket"
)

type connectParams struct {
	MinProtocol *int `json:"minProtocol"`
	MaxProtocol *int `json:"maxProtocol"`
	Client      struct {
		ID   string `json:"id"`
		Mode string `json:"mode"`
	} `json:"client"`
	Role   string   `json:"role"`
	Scopes []string `json:"scopes"`
	Auth   struct {
		Token string `json:"token"`
	} `json:"auth"`
}

const firstMethod = "connect"

// clients that keep their scopes with the shared token and no device identity.
// The real gateway knows more ids; none of them is for other programs.
func clients() []string { return []string{"gateway-client", "cli"} }

// handshake reads the connect request and answers it. Every refusal was
// recorded, with its close code.
func (c *conn) handshake(ctx context.Context) bool {
	req, err := c.read(ctx)
	if err != nil {
		return false
	}
	if req.Method != firstMethod {
		return c.refuse(ctx, req, websocket.StatusPolicyViolation, invalid("invalid handshake: first request must be connect"))
	}
	var p connectParams
	if err := json.Unmarshal(req.Params, &p); err != nil || p.MinProtocol == nil {
		return c.refuse(ctx, req, websocket.StatusPolicyViolation, invalid("invalid connect params: must have required property 'minProtocol'"))
	}
	if p.MaxProtocol == nil {
		return c.refuse(ctx, req, websocket.StatusPolicyViolation, invalid("invalid connect params: must have required property 'maxProtocol'"))
	}
	if !slices.Contains(clients(), p.Client.ID) {
		return c.refuse(ctx, req, websocket.StatusPolicyViolation, invalid("invalid connect params: at /client/id: must be equal to one of the allowed values"))
	}
	if *p.MinProtocol > protocol || *p.MaxProtocol < protocol {
		return c.refuse(ctx, req, websocket.StatusProtocolError, &rpcError{
			Code: "INVALID_REQUEST", Message: "protocol mismatch",
			Details: map[string]any{
				"code": "PROTOCOL_MISMATCH", "clientMinProtocol": *p.MinProtocol, "clientMaxProtocol": *p.MaxProtocol,
				"expectedProtocol": protocol, "minimumProbeProtocol": 3,
			},
		})
	}
	if failure := c.gen.authorize(p); failure != nil {
		return c.refuse(ctx, req, websocket.StatusPolicyViolation, failure)
	}
	scopes := append([]string{}, p.Scopes...)
	if c.respond(ctx, req.ID, c.hello(scopes), nil) != nil {
		return false
	}
	c.mu.Lock()
	c.scopes = scopes
	c.mu.Unlock()
	return true
}

func (gen *generation) authorize(p connectParams) *rpcError {
	switch p.Auth.Token {
	case gen.world.token.Reveal():
		return nil
	case "":
		return &rpcError{
			Code: "NOT_PAIRED", Message: "device identity required",
			Details: map[string]any{"code": "DEVICE_IDENTITY_REQUIRED"},
		}
	default:
		return &rpcError{
			Code: "INVALID_REQUEST", Message: "unauthorized: gateway token mismatch (provide gateway auth token)",
			Details: map[string]any{
				"code": "AUTH_TOKEN_MISMATCH", "authReason": "token_mismatch",
				"canRetryWithDeviceToken": false, "recommendedNextStep": "update_auth_credentials",
			},
		}
	}
}

// refuse answers and closes; it returns false for the caller to return.
func (c *conn) refuse(ctx context.Context, req request, code websocket.StatusCode, failure *rpcError) bool {
	if c.respond(ctx, req.ID, nil, failure) == nil {
		_ = c.ws.Close(code, failure.Message)
	}
	return false
}

// hello is what a client learns on connecting. The real answer has more in its
// snapshot (health, presence) and for the control UI; nothing of it concerns a
// client of the auth methods.
func (c *conn) hello(scopes []string) any {
	w := c.gen.world
	return map[string]any{
		"type":     "hello-ok",
		"protocol": protocol,
		"server": map[string]any{
			"version": Version, "buildId": Version + "-sandbox", "bootId": c.gen.bootID,
			"controlUiBuildSource": "bundled", "connId": c.id,
		},
		"features": map[string]any{
			"methods":      w.methodNames(),
			"events":       []string{"connect.challenge", "chat.metadata.changed", "shutdown"},
			"capabilities": []string{"gateway-restart-target-safe-v1"},
		},
		"snapshot": map[string]any{
			"suspension":   map[string]any{"phase": "accepting"},
			"stateVersion": map[string]any{"presence": 1, "health": 1},
			"uptimeMs":     time.Since(c.gen.started).Milliseconds(),
			"configPath":   fmt.Sprintf("%s/openclaw.json", w.StateDir()),
			"stateDir":     w.StateDir(),
			"authMode":     "token",
		},
		"auth":   map[string]any{"method": "token", "role": "operator", "scopes": scopes},
		"policy": map[string]any{"maxPayload": 26214400, "maxBufferedBytes": 52428800, "tickIntervalMs": 30000},
	}
}
