package shout

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/notify"
)

// mailbox is a mail server on 127.0.0.1: RFC 5321 as far as a client that sends
// needs it, STARTTLS (RFC 3207) and AUTH (RFC 4954).
type mailbox struct {
	listener net.Listener
	tls      *tls.Config
	features []string          // EHLO's answer; STARTTLS is left out once TLS is on
	replies  map[string]string // instead of the usual one, by verb, or by RCPT's address; "greeting" and "." too
	silent   string            // the verb that is never answered
	implicit bool

	mu    sync.Mutex
	mails []received
	ended chan struct{} // one for each connection that is over
}

// received is one mail and how it came.
type received struct {
	tls                bool
	hello, login       string
	from, to, contents string
}

func newMailbox(t *testing.T, set func(*mailbox)) *mailbox {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := certificate()
	b := &mailbox{listener: l, tls: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, ended: make(chan struct{}, 16)}
	if set != nil {
		set(b)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				b.serve(conn)
				b.ended <- struct{}{}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return b
}

func (b *mailbox) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if b.implicit {
		conn = tls.Server(conn, b.tls)
	}
	in := bufio.NewReader(conn)
	m := received{tls: b.implicit}
	say := func(verb, usual string) {
		if special, ok := b.replies[verb]; ok {
			usual = special
		}
		_, _ = io.WriteString(conn, usual+"\r\n")
	}
	read := func() (string, bool) {
		line, err := in.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err == nil
	}
	if b.silent == "greeting" {
		_, _ = io.Copy(io.Discard, in)
		return
	}
	say("greeting", "220 mail.example.com")
	for {
		line, ok := read()
		if !ok {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if verb == b.silent {
			_, _ = io.Copy(io.Discard, in)
			return
		}
		switch verb {
		case "EHLO", "HELO":
			m.hello = rest
			features := []string{"mail.example.com"}
			for _, f := range b.features {
				if f != "STARTTLS" || !m.tls {
					features = append(features, f)
				}
			}
			for i, f := range features {
				sep := "-"
				if i == len(features)-1 {
					sep = " "
				}
				_, _ = fmt.Fprintf(conn, "250%s%s\r\n", sep, f)
			}
		case "STARTTLS":
			say(verb, "220 go on")
			conn = tls.Server(conn, b.tls)
			in = bufio.NewReader(conn)
			m.tls = true
		case "AUTH":
			mechanism, first, _ := strings.Cut(rest, " ")
			m.login = mechanism + " " + decoded(first)
			if mechanism == "LOGIN" {
				for _, prompt := range []string{"Username:", "Password:"} {
					_, _ = io.WriteString(conn, "334 "+base64.StdEncoding.EncodeToString([]byte(prompt))+"\r\n")
					answer, _ := read()
					m.login += "|" + decoded(answer)
				}
			}
			say(verb, "235 welcome")
		case "MAIL":
			m.from = rest
			say(verb, "250 ok")
		case "RCPT":
			m.to = rest
			if special, ok := b.replies[rest]; ok {
				_, _ = io.WriteString(conn, special+"\r\n")
				continue
			}
			say(verb, "250 ok")
		case "DATA":
			say(verb, "354 go on")
			var all strings.Builder
			for line, ok = read(); ok && line != "."; line, ok = read() {
				all.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
			}
			m.contents = all.String()
			if _, special := b.replies["."]; !special {
				b.mu.Lock()
				b.mails = append(b.mails, m)
				b.mu.Unlock()
			}
			say(".", "250 queued")
		case "QUIT":
			say(verb, "221 bye")
			return
		default:
			say(verb, "500 what?")
		}
	}
}

func decoded(s string) string {
	b, _ := base64.StdEncoding.DecodeString(s)
	return strings.ReplaceAll(string(b), "\x00", "|")
}

// url is the mailbox's, for a name that the certificate has.
func (b *mailbox) url(user, options string) string {
	if user != "" {
		user += "@"
	}
	return "smtp://" + user + b.listener.Addr().String() + "/?from=ocwatch@example.com&to=me@example.com" + options
}

func (b *mailbox) take(t *testing.T, n int) []received {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mails) != n {
		t.Fatalf("%d mails, want %d", len(b.mails), n)
	}
	return b.mails
}

func testRoots() wires {
	_, pool := certificate()
	return wires{roots: pool}
}

