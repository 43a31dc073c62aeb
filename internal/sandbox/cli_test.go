package sandbox_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

func TestCommands(t *testing.T) {
	cases := []struct {
		name   string
		agents []string
		args   string
		fails  bool
		says   string // on stdout, or in the failure's message
	}{
		{"version", nil, "--version", false, "OpenClaw 2026.9.6 (eb377ac)"},
		{"set", nil, "models auth order set --provider openai " + carol + " " + alice, false, "Auth profile order override: " + carol + ", " + alice},
		{"set for an agent", []string{"main", "work"}, "models auth order set --provider openai --agent work " + bob, false, "Agent: work"},
		{"get without an order", nil, "models auth order get --provider openai --json", false, `"order": null`},
		{"get for a person", nil, "models auth order get --provider openai", false, "none (selecting automatically)"},
		{"get for a provider that is not there", nil, "models auth order get --provider nope --json", false, `"order": null`},
		{"set an unknown profile", nil, "models auth order set --provider openai openai:nope", true, `Auth profile "openai:nope" not found in`},
		{"set for another provider", nil, "models auth order set --provider nopeprov " + alice, true, `Auth profile "` + alice + `" is for openai, not nopeprov.`},
		{"set for an unknown agent", nil, "models auth order set --provider openai --agent nope " + alice, true, `Unknown agent id "nope".`},
		{"set nothing", nil, "models auth order set --provider openai", true, `Missing required argument "profileIds".`},
		{"set without a provider", nil, "models auth order set " + alice, true, `Missing required option "--provider <name>".`},
		{"set has no JSON", nil, "models auth order set --provider openai --json " + alice, true, `OpenClaw does not recognize option "--json".`},
		{"several agents", []string{"main", "work"}, "models auth order set --provider openai " + alice, true, "Pass --agent <id>."},
		{"restart", nil, "gateway restart --json", false, `"result": "restarted"`},
		{"safe restart", nil, "gateway restart --safe --json", false, `"result": "scheduled"`},
		{"nonsense", nil, "dance", true, "does not know"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, sandbox.Options{Accounts: trio(), Agents: c.agents})
			args := strings.Split(c.args, " ")
			out, err := w.CLI().Run(deadline(t), nil, args...)
			if !c.fails {
				if err != nil || !strings.Contains(string(out.Stdout), c.says) {
					t.Errorf("%s, %v", out.Stdout, err)
				}
				return
			}
			var failure *openclaw.CLIError
			if !errors.As(err, &failure) || failure.ExitCode != 1 || !strings.Contains(failure.Message, c.says) {
				t.Fatalf("%v", err)
			}
			if asked := slices.Contains(args, "--json"); asked != json.Valid(out.Stdout) {
				t.Errorf("stdout: %s", out.Stdout)
			}
		})
	}
}

func TestCommandReachesTheGateway(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio()})
	if _, err := w.CLI().Run(deadline(t), nil, "models", "auth", "order", "set", "--provider", "openai", bob, carol); err != nil {
		t.Fatal(err)
	}
	if by, err := w.Turn(t.Context(), "s1"); by != bob || err != nil {
		t.Errorf("served by %s, %v", by, err)
	}
	if writes := w.Writes(); len(writes) != 1 || writes[0].Via != sandbox.ViaCLI {
		t.Errorf("%+v", writes)
	}
}

func TestCommandWithoutAGateway(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio()})
	if err := w.StopGateway(); err != nil {
		t.Fatal(err)
	}
	run := func(line string) (openclaw.Output, error) {
		return w.CLI().Run(deadline(t), nil, strings.Split(line, " ")...)
	}
	if out, err := run("models auth order set --provider openai " + bob); err != nil || len(out.Stderr) != 0 {
		t.Errorf("the order is saved without a word: %s %v", out.Stderr, err)
	}
	if out, err := run("gateway restart --json"); err == nil || !strings.Contains(string(out.Stdout), `"error": "Gateway restart failed`) {
		t.Errorf("%s %v", out.Stdout, err)
	}
	if out, err := run("gateway restart --safe --json"); err == nil || !strings.Contains(string(out.Stdout), "ECONNREFUSED") {
		t.Errorf("%s %v", out.Stdout, err)
	}
	if err := w.StartGateway(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.Order("main", "openai"); !slices.Equal(got, []string{bob}) {
		t.Errorf("the gateway started with %v", got)
	}
}

func TestCommandWarnsOfAStaleGateway(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(), Stale: sandbox.UntilRestart})
	out, err := w.CLI().Run(deadline(t), nil, "models", "auth", "order", "set", "--provider", "openai", bob, alice, carol)
	if err != nil || !strings.Contains(string(out.Stderr), "gateway restart") {
		t.Fatalf("%s %v", out.Stderr, err)
	}
	if w.Order("main", "openai") != nil {
		t.Error("the gateway has the new order")
	}
	if _, err := w.CLI().Run(deadline(t), nil, "gateway", "restart", "--json"); err != nil {
		t.Fatal(err)
	}
	if got := w.Order("main", "openai"); got[0] != bob || w.Restarts() != 1 {
		t.Errorf("after %d restarts %v", w.Restarts(), got)
	}
}
