package web

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are looked
// at again: whoever renews one tells nobody.
const certificateAge = 10 * time.Second

// certificate is that of the port, as its files have it.
type certificate struct {
	certFile, keyFile string

	mu     sync.Mutex
	loaded *tls.Certificate
	of     stamp     // what the files were then
	looked time.Time // when
}

// stamp changes when one of the files does.
type stamp struct {
	cert, key       time.Time
	certLen, keyLen int64
}

func newCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, looked: time.Now()}
	c.of = c.stamp()
	var err error
	c.loaded, err = loadCertificate(certFile, keyFile)
	return c, err
}

// get serves crypto/tls. While a renewal is half written, or went wrong, the
// certificate from before goes on.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := time.Since(c.looked); age >= 0 && age < certificateAge {
		return c.loaded, nil
	}
	c.looked = time.Now()
	if now := c.stamp(); now != c.of {
		if next, err := loadCertificate(c.certFile, c.keyFile); err == nil {
			c.loaded, c.of = next, now
		}
	}
	return c.loaded, nil
}

// stamp follows links: renewals often turn one to a new file.
func (c *certificate) stamp() (s stamp) {
	if info, err := os.Stat(c.certFile); err == nil {
		s.cert, s.certLen = info.ModTime(), info.Size()
	}
	if info, err := os.Stat(c.keyFile); err == nil {
		s.key, s.keyLen = info.ModTime(), info.Size()
	}
	return s
}

// loadCertificate reads the pair. A key that everybody on the machine can read
// is no secret.
func loadCertificate(certFile, keyFile string) (*tls.Certificate, error) {
	info, err := os.Stat(keyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return nil, fmt.Errorf("everybody can read the TLS key %s (mode %04o); run `chmod 600 %s`", keyFile, mode, keyFile)
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	return &pair, nil
}

// checkCertificate refuses one that browsers would not take for URL.
func (p Port) checkCertificate() error {
	pair, err := loadCertificate(p.CertFile, p.KeyFile)
	if err != nil {
		return err
	}
	if pair.Leaf == nil {
		return errors.New("TLS certificate: the file holds none")
	}
	if host := p.host(); host != "" && p.badURL() == "" && len(p.Proxies) == 0 {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			return fmt.Errorf("the certificate is not for web.url: %w", err)
		}
	}
	return nil
}
