package page

import (
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// TestNothingHidden: a name that shows as another one is written out, wherever
// it stands, and a button still sends it to the letter.
func TestNothingHidden(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ id, shown, sent string }{
		"turned around":  {"openai:\u202Emoc.elpmaxe@ecila", "openai:[U+202E]moc.elpmaxe@ecila", "openai:&#8238;moc.elpmaxe@ecila"},
		"isolated":       {"openai:\u2067b\u2069", "openai:[U+2067]b[U+2069]", "openai:&#8295;b&#8297;"},
		"nothing to see": {"openai:\u200B\u00AD", "openai:[U+200B][U+00AD]", "openai:&#8203;&#173;"},
		"a control":      {"openai:a\x1b[2Jb", "openai:a[U+001B][2Jb", "openai:a&#27;[2Jb"},
		"another script": {"openai:\u05D3\u4E2D", "openai:\u05D3\u4E2D", "openai:\u05D3\u4E2D"},
		"an attribute":   {`openai:" autofocus="`, "openai:&#34; autofocus=&#34;", "openai:&#34; autofocus=&#34;"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world()
			w.Owner, w.History.Switches = true, nil
			pool := &w.Status.Pools[0]
			pool.Reason, pool.Order = tc.id+" is first", []string{tc.id}
			pool.Pinned.Profile = tc.id
			pool.Profiles = []watchdog.ProfileStatus{{ID: tc.id, State: failover.Available}}
			body := render(t, w)
			for _, part := range []string{
				"<b>" + tc.shown + "</b>", "<p>" + tc.shown + " is first.", tc.shown + " is pinned", "<span>" + tc.shown + "</span><svg",
				`<button name="profile" value="` + tc.sent + `" aria-label="Put first: ` + tc.shown + `"`,
			} {
				if !strings.Contains(body, part) {
					t.Errorf("the page lacks %s", part)
				}
			}
			if strings.ContainsFunc(body, hidden) {
				t.Error("the page has a hidden character")
			}
		})
	}
}

// TestLinks: only an address of the web is led to, by link and by QR code.
func TestLinks(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://auth.example.com/device?a=1": true, "http://127.0.0.1:1455/": true,
		"javascript:alert(1)": false, "intent://pay": false, "https:": false, "/owner/": false, "": false, "https://a b/": false, "data:text/html,x": false,
	} {
		w := world()
		w.Owner, w.Logins[0].URL = true, address
		body := render(t, w)
		if link, code := strings.Contains(body, `target="_blank"`), strings.Contains(body, `class="qr"`); link != want || code != want {
			t.Errorf("%q: link %v, code %v", address, link, code)
		}
	}
}
