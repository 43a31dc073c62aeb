package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newConfigCommand(g *global) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "config",
		Short: "check or show the configuration",
	})
	cmd.AddCommand(newConfigCheckCommand(g), newConfigShowCommand(g))
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
