package doctor

import (
	"io/fs"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

// World is all that the checks look at. The zero value of a part means that it
// was not looked at: where the config file cannot be read, nobody knows which
// OpenClaw is meant.
type World struct {
	Now      time.Time
	Config   Config
	OpenClaw *OpenClaw
	Gateway  *Gateway
	Auth     *Auth
	Sessions []Sessions // one for each agent that is watched
	Clocks   []Clock
	Service  *Service
	Notify   *Notify
	Files    []File
	// Dead are the profiles that a running watchdog found dead by asking their
	// provider. OpenClaw may not have noticed yet.
	Dead []Dead
	// Unmetered are the profiles whose quota cannot be asked for.
	Unmetered []Unmetered
}

// Unmetered is a profile whose quota cannot be asked for, why, and what mends
// it: the words are the same for all of a pool.
type Unmetered struct{ Agent, Provider, Profile, Why, Fix string }

// Dead is a profile that only a person who logs in brings back.
type Dead struct{ Agent, Profile, Reason, Fix string }

// Config is ocwatch's own configuration.
type Config struct {
	Path string // "" for none
	Err  error  // why it cannot be used
	// NeverPaid are the providers, by their canonical ids, whose paid profiles
	// the owner wants left out of the order.
	NeverPaid []string
	Budget    restart.Budget
}

// OpenClaw is the install.
type OpenClaw struct {
	Err       error // why there is none
	StateDir  string
	Config    string   // the path of openclaw.json
	Others    []string // further state directories that nobody chose between
	Command   string   // its path, or the bare name that was looked for in vain
	NoCommand bool
	ConfigErr error // of openclaw.json
	// Fallbacks are the models that agents go on with by default.
	Fallbacks []string
	// SecretRef: the gateway's token is a reference that only OpenClaw resolves.
	SecretRef bool
}

// Gateway is what the running gateway answered.
type Gateway struct {
	URL    string
	Health openclaw.Health
	Hello  openclaw.Hello
	Err    error // of the connection to its RPC
}

// Auth is OpenClaw's auth state.
type Auth struct {
	Snapshot profiles.Snapshot
	Err      error
}

// Sessions are the conversations of one agent that are tied to a profile.
type Sessions struct {
	Agent string
	Pins  []openclaw.Pin
	Err   error
}

// Clock is how the machine's clock compares with a provider's.
type Clock struct {
	Provider string
	URL      string        // scheme and host of where it was asked
	Ahead    time.Duration // ours minus theirs, to the second
	Said     bool          // the answer had a Date
	Err      error         // there was no answer
}

// Service is what systemd knows of the gateway and of ocwatch.
type Service struct {
	Account string // whose units the user's are
	Linger  bool
	Running bool // a watchdog answers on the status socket
	Mute    bool // one took the connection, and did not answer
	Units   []Unit
	// Failed says why a manager could not be asked, one entry each.
	Failed []string
	// NoSystemd: something else runs this machine, or this is a container.
	NoSystemd bool
	// NoUserBus: systemd runs this machine, and no manager of the account's.
	NoUserBus bool
}

// Unit is a unit of the gateway's or of ocwatch's.
type Unit struct {
	Name    string
	User    bool // of the account's own manager
	Gateway bool
	State   restart.UnitState
}

// Notify are those who are told.
type Notify struct {
	Told      bool // there is a webhook or a channel
	Endpoints []Endpoint
}

// Endpoint is a webhook, a channel or the heartbeat.
type Endpoint struct {
	Name  string
	Host  string // host:port that was connected to
	Proxy bool   // Host is that of the proxy before it
	Beat  bool   // it is the heartbeat's monitor
	Err   string // why it could not be reached, "" where it could
	Gone  bool   // it answered 410, and nothing is sent there any more
}

// File is one of ocwatch's own files or directories.
type File struct {
	Path  string
	Mode  fs.FileMode
	Owner int // uid
	// Own is the uid that ocwatch runs as.
	Own int
	// Private: nobody else may read it either.
	Private bool
}