// TestMail reads a mail back as a mail program does.
func TestMail(t *testing.T) {
	b := newMailbox(t, nil)
	text := "srv1: 全部 3 个 openai 账号已用完\n\n打开 https://auth.example.com/device?a=b&c=d%20e\n.a line with a dot\n" + strings.Repeat("长", 90)
	if a := send(t, mustNew(t, b.url("", "&fromname=值班 ocwatch"), testRoots()), text); a.Kind != notify.Accepted {
		t.Fatalf("answer %+v", a)
	}
	m := b.take(t, 1)[0]
	if m.from != "FROM:<ocwatch@example.com>" || m.to != "TO:<me@example.com>" || m.login != "" || m.hello != "localhost" {
		t.Errorf("envelope %+v", m)
	}
	for line := range strings.SplitSeq(m.contents, "\r\n") {
		if len(line) > 78 || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e }) {
			t.Errorf("a line that is not for every server: %q", line)
		}
	}
	parsed, err := mail.ReadMessage(strings.NewReader(m.contents))
	if err != nil {
		t.Fatal(err)
	}
	h := parsed.Header
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != "srv1: 全部 3 个 openai 账号已用完" || !strings.HasPrefix(h.Get("Subject"), "=?utf-8?b?") {
		t.Errorf("subject %q, from %q: %v", subject, h.Get("Subject"), err)
	}
	from, err := mail.ParseAddress(h.Get("From"))
	if err != nil || from.Name != "值班 ocwatch" || from.Address != "ocwatch@example.com" {
		t.Errorf("from %v: %v", from, err)
	}
	if at, err := h.Date(); err != nil || time.Since(at) > time.Minute || time.Since(at) < -time.Minute {
		t.Errorf("date %v: %v", at, err)
	}
	for key, want := range map[string]string{
		"To": "<me@example.com>", "Mime-Version": "1.0", "Content-Type": `text/plain; charset="utf-8"`,
		"Content-Transfer-Encoding": "quoted-printable", "Auto-Submitted": "auto-generated",
	} {
		if h.Get(key) != want {
			t.Errorf("%s: %q, want %q", key, h.Get(key), want)
		}
	}
	body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || got != text+"\n" {
		t.Errorf("body %q: %v", got, err)
	}
}

