// Package watch notices changes of files within a second: notifications for
// directories say that something may have happened, and a look at the content
// says whether it did. Where notifications cannot be had, it still looks every
// half minute.
package watch

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
)

// Options make a Watcher.
type Options struct {
	// Dirs lists the directories to be watched that exist now.
	Dirs func() []string
	// Concerns reports whether a change at path is worth a look; written tells
	// a change of content from a file that was made, removed or renamed.
	// Whatever Look itself causes must not concern it.
	Concerns func(path string, written bool) bool
	// Look reads what the files say and gives its digest. An error is no state:
	// it is given up for now.
	Look func(ctx context.Context) (uint64, error)
	// Changed is called when the digest is another one. It must not block.
	Changed func()
	Log     zerolog.Logger
}

// pace bounds what watching may cost.
type pace struct {
	// settle is waited for after a notification: one change is often several
	// writes.
	settle time.Duration
	// rest is the least time between two looks; thousands of writes a second
	// are then two looks.
	rest time.Duration
	// share is how many times as long as a look the rest is at least: looking
	// takes no more than one part in share of a processor, however large the
	// store.
	share int
	// again is when the directories are listed anew and looked at without a
	// notification. A mount over a directory, a file system that tells nothing
	// (NFS), and a limit on notifications that was reached come to light then.
	again time.Duration
}

func defaultPace() pace {
	return pace{settle: 100 * time.Millisecond, rest: 400 * time.Millisecond, share: 20, again: 30 * time.Second}
}

// Watcher watches until its Run ends.
type Watcher struct {
	Options
	pace   pace
	bell   *bell
	seen   uint64 // the last digest
	looked bool   // seen is one
	ailing string // why notifications are wanting, as it was said
}

// New returns a Watcher. Begin and then Run bring it to life.
func New(o Options) *Watcher {
	return &Watcher{Options: o, pace: defaultPace(), bell: &bell{concerns: o.Concerns, make: fsnotify.NewWatcher}}
}

// Begin starts the notifications and looks for the first time. What changes
// after it returned is noticed by Run, so whoever acts on changes begins to
// watch before reading for the first time.
func (w *Watcher) Begin(ctx context.Context) {
	w.attend()
	w.look(ctx)
}

// Run calls Changed for changes until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	defer w.bell.close()
	for {
		again, err := w.bell.wait(ctx, w.pace.again)
		if err != nil || pause(ctx, w.pace.settle) != nil {
			return
		}
		// What is drained here was written before the look; what comes later
		// stays in the queue for the next one.
		if again = w.bell.drain() || again; again {
			w.attend()
		}
		begin := time.Now()
		w.look(ctx)
		if pause(ctx, max(w.pace.rest, time.Duration(w.pace.share)*time.Since(begin))) != nil {
			return
		}
	}
}

// attend watches the directories that there are now.
func (w *Watcher) attend() {
	err := w.bell.attend(w.Dirs())
	switch {
	case err == nil && w.ailing != "":
		w.ailing = ""
		w.Log.Info().Msg("changes are noticed at once again")
	case err != nil && w.ailing != err.Error():
		w.ailing = err.Error()
		w.Log.Warn().Err(err).Stringer("looked_every", w.pace.again).
			Msg("changes are not noticed at once, but when they are looked for; it is tried again by itself")
	}
}

func (w *Watcher) look(ctx context.Context) {
	now, err := w.safeLook(ctx)
	if err != nil {
		w.Log.Debug().Err(err).Msg("a look for changes was given up")
		return
	}
	changed := w.looked && now != w.seen
	w.seen, w.looked = now, true
	if changed {
		w.Changed()
	}
}

// safeLook keeps a panic over one odd document from ending the watch.
func (w *Watcher) safeLook(ctx context.Context) (now uint64, err error) {
	defer func() {
		if r := recover(); r != nil {
			w.Log.Error().Interface("panic", r).Bytes("stack", debug.Stack()).Msg("a look for changes failed")
			err = errPanic
		}
	}()
	return w.Look(ctx)
}

var errPanic = errors.New("it panicked")

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
