//go:build packages

package packages

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestManPages: each page is free of anything that a reader of man pages warns
// of, and has what a page has.
func TestManPages(t *testing.T) {
	_, mandoc := exec.LookPath("mandoc")
	if mandoc != nil && os.Getenv("CI") == "true" {
		t.Fatal("mandoc is not here: scripts/fetch-apt \"mandoc mandoc\"")
	}
	_, man := exec.LookPath("man")
	pages := 0
	for name, e := range tarball(t, architectures()[0]) {
		if !strings.HasPrefix(name, "man/man") || e.Typeflag != '0' {
			continue
		}
		pages++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, heading := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"} {
				if text := string(e.content); !strings.Contains(text, "\n.SH "+heading+"\n") {
					t.Errorf("no section %s in\n%s", heading, text)
				}
			}
			file := written(t, e.content)
			if mandoc == nil {
				if said, err := run1("mandoc", "-T", "lint", "-W", "warning", file); err != nil || said != "" {
					t.Errorf("mandoc: %v\n%s", err, said)
				}
			}
			for _, locale := range []string{"C.UTF-8", "C"} {
				if man != nil {
					break
				}
				read := exec.Command("man", "--warnings", "--local-file", file)
				read.Env = append(os.Environ(), "LC_ALL="+locale, "MANPAGER=cat", "MANWIDTH=80")
				var said strings.Builder
				read.Stderr = &said
				if err := read.Run(); err != nil || said.String() != "" {
					t.Errorf("man, in the locale %s: %v\n%s", locale, err, said.String())
				}
			}
		})
	}
	if pages < 20 {
		t.Errorf("%d pages", pages)
	}
	if mandoc != nil {
		t.Skip("mandoc is not here (Debian: apt-get install mandoc)")
	}
}

// TestCompletions: each shell that is here reads its own, and bash completes by
// it.
func TestCompletions(t *testing.T) {
	files := tarball(t, architectures()[0])
	for _, tt := range []struct{ shell, file string }{{"bash", "ocwatch.bash"}, {"zsh", "_ocwatch"}, {"fish", "ocwatch.fish"}} {
		t.Run(tt.shell, func(t *testing.T) {
			e := files["completions/"+tt.file]
			if !strings.Contains(string(e.content), "__complete") {
				t.Fatalf("%s: no completions:\n%s", tt.file, e.content)
			}
			if _, err := exec.LookPath(tt.shell); err != nil {
				t.Skipf("no %s here", tt.shell)
			}
			if said, err := run1(tt.shell, "-n", written(t, e.content)); err != nil || said != "" {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}
