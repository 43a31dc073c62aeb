package main

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/web"
)

func newDashboardCommand(g *global) *cobra.Command {
	var asJSON, renew bool
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
			ask := web.NewClient(cfg.DataDir).Dashboard
			if renew {
				ask = web.NewClient(cfg.DataDir).NewPassword
			}
			access, err := ask(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), access)
			}
			return writeAccess(cmd.OutOrStdout(), access, tunnelTo(os.Getenv))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&renew, "new-password", false, "make another password: the one before is of no use any more")
	return cmd
}

// writeAccess prints a for a person, who may sit at another machine and reach
// this one by server.
func writeAccess(w io.Writer, a web.Access, server string) error {
	u, err := url.Parse(a.URL)
	if err != nil {
		return fmt.Errorf("the watchdog's answer is not understood: %w (is another version running?)", err)
	}
	hint := ""
	if loopback.Host(u.Hostname()) {
		hint = fmt.Sprintf("\nFrom another machine: ssh -L %s:%s %s\nand the same address there.\n", u.Port(), u.Host, server)
	}
	_, err = fmt.Fprintf(w, "address   %s\nuser      %s\npassword  %s\n%s", a.URL, a.User, a.Password, hint)
	return err
}

// tunnelTo is what ssh takes to get here again: as it was called where it was,
// as far as the environment tells.
func tunnelTo(getenv func(string) string) string {
	from := strings.Fields(getenv("SSH_CONNECTION")) // client, its port, server, its port
	if len(from) != 4 || net.ParseIP(from[2]) == nil {
		return "THIS-MACHINE"
	}
	to := from[2]
	if name := getenv("USER"); name != "" {
		to = name + "@" + to
	} else if me, err := user.Current(); err == nil {
		to = me.Username + "@" + to
	}
	if from[3] != "22" {
		to = "-p " + from[3] + " " + to
	}
	return to
}
