package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
)

func newConfigCommand(g *global) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "config",
		Short: "check, show or describe the configuration",
	})
	cmd.AddCommand(newConfigCheckCommand(g), newConfigShowCommand(g), newConfigSchemaCommand())
	return cmd
}

func newConfigCheckCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "say what is wrong with the config file",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, path, err := g.load()
			if err != nil {
				return err
			}
			if path == "" {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "no config file: the defaults hold")
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", path)
			return err
		},
	}
}

func newConfigShowCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "print the configuration in force, defaults filled in, secrets left out",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			return cfg.Show(cmd.OutOrStdout())
		},
	}
}

func newConfigSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of the config file, for editors",
		Long: `Prints the JSON Schema (draft 2020-12) of the config file: every key with its
type, range, default and meaning. Editors complete and check a file by it that
begins with
  # yaml-language-server: $schema=FILE
FILE is seen from the config file's directory.
What holds between keys, ocwatch config check says.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return config.Schema(cmd.OutOrStdout()) },
	}
}
