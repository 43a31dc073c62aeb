package shout

import (
	"errors"
	"net/smtp"
	"slices"
	"strings"

	shoutsmtp "github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"
)

// login does without where no user is given. By itself it takes what the server
// offers: several know LOGIN alone, which shoutrrr does not.
func (m mailServer) login(client *smtp.Client) error {
	c, types := m.config, shoutsmtp.AuthTypes
	if c.Auth == types.None {
		return nil
	}
	ok, offered := client.Extension("AUTH")
	if !ok {
		return errNotOffered
	}
	return client.Auth(m.mechanism(mechanisms(offered)))
}

func (m mailServer) mechanism(offered []string) smtp.Auth {
	c, types := m.config, shoutsmtp.AuthTypes
	switch {
	case c.Auth == types.CRAMMD5:
		return smtp.CRAMMD5Auth(c.Username, c.Password)
	case c.Auth == types.OAuth2:
		return &sasl{name: "XOAUTH2", first: []byte("user=" + c.Username + "\x01auth=Bearer " + c.Password + "\x01\x01"), then: [][]byte{{}}}
	case !slices.Contains(offered, "PLAIN") && slices.Contains(offered, "LOGIN"):
		return &sasl{name: "LOGIN", then: [][]byte{[]byte(c.Username), []byte(c.Password)}}
	}
	return &sasl{name: "PLAIN", first: []byte("\x00" + c.Username + "\x00" + c.Password)}
}

// mechanisms are the words of an AUTH line.
func mechanisms(offered string) []string { return strings.Fields(strings.ToUpper(offered)) }

// sasl is a login of fixed steps. That the connection is encrypted, or does not
// leave this machine, was seen to before.
type sasl struct {
	name  string
	first []byte
	then  [][]byte
}

// Start serves smtp.Auth.
func (s *sasl) Start(*smtp.ServerInfo) (string, []byte, error) { return s.name, s.first, nil }

// Next serves smtp.Auth.
func (s *sasl) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(s.then) == 0 {
		return nil, errors.New("the mail server asks for more than there is")
	}
	step := s.then[0]
	s.then = s.then[1:]
	return step, nil
}
