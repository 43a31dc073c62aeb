package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
)

// watchEvery is how often status --watch asks. It asks the watchdog's memory,
// and no provider.
const watchEvery = 2 * time.Second

// home puts the cursor into the corner, and wipe clears what is left of the
// screen behind what was written: nothing flickers.
const (
	home    = "\x1b[H"
	wipeEnd = "\x1b[K"
	wipe    = "\x1b[J"
)

// watchStatus shows the status again and again until ctx ends. A watchdog that
// is gone may come back.
func watchStatus(ctx context.Context, out io.Writer, look look, ask func(context.Context) (app.Status, error)) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		var b bytes.Buffer
		now := time.Now()
		_, _ = fmt.Fprintf(&b, "%s, every %s, Ctrl-C ends it\n\n", now.Format("15:04:05"), tookText(watchEvery)) // a buffer takes everything
		switch s, err := ask(ctx); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			_, _ = fmt.Fprintf(&b, "%s\n", printable(err.Error()))
		default:
			if err := writeTable(&b, s, look, now); err != nil {
				return err
			}
		}
		if _, err := out.Write(screenful(b.Bytes(), look)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// screenful is text in place of what was shown before, or below it in a pipe.
func screenful(text []byte, look look) []byte {
	if !look.terminal {
		return append(text, '\n')
	}
	text = bytes.ReplaceAll(text, []byte("\n"), []byte(wipeEnd+"\n"))
	return append(append([]byte(home), text...), wipe...)
}
