package login

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Gateway calls the running gateway's methods over one connection of its own:
// OpenClaw ends a login whose connection is gone. *openclaw.Gateway is one.
type Gateway interface {
	Has(ctx context.Context, method string) (bool, error)
	Call(ctx context.Context, method string, params, result any) error
	Close() error
}

// The methods of a login.
const (
	methodStatus = "models.authStatus"
	methodLogin  = "models.authLogin"
	methodNext   = "wizard.next"
	methodCancel = "wizard.cancel"
)

// busyDetail: the gateway runs one login or set-up at a time.
const busyDetail = "SETUP_ADMISSION_BUSY"

// startGateway starts a login by code at the gateway and returns once the code
// is there. It fails with ErrNotOffered where the gateway has none for the
// provider or cannot give the profile a chosen id, with
// openclaw.ErrGatewayDown, or with *FailedError. The flow owns gw; where there
// is no flow, gw is closed.
func startGateway(ctx context.Context, gw Gateway, r Request) (flow, error) {
	f, err := beginGateway(ctx, gw, r)
	if err != nil {
		_ = gw.Close() // nothing runs on it
		return nil, err
	}
	select {
	case <-f.prompted:
		return f, nil
	case <-f.done:
		select {
		case <-f.prompted: // it was denied, or approved, before we looked
			return f, nil
		default:
			return nil, f.err
		}
	case <-ctx.Done():
		f.cancel() //nolint:contextcheck // ctx has ended, and the login must too
		return nil, fmt.Errorf("start a login at the gateway: no code came: %w", ctx.Err())
	}
}

func beginGateway(ctx context.Context, gw Gateway, r Request) (*gatewayFlow, error) {
	if r.Profile != "" {
		return nil, ErrNotOffered
	}
	for _, method := range []string{methodLogin, methodNext, methodStatus} {
		if has, err := gw.Has(ctx, method); err != nil {
			return nil, fmt.Errorf("ask the gateway for its methods: %w", err)
		} else if !has {
			return nil, ErrNotOffered
		}
	}
	choice, err := deviceChoice(ctx, gw, r)
	if err != nil {
		return nil, err
	}
	session := "ocwatch-" + strings.ToLower(rand.Text())
	err = gw.Call(ctx, methodLogin, map[string]string{"sessionId": session, "agentId": r.Agent, "authChoice": choice}, nil)
	if err != nil {
		return nil, startError(err)
	}
	return newGatewayFlow(ctx, gw, session), nil
}

// deviceChoice finds how the gateway names its login by code for the provider.
func deviceChoice(ctx context.Context, gw Gateway, r Request) (string, error) {
	var status struct {
		Capabilities []struct {
			Provider string `json:"provider"`
			Options  []struct {
				ID       string `json:"id"`
				Kind     string `json:"kind"`
				Featured bool   `json:"featured"`
			} `json:"loginOptions"`
		} `json:"providerCapabilities"`
	}
	if err := gw.Call(ctx, methodStatus, map[string]string{"agentId": r.Agent}, &status); err != nil {
		return "", fmt.Errorf("ask the gateway for its logins: %w", err)
	}
	choice := ""
	for _, c := range status.Capabilities {
		if c.Provider != r.Provider {
			continue
		}
		for _, o := range c.Options {
			if o.Kind == "device-code" && o.ID != "" && (choice == "" || o.Featured) {
				choice = o.ID
			}
		}
	}
	if choice == "" {
		return "", ErrNotOffered
	}
	return choice, nil
}

func startError(err error) error {
	refused, ok := errors.AsType[*openclaw.RPCError](err)
	switch {
	case errors.Is(err, openclaw.ErrMethodUnavailable):
		return ErrNotOffered
	case ok && refused.Detail == busyDetail:
		return &FailedError{What: "openclaw is busy with another login or set-up", Fix: "finish or close that one, then try again"}
	case ok:
		return &FailedError{What: inWords(refused.Message)}
	default:
		return fmt.Errorf("start a login at the gateway: %w", err)
	}
}
