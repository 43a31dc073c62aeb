package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// gate stands before everything that the port serves.
type gate struct {
	port Port
	// password is the owner's, who may come in everywhere; nil: nobody has one.
	password atomic.Pointer[secret.Value]
	wrong    *guesses
	log      zerolog.Logger
}

// wrap lets requests through to next, or says why not.
func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		guard(rw)
		if code, text := g.refuse(r); code != 0 {
			http.Error(rw, text, code)
			return
		}
		if !g.port.Token.Empty() && !g.admit(rw, r) {
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// refuse is why a request is not even asked who sends it; 0: it is.
func (g *gate) refuse(r *http.Request) (code int, text string) {
	peer := peerOf(r)
	switch {
	case len(g.port.Proxies) > 0 && !peer.IsLoopback() && !g.proxy(peer):
		return http.StatusForbidden, "only the proxy in front may ask here (web.proxies)"
	case !g.knows(r.Host):
		return http.StatusMisdirectedRequest, "this is not the name that ocwatch is served under: use its own address, or set web.url"
	case g.port.URL == "" && proxied(r):
		return http.StatusForbidden, "this came through a proxy, so it may come from anywhere: set web.url and web.token_file"
	}
	for _, host := range list(r, "X-Forwarded-Host") {
		if !g.knows(host) {
			return http.StatusMisdirectedRequest, "this is not the name that ocwatch is served under: set web.url"
		}
	}
	if by := list(r, "X-Forwarded-Proto"); len(by) > 0 && !strings.EqualFold(by[0], "https") {
		return http.StatusForbidden, "this came to the proxy in the clear: use https"
	}
	return 0, ""
}

// knows tells our own names from those that a page elsewhere made up to have a
// browser take us for a part of itself.
func (g *gate) knows(host string) bool {
	name := hostname(host)
	return loopback.Host(name) || g.port.URL != "" && strings.EqualFold(name, g.port.host())
}

func (g *gate) proxy(a netip.Addr) bool {
	return slices.ContainsFunc(g.port.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// proxied reports whether a proxy says that it passed the request on.
func proxied(r *http.Request) bool {
	return slices.ContainsFunc([]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"},
		func(name string) bool { return r.Header[name] != nil })
}

// list are the values of a header that each proxy on the way adds to.
func list(r *http.Request, name string) (out []string) {
	for _, line := range r.Header.Values(name) {
		for item := range strings.SplitSeq(line, ",") {
			out = append(out, strings.TrimSpace(item))
		}
	}
	return out
}

// peerOf is who is connected, the zero Addr for the socket.
func peerOf(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap().WithZone("")
}

// client is who asks: the peer, or whom the proxy in front names. What comes
// before that in the list, anybody can write.
func (g *gate) client(r *http.Request) netip.Addr {
	at := peerOf(r)
	if g.port.URL == "" {
		return at
	}
	for _, name := range slices.Backward(list(r, "X-Forwarded-For")) {
		if !at.IsLoopback() && !g.proxy(at) {
			break
		}
		a, err := netip.ParseAddr(name)
		if err != nil {
			break
		}
		at = a.Unmap()
	}
	return at
}

// reader is the name that goes with the token, where a browser asks for one.
const reader = "reader"

// admit lets in the owner, and whoever has the token. The owner's password is
// 130 random bits, which nobody guesses: only the token is protected from
// being tried, so that nobody can lock the owner out.
func (g *gate) admit(rw http.ResponseWriter, r *http.Request) bool {
	name, password, basic := r.BasicAuth()
	if basic && g.owner(name, password) {
		return true
	}
	scheme, guess, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	ok := strings.EqualFold(scheme, "Bearer")
	if basic && name == reader {
		guess, ok = password, true
	}
	if !ok {
		challenge(rw, "Sign in with the user and the password that ocwatch dashboard prints, or as "+reader+" with the token.")
		return false
	}
	from, now := g.client(r), time.Now()
	if wait := g.wrong.take(from, now); wait > 0 {
		rw.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
		http.Error(rw, "too many wrong tokens came from there", http.StatusTooManyRequests)
		return false
	}
	if equal(guess, g.port.Token.Reveal()) {
		g.wrong.right(from, now)
		return true
	}
	g.log.Warn().Stringer("from", from).Msg("a wrong token was sent to the status API")
	challenge(rw, "That is not the token.")
	return false
}

func (g *gate) owner(name, password string) bool {
	is := g.password.Load()
	return is != nil && !is.Empty() && equal(name, user) && equal(password, is.Reveal())
}

// challenge has a browser ask for a name and a password.
func challenge(rw http.ResponseWriter, text string) {
	rw.Header().Set("WWW-Authenticate", `Basic realm="ocwatch", charset="UTF-8"`)
	rw.Header().Set("Cache-Control", "no-store")
	http.Error(rw, text, http.StatusUnauthorized)
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]") // [::1] without a port
}
