// Package openclaw is the transport to one OpenClaw install: its state
// directory, its config, its CLI and its gateway. It reads OpenClaw's files and
// never writes them.
package openclaw

import (
	"github.com/ocwatch/ocwatch/internal/secret"
)

// Options say which install is meant. Zero values mean OpenClaw's own defaults.
type Options struct {
	StateDir     string // "": $OPENCLAW_STATE_DIR, else the account's default
	Command      string // "": openclaw on PATH
	GatewayURL   string // "": from the config; ws:// or wss://
	GatewayToken secret.Value
	Getenv       func(string) string // nil: os.Getenv
	Home         string              // "": the account's home directory
}

// Install is one OpenClaw install that was found.
type Install struct {
	StateDir   string
	ConfigPath string
	Command    string
	// Default reports that StateDir is the account's default. Such an install
	// is never addressed by environment variables: OpenClaw refuses service
	// commands when they are set.
	Default bool
	// Others are further state directories that were seen and not chosen.
	Others []string

	opts   Options
	getenv func(string) string
	home   string
}
