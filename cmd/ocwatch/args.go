package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// noArguments refuses what is no flag. Cobra would call it an unknown command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := ""
	if _, err := parseFor(args[0], time.Now()); err == nil && cmd.Flags().Lookup("for") != nil {
		meant = "; did you mean --for " + args[0] + "?"
	}
	return fmt.Errorf("%s takes no argument, and got %q%s (see %s --help)", cmd.CommandPath(), args[0], meant, cmd.CommandPath())
}

// oneProfile wants the id of one profile.
func oneProfile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fmt.Errorf("%s wants one profile, as ocwatch status lists them, and got %d (see %s --help)", cmd.CommandPath(), len(args), cmd.CommandPath())
}

// atMostOneProfile wants the id of one profile, or none.
func atMostOneProfile(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return oneProfile(cmd, args)
}

// flagError says what is wrong with a flag, without Go's own words for it.
func flagError(cmd *cobra.Command, err error) error {
	if what, _, ok := strings.Cut(err.Error(), " flag: strconv."); ok {
		err = errors.New(what + " flag")
	}
	return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
}
