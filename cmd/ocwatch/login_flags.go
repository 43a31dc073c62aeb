package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// apart are flags that do not go together, and why.
//
//nolint:gochecknoglobals // a constant list
var apart = []struct{ one, other, why string }{
	{"replace", "provider", "the profile says which provider it is"},
	{"replace", "profile-id", "OpenClaw or ocwatch names the new profile"},
	{"replace", "api-key", "the profile says whether it is a key"},
	{"replace", "notify", "somebody has to see the change through: run it without --notify"},
	{"replace", "paste", "paste the address where the change asks for it"},
	{"notify", "api-key", "a key is pasted, and never sent"},
	{"notify", "paste", "begin the login first, then hand the address over"},
	{"paste", "api-key", "it takes an address: the key is read from standard input"},
}

// check finds what was typed in vain.
func (f loginFlags) check(cmd *cobra.Command) error {
	typed := func(name string) bool { return cmd.Flags().Changed(name) }
	for _, p := range apart {
		if typed(p.one) && typed(p.other) {
			return fmt.Errorf("--%s and --%s do not go together: %s", p.one, p.other, p.why)
		}
	}
	switch {
	case typed("paste") && f.paste == "":
		return errors.New("--paste: there is no address: put it between single quotes, or give - to read it from standard input")
	case typed("replace") && f.replace == "":
		return errors.New("--replace: there is no profile; ocwatch check lists them")
	case f.unproven && !typed("replace"):
		return errors.New("--unproven is for --replace: a login alone needs no proof")
	}
	return nil
}

// noLoginArgs has a hint for who leaves out the name of the flag.
func noLoginArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%q: %s takes no arguments, only flags, such as --provider %[1]s (see %[2]s --help)", args[0], cmd.CommandPath())
}

// noteLog is the log of a command that a person looks at: a line of words, with
// the error behind it.
func noteLog(w io.Writer) zerolog.Logger {
	return zerolog.New(zerolog.ConsoleWriter{
		Out: w, NoColor: true, PartsOrder: []string{zerolog.MessageFieldName},
		FormatMessage: func(m any) string { return fmt.Sprintf("note: %v", m) },
		FormatPrepare: onlyError,
	}).Level(quiet)
}

// onlyError takes away what is for machines.
func onlyError(fields map[string]any) error {
	kept := []string{zerolog.MessageFieldName, zerolog.ErrorFieldName}
	for name := range fields {
		if !slices.Contains(kept, name) {
			delete(fields, name)
		}
	}
	if err, ok := fields[zerolog.ErrorFieldName]; ok {
		fields[zerolog.MessageFieldName] = fmt.Sprintf("%v: %v", fields[zerolog.MessageFieldName], err)
		delete(fields, zerolog.ErrorFieldName)
	}
	return nil
}
