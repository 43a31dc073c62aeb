package shout

import (
	"strings"
	"unicode/utf8"
)

// maxTitle is how many characters of a headline a title gets.
const maxTitle = 150

// headline splits a text into its first line and the rest. A long first line is
// shortened as a title, and then the rest is the whole text. A text of one line
// has no title.
func headline(text string) (title, rest string) {
	first, rest, more := strings.Cut(text, "\n")
	rest = strings.TrimSpace(rest)
	if !more || rest == "" {
		return "", text
	}
	if short := shorten(first, maxTitle); short != first {
		return short, text
	}
	return first, rest
}

// shorten cuts a line to n characters.
func shorten(line string, n int) string {
	if utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:n-1]) + "…"
}

// splitText cuts a text into parts of at most limit, measured by size: between
// paragraphs where that wastes no more than half a part, else between lines,
// else between words. A word that is longer than a part is cut between
// characters.
func splitText(text string, limit int, size func(rune) int) []string {
	var parts []string
	for text = strings.TrimSpace(text); text != ""; {
		n := cutAt(text, limit, size)
		if part := strings.TrimRight(text[:n], " \n\t"); part != "" {
			parts = append(parts, part)
		}
		text = strings.TrimLeft(text[n:], " \n\t")
	}
	return parts
}

func cutAt(text string, limit int, size func(rune) int) int {
	used, end := 0, len(text)
	for i, r := range text {
		if used += size(r); used > limit && i > 0 {
			end = i
			break
		}
	}
	if end == len(text) || strings.IndexByte("\n ", text[end]) >= 0 {
		return end
	}
	if i := strings.LastIndex(text[:end], "\n\n"); i > end/2 {
		return i
	}
	if i := strings.LastIndexByte(text[:end], '\n'); i > 0 {
		return i
	}
	if i := strings.LastIndexByte(text[:end], ' '); i > 0 {
		return i
	}
	return end
}

// inBytes and inUTF16 measure characters.
func inBytes(r rune) int { return utf8.RuneLen(r) }

func inUTF16(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// untitled makes letters of parts.
func untitled(parts []string) []letter {
	list := make([]letter, len(parts))
	for i, p := range parts {
		list[i] = letter{text: p}
	}
	return list
}