// TestMailSubjects: a long one is folded, and comes out as it went in.
func TestMailSubjects(t *testing.T) {
	for name, title := range map[string]string{
		"short":        "srv1: spent",
		"long":         strings.TrimSpace(strings.Repeat("openai:alice@example.com is spent, ", 4)),
		"long Chinese": strings.Repeat("全部账号已用完，", 18),
		"mixed":        strings.TrimSpace(strings.Repeat("openai:alice 已用完 ", 10)),
		"one word":     strings.Repeat("x", 150),
	} {
		t.Run(name, func(t *testing.T) {
			data := compose(mail.Address{Address: "a@example.com"}, mail.Address{Address: "b@example.com"}, letter{title: title, text: "x"}, time.Now())
			for line := range strings.SplitSeq(string(data), "\r\n") {
				if len(line) > 78 && name != "one word" {
					t.Errorf("a line of %d: %s", len(line), line)
				}
			}
			m, err := mail.ReadMessage(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != title {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestMailIsRecognised: the second attempt has the first one's Message-ID, the
// next message another one.
func TestMailIsRecognised(t *testing.T) {
	b := newMailbox(t, nil)
	for _, id := range []string{"msg_1", "msg_1", "msg_2"} {
		s := mustNew(t, b.url("", ""), testRoots())
		if a := s.Send(t.Context(), notify.Outgoing{ID: id, Body: []byte("hi")}); a.Kind != notify.Accepted {
			t.Fatalf("answer %+v", a)
		}
	}
	var ids []string
	for _, m := range b.take(t, 3) {
		parsed, err := mail.ReadMessage(strings.NewReader(m.contents))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, parsed.Header.Get("Message-Id"))
	}
	if ids[0] != ids[1] || ids[0] == ids[2] || !strings.HasSuffix(ids[0], "@example.com>") {
		t.Errorf("ids %q", ids)
	}
}

func TestMailLogins(t *testing.T) {
	user := "me:s3cr3t%2Fpass"
	for name, c := range map[string]struct {
		features []string
		implicit bool
		options  string
		tls      bool
		login    string
		subject  string
	}{
		"plain, on this machine":   {[]string{"AUTH PLAIN LOGIN"}, false, "", false, "PLAIN |me|s3cr3t/pass", "hi"},
		"login alone":              {[]string{"AUTH LOGIN"}, false, "", false, "LOGIN |me|s3cr3t/pass", "hi"},
		"an access token":          {[]string{"AUTH XOAUTH2"}, false, "&auth=OAuth2", false, "XOAUTH2 user=me\x01auth=Bearer s3cr3t/pass\x01\x01", "hi"},
		"starttls, asked for":      {[]string{"STARTTLS", "AUTH PLAIN"}, false, "&requirestarttls=yes", true, "PLAIN |me|s3cr3t/pass", "hi"},
		"starttls, asked for too":  {[]string{"STARTTLS", "AUTH PLAIN"}, false, "&encryption=ExplicitTLS", true, "PLAIN |me|s3cr3t/pass", "hi"},
		"tls from the first byte":  {[]string{"AUTH PLAIN"}, true, "&encryption=ImplicitTLS", true, "PLAIN |me|s3cr3t/pass", "hi"},
		"a user who is not to be":  {[]string{"AUTH PLAIN"}, false, "&auth=None", false, "", "hi"},
		"a subject of the owner's": {[]string{"AUTH PLAIN"}, false, "&subject=watch", false, "PLAIN |me|s3cr3t/pass", "watch"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMailbox(t, func(b *mailbox) { b.features, b.implicit = c.features, c.implicit })
			if a := send(t, mustNew(t, b.url(user, c.options), testRoots()), "hi"); a.Kind != notify.Accepted {
				t.Fatalf("answer %+v", a)
			}
			m := b.take(t, 1)[0]
			if m.tls != c.tls || m.login != c.login || !strings.Contains(m.contents, "Subject: "+c.subject+"\r\n") {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestMailAnswers(t *testing.T) {
	const secretWords = "s3cr3t user me"
	for name, c := range map[string]struct {
		replies  map[string]string
		features []string
		user     string
		options  string
		want     notify.Answer
	}{
		"wrong password":          {map[string]string{"AUTH": "535 5.7.8 no: " + secretWords}, []string{"AUTH PLAIN"}, "me:s3cr3t", "", notify.Answer{Kind: notify.Refused, Text: "login: the mail server answered 535, user or password is wrong, or it wants an app password"}},
		"logins cannot be tried":  {map[string]string{"AUTH": "454 4.7.0 later"}, []string{"AUTH PLAIN"}, "me:s3cr3t", "", notify.Answer{Kind: notify.Failed, Text: "login: the mail server answered 454, it cannot check a login now"}},
		"no logins":               {nil, nil, "me:s3cr3t", "", notify.Answer{Kind: notify.Refused, Text: "login: the mail server does not offer it"}},
		"login is wanted":         {map[string]string{"MAIL": "530 5.7.0 authentication required"}, nil, "", "", notify.Answer{Kind: notify.Refused, Text: "sender: the mail server answered 530, it wants user and password"}},
		"greylisted":              {map[string]string{"RCPT": "451 4.7.1 greylisted, " + secretWords}, nil, "", "", notify.Answer{Kind: notify.Failed, Text: "recipient: the mail server answered 451, it will take it later"}},
		"no such recipient":       {map[string]string{"RCPT": "550 5.1.1 " + secretWords}, nil, "", "", notify.Answer{Kind: notify.Refused, Text: "recipient: the mail server answered 550, it does not take this address"}},
		"full":                    {map[string]string{"RCPT": "452 4.2.2 full"}, nil, "", "", notify.Answer{Kind: notify.Failed, Text: "recipient: the mail server answered 452, it will take it later"}},
		"spam":                    {map[string]string{".": "554 5.7.1 " + secretWords}, nil, "", "", notify.Answer{Kind: notify.Refused, Text: "text: the mail server answered 554, it does not take this mail"}},
		"closing":                 {map[string]string{"greeting": "421 4.3.2 shutting down"}, nil, "", "", notify.Answer{Kind: notify.Failed, Text: "greeting: the mail server answered 421, it will take it later"}},
		"an odd code":             {map[string]string{"DATA": "599 ?"}, nil, "", "", notify.Answer{Kind: notify.Refused, Text: "text: the mail server answered 599"}},
		"no STARTTLS":             {nil, []string{"AUTH PLAIN"}, "me:s3cr3t", "&requirestarttls=yes", notify.Answer{Kind: notify.Refused, Text: "STARTTLS: the mail server does not offer it"}},
		"STARTTLS refused":        {map[string]string{"STARTTLS": "454 not now"}, []string{"STARTTLS"}, "me:s3cr3t", "&requirestarttls=yes", notify.Answer{Kind: notify.Failed, Text: "STARTTLS: the mail server answered 454, it cannot check a login now"}},
		"not a mail server":       {map[string]string{"greeting": "HTTP/1.1 400 s3cr3t"}, nil, "", "", notify.Answer{Kind: notify.Failed, Text: "greeting: the other side does not speak SMTP"}},
		"a bye that is none":      {map[string]string{"QUIT": "500 s3cr3t"}, nil, "", "", notify.Answer{Kind: notify.Accepted, Text: "delivered"}},
		"TLS, and it speaks none": {nil, nil, "", "&encryption=ImplicitTLS", notify.Answer{Kind: notify.Failed, Text: "connecting: the other side does not speak TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMailbox(t, func(b *mailbox) { b.replies, b.features = c.replies, c.features })
			s := mustNew(t, b.url(c.user, c.options), testRoots())
			if a := send(t, s, "hi"); a != c.want {
				t.Errorf("got  %+v\nwant %+v", a, c.want)
			}
		})
	}
}

func TestMailUntrusted(t *testing.T) {
	b := newMailbox(t, func(b *mailbox) { b.features = []string{"STARTTLS", "AUTH PLAIN"} })
	a := send(t, mustNew(t, b.url("me:s3cr3t", "&requirestarttls=yes"), wires{}), "hi")
	if a.Kind != notify.Failed || !strings.HasPrefix(a.Text, "STARTTLS: the TLS certificate is not trusted: ") {
		t.Errorf("got %+v", a)
	}
	if b.mu.Lock(); len(b.mails) != 0 {
		t.Error("the mail went out")
	}
	b.mu.Unlock()
}

func TestMailUnreachable(t *testing.T) {
	b := newMailbox(t, nil)
	url := b.url("", "")
	_ = b.listener.Close()
	if a := send(t, mustNew(t, url, testRoots()), "hi"); a != (notify.Answer{Kind: notify.Failed, Text: "connecting: connection refused"}) {
		t.Errorf("got %+v", a)
	}
}

// TestMailSilence: a server that stops answering, wherever it does, costs the
// attempt's time, and the connection is closed.
func TestMailSilence(t *testing.T) {
	for _, verb := range []string{"greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"} {
		for _, how := range []string{"no time", "stopped"} {
			t.Run(verb+"/"+how, func(t *testing.T) {
				b := newMailbox(t, func(b *mailbox) { b.silent, b.features = verb, []string{"AUTH PLAIN"} })
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				if how == "stopped" {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(100*time.Millisecond, cancel)
				}
				defer cancel()
				a := mustNew(t, b.url("me:s3cr3t", ""), testRoots()).Send(ctx, notify.Outgoing{ID: "msg_1", Body: []byte("hi")})
				want := "no answer in time"
				if how == "stopped" {
					want = "cut short, because ocwatch is stopping"
				}
				if a.Kind != notify.Failed || !strings.HasSuffix(a.Text, ": "+want) {
					t.Errorf("got %+v", a)
				}
				select {
				case <-b.ended:
				case <-time.After(10 * time.Second):
					t.Error("the connection is still open")
				}
			})
		}
	}
}

// TestMailRecipients: each address gets a mail of its own. One that is refused
// keeps nothing from the others, and who has the mail does not get it again.
func TestMailRecipients(t *testing.T) {
	b := newMailbox(t, func(b *mailbox) {
		b.replies = map[string]string{"TO:<you@example.com>": "550 5.1.1 unknown"}
	})
	s := mustNew(t, b.url("", "")+",you@example.com,she@example.com", testRoots())
	want := notify.Answer{Kind: notify.Refused, Text: "not delivered to 1 of 3 recipients: recipient: the mail server answered 550, it does not take this address"}
	for range 2 {
		if a := send(t, s, "hi"); a != want {
			t.Errorf("got  %+v\nwant %+v", a, want)
		}
	}
	mails := b.take(t, 2)
	for i, to := range []string{"me@example.com", "she@example.com"} {
		if mails[i].to != "TO:<"+to+">" || !strings.Contains(mails[i].contents, "To: <"+to+">\r\n") {
			t.Errorf("mail %d: %+v", i, mails[i])
		}
	}
}
