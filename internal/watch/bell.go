package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// bell rings when something happened in a directory. Without a notifier it
// rings by the clock alone.
type bell struct {
	concerns func(path string, written bool) bool
	make     func() (*fsnotify.Watcher, error)
	notifier *fsnotify.Watcher // nil: there is none
	lost     chan struct{}     // the notifier missed something; it must never wait for its reader
	dirs     []string
}

// wait returns when there was an event of concern, or after the given time.
// again reports that the directories may be other ones now.
func (b *bell) wait(ctx context.Context, atMost time.Duration) (again bool, err error) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for {
		var events chan fsnotify.Event
		if b.notifier != nil {
			events = b.notifier.Events
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timer.C:
			return true, nil
		case <-b.lost:
			return true, nil
		case e, open := <-events:
			if !open {
				b.close()
				continue // until the clock says to try anew
			}
			if rings, again := b.weigh(e); rings {
				return again, nil
			}
		}
	}
}

// drain takes what is waiting.
func (b *bell) drain() (again bool) {
	if b.notifier == nil {
		return false
	}
	for {
		select {
		case <-b.lost:
			again = true
		case e, open := <-b.notifier.Events:
			if !open {
				b.close()
				return true
			}
			_, moved := b.weigh(e)
			again = again || moved
		default:
			return again
		}
	}
}

// weigh says whether e is of concern, and whether it may concern the list of
// directories.
func (b *bell) weigh(e fsnotify.Event) (rings, again bool) {
	moved := e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	if !moved && !e.Has(fsnotify.Write) {
		return false, false // permissions and times
	}
	rings = b.concerns(e.Name, e.Has(fsnotify.Write)) || (moved && slices.Contains(b.dirs, e.Name))
	return rings, rings && moved
}

// attend watches dirs and no others. What could not be watched is the error.
func (b *bell) attend(dirs []string) error {
	if err := b.open(); err != nil {
		return err
	}
	for _, dir := range b.notifier.WatchList() {
		if !slices.Contains(dirs, dir) {
			_ = b.notifier.Remove(dir) // it may be gone, and its watch with it
		}
	}
	b.dirs = dirs
	var errs []error
	for _, dir := range dirs {
		// Anew each time: under the same name there may be another directory.
		if err := b.notifier.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, explain(dir, err))
		}
		if len(errs) > 0 && errors.Is(errs[0], syscall.ENOSPC) {
			break // the others would say the same
		}
	}
	return errors.Join(errs...)
}

func (b *bell) open() error {
	if b.notifier != nil {
		return nil
	}
	n, err := b.make()
	if err != nil {
		return explain("", err)
	}
	lost := make(chan struct{}, 1)
	// The notifier may hold its lock while it waits for somebody to take an
	// error; Add and Remove want that lock. One that is waiting stands for all:
	// each means that events were lost.
	go func() {
		for range n.Errors {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	}()
	b.notifier, b.lost = n, lost
	return nil
}

func (b *bell) close() {
	if b.notifier != nil {
		_ = b.notifier.Close()
	}
	b.notifier, b.lost, b.dirs = nil, nil, nil
}

// explain says what raises the limit that was reached.
func explain(dir string, err error) error {
	what := "file notification"
	if dir != "" {
		what = "watch " + dir
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: this account's watches are used up: raise fs.inotify.max_user_watches with sysctl: %w", what, err)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("%s: this account's notifiers are used up: raise fs.inotify.max_user_instances with sysctl: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
