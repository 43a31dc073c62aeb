package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Runner plays the openclaw command of the world's install, in process. It
// knows
//
//	--version
//	models auth order set --provider P [--agent A] ids…
//	models auth order get --provider P [--agent A] [--json]
//	gateway restart [--safe] [--json]
//
// with the real one's output, exit codes and complaints.
type Runner struct{ world *World }

// CLI gives the command runner.
func (w *World) CLI() *Runner { return &Runner{world: w} }

// Run runs one command. It fails with *openclaw.CLIError.
func (r *Runner) Run(ctx context.Context, _ io.Reader, args ...string) (openclaw.Output, error) {
	begun := time.Now()
	stdout, stderr, err := r.dispatch(ctx, args)
	out := openclaw.Output{Stdout: []byte(stdout), Stderr: []byte(stderr), Duration: time.Since(begun)}
	if err == nil {
		return out, nil
	}
	if !errors.Is(err, errNoService) { // which says it on standard output alone
		out.Stderr = []byte(err.Error() + "\n")
	}
	if slices.Contains(args, "--json") {
		out.Stdout = failureJSON(err)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return out, &openclaw.CLIError{Args: slices.Clone(args), ExitCode: 1, Message: first, Err: err}
}

func failureJSON(err error) []byte {
	if errors.Is(err, errNoService) {
		return []byte(indented(map[string]any{"action": "restart", "ok": false, "error": err.Error()}))
	}
	return []byte(indented(map[string]any{"ok": false, "error": map[string]string{"type": "cli_error", "message": err.Error()}}))
}

func (r *Runner) dispatch(ctx context.Context, args []string) (stdout, stderr string, err error) {
	line := strings.Join(args, " ")
	switch {
	case line == "--version":
		return "OpenClaw " + Version + " (eb377ac)\n", "", nil
	case strings.HasPrefix(line, "models auth order set"):
		return r.orderSet(ctx, args[4:])
	case strings.HasPrefix(line, "models auth order get"):
		return r.orderGet(ctx, args[4:])
	case strings.HasPrefix(line, "gateway restart"):
		return r.restart(args[2:])
	}
	return "", "", fmt.Errorf("OpenClaw does not know the command %q", line)
}

// options are the parsed arguments of the order commands.
type options struct {
	provider, agent string
	json            bool
	ids             []string
}

func parseOptions(args []string, allowJSON bool, command string) (options, error) {
	var o options
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case (a == "--provider" || a == "--agent") && i+1 < len(args):
			i++
			if a == "--agent" {
				o.agent = args[i]
			} else {
				o.provider = args[i]
			}
		case a == "--json" && allowJSON:
			o.json = true
		case strings.HasPrefix(a, "-"):
			return o, fmt.Errorf("OpenClaw does not recognize option %q.\nTry: openclaw models auth order %s --help", a, command)
		default:
			o.ids = append(o.ids, a)
		}
	}
	if o.provider == "" {
		return o, fmt.Errorf("Missing required option \"--provider <name>\".\nTry: openclaw models auth order %s --help", command) //nolint:staticcheck // the real command's words
	}
	return o, nil
}

func (r *Runner) pickAgent(id, noun string) (string, error) {
	agents := r.world.agents
	switch {
	case id == "" && len(agents) > 1:
		return "", fmt.Errorf("Multiple agents are configured, but %s has no explicit owner. Pass --agent <id>.", noun) //nolint:revive,staticcheck // the real command's words
	case id == "":
		return agents[0], nil
	case !slices.Contains(agents, id):
		return "", fmt.Errorf("Unknown agent id %q. Use \"openclaw agents list\" to see configured agents.", id) //nolint:revive,staticcheck // the real command's words
	}
	return id, nil
}

