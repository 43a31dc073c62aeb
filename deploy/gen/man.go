package gen

import (
	"fmt"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// head is what stands in the first and last line of every page.
type head struct {
	version string
	date    time.Time
}

// page begins a page, in the Markdown that md2man takes.
func (h head) page(name, section, what string) string {
	return fmt.Sprintf("%% %q %q %q %q %q\n# NAME\n%s \\- %s\n\n", strings.ToUpper(name), section,
		h.date.UTC().Format(time.DateOnly), "ocwatch "+h.version, "ocwatch manual", name, what)
}

// commandPages adds a page for each command that can be seen.
func commandPages(cmd *cobra.Command, h head, files map[string][]byte) {
	cmd.InitDefaultHelpFlag()
	files["man/man1/"+pageName(cmd)+".1"] = render(commandPage(cmd, h))
	for _, sub := range visible(cmd) {
		commandPages(sub, h, files)
	}
}

// render makes a page of Markdown. man shows it in any locale, where an ellipsis
// would be a warning in those that have ASCII alone.
func render(md string) []byte {
	return md2man.Render([]byte(strings.ReplaceAll(md, "…", "...")))
}

func visible(cmd *cobra.Command) (list []*cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			list = append(list, sub)
		}
	}
	return list
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func commandPage(cmd *cobra.Command, h head) string {
	var b strings.Builder
	b.WriteString(h.page(pageName(cmd), "1", escape(cmd.Short)))
	fmt.Fprintf(&b, "# SYNOPSIS\n**%s**%s\n\n", cmd.CommandPath(), escape(strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath())))
	description := cmd.Long
	if description == "" {
		description = strings.ToUpper(cmd.Short[:1]) + cmd.Short[1:] + "."
	}
	fmt.Fprintf(&b, "# DESCRIPTION\n%s\n\n", escape(description))
	if subs := visible(cmd); len(subs) > 0 {
		b.WriteString("# COMMANDS\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, "\n**%s(1)**\n: %s\n", pageName(sub), escape(sub.Short))
		}
		b.WriteString("\n")
	}
	writeFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	writeFlags(&b, "OPTIONS OF EVERY COMMAND", cmd.InheritedFlags())
	if cmd.Example != "" {
		fmt.Fprintf(&b, "# EXAMPLES\n```\n%s\n```\n\n", strings.TrimSpace(strings.ReplaceAll("\n"+cmd.Example, "\n  ", "\n")))
	}
	b.WriteString("# SEE ALSO\n")
	if cmd.HasParent() {
		fmt.Fprintf(&b, "**%s(1)**, ", pageName(cmd.Parent()))
	}
	fmt.Fprintf(&b, "**%s(5)**\n", configPageName)
	return b.String()
}

func writeFlags(b *strings.Builder, heading string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, "# %s\n", heading)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "**--" + f.Name + "**"
		if f.Shorthand != "" {
			name = "**-" + f.Shorthand + "**, " + name
		}
		if value != "" {
			name += " *" + value + "*"
		}
		// Its line breaks are laid out for a terminal's help.
		fmt.Fprintf(b, "\n%s\n: %s%s\n", name, escape(strings.Join(strings.Fields(usage), " ")), byDefault(f))
	})
	b.WriteString("\n")
}

// byDefault is what pflag adds to its help: what holds without the flag.
func byDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
		return ""
	}
	return escape(fmt.Sprintf(" (default %s)", f.DefValue))
}

// plain is text that is no Markdown.
var plain = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, "[", `\[`, "#", `\#`)

func escape(text string) string { return plain.Replace(text) }
