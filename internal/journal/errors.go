package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// What can be wrong with the journal, for errors.Is.
var (
	ErrDamaged  = errors.New("the file is damaged")
	ErrNewer    = errors.New("the file was written by a newer ocwatch")
	ErrForeign  = errors.New("the file is a database of another program")
	ErrFull     = errors.New("the disk is full")
	ErrReadOnly = errors.New("the file or its directory cannot be written")
	ErrBusy     = errors.New("another process holds the file")
	ErrDisk     = errors.New("the disk cannot be read or written")
	ErrNoFile   = errors.New("it is no file")
)

// unwritable reports whether err says that the file cannot be written now, for
// a reason outside it.
func unwritable(err error) bool {
	for _, kind := range []error{ErrFull, ErrReadOnly, ErrBusy, ErrDisk} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// explain says what failed on which file and what mends it. It is nil for nil.
func (j *Journal) explain(op string, err error) error {
	if err == nil {
		return nil
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return fmt.Errorf("journal %s: %s: %w", j.path, op, err)
	}
	mend, kind := classify(se.Code())
	if kind == nil {
		return fmt.Errorf("journal %s: %s: %w", j.path, op, err)
	}
	return fmt.Errorf("journal %s: %s: %w (%w); %s", j.path, op, kind, err, mend)
}

// mendFile says what helps where a file cannot be opened at all.
func mendFile(path string, err error) string {
	switch info, statErr := os.Stat(path); {
	case statErr == nil && !info.Mode().IsRegular():
		return "no file is in its place: move " + path + " away"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: mount it read-write"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space"
	case errors.Is(err, fs.ErrPermission) && statErr == nil && info.Mode().IsRegular():
		return fmt.Sprintf("give it to the user that runs ocwatch: chown %d %s", os.Getuid(), path)
	}
	return "data_dir must belong to the user that runs ocwatch"
}

// classify maps an SQLite result code, extended or not, to what a person can
// do about it; nil for the rest.
func classify(code int) (mend string, kind error) {
	if code == lib.SQLITE_IOERR_SHMSIZE { // a full disk, while the file is opened
		return "free some space", ErrFull
	}
	switch code & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return "it is set aside, and what can be read is taken over", ErrDamaged
	case lib.SQLITE_FULL:
		return "free some space", ErrFull
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return "data_dir must be writable by the user that runs ocwatch", ErrReadOnly
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return "stop the other process, or give it a data_dir of its own", ErrBusy
	case lib.SQLITE_IOERR:
		return "the kernel's log says what is wrong with the disk", ErrDisk
	}
	return "", nil
}

// isConstraint reports that a row was not wanted, as one that is there already.
func isConstraint(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == lib.SQLITE_CONSTRAINT
}