func (r *Runner) orderSet(ctx context.Context, args []string) (stdout, stderr string, err error) {
	o, err := parseOptions(args, false, "set")
	if err != nil {
		return "", "", err
	}
	if len(o.ids) == 0 {
		return "", "", errors.New("Missing required argument \"profileIds\".\nTry: openclaw models auth order set --help") //nolint:staticcheck // the real command's words
	}
	agent, err := r.pickAgent(o.agent, "the model command")
	if err != nil {
		return "", "", err
	}
	for _, id := range o.ids {
		a, err := r.world.lookup(id)
		switch {
		case err != nil:
			return "", "", fmt.Errorf("Auth profile %q not found in %s. Run openclaw models auth list --provider %s to see saved profiles.", id, r.world.store.agentDir(agent), o.provider) //nolint:revive,staticcheck // the real command's words
		case a.Provider != o.provider:
			return "", "", fmt.Errorf("Auth profile %q is for %s, not %s.", id, a.Provider, o.provider) //nolint:revive,staticcheck // the real command's words
		}
	}
	if err := r.world.setOrder(ctx, ViaCLI, agent, o.provider, o.ids); err != nil {
		return "", "", err
	}
	if r.world.opts.Stale == UntilRestart && r.world.gateway.up() {
		stderr = "Warning: Model auth changes were saved, but the running Gateway could not be refreshed. Run openclaw gateway restart.\n"
	}
	return fmt.Sprintf("Agent: %s\nProvider: %s\nAuth profile order override: %s\n", agent, o.provider, strings.Join(o.ids, ", ")), stderr, nil
}

func (r *Runner) orderGet(ctx context.Context, args []string) (stdout, stderr string, err error) {
	o, err := parseOptions(args, true, "get")
	if err != nil {
		return "", "", err
	}
	agent, err := r.pickAgent(o.agent, "model inspection")
	if err != nil {
		return "", "", err
	}
	order, err := r.world.StoredOrder(ctx, agent, o.provider)
	if err != nil {
		return "", "", err
	}
	dir := r.world.store.agentDir(agent)
	path := filepath.Join(dir, "openclaw-agent.sqlite")
	if !o.json {
		shown := "none (selecting automatically)"
		if order != nil {
			shown = strings.Join(order, ", ")
		}
		return fmt.Sprintf("Agent: %s\nProvider: %s\nAuth state store: %s\nAuth profile order override: %s\n", agent, o.provider, path, shown), "", nil
	}
	doc := struct {
		Agent    string   `json:"agentId"`
		Dir      string   `json:"agentDir"`
		Provider string   `json:"provider"`
		Path     string   `json:"authStatePath"`
		Order    []string `json:"order"`
	}{agent, dir, o.provider, path, order}
	return indented(doc), "", nil
}

// restart waits for health, unless it is asked to be safe: then it returns at
// once, and the gateway restarts when its active work has drained.
func (r *Runner) restart(args []string) (stdout, stderr string, err error) {
	g := r.world.gateway
	safe := slices.Contains(args, "--safe")
	if !g.up() {
		if safe {
			return "", "", fmt.Errorf("Gateway not reachable at %s (ECONNREFUSED).\nStart it with `openclaw gateway run` or check `openclaw gateway status`.", r.world.GatewayURL()) //nolint:revive,staticcheck // the real command's words
		}
		return "", "", errNoService
	}
	if safe {
		return safeRestartJSON(g), "", nil
	}
	g.restart()
	g.jobs.Wait()
	_, port, _ := strings.Cut(g.address(), ":")
	return indented(map[string]any{
		"action": "restart", "ok": true, "result": "restarted",
		"message": fmt.Sprintf("Gateway restart request sent to foreground process on port %s: %d.", port, os.Getpid()),
		"service": map[string]any{"label": "systemd", "loaded": false, "loadedText": "enabled", "notLoadedText": "disabled"},
	}), "", nil
}

// errNoService: a stopped gateway is a service manager's to start, and there
// is none for a state directory that is not the account's default.
var errNoService = errors.New("Gateway restart failed: Error: service management skipped: non-default state dir or config path.") //nolint:revive,staticcheck // the real command's words

func safeRestartJSON(g *gateway) string {
	answer := g.requestRestart("", false)
	message := "safe restart requested; gateway will restart momentarily"
	if answer["status"] == "deferred" {
		message = "safe restart requested; gateway will restart after active work drains (bounded wait; may force after the timeout expires)"
	}
	g.restartIfDue(answer)
	return indented(map[string]any{
		"ok": true, "result": answer["status"], "message": message,
		"preflight": answer["preflight"], "restart": answer["restart"],
	})
}

func indented(doc any) string {
	text, _ := json.MarshalIndent(doc, "", "  ") // strings, numbers and booleans always marshal
	return string(text) + "\n"
}
