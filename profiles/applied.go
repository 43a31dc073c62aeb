package profiles

import (
	"context"
	"io"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Gateway is what an Orderer needs of the running gateway; *openclaw.Gateway
// is one.
type Gateway interface {
	Has(ctx context.Context, method string) (bool, error)
	Call(ctx context.Context, method string, params, result any) error
}

// CLI runs the openclaw command; *openclaw.CLI is one.
type CLI interface {
	Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error)
}

// Via is the way an order was set.
type Via string

// The ways.
const (
	ViaRPC   Via = "rpc"
	ViaCLI   Via = "cli"
	ViaStore Via = "store" // nothing was set: the store had this order already
)

// GatewayView is what is known of the order that the running gateway uses.
type GatewayView string

// The views.
const (
	// ViewConfirmed: the gateway shows the order that the store has.
	ViewConfirmed GatewayView = "confirmed"
	// ViewReloaded: the gateway is too old to show its order, and it re-read
	// the store after the order was in it. The next turn goes by it.
	ViewReloaded GatewayView = "reloaded"
	// ViewOld: the gateway shows another order, asked to re-read or not.
	ViewOld GatewayView = "old"
	// ViewUnknown: the gateway runs, and does not show its order.
	ViewUnknown GatewayView = "unknown"
	// ViewDown: no gateway runs. It reads the store when it starts.
	ViewDown GatewayView = "down"
)

// Applied is what came of setting an order.
type Applied struct {
	Via     Via
	Stored  bool // the store was read back, and has the order
	Gateway GatewayView
	// Nudge is the method that made the gateway re-read the store, "" where
	// none was needed or none worked.
	Nudge string
	// Notes say in words what did not go as it should on the way.
	Notes []string
	Steps []Step
}

// Step is one step of it and the time it took.
type Step struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

// timed runs one step.
func (a *Applied) timed(name string, step func()) {
	start := time.Now()
	step()
	a.Steps = append(a.Steps, Step{Name: name, Took: time.Since(start)})
}

func (a *Applied) note(err error) {
	if err != nil {
		a.Notes = append(a.Notes, err.Error())
	}
}
