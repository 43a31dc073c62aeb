package page

import (
	"fmt"
	"regexp"
	"testing"
)

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// squares are those that a path of runs covers.
func squares(t *testing.T, path string) map[[2]int]bool {
	t.Helper()
	if rest := run.ReplaceAllString(path, ""); rest != `d=""` {
		t.Fatalf("the path has %q", rest)
	}
	out := map[[2]int]bool{}
	for _, found := range run.FindAllString(path, -1) {
		var x, y, n, back int
		if _, err := fmt.Sscanf(found, "M%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || n != back {
			t.Fatal(found, err)
		}
		for i := range n {
			out[[2]int{x + i, y}] = true
		}
	}
	return out
}
