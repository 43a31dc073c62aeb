package page

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/failover/watchdog"
)

var update = flag.Bool("update", false, "write the golden files")

func render(t *testing.T, w World) string {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Render(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// digests are in the addresses of style and script; they say nothing of the page.
var digests = regexp.MustCompile(`/assets/[0-9a-f]{12}/`)

func TestGolden(t *testing.T) {
	t.Parallel()
	owner := world()
	owner.Owner, owner.Token, owner.Did = true, "TOKEN", "Resumed."
	for name, w := range map[string]World{
		"everybody": world(),
		"owner":     owner,
		"empty":     {Now: noon, Host: "srv1", Alert: "Not done: <nothing>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := digests.ReplaceAllString(render(t, w), "/assets/DIGEST/")
			path := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the page is not that of %s any more; after a look at it: go test ./internal/web/page -update\n%s", path, got)
			}
		})
	}
}

// TestNothingFromElsewhere: every address of the page is its own, but for the
// link that a person follows.
func TestNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	w := world()
	w.Owner = true
	body := render(t, w)
	for _, found := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if a := found[1]; !strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "#") && a != "data:," && !strings.HasPrefix(a, "https://example.com/device") {
			t.Errorf("the page refers to %q", a)
		}
	}
	for _, never := range []string{" style=", "<style", " onclick", "javascript:", "<carol>"} {
		if strings.Contains(body, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, a := range Assets() {
		if strings.Contains(string(a.Body), "://") || strings.Contains(string(a.Body), "@import") || len(a.Body) == 0 {
			t.Errorf("%s refers to elsewhere, or is empty", a.Path)
		}
	}
}

// TestLinkIsALink: what a provider answers may not become a program.
func TestLinkIsALink(t *testing.T) {
	t.Parallel()
	w := world()
	w.Owner, w.Logins[0].URL = true, "javascript:alert(1)"
	if body := render(t, w); strings.Contains(body, `href="javascript`) {
		t.Error("the page has a program for a link")
	}
}

// TestEveryElementIsClosed, but for those of HTML that have no end.
func TestEveryElementIsClosed(t *testing.T) {
	t.Parallel()
	w := crowd(3)
	d := xml.NewDecoder(strings.NewReader(render(t, w)))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Errorf("%d elements are open at the end", depth)
	}
}

// TestIDsAreUnique: labels, forms and the script go by them.
func TestIDsAreUnique(t *testing.T) {
	t.Parallel()
	w := crowd(3)
	w.Status.Pools = append(w.Status.Pools, w.Status.Pools[0])
	w.Status.Pools[1].Agent = "work"
	body, seen := render(t, w), map[string]bool{}
	for _, found := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if seen[found[1]] {
			t.Errorf("%q is there twice", found[1])
		}
		seen[found[1]] = true
	}
	for _, found := range regexp.MustCompile(` (?:for|form|aria-labelledby)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if name := found[1]; name != "" && !seen[name] {
			t.Errorf("%q is meant and not there", name)
		}
	}
}

// TestSize: what a phone loads with fifty accounts, style and script included.
func TestSize(t *testing.T) {
	t.Parallel()
	size := len(render(t, crowd(50)))
	for _, a := range Assets() {
		size += len(a.Body)
	}
	t.Logf("%d bytes", size)
	if size > 60<<10 {
		t.Errorf("%d bytes, more than 60 KB", size)
	}
}

func TestNoPoolYet(t *testing.T) {
	t.Parallel()
	w := world()
	w.Status = watchdog.Status{}
	if body := render(t, w); !strings.Contains(body, "the first round is under way") || !strings.Contains(body, "No auth profiles are known yet") {
		t.Error(body)
	}
}

func BenchmarkRender50(b *testing.B) {
	r, err := New()
	if err != nil {
		b.Fatal(err)
	}
	w := crowd(50)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Render(w); err != nil {
			b.Fatal(err)
		}
	}
}
