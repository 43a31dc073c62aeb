package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/secret"
)

const testToken = "0123456789abcdef0123456789abcdef"

// openPort is one that other machines reach, behind a proxy at 10.0.0.5.
func openPort() Port {
	return Port{
		Address: "10.0.0.7:18790", URL: "https://ocwatch.example.com", Token: secret.New(testToken),
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")},
	}
}

// knock makes one request of a server behind port, as change has it.
func knock(s *Server, path string, change func(r *http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:18790"+path, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	if change != nil {
		change(r)
	}
	rw := httptest.NewRecorder()
	s.public.Handler.ServeHTTP(rw, r)
	return rw
}

// behind is a whole server behind port.
func behind(t *testing.T, port Port, log zerolog.Logger) *Server {
	t.Helper()
	b := newBoardAt(t, port, log)
	b.server.ServeMetrics(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("ocwatch_paused 0\n")) }))
	return b.server
}

// everything is each kind of what the port serves.
var everything = []string{"/", "/owner/", "/owner/events", "/events", "/metrics", "/api/v1/status", "/assets/x", "/none"}

// TestOpenPortAsks: beyond this machine nothing is answered without the token
// or the password.
func TestOpenPortAsks(t *testing.T) {
	t.Parallel()
	viaProxy := func(r *http.Request) { r.RemoteAddr, r.Host = "10.0.0.5:4711", "ocwatch.example.com" }
	for _, path := range everything {
		s := behind(t, openPort(), zerolog.Nop())
		for name, change := range map[string]func(r *http.Request){
			"nothing":           nil,
			"the proxy":         viaProxy,
			"a wrong token":     func(r *http.Request) { viaProxy(r); r.Header.Set("Authorization", "Bearer "+testToken[1:]) },
			"no token":          func(r *http.Request) { viaProxy(r); r.Header.Set("Authorization", "Bearer ") },
			"password as token": func(r *http.Request) { viaProxy(r); r.Header.Set("Authorization", "Bearer "+testPassword) },
			"token as password": func(r *http.Request) { viaProxy(r); r.SetBasicAuth("owner", testToken) },
			"in the address":    func(r *http.Request) { viaProxy(r); r.URL.RawQuery = "token=" + testToken },
			"another user":      func(r *http.Request) { viaProxy(r); r.SetBasicAuth("", testToken) },
		} {
			rw := knock(s, path, change)
			if rw.Code != http.StatusUnauthorized || rw.Header().Get("WWW-Authenticate") == "" || strings.Contains(rw.Body.String(), "alice") {
				t.Errorf("%s with %s: %d %s", path, name, rw.Code, rw.Body)
			}
		}
	}
}

// TestOpenPortAdmits: who may do what with which of the two.
func TestOpenPortAdmits(t *testing.T) {
	t.Parallel()
	s := behind(t, openPort(), zerolog.Nop())
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testToken) }
	asReader := func(r *http.Request) { r.SetBasicAuth(reader, testToken) }
	for _, tc := range []struct {
		path          string
		token, owners int
	}{
		{"/", 200, 200},
		{"/metrics", 200, 200},
		{"/api/v1/status", 200, 200},
		{"/none", 404, 404},
		{"/owner/", 401, 200},
	} {
		lower := func(r *http.Request) { r.Header.Set("Authorization", "bearer "+testToken) }
		for name, change := range map[string]func(r *http.Request){"bearer": bearer, "bearer in small letters": lower, "reader": asReader} {
			if rw := knock(s, tc.path, change); rw.Code != tc.token {
				t.Errorf("%s as %s: %d", tc.path, name, rw.Code)
			}
		}
		if rw := knock(s, tc.path, asOwner); rw.Code != tc.owners {
			t.Errorf("%s as the owner: %d", tc.path, rw.Code)
		}
	}
	if body := knock(s, "/", bearer).Body.String(); strings.Contains(body, "ABCD-1234") || strings.Contains(body, "<form") {
		t.Error("the token shows what lets its bearer log in, or act")
	}
}

