package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// look is how something is shown: as it is in a pipe, with bars on a terminal,
// and with colours where they are wanted.
type look struct {
	terminal bool // that can draw
	colours  bool
	ascii    bool // nothing else can be shown
	width    int  // of the terminal, in columns; 0 where there is none
}

// lookOf is what w can show and its owner wants.
func lookOf(w io.Writer, getenv func(string) string) look {
	l := look{ascii: !speaksUTF8(getenv)}
	f, ok := w.(*os.File)
	tty := ok && isTerminal(f)
	if tty {
		l.width, _ = sizeOf(f)
		l.terminal = getenv("TERM") != "dumb"
	}
	// What no-color.org and bixense.com/clicolors say.
	forced := getenv("CLICOLOR_FORCE") != "" && getenv("CLICOLOR_FORCE") != "0"
	l.colours = (l.terminal || forced) && getenv("NO_COLOR") == ""
	return l
}

// speaksUTF8 goes by the locale, as the C library does.
func speaksUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}

// usualWidth and usualHeight are of a terminal that does not say.
const (
	usualWidth  = 80
	usualHeight = 24
)

// sizeOf is the size of a terminal.
func sizeOf(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return usualWidth, usualHeight
	}
	return width, height
}

// readable is how wide text is at most, whatever the terminal: longer lines are
// hard to follow.
const readable = 100

// textWidth is how wide text is.
func (l look) textWidth() int {
	if l.width == 0 {
		return usualWidth
	}
	return min(l.width, readable)
}

// colour is the number of one.
type colour string

const (
	plain  colour = "39"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

func (l look) paint(text string, c colour) string {
	if !l.colours || c == plain {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// window is the cell of one of an account's windows, with a bar of a width.
func (l look) window(pr watchdog.ProfileStatus, name string, bar int) string {
	text := usedCell(pr, name)
	used, ok := usedOf(pr, name)
	if !ok || !l.terminal || bar == 0 {
		return text
	}
	return l.paint(l.bar(used, bar), usedColour(pr.State, used))
}

// bar shows a percentage. Only what is spent is full.
func (l look) bar(percent float64, width int) string {
	full := int(min(100, max(0, percent))*float64(width)/100 + 0.5)
	if percent < 100 {
		full = min(full, width-1)
	}
	used, free := "█", "░"
	if l.ascii {
		used, free = "#", "."
	}
	return strings.Repeat(used, full) + strings.Repeat(free, width-full) + padLeft(percentText(percent), len(" 100 %"))
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
