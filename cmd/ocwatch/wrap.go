package main

import (
	"iter"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// wrap writes text behind head, and further lines behind indent, none longer
// than columns. A word that is longer stands alone: an id is to be copied.
func wrap(b *strings.Builder, columns int, head, indent, text string) {
	b.WriteString(head)
	column, begun := columnsOf(head), false
	for word := range strings.FieldsSeq(text) {
		n := columnsOf(word)
		switch {
		case !begun:
		case column+1+n > columns:
			b.WriteString("\n" + indent)
			column = columnsOf(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
		begun = true
	}
	b.WriteByte('\n')
}

// columnsOf is how many columns of a terminal text takes. Colours take none.
func columnsOf(text string) int {
	n := 0
	for _, took := range drawn(text) {
		n += took
	}
	return n
}

// clip is as much of text as fits into columns, and its colours.
func clip(text string, columns int) string {
	var b strings.Builder
	for r, took := range drawn(text) {
		if columns -= took; columns >= 0 || took == 0 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// drawn are the characters of text, each with the columns that it takes.
func drawn(text string) iter.Seq2[rune, int] {
	return func(yield func(rune, int) bool) {
		escape := false
		for _, r := range text {
			took := 1
			switch k := width.LookupRune(r).Kind(); {
			case r == '\x1b' || escape:
				escape, took = r != 'm', 0
			case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
				took = 0
			case k == width.EastAsianWide || k == width.EastAsianFullwidth:
				took = 2
			}
			if !yield(r, took) {
				return
			}
		}
	}
}

// pad fills text with spaces behind it, padLeft before it.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-columnsOf(text)))
}

func padLeft(text string, columns int) string {
	return strings.Repeat(" ", max(0, columns-columnsOf(text))) + text
}

// printable drops what could move a terminal's cursor: reasons quote others.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
