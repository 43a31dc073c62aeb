package profiles

import (
	"context"
	"errors"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

const (
	methodAuthRefresh = "models.authRefresh"
	methodReload      = "secrets.reload"
)

// Reread makes the running gateway take up what OpenClaw's command changed in
// agent's store, and returns the method that did it, "" for none. Since 2026.9
// there is a method for just that, which the command calls by itself as a rule.
// Before, the reload of all secrets does it: without it, 2026.5.28 and 2026.6.11
// serve one more turn by what they had, and with it the next turn goes by the
// store. There is one error for each method that failed; the last one is
// openclaw.ErrGatewayDown where no gateway runs, which reads the store when it
// starts. It takes 15 s at most.
func Reread(ctx context.Context, g Gateway, agent string) (method string, errs []error) {
	ctx, cancel := context.WithTimeout(ctx, rpcLimit)
	defer cancel()
	for _, m := range []struct {
		name   string
		params any
	}{
		{methodAuthRefresh, map[string]string{"operation": "update", "agentId": agent}},
		{methodReload, struct{}{}},
	} {
		has, err := g.Has(ctx, m.name)
		if err == nil && has {
			err = g.Call(ctx, m.name, m.params, nil)
		}
		switch {
		case errors.Is(err, openclaw.ErrGatewayDown):
			return "", append(errs, err)
		case err != nil:
			errs = append(errs, err)
		case has:
			return m.name, errs
		}
	}
	return "", errs
}
