package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ocwatch/ocwatch/internal/doctor"
)

// writeReport prints the report for a person, the worst first.
func writeReport(w io.Writer, r doctorReport, l look) error {
	var b strings.Builder
	if oc := r.OpenClaw; oc.StateDir != "" {
		fmt.Fprintf(&b, "OpenClaw%s in %s, layout %s, gateway %s\n", printable(before(" ", oc.Version)), printable(oc.StateDir), printable(orDash(oc.Layout)), printable(orDash(oc.Gateway)))
	}
	for _, u := range r.Units {
		fmt.Fprintf(&b, "%s: %s\n", printable(u.Name), l.paint(printable(u.Active), activeColour(u.Active)))
	}
	for _, done := range r.Fixed {
		fmt.Fprintf(&b, "mended: %s\n", printable(done))
	}
	for _, f := range r.Findings {
		writeFinding(&b, f, l)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(l.paint(summary(r.Findings), worst(r.Findings)) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const findingIndent = "         "

func writeFinding(b *strings.Builder, f doctor.Finding, l look) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	writeWhat(b, f, " ["+string(f.ID)+"]", l)
	wrap(b, l.textWidth(), findingIndent+"why:  ", findingIndent+"      ", printable(f.Why))
	writeMend(b, f)
	if f.Fixable {
		b.WriteString(findingIndent + "      or: ocwatch doctor --fix\n")
	}
}

// writeWhat says how bad a finding is and what was found, with tail behind it.
func writeWhat(b *strings.Builder, f doctor.Finding, tail string, l look) {
	what := f.What
	if f.About != "" && !strings.HasPrefix(f.What, f.About) {
		what = f.About + ": " + f.What
	}
	head := pad(l.paint(string(f.Severity), severityColour(f.Severity)), len(findingIndent))
	for line := range strings.Lines(what + tail) { // a config has a line for each mistake
		wrap(b, l.textWidth(), head, findingIndent, printable(line))
		head = findingIndent
	}
}

// writeMend does not wrap the command: it is copied.
func writeMend(b *strings.Builder, f doctor.Finding) {
	fmt.Fprintf(b, "%smend: %s\n", findingIndent, printable(f.Fix))
}

func severityColour(s doctor.Severity) colour {
	switch s {
	case doctor.Error:
		return red
	case doctor.Warning:
		return yellow
	case doctor.Note:
	}
	return plain
}

func activeColour(active string) colour {
	switch active {
	case "active":
		return green
	case "failed":
		return red
	}
	return plain
}

// worst is the colour of the worst finding, which is the first.
func worst(findings []doctor.Finding) colour {
	if doctor.Healthy(findings) {
		return green
	}
	return severityColour(findings[0].Severity)
}

func summary(findings []doctor.Finding) string {
	n := map[doctor.Severity]int{}
	for _, f := range findings {
		n[f.Severity]++
	}
	var parts []string
	for _, s := range []doctor.Severity{doctor.Error, doctor.Warning, doctor.Note} {
		switch n[s] {
		case 0:
		case 1:
			parts = append(parts, "1 "+string(s))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n[s], s))
		}
	}
	if len(parts) == 0 {
		return "nothing is wrong"
	}
	return strings.Join(parts, ", ")
}

// before puts a separator before a word that is there.
func before(separator, word string) string {
	if word == "" {
		return ""
	}
	return separator + word
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
