package probe

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
)

var update = flag.Bool("update", false, "write the table of docs/providers.md anew")

const (
	providersPage = "../docs/providers.md"
	tableBegins   = "<!-- written by go test ./probe -run TestProvidersPage -update -->\n"
	tableEnds     = "<!-- end -->\n"
)

// The page's table says what the code does, and every provider has a section.
func TestProvidersPage(t *testing.T) {
	raw, err := os.ReadFile(providersPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	before, rest, begins := strings.Cut(page, tableBegins)
	table, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("%s has no table between %q and %q", providersPage, tableBegins, tableEnds)
	}
	want := providersTable(after)
	if *update {
		if err := os.WriteFile(providersPage, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != want {
		t.Errorf("the table of %s is not the code's; go test ./probe -run TestProvidersPage -update writes\n%s", providersPage, want)
	}
	for _, p := range Known() {
		if anchor(after, p.ID) == "" {
			t.Errorf("%s has no heading with `%s`", providersPage, p.ID)
		}
	}
}

// anchor is the link to the section whose heading has id, as Markdown makes it
// of headings: in lower case, without punctuation, a hyphen for each blank.
func anchor(page, id string) string {
	for line := range strings.Lines(page) {
		heading, ok := strings.CutPrefix(line, "## ")
		if !ok || !strings.Contains(heading, "`"+id+"`") {
			continue
		}
		return strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading))
	}
	return ""
}

func providersTable(page string) string {
	var b strings.Builder
	b.WriteString("| provider | OpenClaw's id | profiles that are asked | asked at | far from a limit | as a rule | at most |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, p := range Known() {
		pace := p.Pace
		if !strings.Contains(strings.Join(p.Types, " "), oauthType) {
			pace = p.KeyPace
		}
		_, _ = fmt.Fprintf(&b, "| [%s](#%s) | `%s` | %s | %s | %s | %s | %d an hour |\n", p.Name, anchor(page, p.ID), p.ID,
			quoted(p.Types), quoted(p.Hosts), every(pace.Idle), every(pace.Every), pace.Hourly) // a strings.Builder takes everything
	}
	return b.String()
}

func every(d time.Duration) string { return fmt.Sprintf("%d min", d/time.Minute) }

func quoted(list []string) string { return "`" + strings.Join(list, "`, `") + "`" }
