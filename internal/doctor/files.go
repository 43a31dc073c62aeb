package doctor

import (
	"fmt"
	"io/fs"
)

// files says which of ocwatch's own files others can write, or read where that
// is nobody's business.
func files(w World) []Finding {
	var list []Finding
	for _, f := range w.Files {
		switch want := f.Want(); {
		case f.Owner != f.Own && f.Owner != 0:
			list = append(list, Finding{
				ID: FileOwner, Severity: Error, About: f.Path, What: fmt.Sprintf("it belongs to the account with uid %d", f.Owner),
				Why: "that account can change what ocwatch does, and ocwatch may not be able to write it",
				Fix: fmt.Sprintf("chown %d %s", f.Own, quote(f.Path)),
			})
		case want != f.Mode.Perm():
			list = append(list, Finding{
				ID: FileMode, Severity: Warning, About: f.Path, What: fmt.Sprintf("others can %s it (mode %04o)", f.allows(), f.Mode.Perm()),
				Why:     why(f),
				Fix:     fmt.Sprintf("chmod %04o %s", want, quote(f.Path)),
				Fixable: f.Owner == f.Own || f.Own == 0,
			})
		}
	}
	return list
}

// The bits that are nobody else's.
const (
	othersAny   fs.FileMode = 0o077
	othersWrite fs.FileMode = 0o022
)

// Want is the mode that f should have: its own, without what is too much.
func (f File) Want() fs.FileMode {
	if f.Private {
		return f.Mode.Perm() &^ othersAny
	}
	return f.Mode.Perm() &^ othersWrite
}

func (f File) allows() string {
	switch {
	case f.Mode.Perm()&othersWrite != 0 && f.Private:
		return "read and write"
	case f.Mode.Perm()&othersWrite != 0:
		return "write"
	case f.Mode.IsDir():
		return "enter"
	}
	return "read"
}

func why(f File) string {
	if f.Mode.Perm()&othersWrite != 0 {
		return "whoever writes it decides what ocwatch does: its config names commands that are run"
	}
	return "it may hold secrets, or the links and codes of logins under way"
}
