package main

import (
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/doctor"
)

func reportText(t *testing.T, r doctorReport, l look) string {
	t.Helper()
	var b strings.Builder
	if err := writeReport(&b, r, l); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReportLook: colours move nothing, and a pipe gets none. What others named
// cannot move a terminal's cursor.
func TestReportLook(t *testing.T) {
	t.Parallel()
	r := doctorReport{
		OpenClaw: doctorOpenClaw{StateDir: "/home/oc/.openclaw", Layout: "shared-database", Gateway: "ws://127.0.0.1:18789", Version: "2026\x1b[2J"},
		Units:    []doctorUnit{{Name: "openclaw-gateway.service", Active: "failed"}, {Name: "ocwatch.service", Active: "active"}},
		Findings: []doctor.Finding{
			{ID: doctor.LoginDead, Severity: doctor.Error, About: "openai:a", What: "it is dead, of an error", Why: "so", Fix: "openclaw login\x1b[2J"},
			{ID: doctor.ClockSkew, Severity: doctor.Warning, What: "two\nlines", Why: "so", Fix: "x"},
			{ID: doctor.NotifyNone, Severity: doctor.Note, What: "nobody is told", Why: "so", Fix: "x"},
		},
	}
	coloured, piped := reportText(t, r, drawing(80, true)), reportText(t, r, look{})
	if escapes.ReplaceAllString(coloured, "") != piped {
		t.Errorf("with colours\n%s\nwithout\n%s", coloured, piped)
	}
	if strings.Contains(piped, "\x1b") {
		t.Errorf("escapes in %q", piped)
	}
	for _, part := range []string{"\x1b[31merror\x1b[0m    openai:a", "\x1b[33mwarning\x1b[0m  two\n", "\x1b[31mfailed\x1b[0m\n", "\x1b[31m1 error, 1 warning, 1 note\x1b[0m"} {
		if !strings.Contains(coloured, part) {
			t.Errorf("no %q in %q", part, coloured)
		}
	}
}

// TestReportWidth: text fits a narrow terminal, and commands stay whole.
func TestReportWidth(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("word ", 40)
	text := reportText(t, doctorReport{Findings: []doctor.Finding{{ID: doctor.LoginDead, Severity: doctor.Error, What: words, Why: words, Fix: words}}}, look{terminal: true, width: 50})
	for line := range strings.Lines(text) {
		if whole := strings.Contains(line, "mend: "); whole != (len(line) > 51) {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}
