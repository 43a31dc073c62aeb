package gen

import (
	"errors"
	"regexp"
	"strings"
)

const configPageName = "ocwatch-config.yaml"

// link is [text](target); a page has nowhere to go.
var link = regexp.MustCompile(`\[([^\]\n]+)\]\([^)\n]*\)`)

// configPage makes the man page of docs/configuration.md.
func configPage(md []byte, h head) ([]byte, error) {
	_, body, ok := strings.Cut(string(md), "\n\n")
	if !ok || !strings.HasPrefix(string(md), "# ") {
		return nil, errors.New("docs/configuration.md does not begin with a heading")
	}
	var b strings.Builder
	b.WriteString(h.page(configPageName, "5", "the configuration of ocwatch"))
	b.WriteString("# SYNOPSIS\n**~/.config/ocwatch/config.yaml**, **/etc/ocwatch/config.yaml**\n\n# DESCRIPTION\n")
	forPage(&b, strings.Split(body, "\n"))
	b.WriteString("\n# SEE ALSO\n**ocwatch(1)**, **ocwatch-config(1)**\n")
	return render(b.String()), nil
}

// forPage writes Markdown as a man page can show it: headings of two depths, no
// links, lists for tables.
func forPage(b *strings.Builder, lines []string) {
	inCode := false
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, "```") {
			inCode = !inCode
		}
		switch {
		case inCode:
		case isTable(lines[i:]):
			rows := tableRows(lines[i:])
			writeTable(b, rows)
			i += len(rows) // with the line below the heads
			continue
		case strings.HasPrefix(line, "## "):
			line = "# " + strings.ToUpper(line[3:])
		case strings.HasPrefix(line, "#"):
			line = "### " + strings.TrimLeft(line, "# ")
		default:
			line = link.ReplaceAllString(line, "$1")
		}
		b.WriteString(line + "\n")
	}
}
