package replace

import (
	"fmt"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// UnknownProfileError says that OpenClaw has no profile of that id.
type UnknownProfileError struct {
	Agent, Profile string
	Known          []string
}

// Error lists those that there are.
func (e *UnknownProfileError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("agent %s has no auth profile at all: log in with openclaw models auth login", e.Agent)
	}
	return fmt.Sprintf("agent %s has no profile %s; it has %s", e.Agent, e.Profile, strings.Join(e.Known, ", "))
}

// SameAccountError says that the fresh login is the account that was to be replaced.
type SameAccountError struct {
	Old, New string
	Who      string // e-mail address, "" where it is not known
}

// Error says why that happens and what to do.
func (e *SameAccountError) Error() string {
	who := "the same account as " + e.Old
	if e.Who != "" {
		who += " (" + e.Who + ")"
	}
	msg := "this login is " + who + ": the browser that approved it was still logged in there. Nothing was removed. " +
		"Log out at the provider in that browser, or open the link in a private window, and run this again"
	if e.New != e.Old {
		msg += ". The login that was just made stays, as " + e.New
	}
	return msg
}

// KnownAccountError says that the fresh login is an account that OpenClaw had
// already, beside the one that was to be replaced.
type KnownAccountError struct {
	Old, New string
	Known    string // the profile that has had the account
}

// Error says what removing would have meant.
func (e *KnownAccountError) Error() string {
	msg := "this login is an account that OpenClaw has already, as " + e.Known + ". "
	if e.New == e.Old {
		return msg + overwritten(e.Old) + ". Run this again and approve as the new account"
	}
	msg += "Nothing was removed, since that would only leave one account fewer than before. Approve as the new account and run this again"
	if e.New != e.Known {
		msg += ". The login that was just made stays, as " + e.New
	}
	return msg
}

// overwritten says what a release that names every login the same has done.
func overwritten(old string) string {
	return "This OpenClaw gives every login the id " + old + ", so that it took the place of the old one"
}

// UnprovenError says that nobody can tell whether the fresh login is another
// account, or whether it works. The login stays, and running again asks for none.
type UnprovenError struct {
	Old, New string
	Why      string
}

// Error says how to go on.
func (e *UnprovenError) Error() string {
	kept := fmt.Sprintf("Nothing was removed, and %s stays beside %s", e.New, e.Old)
	if e.New == e.Old {
		kept = overwritten(e.Old)
	}
	return fmt.Sprintf("%s. %s. Make sure of it at the provider, then run this again with --%s: it goes on without another login", e.Why, kept, FlagUnproven)
}

// FlagUnproven is what Request.Unproven is called on the command line.
const FlagUnproven = "unproven"

// NotWorkingError says that the provider refuses the account of the fresh login.
type NotWorkingError struct {
	Old, New string
	Reading  quota.Reading
}

// Error gives the provider's word.
func (e *NotWorkingError) Error() string {
	kept := "Nothing was removed"
	if e.New == e.Old {
		kept = overwritten(e.Old)
	}
	return fmt.Sprintf("the provider does not serve the new login %s: %s. %s. Mend it at the provider, or run this again and approve as another account", e.New, e.Reading.Reason, kept)
}

// RevertedError says that OpenClaw's store no longer has the new login, or has the
// old one again.
type RevertedError struct {
	What string
}

// Error says where old logins come back from.
func (e *RevertedError) Error() string {
	return e.What + ": a gateway of an older release writes what it read at its start over whatever changed since. Run this again: the gateway is then stopped first"
}

// StoppedError says that the change was not finished, and that the gateway that
// it stopped could not be started again.
type StoppedError struct {
	Command string // starts it
	Err     error  // why the change was not finished; nil where only the start failed
	Start   error
}

// Error says first what is urgent.
func (e *StoppedError) Error() string {
	msg := fmt.Sprintf("THE GATEWAY IS STOPPED and could not be started again (%v): run %s", e.Start, e.Command)
	if e.Err != nil {
		msg += fmt.Sprintf(". Before that: %v", e.Err)
	}
	return msg
}

// Unwrap gives both errors.
func (e *StoppedError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Start}
	}
	return []error{e.Err, e.Start}
}
