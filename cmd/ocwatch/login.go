package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// loginFlags say which login is meant, and how it comes in.
type loginFlags struct {
	agent, provider, profile string
	apiKey                   bool
	expiresIn                string
	paste                    string
	notify                   bool
	replace                  string
	unproven                 bool
}

func newLoginCommand(g *global) *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "log OpenClaw in to an account, or change the account of a profile",
		Long: `Has OpenClaw log in to an account, and proves that it worked: the provider is
asked about the new login, the same account again is told, and the order is set.
OpenClaw keeps the credential; ocwatch never does.

For OpenAI it shows a link and a code, or asks for the address that the browser
ends on. For Anthropic it takes a setup-token (claude setup-token), and with
--api-key a key of any provider: from standard input, or asked for unseen.`,
		Example: `  ocwatch login --provider openai
  ocwatch login --provider anthropic --expires-in 365d < token
  ocwatch login --replace openai:alice@example.com
  ocwatch login --notify --provider openai
  ocwatch login --paste 'http://localhost:1455/auth/callback?code=…'`,
		Args: noLoginArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			// A closed terminal ends the login at OpenClaw too.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGQUIT)
			defer stop()
			return g.login(ctx, cmd, f)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.provider, "provider", "", "`id` of the provider, such as openai or anthropic\n(default: the only one there is)")
	fs.StringVar(&f.agent, "agent", "", "`id` of the agent (default main)")
	fs.StringVar(&f.profile, "profile-id", "", "`id` that the profile gets, such as openai:work\n(default: OpenClaw or ocwatch names it)")
	fs.BoolVar(&f.apiKey, "api-key", false, "take an API key, which is billed for every token")
	fs.StringVar(&f.expiresIn, "expires-in", "", "after how long the token ends, such as 365d")
	fs.StringVar(&f.paste, "paste", "", "hand the `address` that the browser ended on to the\nwatchdog's login; - reads it from standard input")
	fs.BoolVar(&f.notify, "notify", false, "have the watchdog send link and code to the endpoints")
	fs.StringVar(&f.replace, "replace", "", "log in, and remove this `profile` once the new login\nis proven to be another account")
	fs.BoolVar(&f.unproven, "unproven", false, "with --replace: go on where nobody can tell whether\nthe new login is another account")
	return cmd
}

func (g *global) login(ctx context.Context, cmd *cobra.Command, f loginFlags) error {
	cfg, _, err := g.load()
	if err != nil {
		return err
	}
	if f.paste != "" {
		return pasteLogin(ctx, cmd, web.NewClient(cfg.DataDir), f.paste)
	}
	l, err := app.OpenLogin(app.Options{Config: cfg, Log: noteLog(os.Stderr), Version: version})
	if err != nil {
		return err
	}
	defer l.Close()
	s := loginSession{l: l, flags: f, screen: newLoginScreen(cmd), tells: wantsLogins(cfg)}
	switch {
	case f.notify:
		return s.announce(ctx)
	case f.replace != "":
		return s.replace(ctx)
	}
	return s.run(ctx)
}

func newLoginScreen(cmd *cobra.Command) loginScreen {
	out, ok := cmd.OutOrStdout().(*os.File)
	return loginScreen{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), terminal: ok && isTerminal(out), now: time.Now}
}

// pasteLogin hands an address to the login that the watchdog has under way.
func pasteLogin(ctx context.Context, cmd *cobra.Command, c *web.Client, address string) error {
	if address == "-" {
		text, err := readPasted(cmd)
		if err != nil {
			return fmt.Errorf("read the address: %w", err)
		}
		address = strings.TrimSpace(text)
	}
	if err := c.PasteLogin(ctx, address); err != nil {
		if errors.Is(err, web.ErrNotRunning) {
			return errors.New("no login waits for an address, since no watchdog is running: ocwatch login begins one here")
		}
		return err
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), "The address was taken. The watchdog proves the login now; ocwatch status shows what came of it.")
	return err
}

// readPasted reads one line from a terminal, which is asked for, and all of
// another input.
func readPasted(cmd *cobra.Command) (string, error) {
	in := cmd.InOrStdin()
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if _, err := fmt.Fprint(cmd.OutOrStdout(), "Address: "); err != nil {
			return "", err
		}
		line, err := bufio.NewReader(in).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return line, err
	}
	text, err := io.ReadAll(io.LimitReader(in, 64<<10))
	return string(text), err
}