// TestWhoMayKnock: what is refused before anybody is asked who they are.
func TestWhoMayKnock(t *testing.T) {
	t.Parallel()
	local := Port{Address: "127.0.0.1:18790"}
	nearProxy := Port{Address: "127.0.0.1:18790", URL: "https://ocwatch.example.com:8443/", Token: secret.New(testToken)}
	for name, tc := range map[string]struct {
		port       Port
		peer, host string
		headers    string
		code       int
	}{
		"this machine":                  {local, "127.0.0.1", "127.0.0.1:18790", "", 200},
		"the socket's name":             {local, "127.0.0.1", "ocwatch", "", 421},
		"a name made up":                {local, "127.0.0.1", "rebound.example.com:18790", "", 421},
		"no name":                       {local, "127.0.0.1", "", "", 421},
		"a proxy that nobody told of":   {local, "127.0.0.1", "127.0.0.1:18790", "X-Forwarded-For: 203.0.113.9", 403},
		"another proxy's word":          {local, "127.0.0.1", "localhost", "Forwarded: for=203.0.113.9", 403},
		"nginx as it comes":             {local, "127.0.0.1", "localhost", "X-Real-Ip: 203.0.113.9", 403},
		"a proxy here":                  {nearProxy, "127.0.0.1", "ocwatch.example.com", "X-Forwarded-For: 203.0.113.9", 200},
		"a proxy here, by our name":     {nearProxy, "127.0.0.1", "127.0.0.1:18790", "X-Forwarded-Host: ocwatch.example.com:8443", 200},
		"another name's proxy":          {nearProxy, "127.0.0.1", "127.0.0.1:18790", "X-Forwarded-Host: rebound.example.com", 421},
		"two names":                     {nearProxy, "127.0.0.1", "127.0.0.1:18790", "X-Forwarded-Host: ocwatch.example.com, rebound.example.com", 421},
		"in capitals":                   {nearProxy, "127.0.0.1", "OCWATCH.example.com", "", 200},
		"a name that begins alike":      {nearProxy, "127.0.0.1", "ocwatch.example.com.evil.example", "", 421},
		"through the proxy in clear":    {nearProxy, "127.0.0.1", "ocwatch.example.com", "X-Forwarded-Proto: http", 403},
		"through the proxy with TLS":    {nearProxy, "127.0.0.1", "ocwatch.example.com", "X-Forwarded-Proto: https", 200},
		"the proxy":                     {openPort(), "10.0.0.5", "ocwatch.example.com", "", 200},
		"the proxy, by its address":     {openPort(), "10.0.0.5", "10.0.0.7:18790", "", 421},
		"the proxy, over IPv6":          {openPort(), "::ffff:10.0.0.5", "ocwatch.example.com", "", 200},
		"past the proxy":                {openPort(), "10.0.0.6", "ocwatch.example.com", "", 403},
		"past it, with its header":      {openPort(), "10.0.0.6", "ocwatch.example.com", "X-Forwarded-For: 10.0.0.5", 403},
		"this machine, beside a proxy":  {openPort(), "127.0.0.1", "127.0.0.1:18790", "", 200},
		"a peer that cannot be told of": {openPort(), "@", "ocwatch.example.com", "", 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rw := knock(behind(t, tc.port, zerolog.Nop()), "/", func(r *http.Request) {
				asOwner(r)
				r.RemoteAddr, r.Host = tc.peer, tc.host
				if a, err := netip.ParseAddr(tc.peer); err == nil {
					r.RemoteAddr = netip.AddrPortFrom(a, 4711).String()
				}
				if name, value, ok := strings.Cut(tc.headers, ": "); ok {
					r.Header.Set(name, value)
				}
			})
			if rw.Code != tc.code {
				t.Errorf("%d, want %d: %s", rw.Code, tc.code, rw.Body)
			}
		})
	}
}

