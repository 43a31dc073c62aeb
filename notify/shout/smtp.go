package shout

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"os"
	"strconv"
	"time"

	shoutsmtp "github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"

	"github.com/ocwatch/ocwatch/internal/loopback"

	"github.com/ocwatch/ocwatch/notify"
)

// mailServer sends a mail to each address by itself, so that one that is
// refused keeps nothing from the others.
type mailServer struct {
	config *shoutsmtp.Config
	from   mail.Address
	to     []mail.Address
	secure encryption
	roots  *x509.CertPool
}

type encryption int

const (
	plainText   encryption = iota // within this machine alone
	startTLS                      // from the first command on, or no mail
	implicitTLS                   // from the first byte on
)

func newSMTP(u *url.URL, w wires) (service, error) {
	if u.Hostname() == "" {
		return nil, errors.New("the mail server is missing")
	}
	if u.Path != "" && u.Path != "/" {
		return nil, errors.New("nothing may stand behind the server but options; in a password write / as %2F and @ as %40")
	}
	var lib shoutsmtp.Service
	err := initialize(&lib, u, map[error]string{
		shoutsmtp.ErrFromAddressMissing: "from, the sender's address, is missing",
		shoutsmtp.ErrToAddressMissing:   "to, the receiver's address, is missing",
	})
	if err != nil {
		return nil, err
	}
	c := lib.Config
	c.FixEmailTags()
	m := mailServer{config: c, from: mail.Address{Name: c.FromName, Address: c.FromAddress}, roots: w.roots}
	for _, to := range c.ToAddresses {
		m.to = append(m.to, mail.Address{Address: to})
	}
	for _, a := range append([]mail.Address{m.from}, m.to...) {
		if parsed, err := mail.ParseAddress(a.Address); err != nil || parsed.Address != a.Address {
			return nil, errors.New("one of from and to is not a mail address")
		}
	}
	if m.secure, err = secrecy(c); err != nil {
		return nil, err
	}
	return m, nil
}

// secrecy picks the encryption. shoutrrr goes on in the clear where the server
// offers none; to another machine that would hand a password and the code of a
// login to whoever listens.
func secrecy(c *shoutsmtp.Config) (encryption, error) {
	e := shoutsmtp.EncMethods
	local := loopback.Host(c.Host)
	switch {
	case c.Encryption == e.ImplicitTLS, c.Encryption == e.Auto && c.Port == shoutsmtp.ImplicitTLSPort:
		return implicitTLS, nil
	case c.Encryption == e.None, !c.UseStartTLS:
		if !local || c.RequireStartTLS {
			return 0, errors.New("encryption=None and usestarttls=no are for a mail server on this very machine; to another one password and text would go in the clear")
		}
		return plainText, nil
	case local && c.Encryption == e.Auto && !c.RequireStartTLS:
		return plainText, nil // there is nobody between, and its certificate is seldom one
	}
	return startTLS, nil
}

func (m mailServer) shown() string {
	return "smtp://" + net.JoinHostPort(m.config.Host, strconv.Itoa(int(m.config.Port)))
}

func (m mailServer) rooms() int { return len(m.to) }

func (mailServer) close() {}

func (m mailServer) letters(text string) []letter {
	if text == "" {
		return nil
	}
	title, _ := headline(text)
	switch {
	case m.config.Subject != "":
		title = m.config.Subject
	case title == "":
		title = shorten(text, maxTitle)
	}
	return []letter{{title: title, text: text}}
}

func (m mailServer) deliver(ctx context.Context, room int, l letter) notify.Answer {
	conn, err := m.dial(ctx)
	if err != nil {
		return notify.Answer{Text: "connecting: " + notify.Describe(err)}
	}
	defer conn.Close() //nolint:errcheck // the server's word was read before
	// net/smtp knows no context. The deadline ends every read and write, an
	// early end of ctx closes the connection under them.
	if at, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(at)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := m.talk(conn, m.to[room], l); err != nil {
		if ctx.Err() != nil {
			err.cause = ctx.Err()
		}
		return err.answer()
	}
	return notify.Answer{Kind: notify.Accepted, Text: "250 taken by the mail server"}
}

func (m mailServer) dial(ctx context.Context) (net.Conn, error) {
	address := net.JoinHostPort(m.config.Host, strconv.Itoa(int(m.config.Port)))
	if m.secure == implicitTLS {
		return (&tls.Dialer{Config: m.tls()}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

func (m mailServer) tls() *tls.Config {
	return &tls.Config{ServerName: m.config.Host, MinVersion: tls.VersionTLS12, RootCAs: m.roots}
}

// talk hands one mail over. Whether the server says goodbye after it took the
// mail does not matter.
func (m mailServer) talk(conn net.Conn, to mail.Address, l letter) *smtpError {
	client, err := smtp.NewClient(conn, m.config.Host)
	if err != nil {
		return &smtpError{"greeting", err}
	}
	if err := client.Hello(m.hello()); err != nil {
		return &smtpError{"greeting", err}
	}
	if m.secure == startTLS {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return &smtpError{"STARTTLS", errNotOffered}
		}
		if err := client.StartTLS(m.tls()); err != nil {
			return &smtpError{"STARTTLS", err}
		}
	}
	if err := m.login(client); err != nil {
		return &smtpError{"login", err}
	}
	if err := client.Mail(m.from.Address); err != nil {
		return &smtpError{"sender", err}
	}
	if err := client.Rcpt(to.Address); err != nil {
		return &smtpError{"recipient", err}
	}
	if err := writeMail(client, compose(m.from, to, l, time.Now())); err != nil {
		return &smtpError{"text", err}
	}
	_ = client.Quit()
	return nil
}

func (m mailServer) hello() string {
	if m.config.ClientHost != "auto" {
		return m.config.ClientHost
	}
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

func writeMail(client *smtp.Client, data []byte) error {
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}
