package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/internal/web"
)

func newDashboardCommand(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "print the dashboard's address, and what a browser signs in with",
		Long: `Prints where the running watchdog's dashboard is, and the user and password
that make a browser the owner's: with them it sees the link and code of a login
and may pause, switch and log in. Without them it only looks.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			access, err := web.NewClient(cfg.DataDir).Dashboard(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(access) //nolint:gosec // the owner asked for the password
			}
			return writeAccess(cmd.OutOrStdout(), access)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// writeAccess prints a for a person, who may sit at another machine.
func writeAccess(w io.Writer, a web.Access) error {
	u, err := url.Parse(a.URL)
	if err != nil {
		return fmt.Errorf("the watchdog's answer is not understood: %w (is another version running?)", err)
	}
	_, port, _ := net.SplitHostPort(u.Host)
	_, err = fmt.Fprintf(w, `address   %s
user      %s
password  %s

From another machine: ssh -L %s:%s THIS-MACHINE, and the same address there.
`, a.URL, a.User, a.Password, port, u.Host)
	return err
}
