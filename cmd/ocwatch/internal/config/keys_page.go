package config

import (
	"regexp"
	"strings"
)

// row is the line of docs/configuration.md about a key.
func (k keyDoc) row(key string) string {
	return "| `" + key + "` | " + k.def + " | " + k.meaning + " |"
}

// links are Markdown's, of which an editor's box shows the text alone.
var links = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)

// description is what an editor shows beside a key. stated: the schema has its
// default.
func (k keyDoc) description(stated bool) string {
	text := strings.TrimSuffix(links.ReplaceAllString(k.meaning, "$1"), ", with these keys:")
	text = strings.ToUpper(text[:1]) + text[1:]
	if stated {
		return text
	}
	return text + ". Default: " + k.def
}

// limits are the range that a meaning begins with.
var limits = regexp.MustCompile("^(duration|percent), (?:`([0-9a-z]+)` to|up to) `([0-9a-z]+)`")

// bounds is the range of a duration or a percentage as it is written, with "0"
// where only its end is told; ok is false where none is.
func (k keyDoc) bounds() (kind, least, most string, ok bool) {
	m := limits.FindStringSubmatch(k.meaning)
	if m == nil {
		return "", "", "", false
	}
	if m[2] == "" {
		m[2] = "0"
	}
	return m[1], m[2], m[3], true
}
