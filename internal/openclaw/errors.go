package openclaw

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of the gateway that a caller tells apart with errors.Is.
var (
	// ErrGatewayDown: no connection to the gateway, or it was lost while the
	// call was under way. Whether a call that was under way took effect is not
	// known.
	ErrGatewayDown = errors.New("the gateway is not reachable")
	// ErrMethodUnavailable: the gateway does not announce the method, so it is
	// too old for it (or too new).
	ErrMethodUnavailable = errors.New("the gateway does not offer this method")
	// ErrUnauthorized: the gateway refused the token or password, there is
	// none, or it may not be sent there.
	ErrUnauthorized = errors.New("not authorized by the gateway")
)

// NotFoundError says where an install was looked for in vain.
type NotFoundError struct {
	Looked []string // one entry a place: what was looked for, and where
}

// Error lists every place.
func (e *NotFoundError) Error() string {
	return "no OpenClaw install found; looked for " + strings.Join(e.Looked, ", ") +
		": start OpenClaw once as this user, or set openclaw.state_dir (or OPENCLAW_STATE_DIR) to its state directory"
}

// AccessError says that an install is there and cannot be used by this account.
type AccessError struct {
	Path string
	What string // what is wrong with it
	Fix  string
	Err  error // nil where the file system reported nothing
}

// Error names the path and what mends it.
func (e *AccessError) Error() string { return fmt.Sprintf("%s %s: %s", e.Path, e.What, e.Fix) }

// Unwrap gives the cause.
func (e *AccessError) Unwrap() error { return e.Err }

// StoreErrorKind tells apart why an auth store could not be read.
type StoreErrorKind string

// The kinds.
const (
	// NeedsMigration: the store of an older release awaits openclaw doctor --fix.
	NeedsMigration StoreErrorKind = "needs-migration"
	UnknownSchema  StoreErrorKind = "unknown-schema"
	Corrupt        StoreErrorKind = "corrupt"
	NotPermitted   StoreErrorKind = "not-permitted"
	Busy           StoreErrorKind = "busy"
)

// StoreError says that an auth store is there and could not be read. It is
// never to be taken for an empty store.
type StoreError struct {
	Path string
	Kind StoreErrorKind
	Fix  string // the command or the action that mends it
	Err  error  // never holds content of the store
}

// Error names file, kind and what mends it.
func (e *StoreError) Error() string {
	msg := fmt.Sprintf("auth store %s: %s", e.Path, e.Kind)
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	if e.Fix != "" {
		msg += "; " + e.Fix
	}
	return msg
}

// Unwrap gives the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// CLIError says that the openclaw command failed.
type CLIError struct {
	Args     []string // without the command itself
	ExitCode int      // -1 where a signal ended it
	Message  string   // its own first words, shortened; "" where it said nothing
	Err      error
}

// Error names the command and what it said.
func (e *CLIError) Error() string {
	msg := fmt.Sprintf("openclaw %s: exit code %d", strings.Join(e.Args, " "), e.ExitCode)
	if e.Err != nil && e.ExitCode < 0 {
		msg = fmt.Sprintf("openclaw %s: %v", strings.Join(e.Args, " "), e.Err)
	}
	if e.Message != "" {
		msg += ": " + e.Message
	}
	return msg
}

// Unwrap gives the cause.
func (e *CLIError) Unwrap() error { return e.Err }

// CommandNotFoundError says that there is no openclaw command to run.
type CommandNotFoundError struct {
	Command string
	Err     error
}

// Error names the command and what mends it.
func (e *CommandNotFoundError) Error() string {
	return fmt.Sprintf("command %q not found: put openclaw on PATH, or set openclaw.command to its full path", e.Command)
}

// Unwrap gives the cause.
func (e *CommandNotFoundError) Unwrap() error { return e.Err }

// RPCError is the gateway's own refusal of a call.
type RPCError struct {
	Method    string
	Code      string // the gateway's, such as INVALID_REQUEST
	Message   string // the gateway's, shortened
	Retryable bool
	// Detail is the code within the gateway's details, such as
	// WIZARD_NOT_FOUND, "" where it gave none. It says more than Code does.
	Detail string

	kind error // ErrMethodUnavailable, ErrUnauthorized, or nil
}

// Error names the method and what the gateway said.
func (e *RPCError) Error() string {
	return fmt.Sprintf("gateway refused %s: %s: %s", e.Method, e.Code, e.Message)
}

// Unwrap serves errors.Is with ErrMethodUnavailable and ErrUnauthorized.
func (e *RPCError) Unwrap() error { return e.kind }
