// Package login starts a fresh login at OpenClaw, brings what a person needs to
// approve it, and says what became of it. OpenClaw does the login and keeps the
// credential: nothing of it passes through here.
package login

import (
	"errors"
	"fmt"
	"time"
)

// Request says what login is wanted.
type Request struct {
	Agent    string
	Provider string // OpenClaw's provider id
	// Profile is the id that the login shall get, "" where OpenClaw may name
	// it. The gateway always names it itself.
	Profile string
}

// Via is the way a login goes.
type Via string

// The ways.
const (
	ViaGateway  Via = "gateway"  // models.authLogin of the running gateway
	ViaTerminal Via = "terminal" // openclaw models auth login, in a terminal of its own
)

// Prompt is what a person needs to approve a login.
type Prompt struct {
	URL string
	// Code is to be typed at URL; "" where the page asks for none.
	Code string
	// ExpiresAt is when Code ends; zero: nobody said.
	ExpiresAt time.Time
	// Paste: the address that the browser ends on has to be handed back, see
	// Attempt.Paste.
	Paste bool
	Via   Via
}

// Result is a login that OpenClaw stored.
type Result struct {
	// Profile is the profile that has the new credential, "" where OpenClaw's
	// store does not show which.
	Profile string
	// New: the store did not have the profile before.
	New bool
}

// What may become of a login besides success.
var (
	// ErrNotOffered: this OpenClaw has no login for the provider that a
	// person elsewhere could approve.
	ErrNotOffered = errors.New("openclaw offers no login for this provider that can be approved from elsewhere")
	// ErrExpired: nobody approved in time.
	ErrExpired = errors.New("the code expired before it was approved")
	// ErrCancelled: Cancel was called.
	ErrCancelled = errors.New("the login was cancelled")
	// ErrNoPaste: the login under way waits for no address.
	ErrNoPaste = errors.New("this login waits for no pasted address: it is approved with its code")
)

// FailedError is a login that OpenClaw or the provider refused.
type FailedError struct {
	What string // in words, without any secret
	Fix  string // what to do about it, "" for: try again
}

// Error names what failed and what mends it.
func (e *FailedError) Error() string {
	if e.Fix == "" {
		return "login failed: " + e.What
	}
	return fmt.Sprintf("login failed: %s; %s", e.What, e.Fix)
}

// PasteError says why a pasted address is of no use. The login goes on.
type PasteError struct{ What string }

// Error says what is wrong with the address, never the address itself.
func (e *PasteError) Error() string { return "the pasted address is not it: " + e.What }
