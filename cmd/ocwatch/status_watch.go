package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
)

// watchEvery is how often status --watch asks. It asks the watchdog's memory,
// and no provider.
const watchEvery = 2 * time.Second

// What a terminal is told. The screen that was there comes back in the end. No
// line is broken by the terminal, which would make two of it, and each is
// cleared behind what is written over it: nothing flickers.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	wipeEnd     = "\x1b[K"
	wipe        = "\x1b[J"
)

// watcher shows the status again and again.
type watcher struct {
	out io.Writer
	// look tells how it is to be shown and how many lines there are, anew each
	// time: a window can be resized.
	look func() (look, int)
	ask  func(context.Context) (app.Status, error)
}

// watchStatus shows the status on out until ctx ends.
func watchStatus(ctx context.Context, out io.Writer, ask func(context.Context) (app.Status, error)) error {
	w := watcher{out: out, ask: ask, look: func() (look, int) { return lookOf(out, os.Getenv), heightOf(out) }}
	if l, _ := w.look(); !l.terminal {
		return w.run(ctx, nil)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGTSTP)
	defer signal.Stop(signals)
	// A window that is closed, and Ctrl-\, end it as Ctrl-C does.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	if _, err := io.WriteString(out, enterScreen); err != nil {
		return err
	}
	err := w.run(ctx, signals)
	_, leaveErr := io.WriteString(out, leaveScreen)
	return errors.Join(err, leaveErr)
}

// run shows the status every watchEvery, and whenever the terminal is resized
// or come back to. A watchdog that is gone may come back.
func (w watcher) run(ctx context.Context, signals <-chan os.Signal) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		s, err := w.ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := w.show(s, err, time.Now()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case got := <-signals:
			if got == syscall.SIGTSTP {
				if err := w.pause(); err != nil {
					return err
				}
			}
		case <-tick.C:
		}
	}
}

// pause is Ctrl-Z: the shell gets its screen, and until fg nothing goes on.
func (w watcher) pause() error {
	if _, err := io.WriteString(w.out, leaveScreen); err != nil {
		return err
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	_, err := io.WriteString(w.out, enterScreen)
	return err
}

// show writes a status, or why there is none.
func (w watcher) show(s app.Status, err error, now time.Time) error {
	look, height := w.look()
	head := fmt.Sprintf("%s, every %s, Ctrl-C ends it\n\n", now.Format("15:04:05"), tookText(watchEvery))
	pools, notices := poolsText(s, look, now), noticesText(s, look, now)
	if err != nil {
		var b strings.Builder
		look.notice(&b, err.Error())
		pools, notices = b.String(), ""
	}
	text := head + pools + notices + "\n"
	if look.terminal {
		text = screenful(head, pools, notices, look.width, height)
	}
	_, err = io.WriteString(w.out, text)
	return err
}

// screenful is a whole screen in place of the one before. Where it is too small
// the accounts at the end make room: the first ones serve, and what is said
// below them is what a person has to do.
func screenful(head, pools, notices string, width, height int) string {
	all, lines, rest := linesOf(head), linesOf(pools), linesOf(notices)
	if room := height - len(all) - len(rest); len(lines) > room {
		kept := min(len(lines), max(0, room-1))
		lines = append(lines[:kept:kept], fmt.Sprintf("(%d more lines: ocwatch status has all)", len(lines)-kept))
	}
	all = append(append(all, lines...), rest...)
	all = all[:min(len(all), height)]
	var b strings.Builder
	b.WriteString(home)
	for i, line := range all {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(clip(line, width))
		// Behind a full line the cursor is still on its last character.
		if columnsOf(line) < width {
			b.WriteString(wipeEnd)
		}
	}
	if len(all) < height {
		b.WriteString("\r\n" + wipe)
	}
	return b.String()
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// heightOf is how many lines w can show.
func heightOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		_, height := sizeOf(f)
		return height
	}
	return usualHeight
}