// loginSession is one run of the command.
type loginSession struct {
	l      *app.Login
	flags  loginFlags
	screen loginScreen
	tells  bool // an endpoint hears of logins that are begun
}

// announce has the watchdog begin a login and send it out.
func (s loginSession) announce(ctx context.Context) error {
	t, err := s.l.Target(ctx, s.flags.agent, s.flags.provider)
	if err != nil {
		return err
	}
	p, err := s.l.Announce(ctx, t)
	if errors.Is(err, web.ErrNotRunning) {
		return errors.New("no watchdog is running that could send it: start it with ocwatch run, or log in here without --notify")
	}
	if err != nil {
		return err
	}
	if s.tells {
		s.screen.printf("Sent to every endpoint that wants login.started:\n\n")
	} else {
		s.screen.printf("The watchdog has begun a login. Nobody was told: no endpoint in the config file wants login.started.\n\n")
	}
	s.screen.showPrompt(p.URL, p.Code)
	switch {
	case p.Paste:
		s.screen.printf("\nHand the address that the browser ends on over with ocwatch login --paste - (it asks for it).\n")
	case p.ExpiresAt != nil:
		s.screen.printf("\nThe code holds until %s. Do not share it.\n", p.ExpiresAt.UTC().Format("15:04 UTC"))
	}
	s.screen.printf("ocwatch status shows what came of it.\n")
	return nil
}

// run logs in and says what it brought.
func (s loginSession) run(ctx context.Context) error {
	t, err := s.l.Target(ctx, s.flags.agent, s.flags.provider)
	if err != nil {
		return err
	}
	if !s.takesSecret(t.Provider) {
		release, err := s.l.Hold(ctx, t)
		if ctx.Err() != nil {
			return errCancelled
		}
		if err != nil {
			return err
		}
		defer release()
	}
	if note := sayNewProvider(t); note != "" {
		s.screen.printf("%s\n", note)
	}
	r, err := s.logIn(ctx, t)
	if err != nil {
		return err
	}
	out, err := s.l.Judge(ctx, t, r)
	if ctx.Err() != nil {
		return storedAnyway(r)
	}
	if err != nil {
		return err
	}
	return s.conclude(t, r, out)
}

// logIn brings the credential in while the accounts that are there already are
// looked at.
func (s loginSession) logIn(ctx context.Context, t app.Target) (login.Result, error) {
	looked := make(chan error, 1)
	go func() { looked <- s.l.Look(ctx) }()
	r, err := s.enter(ctx, login.Request{Agent: t.Agent, Provider: t.Provider, Profile: s.flags.profile})
	lookErr := <-looked
	switch {
	case err == nil && ctx.Err() != nil:
		return r, storedAnyway(r)
	case err == nil && lookErr != nil:
		return r, fmt.Errorf("the login is stored as %s, and nobody looked what it brings: %w", r.Profile, lookErr)
	}
	return r, err
}

// takesSecret reports that a token or key is pasted, which nobody approves and
// no other login is in the way of.
func (s loginSession) takesSecret(provider string) bool {
	return s.flags.apiKey || quota.Canonical(provider) == "anthropic"
}

// enter takes a token or key, or shows a login and waits for it.
func (s loginSession) enter(ctx context.Context, r login.Request) (login.Result, error) {
	if s.takesSecret(r.Provider) {
		return s.enterSecret(ctx, r)
	}
	if s.flags.expiresIn != "" {
		return login.Result{}, errors.New("--expires-in is for tokens that are pasted; a login to " + r.Provider + " renews itself")
	}
	s.screen.printf("Asking OpenClaw for a login to %s …\n\n", r.Provider)
	a, err := s.l.Begin(ctx, r)
	switch {
	case ctx.Err() != nil:
		return login.Result{}, errCancelled
	case errors.Is(err, login.ErrNotOffered):
		return login.Result{}, fmt.Errorf("%w (%s): for a key, add --api-key", err, r.Provider)
	case err != nil:
		return login.Result{}, err
	}
	return s.screen.see(ctx, r.Provider, a)
}

// pasteRequest is what a secret that was entered is for.
func (s loginSession) pasteRequest(r login.Request) login.PasteRequest {
	kind := profiles.Token
	if s.flags.apiKey {
		kind = profiles.APIKey
	}
	return login.PasteRequest{
		Agent: r.Agent, Provider: r.Provider, Profile: r.Profile, Type: kind,
		// Whoever names a profile that is there means to renew it.
		ExpiresIn: s.flags.expiresIn, Replace: r.Profile != "",
	}
}