// TestFormsBehindProxy: the page's forms are its own under the name that
// browsers use, whatever name the proxy uses for us.
func TestFormsBehindProxy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		host, origin, site string
		code               int
	}{
		"the name kept":        {"ocwatch.example.com", "https://ocwatch.example.com", "", http.StatusSeeOther},
		"another name":         {"127.0.0.1:18790", "https://ocwatch.example.com", "", http.StatusSeeOther},
		"another name, newer":  {"127.0.0.1:18790", "https://ocwatch.example.com", "same-origin", http.StatusSeeOther},
		"another site":         {"127.0.0.1:18790", "https://evil.example", "cross-site", http.StatusForbidden},
		"another site, older":  {"127.0.0.1:18790", "https://evil.example", "", http.StatusForbidden},
		"its page in the open": {"ocwatch.example.com", "http://127.0.0.1:18790", "", http.StatusForbidden},
		"a neighbour":          {"ocwatch.example.com", "https://other.example.com", "same-site", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoardAt(t, openPort(), zerolog.Nop())
			rw := b.send(http.MethodPost, "/owner/resume", tokenForm(), func(r *http.Request) {
				asOwner(r)
				r.RemoteAddr, r.Host = "10.0.0.5:4711", tc.host
				r.Header.Set("Origin", tc.origin)
				if tc.site != "" {
					r.Header.Set("Sec-Fetch-Site", tc.site)
				}
			})
			if rw.Code != tc.code || (len(b.wish.calls) > 0) != (tc.code == http.StatusSeeOther) {
				t.Errorf("%d, did %q: %s", rw.Code, b.wish.calls, rw.Body)
			}
		})
	}
}

// TestWrongTokens: ten at once and then one in six seconds, of each address;
// the owner is never locked out.
func TestWrongTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := behind(t, openPort(), zerolog.New(&log))
		try := func(from, token string) int {
			return knock(s, "/metrics?token=NEVERLOGGED", func(r *http.Request) {
				r.RemoteAddr, r.Host = "10.0.0.5:4711", "ocwatch.example.com"
				r.Header.Set("X-Forwarded-For", "198.51.100.1, "+from)
				r.Header.Set("Authorization", "Bearer "+token)
			}).Code
		}
		count := func(from string, n int) (looked int) {
			for i := range n {
				if try(from, fmt.Sprintf("wrong%d", i)) == http.StatusUnauthorized {
					looked++
				}
			}
			return looked
		}
		if got := count("203.0.113.9", 50); got != mostWrong {
			t.Errorf("%d of 50 wrong tokens were looked at", got)
		}
		if got := try("203.0.113.9", testToken); got != http.StatusTooManyRequests {
			t.Errorf("the right one after them: %d", got)
		}
		if got := try("203.0.113.10", testToken); got != http.StatusOK {
			t.Errorf("the right one from elsewhere: %d", got)
		}
		if rw := knock(s, "/", func(r *http.Request) {
			asOwner(r)
			r.Host, r.RemoteAddr = "ocwatch.example.com", "10.0.0.5:4711"
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
		}); rw.Code != http.StatusOK {
			t.Errorf("the owner from there: %d", rw.Code)
		}
		time.Sleep(time.Minute)
		if got := count("203.0.113.9", 50); got != mostWrong {
			t.Errorf("%d are looked at after a minute", got)
		}
		for range 1000 { // whoever is right may ask as often as they like
			if got := try("203.0.113.11", testToken); got != http.StatusOK {
				t.Fatalf("a reader gets %d", got)
			}
		}
		if text := log.String(); !strings.Contains(text, "203.0.113.9") || strings.Contains(text, "NEVERLOGGED") || strings.Contains(text, "wrong1") {
			t.Errorf("the log: %s", text)
		}
	})
}

// TestGuessers: however many addresses are wrong, the memory of them is
// bounded, and nobody gains by being many within one network.
func TestGuessers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	g := newGuesses()
	for i := range 100 {
		a := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1))
		if wait := g.take(a, now); (wait == 0) != (i < mostWrong) {
			t.Fatalf("guess %d of a network waits %s", i+1, wait)
		}
	}
	for i := range 2 * mostGuessers {
		g.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := len(g.free); n > mostGuessers+1 {
		t.Errorf("%d addresses are remembered", n)
	}
	newcomer := netip.MustParseAddr("192.0.2.1")
	if g.take(newcomer, now) == 0 {
		t.Error("of too many addresses each is let guess")
	}
	if later := now.Add(time.Hour); g.take(newcomer, later) != 0 || len(g.free) > 1 {
		t.Errorf("an hour later %d are remembered", len(g.free))
	}
}
