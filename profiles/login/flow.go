package login

import "context"

// flow is one login under way at OpenClaw: by the gateway's RPC, or by the
// command in a terminal. What it asks for is known when there is one.
type flow interface {
	// prompt is what a person needs; it does not change.
	prompt() Prompt
	// paste hands over the address that the browser ended on: ErrNoPaste,
	// *PasteError while the login goes on, or *FailedError. It returns once
	// OpenClaw took the address or refused it.
	paste(ctx context.Context, address string) error
	// wait returns when the login is over: nil where OpenClaw says that it is
	// done, else ErrExpired, ErrCancelled, *FailedError. Several may wait, and
	// again after the end. ctx bounds only this wait.
	wait(ctx context.Context) error
	// cancel ends the login at OpenClaw. It may be called at any time and
	// again, and returns when the login is over, after 5 s at most.
	cancel()
}
