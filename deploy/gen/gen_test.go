package gen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func tree() *cobra.Command {
	root := &cobra.Command{Use: "tool", Short: "does things"}
	root.PersistentFlags().String("config", "", "config `file` (default ~/a_b,\nelse /etc/a)")
	sub := &cobra.Command{Use: "sub NAME", Short: "do one_thing", Example: "  tool sub a\n  tool sub b", Run: func(*cobra.Command, []string) {}}
	sub.Flags().Bool("all", false, "do all")
	sub.Flags().Duration("for", time.Hour, "how long")
	sub.Flags().Bool("secret", false, "nobody's business")
	_ = sub.Flags().MarkHidden("secret")
	hidden := &cobra.Command{Use: "hidden", Short: "not to be seen", Hidden: true, Run: func(*cobra.Command, []string) {}}
	root.AddCommand(sub, hidden)
	return root
}

const config = "# Configuration\n\nWhat [holds](x.md).\n\n```yaml\n# a: [b](c)\n```\n\n## Every key\n\n### `a`: first\n\n" +
	"| key | default | meaning |\n|---|---|---|\n| `a.b` | `1m` | duration, see [below](#x) |\n\n" +
	"| | far | near |\n|---|---|---|\n| Acme | 10 min | |\n"

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	in := Input{Root: tree(), Config: []byte(config), Version: "v1.2.3", Date: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)}
	if err := Write(in, dir); err != nil {
		t.Fatal(err)
	}
	for name, parts := range map[string][]string{
		"man/man1/tool.1": {
			`.TH "TOOL" "1" "2026-11-22" "ocwatch v1.2.3" "ocwatch manual"`, "tool - does things", `\fBtool-sub(1)`,
			`\fB--config\fP \fIfile\fP`, "config file (default ~/a_b, else /etc/a)",
		},
		"man/man1/tool-sub.1": {
			`\fBtool sub\fP NAME [flags]`, "Do one_thing.", `\fB--all`, "how long (default 1h0m0s)", "tool sub a\ntool sub b\n", `\fBtool(1)\fP`, "OPTIONS OF EVERY COMMAND",
		},
		"man/man5/ocwatch-config.yaml.5": {"What holds.", "# a: [b](c)", ".SH EVERY KEY", `.SS \fBa\fR: first`, "duration, see below (default: \\fB1m\\fR)", "far: 10 min\n"},
		"completions/ocwatch.bash":       {"__complete"},
		"completions/_ocwatch":           {"#compdef tool"},
		"completions/ocwatch.fish":       {"__complete"},
		"systemd/user/ocwatch.service":   {"# Of the package", "ExecStart=/usr/bin/ocwatch run"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range parts {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s: no %q in\n%s", name, part, text)
			}
		}
	}
	for _, no := range []string{"tool-hidden.1", "tool-help.1", "tool-completion.1"} {
		if _, err := os.Stat(filepath.Join(dir, "man/man1", no)); err == nil {
			t.Errorf("%s is there", no)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "man/man1/tool-sub.1"))
	if err != nil || strings.Contains(string(text), "nobody") {
		t.Errorf("a hidden flag is shown: %v\n%s", err, text)
	}
}

func TestWriteRefuses(t *testing.T) {
	if err := Write(Input{Root: tree(), Config: []byte("no heading")}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "does not begin with a heading") {
		t.Errorf("err = %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(Input{Root: tree(), Config: []byte(config)}, file); err == nil {
		t.Error("written below a file")
	}
}
