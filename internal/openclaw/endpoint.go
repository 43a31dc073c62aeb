package openclaw

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// defaultPort is the gateway's where nothing says otherwise.
const defaultPort = 18789

// endpoint is where the gateway is and what it is shown.
type endpoint struct {
	url      *url.URL
	token    secret.Value
	password secret.Value
	cert     []byte // DER of the certificate to expect; nil: the usual rules
	err      error  // why there is no endpoint
}

// endpoint is worked out anew on each connect, since a port or a token may have
// changed with the restart that cut the last connection.
func (i *Install) endpoint() endpoint {
	cfg, err := i.Config()
	if err != nil {
		return endpoint{err: err}
	}
	e := endpoint{url: i.localURL(cfg)}
	given := i.opts.GatewayURL != ""
	if given {
		if e.url, err = gatewayURL(i.opts.GatewayURL); err != nil {
			return endpoint{err: err}
		}
	}
	if e.url.Scheme == "wss" && e.loopback() {
		e.cert = i.certificate(cfg)
	}
	i.credentials(&e, cfg, given)
	return e
}

// localURL addresses the loopback interface whatever the bind: the gateway
// always listens there for callers of its own host.
func (i *Install) localURL(cfg Config) *url.URL {
	p := cfg.GatewayPort
	if own := envPort(i.getenv("OPENCLAW_GATEWAY_PORT")); own != 0 {
		p = own
	}
	if p == 0 {
		p = defaultPort
	}
	scheme := "ws"
	if cfg.GatewayTLS {
		scheme = "wss"
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(p))}
}

// envPort reads OpenClaw's forms of the variable: 18789, host:18789, [::1]:18789.
func envPort(v string) int {
	if at := strings.LastIndex(v, ":"); at >= 0 {
		v = v[at+1:]
	}
	p, err := strconv.Atoi(v)
	if err != nil || p < 1 || p > 65535 {
		return 0
	}
	return p
}

func gatewayURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "ws" && u.Scheme != "wss") {
		return nil, errors.New("gateway url: want ws://host:port or wss://host:port, without a user name")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}, nil
}

// credentials follows the gateway: its own config first, then the environment.
// The config's token is for the gateway that the config describes, so one
// elsewhere is shown only what was given for it.
func (i *Install) credentials(e *endpoint, cfg Config, given bool) {
	if !i.opts.GatewayToken.Empty() {
		e.token = i.opts.GatewayToken
		return
	}
	if !given || e.loopback() {
		e.token, e.password = cfg.GatewayToken, cfg.GatewayPassword
	}
	if e.token.Empty() {
		e.token = secret.New(i.getenv("OPENCLAW_GATEWAY_TOKEN"))
	}
	if e.password.Empty() {
		e.password = secret.New(i.getenv("OPENCLAW_GATEWAY_PASSWORD"))
	}
	switch cfg.GatewayAuthMode {
	case "token":
		e.password = secret.Value{}
	case "password", "trusted-proxy":
		e.token = secret.Value{}
	}
}

func (e endpoint) loopback() bool { return loopback.Host(e.url.Hostname()) }

// private reports whether a credential may travel there.
func (e endpoint) private() bool { return e.url.Scheme == "wss" || e.loopback() }

func (e endpoint) http(path string) string {
	u := *e.url
	u.Scheme = "http" + strings.TrimPrefix(u.Scheme, "ws")
	u.Path = path
	return u.String()
}

// httpClient never follows a redirect and never uses a proxy: the gateway is
// spoken to directly, or not at all.
func (e endpoint) httpClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: e.tlsConfig(), ForceAttemptHTTP2: false},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// certificate reads the gateway's own certificate, which it signs itself and
// which names no host, so that the usual rules can never hold for it.
func (i *Install) certificate(cfg Config) []byte {
	path := cfg.GatewayTLSCert
	if path == "" {
		path = filepath.Join(i.StateDir, "gateway", "tls", "gateway-cert.pem")
	}
	raw, err := readFile(path, maxConfigBytes)
	if err != nil {
		return nil
	}
	if block, _ := pem.Decode(raw); block != nil {
		return block.Bytes
	}
	return nil
}

// tlsConfig accepts exactly the gateway's own certificate where it is known,
// and holds to the usual rules where it is not.
func (e endpoint) tlsConfig() *tls.Config {
	if e.cert == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection is stricter: one certificate, byte for byte
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, e.cert) {
				return fmt.Errorf("the certificate of %s is not the one in the state directory", e.url.Host)
			}
			return nil
		},
	}
}
