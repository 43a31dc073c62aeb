package openclaw

import "github.com/ocwatch/ocwatch/internal/secret"

// Config is what ocwatch needs of openclaw.json. A zero field was not set.
type Config struct {
	GatewayPort     int
	GatewayBind     string // loopback, lan, tailnet, auto, custom
	GatewayHost     string // the address of bind custom
	GatewayMode     string // local or remote
	GatewayRemote   string // the URL of mode remote
	GatewayTLS      bool
	GatewayAuthMode string // token, password, none, trusted-proxy
	GatewayToken    secret.Value
	GatewayPassword secret.Value
	// GatewaySecretRef reports that token or password is a reference to a
	// secret that only OpenClaw can resolve.
	GatewaySecretRef bool
	AuthOrder        map[string][]string      // auth.order: provider to profile ids
	AuthProfiles     map[string]ConfigProfile // auth.profiles, by profile id
	Agents           []string                 // agents.list ids
}

// ConfigProfile is one entry of auth.profiles.
type ConfigProfile struct {
	Provider string
	Mode     string // oauth, token or api_key
}
