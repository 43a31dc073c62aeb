package doctor

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// needed is the scope that setting an order, a login and a restart each take.
// Who has it needs no other.
const needed = "operator.admin"

// slowerWay is what is left where the gateway's own methods cannot be called.
const slowerWay = "orders are then set by the openclaw command, which takes seconds and half a gigabyte, and no login can be sent to a phone"

// gateway says whether the gateway runs, and what it lets ocwatch do.
func gateway(w World) []Finding {
	if w.Gateway == nil || w.OpenClaw != nil && w.OpenClaw.ConfigErr != nil {
		return nil // without openclaw.json nobody knows where it is
	}
	g := *w.Gateway
	var list []Finding
	starting := g.Health.Live && !g.Health.Ready && !g.Health.Barred
	if starting {
		list = append(list, Finding{
			ID: GatewayNotReady, Severity: Warning, About: g.URL, What: "the gateway runs and is not ready: " + g.Health.Detail,
			Why: "it may not serve turns yet", Fix: "openclaw gateway status",
		})
	}
	switch {
	case errors.Is(g.Err, openclaw.ErrUnauthorized):
		list = append(list, unauthorized(w))
	case g.Err != nil && starting: // it says so itself
	case g.Err != nil && g.Health.Answers:
		list = append(list, Finding{
			ID: GatewayRefused, Severity: Warning, About: g.URL, What: "the gateway answers there, and no call gets through: " + g.Err.Error(),
			Why: slowerWay,
			Fix: "set openclaw.gateway.url in ocwatch's config to the gateway itself, such as ws://127.0.0.1:18789, in place of what stands before it",
		})
	case g.Err != nil:
		list = append(list, Finding{
			ID: GatewayDown, Severity: Error, About: g.URL, What: g.Err.Error(),
			Why: "nothing serves OpenClaw's turns. An order that is set meanwhile holds from its next start",
			Fix: startGateway(w),
		})
	case g.Hello.Scopes != nil && !slices.Contains(g.Hello.Scopes, needed):
		list = append(list, Finding{
			ID: GatewayScopes, Severity: Warning, About: g.URL,
			What: "the gateway lets ocwatch in without the scope " + needed + ", with " + cmp.Or(strings.Join(g.Hello.Scopes, ", "), "none"),
			Why:  slowerWay,
			Fix: "set openclaw.gateway.url in ocwatch's config to the gateway itself, such as ws://127.0.0.1:18789: it gives scopes on its own machine alone, " +
				"and neither through a proxy nor without its token (openclaw.gateway.token_file)",
		})
	}
	return list
}

// startGateway goes by who runs the gateway.
func startGateway(w World) string {
	if w.Service != nil {
		for _, u := range w.Service.Units {
			if u.Gateway && u.State.Active == "inactive" {
				return systemctl(u) + " start " + u.Name
			}
		}
	}
	return "openclaw gateway status; where it is no service: openclaw gateway run"
}

func unauthorized(w World) Finding {
	f := Finding{
		ID: GatewayUnauthorized, Severity: Warning, About: w.Gateway.URL, What: w.Gateway.Err.Error(),
		Why: slowerWay,
		Fix: "set openclaw.gateway.token_file in ocwatch's config to a file with the gateway's token",
	}
	if w.OpenClaw != nil && w.OpenClaw.SecretRef {
		f.What += "; openclaw.json holds a reference in place of the token, which only OpenClaw can resolve"
	}
	return f
}
