package page

import (
	"fmt"
	"html"
	"html/template"
	"strings"
	"unicode"
)

// hidden are the characters that show as nothing, or turn the text after them
// around: with one, a profile can look as if it were another.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
		unicode.IsControl(r) && r != '\n' && r != '\t'
}

// visible writes out the hidden characters of page.
func visible(page string) string {
	if !strings.ContainsFunc(page, hidden) {
		return page
	}
	var b strings.Builder
	for _, r := range page {
		if hidden(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// valueOf is the attribute of a button that sends text, to the letter.
func valueOf(text string) template.HTMLAttr {
	var b strings.Builder
	for _, r := range html.EscapeString(text) {
		if hidden(r) || r == '\n' {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return template.HTMLAttr(`value="` + b.String() + `"`) //nolint:gosec // it is escaped
}
