// Package config reads ocwatch's config file. Every key is optional; a key it
// does not know and a value it cannot use are errors that name file, line and
// what was meant. docs/configuration.md is the reference for the keys.
package config

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// Config is the whole configuration. The fields mirror the keys of the file.
type Config struct {
	OpenClaw OpenClaw `yaml:"openclaw"`
	Probe    Probe    `yaml:"probe"`
	Failover Failover `yaml:"failover"`
	Restart  Restart  `yaml:"restart"`
	Notify   Notify   `yaml:"notify"`
	// Heartbeat is the monitor that is told after each round.
	Heartbeat Heartbeat `yaml:"heartbeat"`
	// Listen is the host:port of the dashboard, the status API and the metrics,
	// "" for none. Beyond loopback Web says how.
	Listen string `yaml:"listen"`
	Web    Web    `yaml:"web"`
	// DataDir is where ocwatch keeps its own files; Load makes it absolute.
	DataDir string `yaml:"data_dir"`
	Log     Log    `yaml:"log"`

	// secretEnv is what SecretEnv returns. It has no key: a field that is not
	// exported stands last in its struct.
	secretEnv []string
}

// OpenClaw says which install is watched, and how it is reached.
type OpenClaw struct {
	// StateDir is absolute, or "" to look where OpenClaw itself would.
	StateDir string `yaml:"state_dir"`
	// Command is the CLI: a name, an absolute path, or "" to look on PATH and
	// where npm usually puts it.
	Command string  `yaml:"command"`
	Gateway Gateway `yaml:"gateway"`
	// Agents are the ids of the agents to watch; empty means all.
	Agents []string `yaml:"agents"`
}

// Gateway is how the gateway's RPC is reached. Empty fields mean what
// OpenClaw's own config and environment say.
type Gateway struct {
	URL       string       `yaml:"url"` // ws:// on loopback, or wss://
	Token     secret.Value `yaml:"token,omitzero"`
	TokenFile string       `yaml:"token_file,omitempty"`
}

// Probe is how often accounts are asked what they have left.
type Probe struct {
	// Every is when a round starts.
	Every Schedule `yaml:"every"`
	// Timeout bounds one request, 1 s to 2 min, and is shorter than Every.
	Timeout time.Duration `yaml:"timeout"`
	// Live are profiles that may be asked with real requests, where their usage
	// cannot be read otherwise.
	Live []string `yaml:"live,omitempty"`
	// Providers are settings by provider id; see For.
	Providers map[string]Provider `yaml:"providers"`
}

// Provider is how one provider is asked.
type Provider struct {
	// Every is the least time between two questions about one account.
	Every time.Duration `yaml:"every,omitempty"`
	// URL replaces the provider's usage endpoint: https, or loopback.
	URL string `yaml:"url,omitempty"`
	// Models are those whose own windows count as the account's.
	Models []string `yaml:"models,omitempty"`
	// Generic is how to read a provider that ocwatch does not know, or knows
	// otherwise.
	Generic Generic `yaml:"generic,omitzero"`
}

// Failover is when a profile is left and when it is come back to.
type Failover struct {
	Strategy string `yaml:"strategy"` // one of failover.Strategies
	// SwitchAt and ReturnBelow are used percentages; ReturnBelow < SwitchAt.
	SwitchAt    float64       `yaml:"switch_at"`
	ReturnBelow float64       `yaml:"return_below"`
	MinDwell    time.Duration `yaml:"min_dwell"`
	Paid        string        `yaml:"paid"` // last or never
	// Pools are settings by provider id; see Config.Policy.
	Pools map[string]Pool `yaml:"pools"`
}

// Pool is what differs for the pools of one provider. Nil and "" mean what
// Failover says.
type Pool struct {
	// Prefer are profile ids, best first, possibly only some of the pool's.
	Prefer      []string       `yaml:"prefer,omitempty"`
	SwitchAt    *float64       `yaml:"switch_at,omitempty"`
	ReturnBelow *float64       `yaml:"return_below,omitempty"`
	MinDwell    *time.Duration `yaml:"min_dwell,omitempty"`
	Paid        string         `yaml:"paid,omitempty"`
	Strategy    string         `yaml:"strategy,omitempty"`
	// Keep is the reserve, in percent left by profile id, 1 to 50.
	Keep map[string]float64 `yaml:"keep,omitempty"`
}

// Restart is when and how the gateway is restarted.
type Restart struct {
	When string `yaml:"when"` // auto, idle, always or never
	Via  string `yaml:"via"`  // one of the Via constants
	Unit string `yaml:"unit"` // systemd unit
	// Command is the owner's own way to restart, as argv; empty for none.
	Command Argv `yaml:"command"`
	// Drain is how long active work is waited for, 0 to 30 min.
	Drain  time.Duration `yaml:"drain"`
	Budget Budget        `yaml:"budget"`
}

