package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// certKind names what is wrong with a certificate, without its own words.
func certKind(err *tls.CertificateVerificationError) string {
	var (
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &host):
		return "it is for another host"
	case errors.As(err, &unknown):
		return "its authority is not known here"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or the clock is wrong"
	}
	return "it is not valid"
}
