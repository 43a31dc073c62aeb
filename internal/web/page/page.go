// Package page makes the dashboard: one HTML page with its style and script,
// from what the watchdog knows. It asks nobody and keeps nothing.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// World is all that a page shows.
type World struct {
	Now  time.Time // its location is that of every time on the page
	Host string
	// Owner: the page has what only the owner may see and do. Token is then in
	// every form.
	Owner bool
	Token string
	// Did and Alert tell of the request that led to the page; "" for none.
	Did, Alert string

	Status watchdog.Status
	// Detail is why the gateway is not live or cannot be asked.
	Detail   string
	Warnings []string
	Why      []watchdog.PoolWhy
	Logins   []relogin.Status
	// Policy is that of a provider's pools.
	Policy  func(provider string) failover.Policy
	History History
}

// History is what the journal kept since Since, oldest first.
type History struct {
	// Known is since when ocwatch has watched, as far as it can tell.
	Known    time.Time
	Switches []journal.Switch
	Episodes []journal.Episode
	Restarts []journal.Restart
	Logins   []journal.Login
	// Trouble is why the history could not be read.
	Trouble string
}

// days is how many calendar days the timeline shows, today included.
const days = 7

// Since is where the timeline of a page made at now begins: midnight, six days
// ago.
func Since(now time.Time) time.Time { return midnight(now, 1-days) }

// midnight begins the day that is so many after that of t, in its time zone.
// Where clocks skip the midnight, the day begins an hour later.
func midnight(t time.Time, after int) time.Time {
	y, m, d := t.Date()
	begins := time.Date(y, m, d+after, 0, 0, 0, 0, t.Location())
	if noon := time.Date(y, m, d+after, 12, 0, 0, 0, t.Location()); begins.Day() != noon.Day() {
		return begins.Add(time.Hour)
	}
	return begins
}

//go:embed page.html.tmpl style.css live.js
var files embed.FS

// Asset is a file that the page refers to. Its address has a digest of its
// content, so that a browser may keep it for good.
type Asset struct {
	Path, Type string
	Body       []byte
}

// Assets are the style and the script.
func Assets() []Asset {
	return []Asset{asset("style.css", "text/css; charset=utf-8"), asset("live.js", "text/javascript; charset=utf-8")}
}

func asset(name, kind string) Asset {
	body, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	body = stripped(body)
	sum := sha256.Sum256(body)
	return Asset{Path: "/assets/" + hex.EncodeToString(sum[:6]) + "/" + name, Type: kind, Body: body}
}

// stripped is body without what only its readers need: lines of comment, and
// the space in front of lines.
func stripped(body []byte) []byte {
	var out []byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimLeft(line, " "); !bytes.HasPrefix(line, []byte("//")) {
			out = append(out, line...)
		}
	}
	return out
}

// Renderer renders pages. It may be used by several goroutines.
type Renderer struct {
	tmpl          *template.Template
	style, script string
}

// New returns a Renderer.
func New() (*Renderer, error) {
	tmpl, err := template.ParseFS(files, "page.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("the dashboard's template: %w", err)
	}
	a := Assets()
	return &Renderer{tmpl: tmpl, style: a[0].Path, script: a[1].Path}, nil
}

// Render returns the page of w.
func (r *Renderer) Render(w World) ([]byte, error) {
	v := newView(w)
	v.Style, v.Script = r.style, r.script
	var b bytes.Buffer
	if err := r.tmpl.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("render the dashboard: %w", err)
	}
	return []byte(visible(b.String())), nil
}
