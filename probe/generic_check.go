package probe

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Fault is one thing that is wrong with a Generic. At is the key it is about, as
// in a config file: "windows[0].used", "header", "sample".
type Fault struct{ At, What string }

const (
	// maxWindows is how many windows a generic provider has at most.
	maxWindows = 16
	// near is by how many percent points a sample may miss its Want: people
	// round.
	near = 0.5
)

// Absolute resets of a sample lie between these. A sample has no now to compare
// with, and a mistaken unit misses the century.
var (
	earliest = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Check says all that is wrong with g, and with what it reads out of sample, an
// answer of the provider. No fault quotes the sample's text or the header.
func (g *Generic) Check(sample []byte) []Fault {
	c := checker{}
	c.header(g.Header)
	if len(g.Windows) == 0 && g.Balance.IsZero() {
		c.fail("windows", "there is nothing to read; want at least one window, or credits")
	}
	if len(g.Windows) > maxWindows {
		c.fail("windows", "%d windows; at most %d are read", len(g.Windows), maxWindows)
		return c.faults
	}
	o, ok := parseObject(sample)
	switch {
	case len(strings.TrimSpace(string(sample))) == 0:
		c.fail("sample", "missing; want an answer of the provider, to check the paths against (or sample_file)")
	case !ok:
		c.fail("sample", "not a JSON object")
	}
	for i, w := range g.Windows {
		c.window(fmt.Sprintf("windows[%d]", i), w, g.Windows[:i])
	}
	if !ok || len(c.faults) > 0 {
		return c.faults
	}
	for i, w := range g.Windows {
		c.sampled(fmt.Sprintf("windows[%d]", i), w, o)
	}
	if !g.Plan.IsZero() && label(g.Plan.find(o).text(found)) == "" {
		c.fail("plan", "%s finds no text in the sample", g.Plan)
	}
	if !g.Balance.IsZero() {
		c.number("credits.balance", g.Balance, o)
	}
	return c.faults
}

type checker struct{ faults []Fault }

func (c *checker) fail(at, format string, args ...any) {
	c.faults = append(c.faults, Fault{At: at, What: fmt.Sprintf(format, args...)})
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// reserved are headers that belong to the request itself, or to ocwatch.
var reserved = []string{"host", "content-length", "transfer-encoding", "connection", "user-agent", "accept", "accept-encoding", "te", "trailer", "upgrade"}

// header holds the header to what a request can carry. Its value is never
// quoted: a token may stand there by mistake.
func (c *checker) header(text string) {
	name, value := splitHeader(text)
	switch {
	case !strings.Contains(cmp.Or(text, DefaultHeader), ":") || !headerName.MatchString(name):
		c.fail("header", "want a name and a value, like %q", DefaultHeader)
	case slices.Contains(reserved, strings.ToLower(name)):
		c.fail("header", "%s is not a header for a token", name)
	case strings.Count(value, TokenPlace) != 1:
		c.fail("header", "want %s once, where the account's token belongs", TokenPlace)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		c.fail("header", "want printable ASCII only")
	}
}

// window checks what can be told of w without the sample.
func (c *checker) window(at string, w GenericWindow, before []GenericWindow) {
	switch {
	case w.Name == "":
		c.fail(at+".name", "missing; want 5h, weekly, monthly, spend, or a length like 36h")
	case w.Name != quota.Spend && windowLength(w.Name) == 0:
		c.fail(at+".name", "%q is not 5h, weekly, monthly, spend, or a length like 90m, 36h or 2d", label(w.Name))
	case slices.ContainsFunc(before, func(b GenericWindow) bool { return b.Name == w.Name && strings.EqualFold(b.Scope, w.Scope) }):
		c.fail(at+".name", "there is a %s window of that scope already", w.Name)
	}
	if w.Scope != label(w.Scope) {
		c.fail(at+".scope", "want a printable word of at most 64 characters")
	}
	switch {
	case w.Used.IsZero() && w.Remaining.IsZero():
		c.fail(at+".used", "missing; want the path of what is used (or remaining: of what is left)")
	case !w.Used.IsZero() && !w.Remaining.IsZero():
		c.fail(at+".remaining", "used is set too; keep one of the two")
	}
	if !w.Limit.IsZero() && w.Unit != "" {
		c.fail(at+".unit", "never used with a limit, which says what is 100 %%")
	}
	if w.Reset.IsZero() && w.ResetUnit != "" {
		c.fail(at+".reset_unit", "never used without reset")
	}
}

// sampled checks what w reads out of the sample.
func (c *checker) sampled(at string, w GenericWindow, o object) {
	before := len(c.faults)
	key, path := at+".used", w.Used
	if path.IsZero() {
		key, path = at+".remaining", w.Remaining
	}
	c.number(key, path, o)
	if !w.Limit.IsZero() {
		if most, ok := c.number(at+".limit", w.Limit, o); ok && most <= 0 {
			c.fail(at+".limit", "%s finds %g in the sample; want more than 0", w.Limit, most)
		}
	}
	c.reset(at, w, o)
	if len(c.faults) == before {
		c.percent(key, at, w, o)
	}
}

// number checks that path finds a number.
func (c *checker) number(at string, path Path, o object) (float64, bool) {
	value := path.find(o)
	if value == nil {
		c.fail(at, "%s finds nothing in the sample", path)
		return 0, false
	}
	n, ok := value.number(found)
	if !ok {
		c.fail(at, "%s finds no number in the sample", path)
	}
	return n, ok
}

// percent checks what the sample comes to, which tells used from remaining and
// a percentage from a fraction.
func (c *checker) percent(key, at string, w GenericWindow, o object) {
	used, ok := w.percent(o)
	switch {
	case !ok:
		c.fail(key, "the sample's number is negative; no share of a limit")
	case used < 0 || used > 100:
		c.fail(key, "the sample reads as %.6g %% used, which is not from 0 to 100; is the unit right?", used)
	case w.Want == nil:
		c.fail(at+".want", "missing; want how many percent are used in the sample, as you know it from the provider's own page")
	case math.Abs(used-*w.Want) <= near:
	case math.Abs(100-used-*w.Want) <= near:
		c.fail(key, "the sample reads as %.6g %% used, not %g; it is the other one of used and remaining", used, *w.Want)
	default:
		c.fail(key, "the sample reads as %.6g %% used, not %g", used, *w.Want)
	}
}

// reset checks that what the sample has there is a time in the unit named.
func (c *checker) reset(at string, w GenericWindow, o object) {
	if w.Reset.IsZero() {
		return
	}
	if w.Reset.find(o) == nil {
		c.fail(at+".reset", "%s finds nothing in the sample", w.Reset)
		return
	}
	t, _, hasAfter := w.reset(o)
	switch {
	case hasAfter:
	case w.ResetUnit == SecondsLeft:
		c.fail(at+".reset", "%s is no number of seconds from 0 to %d in the sample", w.Reset, int(horizon.Seconds()))
	case t.IsZero() || t.Before(earliest) || t.After(latest):
		c.fail(at+".reset", "%s is no time of this century in the sample, as %s; is reset_unit right?", w.Reset, cmp.Or(w.ResetUnit, RFC3339))
	}
}
