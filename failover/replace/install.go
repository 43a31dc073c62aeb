package replace

import (
	"context"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// helloWithin bounds the question to a gateway that may not be there.
const helloWithin = 5 * time.Second

// installed is an Install for real.
type installed struct {
	*openclaw.Install
	gateway *openclaw.Gateway
}

// Installed gives the Install of in, whose gateway g is asked for its release.
func Installed(in *openclaw.Install, g *openclaw.Gateway) Install { return installed{in, g} }

// Version prefers the gateway's own word: after an update the command is newer
// than the gateway that still runs, and it is the gateway that writes.
func (i installed) Version(ctx context.Context) (string, error) {
	asking, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	if hello, err := i.gateway.Hello(asking); err == nil && hello.Version != "" {
		return hello.Version, nil
	}
	return i.CLI().Version(ctx)
}

// Down tells whether it is certain that no gateway runs on in, as a Remover wants
// to know before it edits a file.
func Down(in *openclaw.Install) func(context.Context) bool {
	return func(ctx context.Context) bool { return in.Health(ctx).Down }
}