// Notify is who is told, and when.
type Notify struct {
	// LoginAfter: a depleted pool that recovers sooner than this waits, one
	// that does not asks for a login.
	LoginAfter time.Duration `yaml:"login_after"`
	// RemindEvery is how often a login that nobody did is asked for again; 0
	// is never.
	RemindEvery time.Duration `yaml:"remind_every"`
	// Language is that of endpoints which name none: en or zh.
	Language string    `yaml:"language"`
	Webhooks []Webhook `yaml:"webhooks"`
	Channels []Channel `yaml:"channels"`
}

// Webhook is one receiver of signed events.
type Webhook struct {
	Name       string       `yaml:"name"` // unique among the endpoints
	URL        string       `yaml:"url"`  // https, or loopback
	Secret     secret.Value `yaml:"secret,omitzero"`
	SecretFile string       `yaml:"secret_file,omitempty"`
	// Events are the types it receives; empty means all.
	Events   []event.Type `yaml:"events,omitempty"`
	Language string       `yaml:"language,omitempty"`
}

// Channel is one chat, mailbox or push service: it has either a URL or a chat
// of OpenClaw's.
type Channel struct {
	Name     string       `yaml:"name"` // unique among the endpoints
	URL      secret.Value `yaml:"url,omitzero"`
	URLFile  string       `yaml:"url_file,omitempty"`
	OpenClaw Chat         `yaml:"openclaw,omitempty"`
	// Events are the types it receives; empty means all.
	Events   []event.Type `yaml:"events,omitempty"`
	Language string       `yaml:"language,omitempty"`
}

// Chat is a chat that OpenClaw is connected to.
type Chat struct {
	Channel string `yaml:"channel"` // as OpenClaw calls it: telegram, slack, …
	Target  string `yaml:"target"`  // who gets it, as the channel names people and rooms
	// Account is which of several of the channel's accounts sends; "" is its
	// own choice.
	Account string `yaml:"account,omitempty"`
}

// Heartbeat is a monitor elsewhere that raises the alarm when it hears nothing.
type Heartbeat struct {
	URL     secret.Value `yaml:"url,omitzero"` // https, or loopback; empty: none
	URLFile string       `yaml:"url_file,omitempty"`
	// Every is the least time between two beats, 30 s to 24 h.
	Every time.Duration `yaml:"every"`
}

// Web is how what is served at Listen is reached from other machines.
type Web struct {
	// URL is the https address that browsers use, "" for Listen itself.
	URL string `yaml:"url"`
	// Token lets its bearer read; empty: whoever reaches Listen may.
	Token     secret.Value `yaml:"token,omitzero"`
	TokenFile string       `yaml:"token_file,omitempty"`
	// CertFile and KeyFile are absolute paths of PEM files, "" for no TLS.
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
	// Proxies are the addresses of proxies in front, which do TLS.
	Proxies []string `yaml:"proxies,omitempty"`
}

// Log is how ocwatch logs.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // auto, console or json
}

// The values of Restart.When.
const (
	RestartAuto   = "auto"   // only where the gateway would not see the new order
	RestartIdle   = "idle"   // after every switch, once nothing is active
	RestartAlways = "always" // after every switch
	RestartNever  = "never"
)

// The values of Restart.Via.
const (
	ViaAuto          = "auto"    // the first of the others that works
	ViaRPC           = "rpc"     // the gateway's own request
	ViaSystemd       = "systemd" // Restart.Unit over D-Bus, the user's or else the system's
	ViaSystemdUser   = "systemd-user"
	ViaSystemdSystem = "systemd-system"
	ViaCLI           = "cli"     // openclaw gateway restart
	ViaCommand       = "command" // Restart.Command
)

// defaultPace is how often an account of a provider without a setting of its
// own is asked: the pace that usage endpoints are known to bear.
const defaultPace = 5 * time.Minute

// Default returns what holds where a file says nothing. Paths are not
// resolved: Load with an empty path does that.
func Default() *Config {
	return &Config{
		Probe: Probe{
			Every:   Every(time.Minute),
			Timeout: 10 * time.Second,
			Providers: map[string]Provider{
				"openai":    {Every: time.Minute},
				"anthropic": {Every: defaultPace},
			},
		},
		Failover: Failover{
			Strategy:    "priority",
			SwitchAt:    95,
			ReturnBelow: 80,
			MinDwell:    5 * time.Minute,
			Paid:        "last",
		},
		Restart: Restart{
			When:   RestartAuto,
			Via:    ViaAuto,
			Unit:   "openclaw-gateway.service",
			Drain:  5 * time.Minute,
			Budget: Budget{Count: 3, Per: 30 * time.Minute},
		},
		Notify: Notify{
			LoginAfter:  10 * time.Minute,
			RemindEvery: 6 * time.Hour,
			Language:    "en",
		},
		Heartbeat: Heartbeat{Every: 5 * time.Minute},
		Listen:    "127.0.0.1:18790",
		Log:       Log{Level: "info", Format: "auto"},
	}
}
