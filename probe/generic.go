package probe

import (
	"context"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// Generic says how a provider without a file of its own is asked and how its
// answer is read. It is the owner's: Check holds it to a sample of the answer.
type Generic struct {
	// Types are the profile types that are asked so; empty means all.
	Types []string
	// Header carries the token: "Name: value" with TokenPlace in the value, ""
	// for DefaultHeader.
	Header  string
	Windows []GenericWindow
	// Plan leads to the plan's name, Balance to prepaid credits, counted in
	// BalanceUnit. The zero Path: none.
	Plan, Balance Path
	BalanceUnit   string
}

// GenericWindow is one window of the answer.
type GenericWindow struct {
	// Name is 5h, weekly, monthly, spend, or a length: 90m, 36h, 2d.
	Name string
	// Scope is the model or product that it limits, "" for the whole account.
	Scope string
	// One of Used and Remaining leads to a number, which Unit explains.
	Used, Remaining Path
	// Limit leads to the number that is 100 %; the zero Path where Unit is a
	// share already.
	Limit Path
	Unit  ShareUnit // "" is Percent
	// Reset leads to when the window is reset, which ResetUnit explains.
	Reset     Path
	ResetUnit ResetUnit // "" is RFC3339
	// Want is the used percentage that the sample must read as; nil: not said.
	Want *float64
}

// ShareUnit is what a share is counted in.
type ShareUnit string

// The units of a share.
const (
	Percent  ShareUnit = "percent"  // 0 to 100
	Fraction ShareUnit = "fraction" // 0 to 1
)

// ResetUnit is how a reset is told.
type ResetUnit string

// The units of a reset.
const (
	RFC3339      ResetUnit = "rfc3339"
	EpochSeconds ResetUnit = "epoch_s"
	EpochMillis  ResetUnit = "epoch_ms"
	SecondsLeft  ResetUnit = "seconds_left"
)

const (
	// TokenPlace stands for the account's token in Generic.Header.
	TokenPlace = "{token}"
	// DefaultHeader is what most providers want.
	DefaultHeader = "Authorization: Bearer " + TokenPlace
)

// serves reports whether a profile of that type is asked so.
func (g *Generic) serves(profileType string) bool {
	return g != nil && (len(g.Types) == 0 || slices.Contains(g.Types, profileType))
}

// genericRules come before those that hold everywhere: of a key's usage, too,
// a bare 401 says nothing that OpenClaw could mend.
var genericRules = []rule{
	{
		types: []string{keyType}, statuses: []int{http.StatusUnauthorized},
		verdict: quota.Unknown, reason: "the provider answered 401 without saying what is wrong with the key",
	},
}

// ask is the Func of a generic provider. The token goes to a's endpoint alone.
func (g *Generic) ask(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if a.Endpoint == "" {
		return unsupported("ocwatch knows no way to read this provider's quota"), nil
	}
	return question{
		url: a.Endpoint, set: g.setToken, holds: g.heads(), rules: genericRules, parse: g.parse,
	}.ask(ctx, a, c)
}

func (g *Generic) setToken(h http.Header, token secret.Value) {
	name, value := splitHeader(g.Header)
	h.Set(name, strings.ReplaceAll(value, TokenPlace, token.Reveal()))
}

// splitHeader takes a header apart, the default one where text is empty.
func splitHeader(text string) (name, value string) {
	if text == "" {
		text = DefaultHeader
	}
	name, value, _ = strings.Cut(text, ":")
	return strings.TrimSpace(name), strings.TrimSpace(value)
}

// heads are the members that an answer of usage has.
func (g *Generic) heads() []string {
	heads := []string{g.Balance.head()}
	for _, w := range g.Windows {
		heads = append(heads, w.Used.head(), w.Remaining.head())
	}
	return slices.DeleteFunc(heads, func(s string) bool { return s == "" })
}

// parse reads an answer. What a path does not find is unknown, never 0.
func (g *Generic) parse(o object, c clock) quota.Reading {
	r := quota.Reading{Source: quota.FromUsage}
	if plan := g.Plan.find(o); plan != nil {
		r.Plan = label(plan.text(found))
	}
	for _, w := range g.Windows {
		if read := w.read(o, c); read.UsedPercent != nil || !read.ResetsAt.IsZero() {
			r.Windows = addWindow(r.Windows, read)
		}
	}
	if left, ok := g.Balance.find(o).number(found); ok {
		r.Credits = &quota.Credits{Balance: left, Unit: g.BalanceUnit}
	}
	g.judge(&r, c.now)
	return r
}

// judge goes by the windows, and by credits where there are no windows.
func (g *Generic) judge(r *quota.Reading, now time.Time) {
	judge(r, now)
	switch {
	case len(g.Windows) > 0 || r.Credits == nil:
	case r.Credits.Balance > 0:
		r.Verdict, r.Reason = quota.OK, "no window reported; credits are left"
	default:
		r.Verdict, r.Reason = quota.Billing, "the provider reports no credit, or a spend limit reached"
	}
}

func (w GenericWindow) read(o object, c clock) quota.Window {
	out := quota.Window{Name: w.Name, Scope: w.Scope, Length: windowLength(w.Name)}
	if used, ok := w.percent(o); ok {
		setPercent(&out, used, 100)
	}
	at, after, hasAfter := w.reset(o)
	setReset(&out, c.reset(at, after, hasAfter, out.Length), c.now)
	return out
}

// percent returns the used percentage, and whether the answer has one.
func (w GenericWindow) percent(o object) (float64, bool) {
	path, left := w.Used, false
	if path.IsZero() {
		path, left = w.Remaining, true
	}
	share, ok := path.find(o).number(found)
	switch {
	case !ok:
		return 0, false
	case !w.Limit.IsZero():
		most, known := w.Limit.find(o).number(found)
		if !known || most <= 0 || share < 0 {
			return 0, false
		}
		// A count may run past its limit, which is spent and no more.
		share = math.Min(100*share/most, 100)
	case w.Unit == Fraction:
		share *= 100
	}
	if left {
		share = 100 - share
	}
	return share, !math.IsInf(share, 0)
}

// reset returns when the window is reset: a time, or how long from now.
func (w GenericWindow) reset(o object) (at time.Time, after time.Duration, hasAfter bool) {
	value := w.Reset.find(o)
	switch w.ResetUnit {
	case SecondsLeft:
		after, hasAfter = value.seconds(found)
		return time.Time{}, after, hasAfter
	case EpochSeconds:
		return epoch(value, found, 1), 0, false
	case EpochMillis:
		return epoch(value, found, 1000), 0, false
	case RFC3339:
	}
	if t, err := time.Parse(time.RFC3339Nano, value.text(found)); err == nil {
		at = writable(t.UTC())
	}
	return at, 0, false
}

// epoch returns the time under key, which counts since 1970, per to the second,
// and guesses no unit. Zero where there is none.
func epoch(o object, key string, per float64) time.Time {
	n, ok := o.number(key)
	if n /= per; !ok || n <= 0 || n > 1e12 {
		return time.Time{}
	}
	return writable(time.Unix(int64(n), 0).UTC())
}

var lengthName = regexp.MustCompile(`^[1-9][0-9]{0,3}[mhd]$`)

// windowLength is how long a window of that name is, 0 where the name does not
// say.
func windowLength(name string) time.Duration {
	switch {
	case name == quota.Monthly:
		return 31 * day // of which a reset may be that far away
	case name != quota.Weekly && !lengthName.MatchString(name):
		return 0
	}
	return quota.Window{Name: name}.Lasts()
}
