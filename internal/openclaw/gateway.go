package openclaw

import (
	"context"
	"errors"
	"time"
)

// Gateway calls the RPC methods of a running gateway.
type Gateway struct{ install *Install }

// Hello is what the gateway said of itself on connecting.
type Hello struct {
	Version  string
	Protocol int
	Methods  []string
	Scopes   []string
}

// Health is what the gateway's health endpoints said.
type Health struct {
	Live   bool
	Ready  bool
	Detail string // why not, in words
	// Uptime is how long ago this start of the gateway was, also where it
	// restarted within its process. 0: it did not say.
	Uptime time.Duration
}

// Health asks /healthz and /readyz.
func (i *Install) Health(ctx context.Context) Health { return Health{} }

// Gateway gives the RPC client; it connects on the first call.
func (i *Install) Gateway() *Gateway { return &Gateway{install: i} }

// Call calls method with params and decodes the answer into result.
func (g *Gateway) Call(ctx context.Context, method string, params, result any) error {
	return errors.ErrUnsupported
}

// Has reports whether the gateway announces method.
func (g *Gateway) Has(ctx context.Context, method string) (bool, error) {
	return false, errors.ErrUnsupported
}

// Hello connects if needed and gives what the gateway said of itself.
func (g *Gateway) Hello(ctx context.Context) (Hello, error) { return Hello{}, errors.ErrUnsupported }

// URL is where the gateway is expected.
func (g *Gateway) URL() string { return "" }

// Close ends the connection.
func (g *Gateway) Close() error { return nil }
