package gen

import (
	"fmt"
	"strings"
)

// isTable reports whether a table of Markdown begins here.
func isTable(lines []string) bool {
	return len(lines) > 1 && strings.HasPrefix(lines[0], "|") && strings.HasPrefix(lines[1], "|--")
}

// tableRows are the cells of the table that begins here, its heads first.
func tableRows(lines []string) (rows [][]string) {
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if i == 1 { // the line below the heads
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
		for j := range cells {
			cells[j] = link.ReplaceAllString(strings.TrimSpace(cells[j]), "$1")
		}
		rows = append(rows, cells)
	}
	return rows
}

// writeTable writes the table as a list: the sentences in the cells of ours need
// more than the width of a terminal beside one another.
func writeTable(b *strings.Builder, rows [][]string) {
	heads := rows[0]
	for _, row := range rows[1:] {
		fmt.Fprintf(b, "\n%s\n: %s\n", row[0], inWords(heads, row))
	}
	b.WriteString("\n")
}

// inWords is a row without its first cell.
func inWords(heads, row []string) string {
	switch {
	case len(row) == 2:
		return row[1]
	case len(row) == 3 && heads[1] == "default":
		return fmt.Sprintf("%s (default: %s)", row[2], row[1])
	}
	var parts []string
	for i, cell := range row[1:] {
		if cell != "" {
			parts = append(parts, heads[i+1]+": "+cell)
		}
	}
	return strings.Join(parts, "; ")
}
