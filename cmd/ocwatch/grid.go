package main

import "strings"

// grid is a table whose columns are as wide as what stands in them.
type grid struct{ rows []gridRow }

// gridRow is a line of cells, and what is said below it.
type gridRow struct {
	cells []string
	below note
}

func (g *grid) add(cells ...string) { g.addNoted(note{}, cells...) }

func (g *grid) addNoted(below note, cells ...string) {
	g.rows = append(g.rows, gridRow{cells: cells, below: below})
}

// between keeps columns apart, and indent is where what is said below begins.
const (
	between = "  "
	indent  = "     "
)

// columns are the widths of the columns.
func (g *grid) columns() []int {
	var out []int
	for _, row := range g.rows {
		for i, cell := range row.cells {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], columnsOf(cell))
		}
	}
	return out
}

// lines are the rows, without what is said below them.
func (g *grid) lines() []string {
	widths := g.columns()
	lines := make([]string, len(g.rows))
	for i, row := range g.rows {
		for j, cell := range row.cells {
			lines[i] += between + pad(cell, widths[j])
		}
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// width is how wide the longest line is.
func (g *grid) width() int {
	widest := 0
	for _, line := range g.lines() {
		widest = max(widest, columnsOf(line))
	}
	return widest
}

func (g *grid) write(b *strings.Builder, look look) {
	for i, line := range g.lines() {
		b.WriteString(line + "\n")
		g.rows[i].below.write(b, look)
	}
}
