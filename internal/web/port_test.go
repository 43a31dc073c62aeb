package web

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// issue writes a certificate for name and its key, and returns it.
func issue(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err := errors.Join(err,
		os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return made
}

// tlsPort is one with a certificate of its own.
func tlsPort(t *testing.T) (Port, *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	pool := x509.NewCertPool()
	pool.AddCert(issue(t, dir, "ocwatch.example.com"))
	return Port{
		Address: "0.0.0.0:0", URL: "https://ocwatch.example.com", Token: secret.New(testToken),
		CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"),
	}, pool
}

// TestTLS: a real client, beyond loopback by its address, in both versions of
// HTTP.
func TestTLS(t *testing.T) {
	t.Parallel()
	port, pool := tlsPort(t)
	l, err := port.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := behind(t, port, zerolog.Nop())
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	_, number, _ := net.SplitHostPort(l.Addr().String())
	address := net.JoinHostPort("127.0.0.1", number)
	for name, versions := range map[string][]string{"HTTP/1.1": {"http/1.1"}, "HTTP/2.0": {"h2"}} {
		tr := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: pool, ServerName: "ocwatch.example.com", NextProtos: versions},
			ForceAttemptHTTP2: versions[0] == "h2",
		}
		defer tr.CloseIdleConnections()
		ask := func(path, token string) *http.Response {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "ocwatch.example.com"
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		good, bad := ask("/metrics", testToken), ask("/metrics", "wrong")
		body, err := io.ReadAll(good.Body)
		_ = good.Body.Close()
		_ = bad.Body.Close()
		if good.StatusCode != http.StatusOK || string(body) != "ocwatch_paused 0\n" || err != nil || good.Proto != name {
			t.Errorf("%s: %d over %s: %q, %v", name, good.StatusCode, good.Proto, body, err)
		}
		if bad.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: a wrong token gets %d", name, bad.StatusCode)
		}
		events := ask("/events", testToken)
		lines := bufio.NewScanner(events.Body)
		if !lines.Scan() || lines.Text() != "retry: 3000" {
			t.Errorf("%s: the stream begins with %q", name, lines.Text())
		}
		s.Changed()
		for lines.Scan() && lines.Text() == "" {
			continue
		}
		if lines.Text() != "data: changed" {
			t.Errorf("%s: the stream tells %q", name, lines.Text())
		}
		_ = events.Body.Close()
	}
	if c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: "ocwatch.example.com", MaxVersion: tls.VersionTLS11}); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", http.NoBody)))
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("in the clear: %v, %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-done
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

// TestCertificateIsRenewed: new files are used within seconds, and files that
// are half written not at all.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	synctest.Test(t, func(t *testing.T) {
		first := issue(t, dir, "ocwatch.example.com")
		c, err := newCertificate(certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		is := func(when string, want *x509.Certificate) {
			t.Helper()
			time.Sleep(certificateAge)
			got, err := c.get(nil)
			if err != nil || !bytes.Equal(got.Certificate[0], want.Raw) {
				t.Errorf("%s: another certificate, %v", when, err)
			}
		}
		is("at first", first)
		key, err := os.ReadFile(keyFile)
		if err != nil {
			t.Fatal(err)
		}
		second := issue(t, dir, "ocwatch.example.com")
		newKey, err := os.ReadFile(keyFile)
		if err := errors.Join(err, os.WriteFile(keyFile, key, 0o600)); err != nil {
			t.Fatal(err)
		}
		is("the old key beside the new certificate", first)
		if err := os.Remove(keyFile); err != nil {
			t.Fatal(err)
		}
		is("no key", first)
		if err := os.WriteFile(keyFile, newKey, 0o644); err != nil {
			t.Fatal(err)
		}
		is("a key that everybody reads", first)
		if err := os.Chmod(keyFile, 0o600); err != nil {
			t.Fatal(err)
		}
		is("both new", second)
	})
}

// TestNoListening: what may not be served is not, whoever asks for it.
func TestNoListening(t *testing.T) {
	t.Parallel()
	good, _ := tlsPort(t)
	for name, tc := range map[string]struct {
		change func(p *Port)
		says   string
	}{
		"no token":             {func(p *Port) { p.Token = secret.Value{} }, "set web.token_file"},
		"no TLS":               {func(p *Port) { p.CertFile, p.KeyFile = "", "" }, "in the clear"},
		"no address":           {func(p *Port) { p.URL = "" }, "set web.url"},
		"another's name":       {func(p *Port) { p.URL = "https://other.example.com" }, "not for web.url"},
		"a key that is none":   {func(p *Port) { p.KeyFile = p.CertFile }, "TLS certificate"},
		"a certificate of air": {func(p *Port) { p.CertFile += ".none" }, "no such file"},
		"a user in it":         {func(p *Port) { p.URL = "https://me:word@ocwatch.example.com" }, "shown to everybody"},
		"no host":              {func(p *Port) { p.URL = "https://" }, "want an address like"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := good
			tc.change(&p)
			l, err := p.Listen(t.Context())
			if err == nil {
				_ = l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
