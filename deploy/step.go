package deploy

import (
	"fmt"
	"io/fs"
	"strings"
)

// Kind is what a step does.
type Kind int

// The kinds.
const (
	MakeDir Kind = iota + 1 // Path, with Mode
	Write                   // Content to Path, with Mode
	Remove                  // Path, with all below it
	Run                     // Argv
)

// Step is one thing to do. Steps are values, so that they can be shown instead
// of being done.
type Step struct {
	Kind    Kind
	Path    string
	Mode    fs.FileMode
	Content string
	Argv    []string
	MayFail bool // of a command: it is in order if it does
}

// String is the step in a few words, without the content.
func (s Step) String() string {
	switch s.Kind {
	case MakeDir:
		return fmt.Sprintf("make   %s (%04o)", s.Path, s.Mode)
	case Write:
		return fmt.Sprintf("write  %s (%04o)", s.Path, s.Mode)
	case Remove:
		return "remove " + s.Path
	case Run:
		return "run    " + strings.Join(s.Argv, " ")
	}
	return fmt.Sprintf("step of kind %d", int(s.Kind))
}

// verb names the step in an error.
func (s Step) verb() string {
	switch s.Kind {
	case MakeDir:
		return "making " + s.Path
	case Write:
		return "writing " + s.Path
	case Remove:
		return "removing " + s.Path
	case Run:
		return "running " + strings.Join(s.Argv, " ")
	}
	return s.String()
}
