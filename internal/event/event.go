// Package event holds what ocwatch tells the world: types and their JSON, as
// documented in docs/events.md. The names are a contract with receivers.
package event

import "time"

// Type names an event.
type Type string

// The event types.
const (
	ProfileLow           Type = "profile.low"
	ProfileExhausted     Type = "profile.exhausted"
	ProfileRecovered     Type = "profile.recovered"
	ProfileLoginRequired Type = "profile.login_required"
	ProfileExpiring      Type = "profile.expiring"
	PoolSwitched         Type = "pool.switched"
	PoolPaid             Type = "pool.paid"
	PoolDepleted         Type = "pool.depleted"
	PoolRecovered        Type = "pool.recovered"
	LoginStarted         Type = "login.started"
	LoginCompleted       Type = "login.completed"
	LoginFailed          Type = "login.failed"
	GatewayRestarted     Type = "gateway.restarted"
	GatewayDown          Type = "gateway.down"
	WatchdogBlind        Type = "watchdog.blind"
	WatchdogStarted      Type = "watchdog.started"
	WatchdogStopped      Type = "watchdog.stopped"
	Test                 Type = "test"
)

// Types lists every event type, in the order of the documentation.
func Types() []Type {
	return []Type{
		ProfileLow, ProfileExhausted, ProfileRecovered, ProfileLoginRequired, ProfileExpiring,
		PoolSwitched, PoolPaid, PoolDepleted, PoolRecovered,
		LoginStarted, LoginCompleted, LoginFailed,
		GatewayRestarted, GatewayDown, WatchdogBlind, WatchdogStarted, WatchdogStopped, Test,
	}
}

// What a person has to do about a depleted pool.
const (
	ActionWait  = "wait"  // quota comes back by itself soon
	ActionLogin = "login" // a fresh login is the quickest way
)

// Event is the body of a webhook.
type Event struct {
	Type      Type      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// Data says what happened. Fields that do not apply are left out.
type Data struct {
	Host     string `json:"host,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Provider string `json:"provider,omitempty"`
	// Profile is the one profile that a profile.* event is about.
	Profile string `json:"profile,omitempty"`
	Action  string `json:"action,omitempty"`
	// Ends is the type of the alarm that this event ends.
	Ends Type `json:"ends,omitempty"`
	// Reminder: the same was told before in this episode, and still holds.
	Reminder bool `json:"reminder,omitempty"`
	// Paused: its owner told ocwatch to change nothing, so it begins no login.
	Paused bool `json:"paused,omitempty"`
	// Message is the whole story in one or two sentences, for a phone.
	Message    string     `json:"message"`
	Reason     string     `json:"reason,omitempty"`
	From       string     `json:"from,omitempty"` // pool.switched: who was first
	To         string     `json:"to,omitempty"`   // pool.switched: who is first now
	RecoversAt *time.Time `json:"recovers_at,omitempty"`
	// RunsDryAt is when the pool is expected to have nobody left that can serve,
	// of a warning ahead of it; RecoversAt is then the end of that, and FirstBack
	// who ends it.
	RunsDryAt *time.Time `json:"runs_dry_at,omitempty"`
	FirstBack string     `json:"first_back,omitempty"`
	Order     []string   `json:"order,omitempty"`
	Profiles  []Profile  `json:"profiles,omitempty"`
	Login     *Login     `json:"login,omitempty"`
}

// Profile is one profile's state within an event.
type Profile struct {
	ID     string     `json:"id"`
	State  string     `json:"state"`
	Reason string     `json:"reason,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	// Refused: OpenClaw refuses it for a while after errors. It has quota and a
	// login, so no login would help.
	Refused bool `json:"refused,omitempty"`
	// Paid: it is an API key that is billed for every token. No login renews it.
	Paid bool `json:"paid,omitempty"`
	// Key: it is an API key that belongs to a plan. No login renews it either.
	Key bool `json:"key,omitempty"`
}

// Login is what a person needs to log in again.
type Login struct {
	URL       string     `json:"url,omitempty"`
	Code      string     `json:"code,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// Paste: the address that the browser ends on goes back to ocwatch, see
	// Command.
	Paste   bool   `json:"paste,omitempty"`
	Command string `json:"command"`
	// Key: what helps is an API key, which Command asks for. No login is begun
	// for it.
	Key bool `json:"-"`
	// Chat is what to send OpenClaw in a private chat to be given a code of
	// its own, "" where this OpenClaw has no such command for the provider.
	Chat string `json:"chat,omitempty"`
}
