package shout

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// compose writes a mail: plain text in UTF-8, and headers that are ASCII, since
// not every server on the way takes others.
func compose(from, to mail.Address, l letter, now time.Time) []byte {
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"Date", now.Format(time.RFC1123Z)},
		{"From", from.String()},
		{"To", to.String()},
		{"Subject", subject(l.title)},
		{"Message-ID", messageID(from, to, l)},
		{"MIME-Version", "1.0"},
		{"Content-Type", `text/plain; charset="utf-8"`},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: no out-of-office replies
	} {
		b.WriteString(fold(h[0]+": "+h[1]) + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	// A bytes.Buffer takes everything.
	_, _ = w.Write([]byte(l.text + "\n"))
	_ = w.Close()
	return b.Bytes()
}

// subject is one line, encoded by RFC 2047 where it is not ASCII.
func subject(title string) string {
	return mime.BEncoding.Encode("utf-8", strings.Join(strings.Fields(title), " "))
}

// fold breaks a header between words into lines of up to 76 characters, which
// RFC 2047 wants of encoded ones.
func fold(header string) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Split(header, " ") {
		switch {
		case i == 0:
		case used+1+len(word) > 76:
			b.WriteString("\r\n ")
			used = 1
		default:
			b.WriteString(" ")
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}

// messageID is the same over all attempts, so that a mail which was taken twice
// is shown once.
func messageID(from, to mail.Address, l letter) string {
	sum := sha256.Sum256([]byte(l.id + "\n" + to.Address))
	_, domain, _ := strings.Cut(from.Address, "@")
	return fmt.Sprintf("<%x@%s>", sum[:16], domain)
}
