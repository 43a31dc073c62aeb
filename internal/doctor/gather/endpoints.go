package gather

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/ocwatch/ocwatch/internal/doctor"
	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/notify"
)

// Address is where an endpoint is reached, as scheme and host: what of an
// address may be shown is enough to connect.
type Address struct {
	Name  string
	Shown string
	Beat  bool // the heartbeat's
}

// Proxy says through which proxy a URL is reached, nil for none.
type Proxy func(*http.Request) (*url.URL, error)

// Endpoints connects to each address, with TLS where it speaks TLS, and says
// nothing there.
func Endpoints(ctx context.Context, proxy Proxy, list []Address) []doctor.Endpoint {
	out := make([]doctor.Endpoint, len(list))
	var asking sync.WaitGroup
	for i, a := range list {
		asking.Go(func() { out[i] = reach(ctx, proxy, a) })
	}
	asking.Wait()
	return out
}

func reach(ctx context.Context, proxy Proxy, a Address) doctor.Endpoint {
	e := doctor.Endpoint{Name: a.Name, Beat: a.Beat}
	u, err := url.Parse(a.Shown)
	if err != nil || u.Hostname() == "" {
		e.Err = "its address has no host"
		return e
	}
	scheme := schemeOf(u)
	e.Host = net.JoinHostPort(u.Hostname(), portOf(u, scheme))
	if scheme != "smtp" {
		if through, err := proxy(&http.Request{URL: &url.URL{Scheme: scheme, Host: u.Host}}); err == nil && through != nil {
			e.Proxy, scheme = true, through.Scheme
			e.Host = net.JoinHostPort(through.Hostname(), portOf(through, scheme))
		}
	}
	if err := connect(ctx, e.Host, scheme == "https"); err != nil {
		e.Err = describe(err)
	}
	return e
}

// schemeOf maps the names of chat services: all of them are https, other than a
// mail server, or a push server on this very machine.
func schemeOf(u *url.URL) string {
	switch {
	case u.Scheme == "http", u.Scheme == "https", u.Scheme == "smtp":
		return u.Scheme
	case loopback.Host(u.Hostname()):
		return "http"
	}
	return "https"
}

func portOf(u *url.URL, scheme string) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case scheme == "https":
		return "443"
	case scheme == "smtp":
		return "25"
	case scheme == "socks5", scheme == "socks5h":
		return "1080"
	}
	return "80"
}

func connect(ctx context.Context, address string, secure bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var conn net.Conn
	var err error
	if secure {
		conn, err = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

func describe(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return notify.Describe(err)
}
