package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// Port is what programs and browsers reach: the page, the status and the
// metrics. The socket is the owner's own and asks for nothing of this.
type Port struct {
	// Address is the host:port to listen on, "" for none.
	Address string
	// URL is the https address that browsers use, "" for http://Address.
	URL string
	// Token lets its bearer read. Without one, whoever reaches Address may.
	Token secret.Value
	// CertFile and KeyFile are PEM files; "" for no TLS of our own.
	CertFile, KeyFile string
	// Proxies are the machines in front that do TLS. Nobody else may then ask,
	// but for this machine.
	Proxies []netip.Prefix
}

// shortestToken is the fewest bytes of a token: 16 random ones are never guessed.
const shortestToken = 16

// Problem is what is wrong with a Port.
type Problem struct {
	Field string // one of the constants below: what to change
	Text  string
	// NoToken: it would be none with a token.
	NoToken bool
}

// The fields of a Port that can be wrong.
const (
	FieldAddress = "Address"
	FieldURL     = "URL"
	FieldToken   = "Token"
	FieldCert    = "CertFile"
	FieldKey     = "KeyFile"
	FieldProxies = "Proxies"
)

// Open reports whether other machines reach the port, by themselves or through
// a proxy.
func (p Port) Open() bool {
	host, _, err := net.SplitHostPort(p.Address)
	return p.URL != "" || p.Address != "" && (err != nil || !loopback.Host(host))
}

// Problems are the reasons not to serve p. Beyond this machine nothing is
// served without a token, nor in the clear.
func (p Port) Problems() (list []Problem) {
	add := func(field, format string, args ...any) {
		list = append(list, Problem{Field: field, Text: fmt.Sprintf(format, args...)})
	}
	if p.Address != "" {
		_, port, err := net.SplitHostPort(p.Address)
		if _, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil {
			add(FieldAddress, "%q is not host:port, like 127.0.0.1:18790", p.Address)
			return list
		}
	}
	if text := p.badURL(); text != "" {
		add(FieldURL, "%s", text)
	}
	if n := len(p.Token.Reveal()); n > 0 && n < shortestToken {
		add(FieldToken, "%d characters can be guessed; want %d or more, as `openssl rand -hex 32` makes them", n, shortestToken)
	}
	if p.Open() {
		list = append(list, p.exposed()...)
	}
	if len(p.Proxies) > 0 && p.URL == "" && !p.Open() {
		add(FieldProxies, "set web.url to the https:// address that browsers use")
	}
	if (p.CertFile == "") != (p.KeyFile == "") {
		field, other := FieldCert, "key"
		if p.CertFile == "" {
			field, other = FieldKey, "certificate"
		}
		add(field, "its %s is missing: TLS needs both", other)
	} else if p.CertFile != "" {
		if err := p.checkCertificate(); err != nil {
			add(FieldCert, "%v", err)
		}
	}
	return list
}

// exposed is what is missing of a port that other machines reach.
func (p Port) exposed() (list []Problem) {
	host, port, _ := net.SplitHostPort(p.Address)
	who := p.Address + " is reachable from other machines"
	if p.Address == "" || loopback.Host(host) {
		who = "other machines come by this address"
	}
	field := FieldAddress
	if p.URL != "" {
		field = FieldURL
	}
	if p.Token.Empty() {
		list = append(list, Problem{Field: field, NoToken: true, Text: who + ", and whoever asks would be answered: set web.token_file to a file with a token (`openssl rand -hex 32`), or listen on a loopback address, like 127.0.0.1:" + orDefault(port)})
	}
	if p.Address == "" || loopback.Host(host) {
		return list // a proxy on this machine does TLS, or nobody comes
	}
	if p.CertFile == "" && p.KeyFile == "" && len(p.Proxies) == 0 {
		list = append(list, Problem{Field: FieldAddress, Text: who + ", and the token would go over the network in the clear: set web.cert_file and web.key_file, or web.proxies to the addresses of a proxy in front that does TLS"})
	}
	if p.URL == "" {
		list = append(list, Problem{Field: FieldAddress, Text: who + ": set web.url to the https:// address that browsers use, so that pages of other names are refused"})
	}
	return list
}

func orDefault(port string) string {
	if port == "" {
		return "18790"
	}
	return port
}

// badURL is why URL is none that browsers could use.
func (p Port) badURL() string {
	if p.URL == "" {
		return ""
	}
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "want an address like https://ocwatch.example.com"
	case u.Scheme != "https":
		return "want https://: what browsers send there is a password"
	case u.User != nil:
		return "a user or password in it would be shown to everybody"
	case strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "want scheme, host and port alone: the page is at / there"
	}
	return ""
}

// origin is URL as browsers write it, "" for none.
func (p Port) origin() string {
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(strings.TrimSuffix(u.Host, ":443"))
}

// host is that of URL, "" for none.
func (p Port) host() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// ParseProxy reads an address, or a range of them like 172.16.0.0/12.
func ParseProxy(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if p.Bits() == 0 {
			return p, fmt.Errorf("%s is everybody; want the addresses of the proxy", text)
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, errors.New("want an address like 10.0.0.5, or a range like 172.16.0.0/12")
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// Listen opens the port, if it may be served.
func (p Port) Listen(ctx context.Context) (net.Listener, error) {
	var errs []error
	for _, problem := range p.Problems() {
		errs = append(errs, errors.New(problem.Text))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("status API on %s: %w", p.Address, err)
	}
	l, err := ListenTCP(ctx, p.Address)
	if err != nil || p.CertFile == "" {
		return l, err
	}
	c, err := newCertificate(p.CertFile, p.KeyFile)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("status API on %s: %w", p.Address, err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}
