package main

import (
	"context"
	"io"
	"time"
)

// unseenQuiet is how long nothing may come after the end of a line. A clipboard
// comes all at once, and a token that a terminal had folded has line ends
// inside. What was left of it would go to the shell, which shows it, runs it,
// and keeps it in its history.
const unseenQuiet = 250 * time.Millisecond

// The keys that count where a terminal is in raw mode.
const (
	keyInterrupt = 0x03 // Ctrl-C
	keyEnd       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyKill      = 0x15 // Ctrl-U
	keyQuit      = 0x1c // Ctrl-\
	keyDelete    = 0x7f
)

// keysOf sends what comes from f, and closes the channel at its end. A read from
// a terminal cannot be called off: it goes with the process.
func keysOf(f io.Reader) <-chan []byte {
	keys := make(chan []byte)
	go func() {
		defer close(keys)
		for {
			buf := make([]byte, 4096)
			n, err := f.Read(buf)
			if n > 0 {
				keys <- buf[:n]
			}
			if err != nil || n == 0 {
				return
			}
		}
	}()
	return keys
}

// readUnseen puts keys together up to the end of a line that nothing follows.
func readUnseen(ctx context.Context, keys <-chan []byte) ([]byte, error) {
	var l unseenLine
	var over <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil, given(ctx)
		case <-over:
			return l.text, nil
		case some, more := <-keys:
			if !more || len(l.text) > secretMost {
				return l.text, nil
			}
			for _, k := range some {
				if k == keyInterrupt || k == keyQuit {
					return nil, errCancelled
				}
				l.key(k)
			}
			if l.ended {
				over = time.After(unseenQuiet)
			}
		}
	}
}

// unseenLine is what was typed so far.
type unseenLine struct {
	text  []byte
	ended bool // there was an end of a line
}

func (l *unseenLine) key(k byte) {
	switch k {
	case '\r', '\n':
		l.text, l.ended = append(l.text, '\n'), true
	case keyEnd:
		l.ended = true
	case keyBackspace, keyDelete:
		l.text = l.text[:max(0, len(l.text)-1)]
	case keyKill:
		l.text = l.text[:0]
	default:
		l.text = append(l.text, k)
	}
}
