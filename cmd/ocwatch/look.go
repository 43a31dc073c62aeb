package main

import (
	"io"
	"os"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// look is how a table is shown: as it is in a pipe, with bars on a terminal,
// and with colours where they are wanted.
type look struct{ terminal, colours bool }

// lookOf is what w can show and its owner wants.
func lookOf(w io.Writer, getenv func(string) string) look {
	f, ok := w.(*os.File)
	l := look{terminal: ok && isTerminal(f) && getenv("TERM") != "dumb"}
	l.colours = l.terminal && getenv("NO_COLOR") == ""
	return l
}

// colour is the number of one. All have two digits, so that each painted cell
// is wider by the same, and columns stay straight.
type colour string

const (
	plain  colour = "39"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

func (l look) paint(text string, c colour) string {
	if !l.colours {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// window is the cell of one of an account's windows.
func (l look) window(pr watchdog.ProfileStatus, name string) string {
	text := usedCell(pr, name)
	used, ok := usedOf(pr, name)
	switch {
	case !l.terminal:
		return text
	case !ok:
		return l.paint(text, plain)
	}
	return l.paint(bar(min(100, max(0, used))), usedColour(pr.State, used))
}

// usedColour goes by the state, which knows the thresholds, and by what is left
// of an account that is fine.
func usedColour(s failover.State, used float64) colour {
	if used >= 100 {
		return red
	}
	if used >= 80 || s == failover.Low {
		return yellow
	}
	return green
}

func stateColour(s failover.State) colour {
	switch s {
	case failover.Available:
		return green
	case failover.Low:
		return yellow
	case failover.Exhausted, failover.Dead:
		return red
	case failover.Unknown:
	}
	return plain
}

func poolColour(s failover.PoolState) colour {
	switch s {
	case failover.PoolOK:
		return green
	case failover.PoolWarning, failover.PoolBlind:
		return yellow
	case failover.PoolDepleted:
		return red
	case failover.PoolUnknown:
	}
	return plain
}
