package replace

import "github.com/ocwatch/ocwatch/profiles"

// Step is one step of a change.
type Step string

// The steps, in the order in which they come. Not every change has each.
const (
	Stop     Step = "stop"      // the gateway, where it would write the old login back
	LogIn    Step = "log in"    // a person, on a phone or in a browser
	Check    Step = "check"     // that the new login works and is another account
	PutFirst Step = "put first" // the new profile, with the old one last
	Remove   Step = "remove"    // the old profile
	Settle   Step = "settle"    // an order without the old one, seen by the gateway
	Start    Step = "start"     // the gateway again
	Health   Step = "health"    // the gateway answers, and the old login has not come back
	Done     Step = ""
)

// state is how far a change has come. It is made anew by each run, from what
// OpenClaw has and from the progress document.
type state struct {
	// writesBack: the gateway of this release keeps what it read at its start,
	// and writes it over whatever changed since.
	writesBack bool
	// way is known before the first step where the gateway may have to be
	// stopped, and else once the new profile is first.
	way     profiles.RemoveWay
	running bool // a gateway runs

	stopped  bool // by us, now or in a run that was interrupted
	loggedIn bool
	inPlace  bool // the new login has the old one's id
	checked  bool
	first    bool
	removed  bool
	settled  bool
	healthy  bool
}

// next is the step that comes now. Nothing is taken away before what replaces
// it is there, proven and in its place.
func next(s state) Step {
	ready := s.loggedIn && s.checked && s.first
	gone := s.removed || s.inPlace || s.way == profiles.RemoveByOrder
	switch {
	case s.running && (s.writesBack && !s.settled || s.way == profiles.RemoveByFile && ready && !gone):
		return Stop
	case !s.loggedIn:
		return LogIn
	case !s.checked:
		return Check
	case !s.first:
		return PutFirst
	case !gone:
		return Remove
	case !s.settled:
		return Settle
	case s.stopped:
		return Start
	case !s.healthy:
		return Health
	}
	return Done
}
