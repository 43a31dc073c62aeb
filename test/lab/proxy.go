package lab

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// proxy is what OpenClaw takes for the way out: it ends TLS for the providers'
// host names with a certificate of its own and refuses every other host.
type proxy struct {
	url     string
	ca      string // a PEM file
	handler http.Handler
	config  *tls.Config
	srv     *http.Server
	conns   *connQueue

	mu      sync.Mutex
	refused []string
}

//nolint:gochecknoglobals // a constant list
var providerHosts = []string{"chatgpt.com", "*.chatgpt.com", "auth.openai.com", "api.openai.com", "api.anthropic.com"}

func newProxy(t *testing.T, handler http.Handler) *proxy {
	t.Helper()
	p := &proxy{handler: handler, ca: filepath.Join(t.TempDir(), "ca.pem"), conns: newConnQueue()}
	p.config = authority(t, p.ca)
	p.srv = &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.srv.Serve(p.conns) }() // ends with the queue
	front := httptest.NewServer(http.HandlerFunc(p.connect))
	t.Cleanup(func() {
		_ = p.srv.Close() // nothing to save
		front.CloseClientConnections()
		front.Close()
	})
	p.url = front.URL
	return p
}

func (p *proxy) connect(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil || !slices.Contains(providerHosts, host) {
		p.mu.Lock()
		p.refused = append(p.refused, r.Host)
		p.mu.Unlock()
		http.Error(w, "the lab reaches nobody", http.StatusForbidden)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = rw.WriteString("HTTP/1.1 200 Connection Established\r\n\r\n") // seen by Flush
	if rw.Flush() != nil {
		_ = conn.Close() // it is broken
		return
	}
	p.conns.put(tls.Server(&buffered{conn, rw.Reader}, p.config))
}

// buffered gives back what the HTTP server had read ahead.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b *buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// connQueue is a listener fed by hand.
type connQueue struct {
	ch   chan net.Conn
	done chan struct{}
	once sync.Once
}

func newConnQueue() *connQueue { return &connQueue{ch: make(chan net.Conn), done: make(chan struct{})} }

func (q *connQueue) put(c net.Conn) {
	select {
	case q.ch <- c:
	case <-q.done:
		_ = c.Close() // nobody is left to serve it
	}
}

func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case c := <-q.ch:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

func (q *connQueue) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// authority makes a CA, writes its certificate to path, and returns a server
// configuration with a leaf for the providers' names.
func authority(t *testing.T, path string) *tls.Config {
	t.Helper()
	caKey, ca := certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "lab authority"},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil, nil)
	leafKey, leaf := certificate(t, &x509.Certificate{
		// Not the authority's name: OpenSSL would take the leaf for self-signed.
		Subject:  pkix.Name{CommonName: "lab provider"},
		DNSNames: providerHosts, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})
	must(t, os.WriteFile(path, block, 0o600))
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, ca.Raw}, PrivateKey: leafKey}},
	}
}

func certificate(t *testing.T, c, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return key, cert
}

// CA is the PEM file of the authority that signed the stand-in's host names.
func (p *Provider) CA() string { return p.proxy.ca }

// Refused lists the hosts that somebody wanted and did not get.
func (p *Provider) Refused() []string {
	p.proxy.mu.Lock()
	defer p.proxy.mu.Unlock()
	return slices.Clone(p.proxy.refused)
}

func (p *Provider) proxyEnv() []string {
	return []string{
		"HTTPS_PROXY=" + p.proxy.url, "HTTP_PROXY=" + p.proxy.url,
		"NO_PROXY=127.0.0.1,localhost",
		"NODE_EXTRA_CA_CERTS=" + p.proxy.ca, "SSL_CERT_FILE=" + p.proxy.ca, "CODEX_CA_CERTIFICATE=" + p.proxy.ca,
	}
}
